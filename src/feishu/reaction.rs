//! The emojis on messages.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tracing::warn;

use super::{
    Client, Error, MessageId, ReactionId,
    api::{Api, Call},
    wire::{PageData, Text},
};

/// One app has one emoji of a name on a message, so putting it there twice is putting it there once.
static ADD_REACTION: Api = Api::new(
    "reaction.add",
    Method::POST,
    "/open-apis/im/v1/messages/:message_id/reactions",
);
static REMOVE_REACTION: Api = Api::new(
    "reaction.remove",
    Method::DELETE,
    "/open-apis/im/v1/messages/:message_id/reactions/:reaction_id",
);
static LIST_REACTIONS: Api = Api::get(
    "reaction.list",
    "/open-apis/im/v1/messages/:message_id/reactions",
);

/// The most reactions of one message that are read, in pages of 50.
const REACTION_PAGES_MAX: usize = 20;

/// An emoji that somebody put on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Its id.
    pub id: ReactionId,
    /// One of [`EMOJI_TYPES`](super::EMOJI_TYPES).
    pub emoji: String,
    /// Who put it there.
    pub operator: Operator,
}

/// Who put an emoji somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Open id of a person, app id of an app.
    pub id: String,
    /// Whether it was an app.
    pub is_app: bool,
}

impl Client {
    /// Puts an emoji on a message. `emoji` is one of [`EMOJI_TYPES`](super::EMOJI_TYPES).
    pub async fn add_reaction(&self, to: &MessageId, emoji: &str) -> Result<Reaction, Error> {
        let call = Call::of(&ADD_REACTION)
            .arg(to.as_str())
            .body(&json!({"reaction_type": {"emoji_type": emoji}}));
        let reaction: WireReaction = self.call(&call).await?;
        reaction
            .into_reaction()
            .ok_or_else(|| Error::unreadable(&ADD_REACTION))
    }

    /// Takes an emoji of ours away. [`Error::Gone`] if it is not there any more.
    pub async fn remove_reaction(&self, of: &MessageId, id: &ReactionId) -> Result<(), Error> {
        self.done(&Call::of(&REMOVE_REACTION).arg(of.as_str()).arg(id.as_str()))
            .await
    }

    /// All emojis on a message, up to a thousand.
    ///
    /// Needs scope `im:message.reactions:read` or `im:message:readonly`; `im:message` is not enough.
    pub async fn reactions(&self, of: &MessageId) -> Result<Vec<Reaction>, Error> {
        let mut reactions = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..REACTION_PAGES_MAX {
            let call = Call::of(&LIST_REACTIONS)
                .arg(of.as_str())
                .query("page_size", "50")
                .query_if("page_token", token.as_deref());
            let page: PageData<WireReaction> = self.call(&call).await?;
            let page = page.into_page(|items| {
                let items = items.into_iter().filter_map(WireReaction::into_reaction);
                items.collect::<Vec<_>>()
            });
            reactions.extend(page.items);
            token = page.next;
            if token.is_none() {
                return Ok(reactions);
            }
        }
        warn!(message.id = %of, "a message has more reactions than are read");
        Ok(reactions)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireReaction {
    reaction_id: Text,
    operator: WireOperator,
    reaction_type: WireEmoji,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireOperator {
    operator_id: Text,
    operator_type: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireEmoji {
    emoji_type: Text,
}

impl WireReaction {
    fn into_reaction(self) -> Option<Reaction> {
        Some(Reaction {
            id: self.reaction_id.id(ReactionId::new)?,
            emoji: self.reaction_type.emoji_type.or_empty(),
            operator: Operator {
                is_app: self.operator.operator_type.0.as_deref() == Some("app"),
                id: self.operator.operator_id.or_empty(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn all_reactions_are_read_whatever_number_of_pages() {
        let platform = Platform::start().await;
        let path = "GET /open-apis/im/v1/messages/om_a/reactions";
        let reaction = |id: &str, by: &str| {
            json!({
                "reaction_id": id, "operator": {"operator_id": "x", "operator_type": by},
                "action_time": "1615380573411", "reaction_type": {"emoji_type": "OnIt"}
            })
        };
        platform.will(
            path,
            [
                Reply::data(
                    json!({"items": [reaction("r1", "app")], "has_more": true, "page_token": "p"}),
                ),
                Reply::data(json!({"items": [reaction("r2", "user")], "has_more": false})),
            ],
        );
        let reactions = platform
            .client()
            .reactions(&MessageId::new("om_a"))
            .await
            .unwrap();
        let told: Vec<_> = reactions
            .iter()
            .map(|r| (r.id.as_str(), r.operator.is_app))
            .collect();
        assert_eq!(told, [("r1", true), ("r2", false)]);
    }

    #[tokio::test]
    async fn a_list_that_never_ends_is_left_at_some_point() {
        let platform = Platform::start().await;
        let path = "GET /open-apis/im/v1/messages/om_a/reactions";
        let page = || Reply::data(json!({"items": [], "has_more": true, "page_token": "p"}));
        platform.will(path, (0..50).map(|_| page()));
        platform
            .client()
            .reactions(&MessageId::new("om_a"))
            .await
            .unwrap();
        assert_eq!(platform.seen(path).len(), REACTION_PAGES_MAX);
    }

    #[tokio::test]
    async fn a_reaction_is_added_and_removed() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/im/v1/messages/om_a/reactions";
        platform.will(
            path,
            [Reply::data(json!({
                "reaction_id": "r1", "operator": {"operator_id": "cli_a", "operator_type": "app"},
                "reaction_type": {"emoji_type": "OnIt"}
            }))],
        );
        platform.will(
            "DELETE /open-apis/im/v1/messages/om_a/reactions/r1",
            [Reply::data(json!({}))],
        );
        let (client, message) = (platform.client(), MessageId::new("om_a"));
        let reaction = client.add_reaction(&message, "OnIt").await.unwrap();
        assert_eq!(
            platform.seen(path)[0].body,
            json!({"reaction_type": {"emoji_type": "OnIt"}})
        );
        client
            .remove_reaction(&message, &reaction.id)
            .await
            .unwrap();
    }
}
