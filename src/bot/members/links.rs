//! Who is who: members of the list on one side, people of the platform on the other, one to one.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{feishu::OpenId, store::Record};

/// How a link came to be as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bot) enum How {
    /// They log in with the member's e-mail.
    Email,
    /// They log in with the member's mobile number.
    Mobile,
    /// An administrator said so.
    Administrator,
    /// Somebody undid it. It is kept, so that it does not come back by itself.
    Undone,
}

/// What is kept of a member, by their name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Link {
    /// Who it is; none once it was undone.
    pub open_id: Option<OpenId>,
    /// How it came about.
    pub how: How,
    /// By whom; for one that made itself, the one it is about.
    pub by: OpenId,
    /// When.
    pub at: Timestamp,
}

impl Record for Link {
    const COLLECTION: &'static str = "member_link";
    const VERSION: u8 = 1;
}

/// All of them, in memory: every press asks.
#[derive(Debug, Default)]
pub(super) struct Links {
    by_name: HashMap<String, Link>,
    by_person: HashMap<OpenId, String>,
}

impl Links {
    /// Sets what is known of a member. Whoever it was before is free.
    pub(super) fn put(&mut self, name: &str, link: Link) {
        if let Some(person) = self.person(name).cloned() {
            self.by_person.remove(&person);
        }
        if let Some(person) = &link.open_id {
            self.by_person.insert(person.clone(), name.to_owned());
        }
        self.by_name.insert(name.to_owned(), link);
    }

    /// What is known of a member.
    pub(super) fn get(&self, name: &str) -> Option<&Link> {
        self.by_name.get(name)
    }

    /// Who a member is.
    pub(super) fn person(&self, name: &str) -> Option<&OpenId> {
        self.by_name.get(name)?.open_id.as_ref()
    }

    /// Which member somebody is.
    pub(super) fn member(&self, person: &OpenId) -> Option<&str> {
        self.by_person.get(person).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;

    fn link(open_id: Option<&str>) -> Link {
        Link {
            open_id: open_id.map(OpenId::new),
            how: How::Email,
            by: OpenId::new("ou_a"),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_person_is_free_again_when_the_member_is_somebody_else_or_nobody() {
        let (a, b) = (OpenId::new("ou_a"), OpenId::new("ou_b"));
        let mut links = Links::default();
        links.put("Li", link(Some("ou_a")));
        assert_eq!(
            (links.person("Li"), links.member(&a)),
            (Some(&a), Some("Li"))
        );
        links.put("Li", link(Some("ou_b")));
        assert_eq!((links.member(&a), links.member(&b)), (None, Some("Li")));
        links.put("Li", link(None));
        assert_eq!((links.person("Li"), links.member(&b)), (None, None));
        assert!(links.get("Li").is_some(), "it is known that it was undone");
    }

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        assert_json_snapshot!(link(Some("ou_a")), @r#"
        {
          "open_id": "ou_a",
          "how": "email",
          "by": "ou_a",
          "at": "1970-01-01T00:00:00Z"
        }
        "#);
    }
}
