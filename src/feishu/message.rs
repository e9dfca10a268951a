//! One message, whether it came as an event or was read over REST.
//!
//! The two wire shapes differ: an event gives ids of people as objects and calls a bot `bot`, REST
//! gives them as text and calls it `app`. Both become the same type here.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Attachment, ChatId, MessageId, TenantKey, ThreadId, content,
    wire::{AnyId, Text},
};

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id. The same message always has the same one, so this is what duplicates are told by.
    pub id: MessageId,
    /// The chat it stands in.
    pub chat_id: ChatId,
    /// The first message of the chain of replies it belongs to. Not a sign of a thread: quote replies have it too.
    pub root_id: Option<MessageId>,
    /// The message it replies to.
    pub parent_id: Option<MessageId>,
    /// The thread it belongs to, if and only if it belongs to one.
    pub thread_id: Option<ThreadId>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// The platform's `msg_type`: `text`, `post`, `image`, `interactive`, …
    pub kind: String,
    /// The content as the platform gives it: JSON as text for most kinds, bare text for some.
    pub content: String,
    /// Who is mentioned. `@all` is often not listed.
    pub mentions: Vec<Mention>,
    /// Who wrote it.
    pub sender: Sender,
    /// Whether it was recalled; then its content is gone.
    pub deleted: bool,
    /// For a message inside a forwarded bundle, the bundle it stands in.
    pub upper_message_id: Option<MessageId>,
    /// Where clients open it. Undocumented, and mostly given by lists alone.
    pub link: Option<String>,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// An open id for a person; for an app its app id over REST and its open id in events. Empty if unknown.
    pub id: String,
    /// What kind of sender it is.
    pub kind: SenderKind,
    /// The sender's organisation.
    pub tenant_key: Option<TenantKey>,
    /// The sender's name, which the platform gives only sometimes.
    pub name: Option<String>,
}

/// What kind of sender a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderKind {
    /// A human being.
    Person,
    /// A bot, ours or another's.
    App,
    /// Anonymous, the system, or something new.
    Other,
}

/// Somebody who is mentioned in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The text that stands for the mention in the content, such as `@_user_1`.
    pub key: String,
    /// Open id, or over REST the app id of a bot.
    pub id: Option<String>,
    /// The name to show.
    pub name: String,
}

impl Message {
    /// The message as plain text, whatever its kind. What cannot be text becomes a short note in
    /// brackets, in English: `[image]`, `[file: a.txt]`, `[recalled]`. A mention becomes `@name`.
    pub fn text(&self) -> String {
        content::plain(self, &[])
    }

    /// What came with it and can be fetched, in its order.
    pub fn attachments(&self) -> Vec<Attachment> {
        content::attachments(self)
    }

    /// Whether its sender put it into words. Otherwise [`Message::text`] is a note of ours.
    pub fn is_words(&self) -> bool {
        matches!(self.kind.as_str(), "text" | "post")
    }

    /// Whether one of `ids` (the bot's open id, its app id) is mentioned. `@all` mentions nobody.
    pub fn mentions_id(&self, ids: &[&str]) -> bool {
        let mut mentioned = self
            .mentions
            .iter()
            .filter_map(|mention| mention.id.as_deref());
        mentioned.any(|id| ids.contains(&id))
    }

    /// [`Message::text`] as commands are read from it: without the mentions of `bot_ids`, with plain
    /// spaces for wide and no-break ones, without zero-width characters, and with `/` for `／` in front.
    pub fn command_text(&self, bot_ids: &[&str]) -> String {
        content::command(&content::plain(self, bot_ids))
    }
}

/// A message as the platform writes it. Members that one of the two shapes lacks are optional, and
/// nothing that a reader could do without makes a message unreadable.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireMessage {
    pub(super) message_id: Text,
    pub(super) chat_id: Text,
    /// Events only: `p2p` or `group`.
    pub(super) chat_type: Text,
    pub(super) create_time: Text,
    root_id: Text,
    parent_id: Text,
    thread_id: Text,
    upper_message_id: Text,
    message_app_link: Text,
    update_time: Text,
    /// Over REST the kind is here, in events it is in `message_type`.
    msg_type: Text,
    message_type: Text,
    /// Over REST the content is in `body`, in events it is here.
    content: Text,
    body: Option<WireBody>,
    mentions: Option<Vec<WireMention>>,
    sender: Option<WireSender>,
    deleted: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireBody {
    content: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireMention {
    key: Text,
    id: AnyId,
    name: Text,
}

/// A sender; in events it stands beside the message and has its id in `sender_id`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireSender {
    id: AnyId,
    sender_id: AnyId,
    sender_type: Text,
    sender_name: Text,
    tenant_key: Text,
}

impl WireMessage {
    /// The message, or the name of the member that it cannot be without.
    pub(super) fn into_message(
        self,
        sender: Option<WireSender>,
        happened_at: Option<Timestamp>,
    ) -> Result<Message, &'static str> {
        let created_at = self.create_time.time().or(happened_at);
        let body = self.body.unwrap_or_default();
        let sender = sender.or(self.sender).unwrap_or_default();
        let mentions = self.mentions.unwrap_or_default();
        Ok(Message {
            id: self.message_id.id(MessageId::new).ok_or("message_id")?,
            chat_id: self.chat_id.id(ChatId::new).ok_or("chat_id")?,
            root_id: self.root_id.id(MessageId::new),
            parent_id: self.parent_id.id(MessageId::new),
            thread_id: self.thread_id.id(ThreadId::new),
            created_at: created_at.ok_or("create_time")?,
            updated_at: self.update_time.time(),
            kind: self
                .message_type
                .0
                .or(self.msg_type.0)
                .ok_or("message_type")?,
            content: self.content.0.unwrap_or_else(|| body.content.or_empty()),
            mentions: mentions
                .into_iter()
                .map(WireMention::into_mention)
                .collect(),
            sender: sender.into_sender(),
            deleted: self.deleted,
            upper_message_id: self.upper_message_id.id(MessageId::new),
            link: self.message_app_link.0,
        })
    }
}

impl WireMention {
    fn into_mention(self) -> Mention {
        Mention {
            key: self.key.or_empty(),
            id: self.id.0,
            name: self.name.or_empty(),
        }
    }
}

impl WireSender {
    fn into_sender(self) -> Sender {
        Sender {
            kind: match self.sender_type.0.as_deref() {
                Some("user") => SenderKind::Person,
                Some("app" | "bot") => SenderKind::App,
                _ => SenderKind::Other,
            },
            id: self.id.0.or(self.sender_id.0).unwrap_or_default(),
            tenant_key: self.tenant_key.id(TenantKey::new),
            name: self.sender_name.0,
        }
    }
}
