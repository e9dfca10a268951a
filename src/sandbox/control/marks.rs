//! What is put on messages beside reactions: pins, that people saw what they were buzzed for, and links.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Told, bad, nobody,
    people::{author, check_may_speak, known_message},
    read,
};
use crate::sandbox::{
    hub::Hub,
    world::{Message, World},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinning {
    user: String,
    #[serde(default)]
    remove: bool,
}

/// `POST /sandbox/messages/:id/pin`
pub(super) async fn pin(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Told {
    let pinning: Pinning = read(&body)?;
    hub.act(|world, now_ms| {
        let by = author(world, &pinning.user)?;
        let chat_id = known_message(world, &message_id)?.chat_id.clone();
        check_may_speak(world, &chat_id, &by)?;
        match pinning.remove {
            false => world.pin(&message_id, by, now_ms),
            true => world.unpin(&message_id),
        }
        Ok(Json(json!({"message_id": message_id})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    link: String,
}

/// `POST /sandbox/messages/:id/link`: what lists give as the message's `message_app_link`.
pub(super) async fn link(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Told {
    let Link { link } = read(&body)?;
    hub.act(|world, _| {
        known_message(world, &message_id)?;
        world.links.insert(message_id.clone(), link);
        Ok(Json(json!({"message_id": message_id})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    user: String,
}

/// `POST /sandbox/messages/:id/confirm`: a person saw what they were buzzed for.
pub(super) async fn confirm(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Told {
    let Confirmation { user } = read(&body)?;
    hub.act(|world, _| {
        let person = world.find_user(&user).ok_or_else(|| nobody(world, &user))?;
        let open_id = person.open_id.clone();
        known_message(world, &message_id)?;
        match world.confirm_urgent(&message_id, &open_id) {
            true => Ok(Json(json!({"message_id": message_id}))),
            false => Err(bad(format!("{user} was not buzzed for this message"))),
        }
    })
}

/// Who pinned a message, and when; null where nobody did.
pub(super) fn pinned(world: &World, message: &Message) -> Value {
    let Some(pin) = &message.pin else {
        return Value::Null;
    };
    let (open_id, name) = world.author_of(&pin.by);
    json!({"open_id": open_id, "name": name, "at_ms": pin.at_ms})
}

/// Who was buzzed for a message, and whether they saw it.
pub(super) fn urgent(world: &World, message: &Message) -> Vec<Value> {
    let shown = |one: &crate::sandbox::world::Urgent| {
        let name = world.name_of(&one.open_id).unwrap_or("unknown");
        json!({"open_id": one.open_id, "name": name, "confirmed": one.confirmed})
    };
    message.urgent.iter().map(shown).collect()
}
