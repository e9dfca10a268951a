//! What people say about the bot with `/feedback`: their words, kept because they gave them to be kept.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    feishu::{ChatId, OpenId},
    store::{self, Collection, Record, Store},
};

use super::{memory::SessionKey, sweep};

/// How long they are kept.
const KEPT_FOR: Duration = Duration::from_secs(365 * 24 * 3600);

/// How many characters of one are kept.
const CHARS_MAX: usize = 2000;

/// How many are kept; the oldest go first.
const KEPT_MAX: usize = 5000;

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remark {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub who: OpenId,
    /// In which chat.
    pub chat: ChatId,
    /// In which session.
    pub session: String,
    /// Their words. Untrusted.
    pub text: String,
}

impl Record for Remark {
    const COLLECTION: &'static str = "remark";
    const VERSION: u8 = 1;
}

/// The store's side of it.
pub(super) struct Remarks(Collection<Remark>);

impl Remarks {
    /// Opens the collection.
    pub(super) fn new(store: &Store) -> Self {
        Self(store.collection())
    }

    /// Keeps one.
    pub(super) async fn keep(
        &self,
        who: &OpenId,
        chat: &ChatId,
        session: &SessionKey,
        text: &str,
    ) -> Result<(), store::Error> {
        let remark = Remark {
            at: Timestamp::now(),
            who: who.clone(),
            chat: chat.clone(),
            session: session.as_str().to_owned(),
            text: text.chars().take(CHARS_MAX).collect(),
        };
        self.0.put(&Uuid::now_v7().to_string(), &remark).await
    }

    /// All of them, oldest first.
    pub(super) async fn all(&self) -> Result<Vec<Remark>, store::Error> {
        let found = self.0.scan("", None, KEPT_MAX).await?;
        Ok(found.into_iter().map(|(_, remark)| remark).collect())
    }

    /// Forgets the old ones, and what is too many.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        let old = sweep::sweep(&self.0, |remark| {
            remark.at.duration_until(now).unsigned_abs() > KEPT_FOR
        })
        .await?;
        let all = self.0.scan("", None, KEPT_MAX * 2).await?;
        let too_many = all.len().saturating_sub(KEPT_MAX);
        for (key, _) in all.iter().take(too_many) {
            self.0.delete(key).await?;
        }
        Ok(old + too_many)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let remark = Remark {
            at: "2026-11-21T10:00:00Z".parse().unwrap(),
            who: OpenId::new("ou_a"),
            chat: ChatId::new("oc_a"),
            session: "cli_a/t/oc_a/-".into(),
            text: "good".into(),
        };
        assert_json_snapshot!(remark, @r#"
        {
          "at": "2026-11-21T10:00:00Z",
          "who": "ou_a",
          "chat": "oc_a",
          "session": "cli_a/t/oc_a/-",
          "text": "good"
        }
        "#);
    }
}
