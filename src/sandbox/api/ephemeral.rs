//! Cards that only one member of a group sees [doc: ephemeral cards]. An old API: it is in no SDK, and its
//! own error codes are not documented, so those of messages stand in for them.

use axum::{body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        world::{User, World},
    },
    envelope::{Answer, Answered, read},
};

const WRITE: &[&str] = &["im:message", "im:message:send_as_bot", "im:message:update"];

#[derive(Deserialize)]
struct Sending {
    chat_id: String,
    open_id: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    msg_type: String,
    card: Value,
}

/// `POST /open-apis/ephemeral/v1/send`
pub(super) async fn send(State(hub): State<Hub>, body: Bytes) -> Answered {
    hub.scopes().require(WRITE)?;
    let sending: Sending = read(&body)?;
    if sending.msg_type != "interactive" {
        return Err(Refusal::parameter("msg_type must be interactive"));
    }
    hub.act(|world, now_ms| {
        let user = receiver(world, &sending).ok_or_else(Refusal::no_such_open_id)?;
        let open_id = user.open_id.clone();
        let message_id = world.whisper(&sending.chat_id, &open_id, &sending.card, now_ms)?;
        Ok(Answer::Data(json!({"message_id": message_id})))
    })
}

fn receiver<'a>(world: &'a World, sending: &Sending) -> Option<&'a User> {
    let mut users = world.users.iter();
    match (&sending.open_id, &sending.user_id, &sending.email) {
        (Some(open_id), ..) => world.users.get(open_id),
        (None, Some(user_id), _) => users.find(|user| user.user_id == *user_id),
        (None, None, Some(email)) => users.find(|user| user.email.as_ref() == Some(email)),
        (None, None, None) => None,
    }
}

#[derive(Deserialize)]
struct Deleting {
    message_id: String,
}

/// `POST /open-apis/ephemeral/v1/delete`
pub(super) async fn delete(State(hub): State<Hub>, body: Bytes) -> Answered {
    hub.scopes().require(WRITE)?;
    let Deleting { message_id } = read(&body)?;
    hub.act(|world, now_ms| world.take_whisper_back(&message_id, now_ms))?;
    Ok(Answer::Data(json!({})))
}
