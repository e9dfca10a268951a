//! Pins [doc: message pins].

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        world::{Author, Message, Pin, World},
    },
    envelope::{Answer, Answered, Params, page_of, read},
};

const WRITE: &[&str] = &[
    "im:message",
    "im:message:send_as_bot",
    "im:message.pins:write_only",
];
const READ: &[&str] = &["im:message", "im:message:readonly", "im:message.pins:read"];

#[derive(Deserialize)]
struct Pinning {
    message_id: String,
}

/// `POST /open-apis/im/v1/pins`
pub(super) async fn create(State(hub): State<Hub>, body: Bytes) -> Answered {
    hub.scopes().require(WRITE)?;
    let Pinning { message_id } = read(&body)?;
    hub.act(|world, now_ms| {
        world.check_pin(&message_id, now_ms)?;
        world.pin(&message_id, Author::Us, now_ms);
        let message = world.messages.get(&message_id);
        let pin = message.and_then(|message| Some(shown(world, message, message.pin.as_ref()?)));
        Ok(Answer::Data(json!({"pin": pin})))
    })
}

/// `DELETE /open-apis/im/v1/pins/:message_id`
pub(super) async fn remove(State(hub): State<Hub>, Path(message_id): Path<String>) -> Answered {
    hub.scopes().require(WRITE)?;
    hub.act(|world, now_ms| {
        world.check_pin(&message_id, now_ms)?;
        world.unpin(&message_id);
        Ok(Answer::Data(json!({})))
    })
}

/// `GET /open-apis/im/v1/pins`: by the time of the pin, in milliseconds, the newest first.
pub(super) async fn list(State(hub): State<Hub>, Query(params): Query<Params>) -> Answered {
    hub.scopes().require(READ)?;
    let chat_id = params.required("chat_id")?;
    let (from_ms, to_ms) = (time(&params, "start_time")?, time(&params, "end_time")?);
    let size = params.number("page_size", 20, 1..=50)?;
    hub.act(|world, _| {
        if world.chats.get(chat_id).is_none() {
            return Err(Refusal::new(230_045, "The chat does not exist."));
        }
        world.usable_chat(chat_id)?;
        let is_within = |at_ms: i64| {
            from_ms.is_none_or(|from| at_ms >= from) && to_ms.is_none_or(|to| at_ms <= to)
        };
        let pinned = world.pinned(chat_id).into_iter();
        let pins: Vec<Value> = pinned
            .filter(|(_, pin)| is_within(pin.at_ms))
            .map(|(message, pin)| shown(world, message, pin))
            .collect();
        let (items, has_more, page_token) = page_of(pins, &params, size)?;
        Ok(Answer::Data(
            json!({"items": items, "has_more": has_more, "page_token": page_token}),
        ))
    })
}

fn time(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let time = text.parse().map_err(|_| {
        Refusal::parameter(format!("{name} is a time in milliseconds, not {text:?}"))
    })?;
    Ok(Some(time))
}

fn shown(world: &World, message: &Message, pin: &Pin) -> Value {
    let (operator_id, operator_id_type) = match &pin.by {
        Author::Us => (world.app.app_id.as_str(), "app_id"),
        Author::Person(open_id) | Author::Bot(open_id) => (open_id.as_str(), "open_id"),
    };
    json!({
        "message_id": message.message_id,
        "chat_id": message.chat_id,
        "operator_id": operator_id,
        "operator_id_type": operator_id_type,
        "create_time": pin.at_ms.to_string(),
    })
}
