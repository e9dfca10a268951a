//! Events, from the platform's JSON to types.

use jiff::Timestamp;

use super::{ChatId, EventId, Message, MessageId, TenantKey};

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id, the same at every delivery.
    pub id: EventId,
    /// The platform's `event_type`, such as `im.message.receive_v1`.
    pub kind: String,
    /// When it happened, if it says so.
    pub created_at: Option<Timestamp>,
    /// The organisation it happened in.
    pub tenant_key: TenantKey,
    /// The app it is meant for.
    pub app_id: String,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every event is the large one"
)]
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
    /// Anything else.
    Other,
}

/// What kind of chat a message came from, as far as an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatKind {
    /// A direct chat with the bot.
    P2p,
    /// A group, or something new that is taken for one.
    Group,
}

/// Why an event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not JSON, or not the JSON that an event is.
    #[error("not an event: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A member without which it means nothing is not there.
    #[error("the event has no `{0}`")]
    Missing(&'static str),
}

impl Event {
    /// Reads an event of schema 2.0 or 1.0.
    pub fn decode(payload: &[u8]) -> Result<Event, EventError> {
        let _ = payload;
        unimplemented!()
    }
}
