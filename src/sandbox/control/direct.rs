//! What people do in their direct chat with the bot, other than talk: open it, and press its menu.

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::json;

use super::{Told, bad, nobody, read};
use crate::sandbox::hub::Hub;

/// The longest key of an entry that the developer console takes.
const KEY_CHARS_MAX: usize = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enter {
    user: String,
}

/// `POST /sandbox/enter`
pub(super) async fn enter(State(hub): State<Hub>, body: Bytes) -> Told {
    let Enter { user } = read(&body)?;
    hub.act(|world, _| {
        let person = world.find_user(&user).ok_or_else(|| nobody(world, &user))?;
        let open_id = person.open_id.clone();
        Ok(Json(json!({"chat_id": world.enter(&open_id)})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    user: String,
    key: String,
}

/// `POST /sandbox/menu`. Any key will do: which entries there are is for the app's developer to say.
pub(super) async fn press(State(hub): State<Hub>, body: Bytes) -> Told {
    let Press { user, key } = read(&body)?;
    if !(1..=KEY_CHARS_MAX).contains(&key.chars().count()) {
        return Err(bad(format!("a key has 1 to {KEY_CHARS_MAX} characters")));
    }
    hub.act(|world, now_ms| {
        let person = world.find_user(&user).ok_or_else(|| nobody(world, &user))?;
        let open_id = person.open_id.clone();
        world.press_menu(&open_id, &key, now_ms);
        Ok(Json(json!({})))
    })
}
