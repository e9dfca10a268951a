//! The platform and nothing else.

use serde_json::Value;

mod emoji;
mod error;
mod event;
mod ids;
mod message;
pub mod ws;

pub use emoji::{EMOJI_TYPES, is_emoji_type};
pub use error::{Error, Limit, Refusal};
pub use event::{ChatKind, Event, EventBody, EventError};
pub use ids::{CardId, ChatId, EventId, MessageId, OpenId, ReactionId, TenantKey, ThreadId};
use jiff::Timestamp;
pub use message::{Mention, Message, Sender, SenderKind};

use crate::{config::FeishuConfig, telemetry::Metrics};

/// The platform's API, as one app.
#[derive(Clone)]
pub struct Client {
    app_id: String,
}

/// How urgent a call is, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Pages and incident cards.
    Page,
    /// Answers to clicks.
    Click,
    /// First signs and last words.
    Sign,
    /// What the next call of its kind replaces.
    Progress,
}

/// Whom a message is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A chat.
    Chat(ChatId),
    /// A person, in the direct chat with them.
    Person(OpenId),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Outgoing {
    /// Plain text.
    Text(String),
    /// A card entity. It can be sent once.
    Card(CardId),
    /// A card as JSON.
    CardJson(Value),
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// The bot itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotInfo {
    /// The id by which it is mentioned.
    pub open_id: OpenId,
    /// Its name.
    pub name: String,
    /// 2 is enabled; others are listed in the platform's documentation of `bot/v3/info`.
    pub activate_status: i64,
}

/// Whose messages are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Container {
    /// A chat. Of a thread in an ordinary group it shows the first message only.
    Chat(ChatId),
    /// A thread.
    Thread(ThreadId),
}

/// What part of a history is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMessages {
    /// Where.
    pub container: Container,
    /// Not before this second. Not for threads.
    pub since: Option<Timestamp>,
    /// Not after this second. Not for threads.
    pub until: Option<Timestamp>,
    /// Newest first, or oldest first.
    pub newest_first: bool,
    /// How many on a page, 1 to 50.
    pub page_size: u32,
    /// [`Page::next`] of the page before.
    pub page_token: Option<String>,
}

/// An emoji on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Its id.
    pub id: ReactionId,
    /// One of [`EMOJI_TYPES`].
    pub emoji: String,
    /// Who put it there.
    pub operator: Operator,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Open id of a person, app id of an app.
    pub id: String,
    /// Whether it was an app.
    pub is_app: bool,
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its name; empty for direct chats.
    pub name: String,
    /// Its description.
    pub description: String,
    /// What kind of chat it is.
    pub kind: ChatMode,
    /// Whether every message of it opens a topic.
    pub is_topic: bool,
    /// How many people are in it.
    pub members: Option<u32>,
    /// Whether people of other organisations are in it.
    pub external: bool,
}

/// What kind of chat it is, as the chat itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatMode {
    /// An ordinary group.
    Group,
    /// A group of topics.
    Topic,
    /// A direct chat.
    P2p,
}

/// A person in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their id.
    pub open_id: OpenId,
    /// Their name.
    pub name: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub open_id: OpenId,
    /// Their name; absent if the app lacks the scope to read it.
    pub name: Option<String>,
}

/// Makes rustls use ring, for the whole process. Safe to call any number of times.
pub fn install_crypto() {
    // An error says that a provider is there already, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[expect(unused_variables, reason = "the face, to compile against")]
impl Client {
    /// A client for the app of `config`.
    pub fn new(config: &FeishuConfig, metrics: Metrics) -> Result<Self, Error> {
        unimplemented!()
    }

    /// The same client, whose calls belong to another class of urgency.
    pub fn at(&self, class: Class) -> Self {
        unimplemented!()
    }

    /// The app's id.
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The bot itself.
    pub async fn bot_info(&self) -> Result<BotInfo, Error> {
        unimplemented!()
    }

    /// Sends a message.
    pub async fn send(
        &self,
        to: &Recipient,
        what: &Outgoing,
        uuid: &str,
    ) -> Result<Message, Error> {
        unimplemented!()
    }

    /// Replies to a message.
    pub async fn reply(
        &self,
        to: &MessageId,
        in_chat: &ChatId,
        what: &Outgoing,
        in_thread: bool,
        uuid: &str,
    ) -> Result<Message, Error> {
        unimplemented!()
    }

    /// Reads a message.
    pub async fn message(&self, id: &MessageId) -> Result<Vec<Message>, Error> {
        unimplemented!()
    }

    /// Reads one page of a history.
    pub async fn messages(&self, list: &ListMessages) -> Result<Page<Message>, Error> {
        unimplemented!()
    }

    /// Puts an emoji on a message.
    pub async fn add_reaction(&self, to: &MessageId, emoji: &str) -> Result<Reaction, Error> {
        unimplemented!()
    }

    /// Takes an emoji of ours away.
    pub async fn remove_reaction(&self, of: &MessageId, id: &ReactionId) -> Result<(), Error> {
        unimplemented!()
    }

    /// All emojis on a message.
    pub async fn reactions(&self, of: &MessageId) -> Result<Vec<Reaction>, Error> {
        unimplemented!()
    }

    /// Makes a card entity.
    pub async fn create_card(&self, card: &Value) -> Result<CardId, Error> {
        unimplemented!()
    }

    /// Shows `text`, the whole of it so far, in a streaming card's element.
    pub async fn stream_text(
        &self,
        card: &CardId,
        element: &str,
        text: &str,
        sequence: i32,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    /// Changes a card's settings.
    pub async fn set_card_settings(
        &self,
        card: &CardId,
        config: &Value,
        sequence: i32,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    /// Replaces a card's whole JSON.
    pub async fn replace_card(
        &self,
        card: &CardId,
        json: &Value,
        sequence: i32,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    /// Reads a chat.
    pub async fn chat(&self, id: &ChatId) -> Result<Chat, Error> {
        unimplemented!()
    }

    /// Reads one page of a chat's people.
    pub async fn chat_members(
        &self,
        id: &ChatId,
        page_token: Option<&str>,
    ) -> Result<Page<Member>, Error> {
        unimplemented!()
    }

    /// Reads a person.
    pub async fn user(&self, id: &OpenId) -> Result<User, Error> {
        unimplemented!()
    }

    /// Reads people, those the app may see.
    pub async fn users(&self, ids: &[OpenId]) -> Result<Vec<User>, Error> {
        unimplemented!()
    }
}
