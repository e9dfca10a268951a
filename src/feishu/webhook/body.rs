//! What stands in the body of a request, and the two translations that the old card callback needs.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::{Refusal, cipher::hex};
use crate::feishu::wire::Text;

/// Events whose answer people see.
const CALLBACKS: &[&str] = &["card.action.trigger", "url.preview.get"];

/// What a body is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A question about our address, with what it wants back.
    Challenge(String),
    /// An event of either schema.
    Event,
    /// An event that waits for an answer.
    Callback,
    /// The old card callback.
    OldClick,
}

/// The members that tell what a body is; the rest is the bot's to read.
#[derive(Deserialize)]
pub(super) struct Plain<'a> {
    #[serde(default)]
    r#type: Text,
    #[serde(default)]
    challenge: Text,
    #[serde(default)]
    token: Text,
    #[serde(default)]
    header: Option<Header>,
    #[serde(default)]
    open_message_id: Text,
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    token: Text,
    event_type: Text,
}

impl<'a> Plain<'a> {
    /// Reads JSON to its very end: what was added behind it would have made the signature worthless.
    pub(super) fn read(json: &'a [u8]) -> Result<Self, Refusal> {
        object(json)
    }

    /// What it is.
    pub(super) fn shape(&self) -> Result<Shape, Refusal> {
        if let Some(header) = &self.header {
            let kind = header.event_type.0.as_deref().ok_or(Refusal::Malformed)?;
            return Ok(match CALLBACKS.contains(&kind) {
                true => Shape::Callback,
                false => Shape::Event,
            });
        }
        match (&self.r#type.0, &self.challenge.0) {
            (Some(kind), Some(challenge)) if kind == "url_verification" => {
                Ok(Shape::Challenge(challenge.clone()))
            }
            _ if self.action.is_some() && self.open_message_id.0.is_some() => Ok(Shape::OldClick),
            _ if self.event.is_some() => Ok(Shape::Event),
            _ => Err(Refusal::Malformed),
        }
    }

    /// The Verification Token that it carries. In the old card callback the same place holds another one.
    pub(super) fn verification_token(&self) -> Option<&str> {
        let token = match &self.header {
            Some(header) => &header.token,
            None => &self.token,
        };
        token.0.as_deref()
    }
}

/// The text of the `encrypt` member, if the body has one.
pub(super) fn encrypted(body: &[u8]) -> Result<Option<String>, Refusal> {
    #[derive(Deserialize)]
    struct Sealed {
        #[serde(default)]
        encrypt: Text,
    }
    object::<Sealed>(body).map(|sealed| sealed.encrypt.0)
}

/// An object; serde would take a list for a struct, too.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Refusal> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(Refusal::Malformed);
    }
    serde_json::from_slice(json).map_err(|_| Refusal::Malformed)
}

/// The old card callback in the envelope of the new one, which is how the bot knows clicks. Its id is made
/// from the click's own token, so that the same click has the same id.
pub(super) fn as_new_click(click: &[u8], app_id: &str, timestamp: &str) -> Result<Bytes, Refusal> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Known {
        token: Text,
        tenant_key: Text,
    }
    #[derive(Serialize)]
    struct Envelope<'a> {
        schema: &'a str,
        header: HeaderOut<'a>,
        event: &'a RawValue,
    }
    #[derive(Serialize)]
    struct HeaderOut<'a> {
        event_id: String,
        event_type: &'a str,
        create_time: &'a str,
        app_id: &'a str,
        tenant_key: String,
    }
    let known: Known = object(click)?;
    let event: &RawValue = serde_json::from_slice(click).map_err(|_| Refusal::Malformed)?;
    let digest = match &known.token.0 {
        Some(token) => Sha256::digest(token),
        None => Sha256::digest(click),
    };
    let envelope = Envelope {
        schema: "2.0",
        header: HeaderOut {
            event_id: hex(&digest[..16]),
            event_type: "card.action.trigger",
            create_time: timestamp,
            app_id,
            tenant_key: known.tenant_key.or_empty(),
        },
        event,
    };
    let json = serde_json::to_vec(&envelope).expect("plain data can always be written as JSON");
    Ok(json.into())
}

/// An answer to a click in the shape of the old callback: the card itself instead of one under `card`, with
/// the toast beside its own members.
pub fn old_reply(reply: Value) -> Value {
    let Value::Object(mut reply) = reply else {
        return Value::Object(Map::new());
    };
    let toast = reply.remove("toast");
    let card = match reply.remove("card") {
        Some(Value::Object(card)) => card,
        _ => Map::new(),
    };
    let mut old = match (card.get("type").and_then(Value::as_str), card.get("data")) {
        (Some("raw"), Some(Value::Object(data))) => data.clone(),
        // A template is told in the same way in both.
        (Some("template"), Some(_)) => card,
        _ => Map::new(),
    };
    if let Some(toast) = toast {
        old.insert("toast".into(), toast);
    }
    Value::Object(old)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feishu::{Event, EventBody};

    #[test]
    fn an_old_click_becomes_an_event_that_the_bot_reads() {
        let click = json!({
            "open_id": "ou_a", "user_id": "u", "open_message_id": "om_a", "tenant_key": "t", "token": "c-1",
            "action": {"value": {"stop": "a"}, "tag": "button"}
        });
        let read = |click: &Value| {
            let bytes = click.to_string().into_bytes();
            let payload = as_new_click(&bytes, "cli_a", "1700000000").unwrap();
            Event::decode(&payload).unwrap()
        };
        let event = read(&click);
        assert_eq!(
            (event.kind.as_str(), event.app_id.as_str()),
            ("card.action.trigger", "cli_a")
        );
        assert_eq!(event.created_at.unwrap().as_second(), 1_700_000_000);
        let EventBody::Clicked(clicked) = &event.body else {
            panic!("{event:?}")
        };
        assert_eq!(
            (clicked.operator.as_str(), clicked.token.as_deref()),
            ("ou_a", Some("c-1"))
        );
        assert_eq!(read(&click).id, event.id);
        let mut other = click.clone();
        other["token"] = json!("c-2");
        assert_ne!(read(&other).id, event.id);
    }

    #[test]
    fn an_old_reply_has_the_card_at_its_top() {
        let check = |new: Value, old: Value| assert_eq!(old_reply(new), old);
        let toast = json!({"type": "info", "content": "ok"});
        check(json!({}), json!({}));
        check(json!(null), json!({}));
        check(json!({"toast": toast}), json!({"toast": toast}));
        check(
            json!({"toast": toast, "card": {"type": "raw", "data": {"schema": "2.0", "body": {}}}}),
            json!({"toast": toast, "schema": "2.0", "body": {}}),
        );
        check(
            json!({"card": {"type": "template", "data": {"template_id": "ctp_1"}}}),
            json!({"type": "template", "data": {"template_id": "ctp_1"}}),
        );
    }

    #[test]
    fn a_body_is_what_its_members_say() {
        let check = |body: Value, expected: Result<Shape, Refusal>| {
            let bytes = body.to_string().into_bytes();
            let shape = Plain::read(&bytes).and_then(|plain| plain.shape());
            assert_eq!(shape, expected, "{body}");
        };
        let challenge = json!({"type": "url_verification", "challenge": "c", "token": "t"});
        check(challenge, Ok(Shape::Challenge("c".into())));
        check(json!({"type": "url_verification"}), Err(Refusal::Malformed));
        check(
            json!({"header": {"event_type": "im.message.receive_v1"}}),
            Ok(Shape::Event),
        );
        check(
            json!({"header": {"event_type": "card.action.trigger"}}),
            Ok(Shape::Callback),
        );
        check(json!({"header": {}}), Err(Refusal::Malformed));
        check(
            json!({"type": "event_callback", "event": {}}),
            Ok(Shape::Event),
        );
        check(
            json!({"open_message_id": "om_a", "action": {}}),
            Ok(Shape::OldClick),
        );
        check(json!({}), Err(Refusal::Malformed));
        check(json!([]), Err(Refusal::Malformed));
    }

    #[test]
    fn nothing_may_follow_the_json() {
        for body in [&b"{}x"[..], b"{}\x80", b"{} {}", b"{}\0"] {
            assert!(encrypted(body).is_err());
        }
        assert_eq!(encrypted(b" {} \n"), Ok(None));
    }
}
