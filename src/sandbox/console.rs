//! What an administrator has set in the developer console, as `POST /sandbox/faults` `console` changes it.
//!
//! The default is an app on which nothing is left to do, but for the scopes that let it read these very
//! settings: those few apps have.

use serde::{Deserialize, Serialize};

/// The events that the app is subscribed to unless it is said otherwise.
pub(super) const EVENTS: &[&str] = &[
    "im.message.receive_v1",
    "im.message.recalled_v1",
    "im.message.reaction.created_v1",
    "im.message.reaction.deleted_v1",
    "im.chat.disbanded_v1",
    "im.chat.updated_v1",
    "im.chat.member.bot.added_v1",
    "im.chat.member.bot.deleted_v1",
    "im.chat.member.user.added_v1",
    "im.chat.member.user.deleted_v1",
    "im.chat.access_event.bot_p2p_chat_entered_v1",
    "application.bot.menu_v6",
];
/// The callbacks.
pub(super) const CALLBACKS: &[&str] = &["card.action.trigger"];

/// The app's pages in the developer console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Console {
    /// Scopes beside those that every sandbox grants.
    pub(super) grant_scopes: Vec<String>,
    /// What `GET /bot/v3/info` says: 2 is enabled.
    pub(super) activate_status: i64,
    /// Whether a version of the app is approved. Otherwise its only one was never handed in.
    pub(super) published: bool,
    /// How events come: `websocket` or `webhook`.
    pub(super) events_by: String,
    /// How callbacks come.
    pub(super) callbacks_by: String,
    /// Events and callbacks that the app is not subscribed to: they are never sent.
    pub(super) unsubscribed: Vec<String>,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            grant_scopes: Vec::new(),
            activate_status: 2,
            published: true,
            events_by: "websocket".to_owned(),
            callbacks_by: "websocket".to_owned(),
            unsubscribed: Vec::new(),
        }
    }
}

impl Console {
    /// Whether the app gets events or callbacks of this type.
    pub(super) fn is_subscribed(&self, kind: &str) -> bool {
        !self.unsubscribed.iter().any(|one| one == kind)
    }

    /// Those of `names` that the app is subscribed to.
    pub(super) fn subscribed<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        let names = names.iter().copied();
        names.filter(|name| self.is_subscribed(name)).collect()
    }
}
