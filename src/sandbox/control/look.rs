//! What people see.

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ask, Told, marks, missing, standing};
use crate::sandbox::{
    hub::Hub,
    render,
    world::{Author, Card, Message, World},
};

/// `GET /sandbox/state`
pub(super) async fn state(State(hub): State<Hub>) -> Json<Value> {
    let (users, bots, chats) = hub.act(|world, _| {
        let users: Vec<Value> = world.users.iter().map(standing::shown).collect();
        let bots: Vec<Value> = world
            .bots
            .iter()
            .map(|bot| json!({"open_id": bot.open_id, "name": bot.name}))
            .collect();
        let chats: Vec<Value> = world
            .chats
            .iter()
            .filter(|chat| !chat.dissolved)
            .map(|chat| {
                json!({
                    "chat_id": chat.chat_id, "name": chat.name, "chat_type": chat.kind.mode(),
                    "members": chat.members, "bots": chat.bots, "bot": chat.has_bot,
                    "owner": chat.owner(),
                })
            })
            .collect();
        (users, bots, chats)
    });
    Json(json!({
        "app": {
            "app_id": hub.app.app_id, "app_secret": hub.app.app_secret,
            "verification_token": hub.app.verification_token, "encrypt_key": hub.app.encrypt_key,
            "open_id": hub.app.open_id, "name": hub.app.name, "tenant_key": hub.app.tenant_key,
        },
        "base_url": hub.base_url,
        "model_url": format!("{}/v1", hub.base_url),
        "bot_connected": hub.push.connected(),
        "now_ms": hub.clock.now_ms(),
        "users": users,
        "bots": bots,
        "chats": chats,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    chat_id: Option<String>,
    #[serde(default)]
    since: i64,
}

/// `GET /sandbox/messages`: those said at `since` or later, oldest first.
pub(super) async fn messages(State(hub): State<Hub>, Ask(which): Ask<Which>) -> Told {
    hub.act(|world, now_ms| {
        let chat_id = which
            .chat_id
            .as_deref()
            .filter(|chat_id| !chat_id.is_empty());
        if let Some(chat_id) = chat_id
            && world.chats.get(chat_id).is_none()
        {
            return Err(missing("chat", chat_id));
        }
        let messages: Vec<Value> = world
            .all_messages(chat_id)
            .into_iter()
            .filter(|message| message.created_ms >= which.since)
            .map(|message| seen(world, message, now_ms))
            .collect();
        Ok(Json(json!({"messages": messages})))
    })
}

/// One message as people see it.
pub(super) fn seen(world: &World, message: &Message, now_ms: i64) -> Value {
    let (open_id, name) = world.author_of(&message.author);
    let kind = if matches!(message.author, Author::Person(_)) {
        "user"
    } else {
        "bot"
    };
    let inside = if message.recalled {
        &[]
    } else {
        world.inside(&message.message_id)
    };
    let forwarded: Vec<Value> = inside.iter().map(|one| seen(world, one, now_ms)).collect();
    json!({
        "message_id": message.message_id,
        "chat_id": message.chat_id,
        "root_id": message.root_id,
        "parent_id": message.parent_id,
        "thread_id": message.thread_id,
        "create_time_ms": message.created_ms,
        "update_time_ms": message.updated_ms,
        "sender": {"type": kind, "name": name, "open_id": open_id},
        "msg_type": message.msg_type,
        "text": render::message_text(world, message),
        "content": content(world, message),
        "mentions": message.mentions.iter().map(|mention| {
            json!({"key": mention.key, "open_id": mention.open_id, "name": mention.name})
        }).collect::<Vec<Value>>(),
        "files": if message.recalled { Vec::new() } else { world.resources_of(message) },
        "forwarded": forwarded,
        "deleted": message.recalled,
        "edited": message.edits > 0,
        "card": card(world, message, now_ms),
        "reactions": reactions(world, message),
        "pinned": marks::pinned(world, message),
        "urgent": marks::urgent(world, message),
        "only_for": message.only_for,
    })
}

/// The raw content; of a card entity the JSON as it is now.
fn content(world: &World, message: &Message) -> String {
    if message.recalled {
        return String::new();
    }
    match world.card_json(message) {
        Some(json) => json.to_string(),
        None => message.content.clone(),
    }
}

fn card(world: &World, message: &Message, now_ms: i64) -> Value {
    let (Some(card), Some(json)) = (&message.card, world.card_json(message)) else {
        return Value::Null;
    };
    let buttons: Vec<Value> = render::buttons(json)
        .into_iter()
        .map(|button| {
            json!({"text": button.text, "value": button.value, "disabled": button.disabled,
                   "name": button.name, "form": button.form})
        })
        .collect();
    let entity = match card {
        Card::Entity(card_id) => world.cards.get(card_id),
        Card::Json(_) => None,
    };
    let streaming = entity.is_some_and(|entity| entity.is_streaming(now_ms));
    // While a card streams without a summary of its own, the chat list says that it is being made.
    let summary = match json["config"]["summary"]["content"].as_str() {
        None if streaming => Some("[生成中...]"),
        own => own,
    };
    json!({
        "card_id": entity.map(|entity| &entity.card_id),
        "streaming": streaming,
        "sequence": entity.map_or(0, |entity| entity.sequence),
        "summary": summary,
        "buttons": buttons,
    })
}

fn reactions(world: &World, message: &Message) -> Vec<Value> {
    message
        .reactions
        .iter()
        .map(|reaction| {
            let (open_id, name) = world.author_of(&reaction.by);
            let by = if matches!(reaction.by, Author::Person(_)) {
                "user"
            } else {
                "bot"
            };
            json!({"emoji_type": reaction.emoji_type, "by": by, "name": name, "open_id": open_id})
        })
        .collect()
}
