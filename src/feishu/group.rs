//! Making, naming, filling and dissolving groups.
//!
//! One person who cannot be added makes the platform refuse a new group as a whole, so a group is made with
//! nobody but the bot in it, and people are added afterwards. A group that the bot makes is its own.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    ChatId, Client, Error, OpenId,
    api::{Api, Call},
    wire::Text,
};

/// How many people one call can add.
const AT_ONCE: usize = 50;

/// The longest name of a group, in characters.
pub const GROUP_NAME_CHARS_MAX: usize = 60;
/// The longest description of a group, in characters.
pub const GROUP_DESCRIPTION_CHARS_MAX: usize = 100;

/// Made once for each uuid, so it may be repeated.
static CREATE: Api = Api::new("chat.create", Method::POST, "/open-apis/im/v1/chats");
static UPDATE: Api = Api::new(
    "chat.update",
    Method::PUT,
    "/open-apis/im/v1/chats/:chat_id",
);
static DISSOLVE: Api = Api::new(
    "chat.delete",
    Method::DELETE,
    "/open-apis/im/v1/chats/:chat_id",
);
static ADD: Api = Api::new(
    "chat.members.add",
    Method::POST,
    "/open-apis/im/v1/chats/:chat_id/members",
);
static REMOVE: Api = Api::new(
    "chat.members.remove",
    Method::DELETE,
    "/open-apis/im/v1/chats/:chat_id/members",
);

/// A group to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup<'a> {
    /// Its name, of at most [`GROUP_NAME_CHARS_MAX`] characters.
    pub name: &'a str,
    /// What it is for, of at most [`GROUP_DESCRIPTION_CHARS_MAX`] characters.
    pub description: &'a str,
    /// For ten hours the platform makes at most one group for it. At most 50 characters.
    pub uuid: &'a str,
}

/// Somebody who could not be added, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdded {
    /// Who.
    pub person: OpenId,
    /// Why.
    pub why: WhyNotAdded,
}

/// Why somebody could not be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNotAdded {
    /// They left the organisation, or the app is not meant for them.
    NotReachable,
    /// There is no such person, as this app sees people.
    Unknown,
    /// Somebody who runs the group has to agree first.
    AwaitsApproval,
    /// The group takes nobody else.
    Full,
    /// The platform said no for another reason.
    Refused,
}

impl Client {
    /// Makes a private group that belongs to the bot, with nobody else in it.
    ///
    /// Needs scope `im:chat` or `im:chat:create`.
    pub async fn create_group(&self, group: &NewGroup<'_>) -> Result<ChatId, Error> {
        let body = json!({
            "name": group.name,
            "description": group.description,
            "chat_mode": "group",
            "chat_type": "private",
        });
        let call = Call::of(&CREATE)
            .query("user_id_type", "open_id")
            .query("uuid", group.uuid)
            .body(&body);
        let made: WireMade = self.call(&call).await?;
        made.chat_id
            .id(ChatId::new)
            .ok_or_else(|| Error::unreadable(&CREATE))
    }

    /// Gives a group another name.
    pub async fn rename_group(&self, id: &ChatId, name: &str) -> Result<(), Error> {
        let call = Call::of(&UPDATE)
            .arg(id.as_str())
            .body(&json!({ "name": name }));
        self.done(&call).await
    }

    /// Dissolves a group that belongs to the bot. What was said in it cannot be read any more.
    pub async fn dissolve_group(&self, id: &ChatId) -> Result<(), Error> {
        self.done(&Call::of(&DISSOLVE).arg(id.as_str())).await
    }

    /// Adds people to a group, and gives those who could not be. The calls for one group are to be made one
    /// after the other: the platform refuses two at a time.
    pub async fn add_members(
        &self,
        id: &ChatId,
        people: &[OpenId],
    ) -> Result<Vec<NotAdded>, Error> {
        let mut not_added = Vec::new();
        for some in people.chunks(AT_ONCE) {
            match self.add_some(id, some).await {
                // One of them makes it refuse all, and it does not say which one.
                Err(error) if some.len() > 1 && is_about_people(&error) => {
                    for one in some {
                        not_added.extend(self.add_one(id, one).await?);
                    }
                }
                Err(error) if is_about_people(&error) => {
                    not_added.extend(some.iter().map(|one| refused(one, &error)));
                }
                outcome => not_added.extend(outcome?),
            }
        }
        Ok(not_added)
    }

    async fn add_one(&self, id: &ChatId, person: &OpenId) -> Result<Vec<NotAdded>, Error> {
        match self.add_some(id, std::slice::from_ref(person)).await {
            Err(error) if is_about_people(&error) => Ok(vec![refused(person, &error)]),
            outcome => outcome,
        }
    }

    async fn add_some(&self, id: &ChatId, people: &[OpenId]) -> Result<Vec<NotAdded>, Error> {
        let call = Call::of(&ADD)
            .arg(id.as_str())
            .query("member_id_type", "open_id")
            // Adds those whom it can, and lists the rest.
            .query("succeed_type", "1")
            .body(&json!({ "id_list": people }));
        let added: WireAdded = self.call(&call).await?;
        let lists = [
            (added.invalid_id_list, WhyNotAdded::NotReachable),
            (added.not_existed_id_list, WhyNotAdded::Unknown),
            (added.pending_approval_id_list, WhyNotAdded::AwaitsApproval),
        ];
        let listed = lists.into_iter().flat_map(|(ids, why)| {
            let ids = ids.unwrap_or_default().into_iter();
            ids.map(move |id| NotAdded {
                person: OpenId::new(id),
                why,
            })
        });
        Ok(listed.collect())
    }

    /// Takes people out of a group, and gives those who could not be.
    pub async fn remove_members(
        &self,
        id: &ChatId,
        people: &[OpenId],
    ) -> Result<Vec<OpenId>, Error> {
        let mut left = Vec::new();
        for some in people.chunks(AT_ONCE) {
            let call = Call::of(&REMOVE)
                .arg(id.as_str())
                .query("member_id_type", "open_id")
                .body(&json!({ "id_list": some }));
            let removed: WireAdded = self.call(&call).await?;
            let invalid = removed.invalid_id_list.unwrap_or_default();
            left.extend(invalid.into_iter().map(OpenId::new));
        }
        Ok(left)
    }
}

/// Whether the platform refused because of who was to be added: outside of the app's range, gone, unknown,
/// or one too many.
fn is_about_people(error: &Error) -> bool {
    let code = error.refusal().map(|refusal| refusal.code);
    code.is_some_and(|code| why(code).is_some())
}

fn refused(person: &OpenId, error: &Error) -> NotAdded {
    let why = error.refusal().and_then(|refusal| why(refusal.code));
    NotAdded {
        person: person.clone(),
        why: why.unwrap_or(WhyNotAdded::Refused),
    }
}

fn why(code: i64) -> Option<WhyNotAdded> {
    Some(match code {
        232022 | 232024 | 232043 => WhyNotAdded::NotReachable,
        232007 | 232027 | 232030 | 99992351 | 99992352 | 99992360 | 99992361 | 99992364 => {
            WhyNotAdded::Unknown
        }
        232013 => WhyNotAdded::Full,
        232010 | 232028 | 232029 | 232031 | 232032 | 232044 => WhyNotAdded::Refused,
        _ => return None,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireMade {
    chat_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAdded {
    invalid_id_list: Option<Vec<String>>,
    not_existed_id_list: Option<Vec<String>>,
    pending_approval_id_list: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    const ADD_PATH: &str = "POST /open-apis/im/v1/chats/oc_a/members";

    fn people(ids: &[&str]) -> Vec<OpenId> {
        ids.iter().map(|id| OpenId::new(*id)).collect()
    }

    #[tokio::test]
    async fn a_group_is_made_once_for_its_uuid_with_nobody_in_it() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/im/v1/chats";
        platform.will(
            path,
            [
                Reply::data(json!({"chat_id": "oc_a"})),
                Reply::data(json!({})),
            ],
        );
        let client = platform.client();
        let group = NewGroup {
            name: "#42 checkout",
            description: "d",
            uuid: "u-1",
        };
        assert_eq!(client.create_group(&group).await.unwrap().as_str(), "oc_a");
        let error = client.create_group(&group).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        let seen = &platform.seen(path)[0];
        assert_eq!(seen.query, "user_id_type=open_id&uuid=u-1");
        assert_eq!(seen.body["name"], "#42 checkout");
        assert!(seen.body.get("user_id_list").is_none());
    }

    #[tokio::test]
    async fn a_success_says_who_was_not_added() {
        let platform = Platform::start().await;
        let answer = json!({
            "invalid_id_list": ["ou_left"], "not_existed_id_list": ["ou_none"],
            "pending_approval_id_list": ["ou_waits"]
        });
        platform.will(ADD_PATH, [Reply::data(answer), Reply::data(json!({}))]);
        let many: Vec<OpenId> = (0..51).map(|n| OpenId::new(format!("ou_{n}"))).collect();
        let client = platform.client();
        let not_added = client.add_members(&ChatId::new("oc_a"), &many).await;
        let whys: Vec<_> = not_added.unwrap().into_iter().map(|one| one.why).collect();
        assert_eq!(
            whys,
            [
                WhyNotAdded::NotReachable,
                WhyNotAdded::Unknown,
                WhyNotAdded::AwaitsApproval
            ]
        );
        let seen = platform.seen(ADD_PATH);
        assert_eq!(seen[0].query, "member_id_type=open_id&succeed_type=1");
        let sizes: Vec<usize> = seen
            .iter()
            .map(|one| one.body["id_list"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [50, 1]);
    }

    #[tokio::test]
    async fn where_one_spoils_it_for_all_they_are_added_one_by_one() {
        let platform = Platform::start().await;
        platform.will(
            ADD_PATH,
            [
                Reply::refusal(400, 232_024),
                Reply::data(json!({})),
                Reply::refusal(400, 232_024),
            ],
        );
        let client = platform.client();
        let chat = ChatId::new("oc_a");
        let not_added = client.add_members(&chat, &people(&["ou_a", "ou_b"])).await;
        let expected = NotAdded {
            person: OpenId::new("ou_b"),
            why: WhyNotAdded::NotReachable,
        };
        assert_eq!(not_added.unwrap(), [expected]);
        // That the group is gone is about nobody, and an error.
        platform.will(ADD_PATH, [Reply::refusal(400, 232_009)]);
        let error = client.add_members(&chat, &people(&["ou_a"])).await;
        assert!(matches!(error, Err(Error::Gone(_))));
    }
}
