//! One message, whether it came as an event or was read over REST.
//!
//! The two wire shapes differ: an event gives ids of people as objects and calls a bot `bot`, REST
//! gives them as text and calls it `app`. Both become the same type here.

use jiff::Timestamp;

use super::{ChatId, MessageId, TenantKey, ThreadId};

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
    /// The message as plain text, whatever its kind. What cannot be text becomes a short note in brackets.
    pub fn text(&self) -> String {
        unimplemented!()
    }

    /// Whether one of `ids` (the bot's open id, its app id) is mentioned. `@all` mentions nobody.
    pub fn mentions_id(&self, ids: &[&str]) -> bool {
        let _ = ids;
        unimplemented!()
    }

    /// [`Message::text`] as a command is read from it: without mentions of `bot_ids`, no-break spaces and zero-width characters.
    pub fn command_text(&self, bot_ids: &[&str]) -> String {
        let _ = bot_ids;
        unimplemented!()
    }
}
