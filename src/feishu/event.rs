//! Events, from the platform's JSON to types.
//!
//! The body of an event that we do not know is stepped over and not read, so that nothing in it can
//! make the event unreadable: it must be acknowledged all the same, or it comes again.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    ChatId, EventId, Message, MessageId, OpenId, TenantKey,
    message::{WireMessage, WireSender},
    wire::Text,
};

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
    /// Somebody used a part of a card that calls back.
    Clicked(Click),
    /// Anything else.
    Other,
}

/// Somebody used a part of a card that calls back. It wants an answer within three seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Click {
    /// Who it was, as the platform says.
    pub operator: OpenId,
    /// The message that shows the card.
    pub message_id: MessageId,
    /// The chat in which it stands.
    pub chat_id: ChatId,
    /// What the card declared for that part: JSON of any form. It came by way of a client.
    pub value: Value,
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
struct Pressed {
    operator: WireOperator,
    action: WireAction,
    context: WireContext,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireOperator {
    open_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAction {
    value: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireContext {
    open_message_id: Text,
    open_chat_id: Text,
}

impl EventBody {
    fn decode(kind: &str, body: &str, happened_at: Option<Timestamp>) -> Result<Self, EventError> {
        match kind {
            "im.message.receive_v1" => {
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
            "im.message.recalled_v1" => {
                let recalled: Recalled = serde_json::from_str(body)?;
                let message_id = recalled.message_id.id(MessageId::new);
                let chat_id = recalled.chat_id.id(ChatId::new);
                Ok(EventBody::Recalled {
                    message_id: message_id.ok_or(EventError::Missing("message_id"))?,
                    chat_id: chat_id.ok_or(EventError::Missing("chat_id"))?,
                })
            }
            "card.action.trigger" => {
                let pressed: Pressed = serde_json::from_str(body)?;
                let operator = pressed.operator.open_id.id(OpenId::new);
                let message_id = pressed.context.open_message_id.id(MessageId::new);
                let chat_id = pressed.context.open_chat_id.id(ChatId::new);
                Ok(EventBody::Clicked(Click {
                    operator: operator.ok_or(EventError::Missing("operator.open_id"))?,
                    message_id: message_id.ok_or(EventError::Missing("open_message_id"))?,
                    chat_id: chat_id.ok_or(EventError::Missing("open_chat_id"))?,
                    value: pressed.action.value,
                }))
            }
            _ => Ok(EventBody::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::feishu::SenderKind;

    /// The platform's own sample of `im.message.receive_v1`.
    fn received() -> Value {
        json!({
            "schema": "2.0",
            "header": {
                "event_id": "5e3702a84e847582be8db7fb73283c02",
                "event_type": "im.message.receive_v1",
                "create_time": "1608725989000",
                "token": "rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV",
                "app_id": "cli_9f5343c580712544",
                "tenant_key": "2ca1d211f64f6438"
            },
            "event": {
                "sender": {
                    "sender_id": {"union_id": "on_8ed6", "user_id": "e33ggbyz", "open_id": "ou_84aa"},
                    "sender_type": "user",
                    "tenant_key": "736588c9260f175e"
                },
                "message": {
                    "message_id": "om_5ce6",
                    "root_id": "om_root",
                    "parent_id": "om_parent",
                    "create_time": "1609073151345",
                    "update_time": "1687343654666",
                    "chat_id": "oc_5ce6",
                    "thread_id": "omt_d4be",
                    "chat_type": "group",
                    "message_type": "text",
                    "content": "{\"text\":\"@_user_1 hello\"}",
                    "mentions": [{
                        "key": "@_user_1",
                        "id": {"union_id": "on_8ed6", "user_id": "", "open_id": "ou_bot"},
                        "mentioned_type": "bot",
                        "name": "Tom",
                        "tenant_key": "736588c9260f175e"
                    }],
                    "user_agent": "Mozilla/5.0"
                }
            }
        })
    }

    fn decode(event: &Value) -> Result<Event, EventError> {
        Event::decode(event.to_string().as_bytes())
    }

    #[test]
    fn a_received_message_is_read_whole() {
        let event = decode(&received()).unwrap();
        assert_eq!(event.id.as_str(), "5e3702a84e847582be8db7fb73283c02");
        assert_eq!(event.app_id, "cli_9f5343c580712544");
        assert_eq!(
            event.created_at.unwrap().to_string(),
            "2020-12-23T12:19:49Z"
        );
        let EventBody::Message(message, ChatKind::Group) = event.body else {
            panic!("{:?}", event.body)
        };
        assert_eq!(message.id.as_str(), "om_5ce6");
        assert_eq!(message.thread_id.as_ref().unwrap().as_str(), "omt_d4be");
        assert_eq!(message.created_at.as_millisecond(), 1609073151345);
        assert_eq!(message.updated_at.unwrap().as_millisecond(), 1687343654666);
        assert_eq!(
            (message.sender.id.as_str(), message.sender.kind),
            ("ou_84aa", SenderKind::Person)
        );
        assert!(message.mentions_id(&["cli_x", "ou_bot"]));
        assert!(!message.mentions_id(&["ou_84aa"]));
        assert_eq!(message.text(), "@Tom hello");
    }

    #[test]
    fn only_p2p_is_a_direct_chat() {
        for (chat_type, expected) in [
            (json!("p2p"), ChatKind::P2p),
            (json!("topic"), ChatKind::Group),
            (json!(null), ChatKind::Group),
        ] {
            let mut event = received();
            event["event"]["message"]["chat_type"] = chat_type;
            let body = decode(&event).unwrap().body;
            assert!(matches!(body, EventBody::Message(_, kind) if kind == expected));
        }
    }

    #[test]
    fn bots_are_told_from_people_by_either_of_their_names() {
        for (name, kind) in [
            ("bot", SenderKind::App),
            ("app", SenderKind::App),
            ("?", SenderKind::Other),
        ] {
            let mut event = received();
            event["event"]["sender"]["sender_type"] = json!(name);
            let EventBody::Message(message, _) = decode(&event).unwrap().body else {
                panic!()
            };
            assert_eq!(message.sender.kind, kind);
        }
    }

    #[test]
    fn odd_values_where_nothing_depends_on_them_do_no_harm() {
        let mut event = received();
        event["header"]["create_time"] = json!(1608725989000123_i64);
        event["event"]["message"]["mentions"] = json!(null);
        event["event"]["message"]["root_id"] = json!("");
        event["event"]["message"]["content"] = json!({"text": 1});
        event["event"]["sender"] = json!({"sender_id": null, "sender_type": 3});
        event["new"] = json!([{}]);
        let event = decode(&event).unwrap();
        assert_eq!(event.created_at.unwrap().as_microsecond(), 1608725989000123);
        let EventBody::Message(message, _) = event.body else {
            panic!()
        };
        assert_eq!((message.root_id, message.content), (None, String::new()));
        assert_eq!(
            (message.sender.id, message.sender.kind),
            (String::new(), SenderKind::Other)
        );
    }

    #[test]
    fn what_an_event_cannot_be_without_is_named() {
        for (path, name) in [
            ("/header/event_id", "event_id"),
            ("/header/event_type", "event_type"),
            ("/event/message/message_id", "message_id"),
            ("/event/message/chat_id", "chat_id"),
        ] {
            let mut event = received();
            *event.pointer_mut(path).unwrap() = Value::Null;
            let error = decode(&event).unwrap_err();
            assert!(
                matches!(error, EventError::Missing(missing) if missing == name),
                "{error}"
            );
        }
        // A message without a time of its own happened when its event did.
        let mut event = received();
        event["event"]["message"]["create_time"] = Value::Null;
        let EventBody::Message(message, _) = decode(&event).unwrap().body else {
            panic!()
        };
        assert_eq!(message.created_at.as_millisecond(), 1608725989000);
    }

    #[test]
    fn a_recall_names_message_and_chat() {
        let mut event = received();
        event["header"]["event_type"] = json!("im.message.recalled_v1");
        event["event"] =
            json!({"message_id": "om_a", "chat_id": "oc_a", "recall_type": "message_owner"});
        let expected = EventBody::Recalled {
            message_id: MessageId::new("om_a"),
            chat_id: ChatId::new("oc_a"),
        };
        assert_eq!(decode(&event).unwrap().body, expected);
    }

    #[test]
    fn a_click_names_who_pressed_what_and_where() {
        let mut event = received();
        event["header"]["event_type"] = json!("card.action.trigger");
        for value in [json!({"stop": "a"}), json!("a"), json!(null)] {
            event["event"] = json!({
                "operator": {"tenant_key": "t", "open_id": "ou_a", "union_id": "on_a"},
                "token": "c-1",
                "action": {"value": value, "tag": "button", "timezone": "Asia/Shanghai"},
                "host": "im_message",
                "context": {"open_message_id": "om_a", "open_chat_id": "oc_a"}
            });
            let expected = EventBody::Clicked(Click {
                operator: OpenId::new("ou_a"),
                message_id: MessageId::new("om_a"),
                chat_id: ChatId::new("oc_a"),
                value,
            });
            assert_eq!(decode(&event).unwrap().body, expected);
        }
        event["event"]["operator"] = json!({});
        let error = decode(&event).unwrap_err();
        assert!(matches!(error, EventError::Missing("operator.open_id")));
    }

    #[test]
    fn an_event_of_schema_1_is_read_too() {
        let event = decode(&json!({
            "ts": "1502199207.7171419", "uuid": "bc447199585340d1f3728d26b1c0297a", "token": "t",
            "type": "event_callback",
            "event": {"type": "p2p_chat_create", "app_id": "cli_a", "tenant_key": "2ca1", "chat_id": "oc_a"}
        }))
        .unwrap();
        assert_eq!(
            (event.kind.as_str(), event.id.as_str()),
            ("p2p_chat_create", "bc447199585340d1f3728d26b1c0297a")
        );
        assert_eq!(
            (event.app_id.as_str(), event.tenant_key.as_str()),
            ("cli_a", "2ca1")
        );
        assert_eq!(
            event.created_at.unwrap().to_string(),
            "2017-08-08T13:33:27.7171419Z"
        );
        assert_eq!(event.body, EventBody::Other);
    }

    #[test]
    fn an_unknown_event_is_read_whatever_its_body_is() {
        for body in [json!(null), json!([1]), json!("x"), json!({"message": 7})] {
            let mut event = received();
            event["header"]["event_type"] = json!("im.something.new_v9");
            event["event"] = body;
            assert_eq!(decode(&event).unwrap().body, EventBody::Other);
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Event::decode(&bytes);
        }

        #[test]
        fn decoding_a_broken_event_never_panics(at in 0..900_usize, byte: u8) {
            let mut bytes = received().to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = Event::decode(&bytes);
        }
    }
}
