//! What happened: a type for each kind of event that we act upon.

use jiff::Timestamp;
use serde::Deserialize;

use super::{ChatKind, Click, EventError};
use crate::feishu::{
    ChatId, Message, MessageId, OpenId, Operator,
    message::{WireMessage, WireSender},
    wire::{AnyId, Text},
};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody {
    /// Somebody wrote a message.
    Message(Message, ChatKind),
    /// A message was recalled.
    Recalled {
        /// Which message.
        message_id: MessageId,
        /// The chat it stood in.
        chat_id: ChatId,
    },
    /// Somebody put an emoji under a message.
    ReactionAdded(Reacted),
    /// Somebody took it away again.
    ReactionRemoved(Reacted),
    /// Somebody used a part of a card that calls back.
    Clicked(Click),
    /// The bot was taken into a group.
    BotAdded(ChatChange),
    /// The bot was taken out of a group. No call about that group succeeds from here on.
    BotRemoved(ChatChange),
    /// A group was dissolved.
    ChatDisbanded(ChatChange),
    /// A group has another name, or something else about it changed.
    ChatUpdated(ChatChange),
    /// People came into a group.
    MembersAdded(Membership),
    /// People left a group, were taken out of it, or were not let in after all.
    MembersRemoved(Membership),
    /// Somebody opened the direct chat with the bot; the old `p2p_chat_create` says so of the first time.
    DirectChatEntered {
        /// Who.
        person: OpenId,
        /// The direct chat.
        chat_id: ChatId,
    },
    /// Somebody pressed an entry of the bot's menu.
    MenuPressed {
        /// Who.
        person: OpenId,
        /// The key that the developer console has for the entry, of 1 to 30 characters.
        key: String,
    },
    /// Anything else.
    Other,
}

/// An emoji under a message, put there or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reacted {
    /// The message. The platform does not say in which chat it stands.
    pub message_id: MessageId,
    /// The platform's name of the emoji.
    pub emoji_type: String,
    /// Who; our own reactions are told too.
    pub operator: Operator,
    /// When, if it says so.
    pub at: Option<Timestamp>,
}

/// Something about a group as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatChange {
    /// Which group.
    pub chat_id: ChatId,
    /// Who did it, where the platform says so.
    pub operator: Option<OpenId>,
    /// The group's name, the new one where it changed.
    pub name: Option<String>,
    /// Whether people of other organisations are in it.
    pub is_external: bool,
}

/// Who came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which group.
    pub chat_id: ChatId,
    /// Who did it, where the platform says so.
    pub operator: Option<OpenId>,
    /// Those who came or went, with the names the platform gives.
    pub people: Vec<(OpenId, String)>,
}

#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    sender: Option<WireSender>,
    message: WireMessage,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Recalled {
    message_id: Text,
    chat_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireReacted {
    message_id: Text,
    reaction_type: WireEmoji,
    operator_type: Text,
    user_id: AnyId,
    app_id: Text,
    action_time: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireEmoji {
    emoji_type: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireChatChange {
    chat_id: Text,
    operator_id: AnyId,
    external: bool,
    name: Text,
    after_change: WireAfter,
    users: Vec<WireMember>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAfter {
    name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireMember {
    name: Text,
    user_id: AnyId,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireCreated {
    chat_id: Text,
    user: WireCreatedWith,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireCreatedWith {
    open_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireMenu {
    operator: WireMenuOperator,
    event_key: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireMenuOperator {
    operator_id: AnyId,
}

impl EventBody {
    pub(super) fn decode(
        kind: &str,
        body: &str,
        happened_at: Option<Timestamp>,
    ) -> Result<Self, EventError> {
        Ok(match kind {
            "im.message.receive_v1" => received(body, happened_at)?,
            "im.message.recalled_v1" => recalled(body)?,
            "im.message.reaction.created_v1" => EventBody::ReactionAdded(reacted(body)?),
            "im.message.reaction.deleted_v1" => EventBody::ReactionRemoved(reacted(body)?),
            "card.action.trigger" => EventBody::Clicked(Click::decode(body)?),
            "im.chat.member.bot.added_v1" => EventBody::BotAdded(chat_change(body)?),
            "im.chat.member.bot.deleted_v1" => EventBody::BotRemoved(chat_change(body)?),
            "im.chat.disbanded_v1" => EventBody::ChatDisbanded(chat_change(body)?),
            "im.chat.updated_v1" => EventBody::ChatUpdated(chat_change(body)?),
            "im.chat.member.user.added_v1" => EventBody::MembersAdded(membership(body)?),
            "im.chat.member.user.deleted_v1" | "im.chat.member.user.withdrawn_v1" => {
                EventBody::MembersRemoved(membership(body)?)
            }
            "im.chat.access_event.bot_p2p_chat_entered_v1" => entered(body)?,
            "p2p_chat_create" => created(body)?,
            "application.bot.menu_v6" => menu_pressed(body)?,
            _ => EventBody::Other,
        })
    }
}

fn received(body: &str, happened_at: Option<Timestamp>) -> Result<EventBody, EventError> {
    let Received { sender, message } = serde_json::from_str(body)?;
    let chat_kind = match message.chat_type.0.as_deref() {
        Some("p2p") => ChatKind::P2p,
        _ => ChatKind::Group,
    };
    let message = message.into_message(sender, happened_at);
    Ok(EventBody::Message(
        message.map_err(EventError::Missing)?,
        chat_kind,
    ))
}

fn recalled(body: &str) -> Result<EventBody, EventError> {
    let Recalled {
        message_id,
        chat_id,
    } = serde_json::from_str(body)?;
    Ok(EventBody::Recalled {
        message_id: needed(message_id.id(MessageId::new), "message_id")?,
        chat_id: needed(chat_id.id(ChatId::new), "chat_id")?,
    })
}

fn reacted(body: &str) -> Result<Reacted, EventError> {
    let reacted: WireReacted = serde_json::from_str(body)?;
    let is_app = reacted.operator_type.0.as_deref() == Some("app");
    let id = if is_app {
        reacted.app_id.0
    } else {
        reacted.user_id.0
    };
    Ok(Reacted {
        message_id: needed(reacted.message_id.id(MessageId::new), "message_id")?,
        emoji_type: needed(reacted.reaction_type.emoji_type.0, "emoji_type")?,
        operator: Operator {
            id: id.unwrap_or_default(),
            is_app,
        },
        at: reacted.action_time.time(),
    })
}

fn chat_change(body: &str) -> Result<ChatChange, EventError> {
    let change: WireChatChange = serde_json::from_str(body)?;
    Ok(ChatChange {
        chat_id: needed(change.chat_id.id(ChatId::new), "chat_id")?,
        operator: change.operator_id.0.map(OpenId::new),
        name: change.name.0.or(change.after_change.name.0),
        is_external: change.external,
    })
}

fn membership(body: &str) -> Result<Membership, EventError> {
    let change: WireChatChange = serde_json::from_str(body)?;
    let person = |member: WireMember| {
        let open_id = OpenId::new(member.user_id.0?);
        Some((open_id, member.name.or_empty()))
    };
    Ok(Membership {
        chat_id: needed(change.chat_id.id(ChatId::new), "chat_id")?,
        operator: change.operator_id.0.map(OpenId::new),
        people: change.users.into_iter().filter_map(person).collect(),
    })
}

fn entered(body: &str) -> Result<EventBody, EventError> {
    let change: WireChatChange = serde_json::from_str(body)?;
    Ok(EventBody::DirectChatEntered {
        person: needed(change.operator_id.0.map(OpenId::new), "operator_id")?,
        chat_id: needed(change.chat_id.id(ChatId::new), "chat_id")?,
    })
}

/// Of schema 1.0, where the ids stand differently.
fn created(body: &str) -> Result<EventBody, EventError> {
    let created: WireCreated = serde_json::from_str(body)?;
    // The operator is whoever made the chat, which can be the bot.
    let person = created.user.open_id.id(OpenId::new);
    Ok(EventBody::DirectChatEntered {
        person: needed(person, "user.open_id")?,
        chat_id: needed(created.chat_id.id(ChatId::new), "chat_id")?,
    })
}

fn menu_pressed(body: &str) -> Result<EventBody, EventError> {
    let menu: WireMenu = serde_json::from_str(body)?;
    Ok(EventBody::MenuPressed {
        person: needed(
            menu.operator.operator_id.0.map(OpenId::new),
            "operator.operator_id",
        )?,
        key: needed(menu.event_key.0, "event_key")?,
    })
}

fn needed<T>(member: Option<T>, name: &'static str) -> Result<T, EventError> {
    member.ok_or(EventError::Missing(name))
}
