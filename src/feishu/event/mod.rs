//! Events, from the platform's JSON to types.
//!
//! The body of an event that we do not know is stepped over and not read, so that nothing in it can
//! make the event unreadable: it must be acknowledged all the same, or it comes again.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EventId, TenantKey, wire::Text};

mod body;
mod click;
#[cfg(test)]
mod tests;

pub use body::{ChatChange, EventBody, Membership, Reacted};
pub use click::Click;

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
    #[error("the event has no usable `{0}`")]
    Missing(&'static str),
}

/// The members of both schemas: 2.0 has a `header`, 1.0 has `uuid` and `ts` and the rest in its `event`.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    header: Option<Header>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    uuid: Text,
    #[serde(default)]
    ts: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    event_id: Text,
    event_type: Text,
    create_time: Text,
    app_id: Text,
    tenant_key: Text,
}

/// What schema 1.0 keeps inside `event`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct OldHeader {
    r#type: Text,
    app_id: Text,
    tenant_key: Text,
}

impl Event {
    /// Reads an event of schema 2.0 or 1.0. Members we do not know are ignored.
    ///
    /// # Errors
    /// If it is not JSON, or has no id, no kind, or lacks what an event of its kind cannot be without.
    pub fn decode(payload: &[u8]) -> Result<Event, EventError> {
        let envelope: Envelope = serde_json::from_slice(payload)?;
        let body = envelope.event.map_or("{}", RawValue::get);
        let header = match envelope.header {
            Some(header) => header,
            None => old_header(body, envelope.uuid, envelope.ts)?,
        };
        let kind = header
            .event_type
            .0
            .ok_or(EventError::Missing("event_type"))?;
        let created_at = header.create_time.time();
        Ok(Event {
            id: header
                .event_id
                .id(EventId::new)
                .ok_or(EventError::Missing("event_id"))?,
            body: EventBody::decode(&kind, body, created_at)?,
            kind,
            created_at,
            tenant_key: TenantKey::new(header.tenant_key.or_empty()),
            app_id: header.app_id.or_empty(),
        })
    }
}

fn old_header(body: &str, uuid: Text, ts: Text) -> Result<Header, EventError> {
    let old: OldHeader = serde_json::from_str(body)?;
    Ok(Header {
        event_id: uuid,
        event_type: old.r#type,
        create_time: ts,
        app_id: old.app_id,
        tenant_key: old.tenant_key,
    })
}
