//! One chat as a person finds it when they open its settings.

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{Told, marks, missing};
use crate::sandbox::{
    hub::Hub,
    render,
    world::{Chat, Message, World},
};

/// How much of a pinned message is shown, in characters.
const EXCERPT_CHARS: usize = 80;

/// `GET /sandbox/chats/:chat_id`; dissolved ones too.
pub(super) async fn get(State(hub): State<Hub>, Path(chat_id): Path<String>) -> Told {
    hub.act(|world, _| {
        let chat = world.chats.get(&chat_id);
        let chat = chat.ok_or_else(|| missing("chat", &chat_id))?;
        Ok(Json(shown(world, chat)))
    })
}

fn shown(world: &World, chat: &Chat) -> Value {
    let member = |open_id: &String| json!({"open_id": open_id, "name": world.name_of(open_id), "role": chat.role_of(open_id)});
    let bot = |open_id: &String| json!({"open_id": open_id, "name": world.name_of(open_id)});
    let pins = world.pinned(&chat.chat_id).into_iter();
    json!({
        "chat_id": chat.chat_id,
        "name": chat.name,
        "description": chat.description,
        "chat_type": chat.kind.mode(),
        "members": chat.members.iter().map(member).collect::<Vec<_>>(),
        "bots": chat.bots.iter().map(bot).collect::<Vec<_>>(),
        "bot": chat.has_bot,
        "bot_role": chat.has_bot.then(|| chat.bot_role.word()),
        "made_by_bot": chat.made_by_bot,
        "settings": chat.settings.all(),
        "pins": pins.map(|(message, _)| pin(world, message)).collect::<Vec<_>>(),
        "dissolved": chat.dissolved,
    })
}

fn pin(world: &World, message: &Message) -> Value {
    let text = render::message_text(world, message).replace('\n', " ");
    json!({
        "message_id": message.message_id,
        "text": text.chars().take(EXCERPT_CHARS).collect::<String>(),
        "pinned": marks::pinned(world, message),
    })
}
