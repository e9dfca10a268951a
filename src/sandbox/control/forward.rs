//! Forwarding: several messages, together as one.

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::json;

use super::{Told, bad, people, read};
use crate::sandbox::{hub::Hub, world::Author};

/// The platform takes no more at once.
const MESSAGES_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forward {
    sender: String,
    message_ids: Vec<String>,
    /// Where to; without it, directly to the bot.
    chat_id: Option<String>,
}

/// `POST /sandbox/messages/forward`
pub(super) async fn forward(State(hub): State<Hub>, body: Bytes) -> Told {
    let forward: Forward = read(&body)?;
    if forward.message_ids.is_empty() || forward.message_ids.len() > MESSAGES_MAX {
        return Err(bad(format!(
            "1 to {MESSAGES_MAX} messages are forwarded at once"
        )));
    }
    hub.act(|world, now_ms| {
        let author = people::author(world, &forward.sender)?;
        for id in &forward.message_ids {
            people::known_message(world, id)?;
        }
        let chat_id = match (forward.chat_id.filter(|id| !id.is_empty()), &author) {
            (Some(chat_id), _) => chat_id,
            (None, Author::Person(open_id)) => world.p2p_chat(open_id),
            (None, _) => return Err(bad("chat_id is missing")),
        };
        people::check_may_speak(world, &chat_id, &author)?;
        let place = world.forward(author, &chat_id, &forward.message_ids, now_ms);
        let message = world.messages.at(place);
        Ok(Json(
            json!({"message_id": message.message_id, "chat_id": chat_id}),
        ))
    })
}
