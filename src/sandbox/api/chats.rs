//! Groups, read only so far. Bots are in no list of members, direct chats in no list of groups.

use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        world::{Chat, ChatKind, World},
    },
    envelope::{Answer, Answered, Params, page_of},
};

const READ: &[&str] = &["im:chat", "im:chat:read", "im:chat:readonly"];
const MEMBERS: &[&str] = &["im:chat", "im:chat:readonly", "im:chat.members:read"];

fn known<'a>(world: &'a World, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = world.chats.get(chat_id).ok_or_else(|| {
        if chat_id.starts_with("oc_") {
            Refusal::no_such_chat()
        } else {
            Refusal::new(
                232_006,
                "Your request specifies a chat_id which is invalid.",
            )
        }
    })?;
    if chat.dissolved {
        return Err(Refusal::dissolved());
    }
    Ok(chat)
}

fn joined<'a>(world: &'a World, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = known(world, chat_id)?;
    if chat.has_bot {
        Ok(chat)
    } else {
        Err(Refusal::new(
            232_011,
            "Operator can NOT be out of the chat.",
        ))
    }
}

/// `GET /open-apis/im/v1/chats/:chat_id`. Counts are strings; who is outside sees little.
pub(super) async fn get(State(hub): State<Hub>, Path(chat_id): Path<String>) -> Answered {
    hub.scopes().require(READ)?;
    hub.act(|world, _| {
        let chat = known(world, &chat_id)?;
        let bot_count = chat.bots.len() + usize::from(chat.has_bot);
        let mut data = json!({
            "name": chat.name,
            "avatar": "",
            "user_count": chat.members.len().to_string(),
            "bot_count": bot_count.to_string(),
            "chat_status": "normal",
        });
        if chat.has_bot {
            add_inside(&mut data, chat, world);
        }
        Ok(Answer::Data(data))
    })
}

fn add_inside(data: &mut Value, chat: &Chat, world: &World) {
    data["description"] = json!(chat.description);
    data["chat_mode"] = json!(chat.kind.mode());
    data["chat_type"] = json!("private");
    data["chat_tag"] = json!(if chat.kind == ChatKind::P2p {
        "p2p"
    } else {
        "inner"
    });
    data["external"] = json!(world.is_external(chat));
    data["tenant_key"] = json!(world.app.tenant_key);
    if chat.kind == ChatKind::P2p {
        return;
    }
    data["group_message_type"] = json!(if chat.kind == ChatKind::Topic {
        "thread"
    } else {
        "chat"
    });
    if let Some(owner) = chat.members.first() {
        data["owner_id"] = json!(owner);
        data["owner_id_type"] = json!("open_id");
    }
    data["user_manager_id_list"] = json!(chat.managers);
}

/// `GET /open-apis/im/v1/chats`
pub(super) async fn list(State(hub): State<Hub>, Query(params): Query<Params>) -> Answered {
    hub.scopes().require(READ)?;
    let size = params.number("page_size", 20, 1..=100)?;
    hub.act(|world, _| {
        let mut chats: Vec<&Chat> = world
            .chats
            .iter()
            .filter(|chat| chat.has_bot && !chat.dissolved && chat.kind != ChatKind::P2p)
            .collect();
        if params.get("sort_type") == Some("ByActiveTimeDesc") {
            chats.reverse();
        }
        let (page, has_more, page_token) = page_of(chats, &params, size)?;
        let item = |chat: &&Chat| {
            let mut item = json!({
                "chat_id": chat.chat_id, "avatar": "", "name": chat.name, "description": chat.description,
                "external": world.is_external(chat), "tenant_key": world.app.tenant_key, "chat_status": "normal",
            });
            if let Some(owner) = chat.members.first() {
                item["owner_id"] = json!(owner);
                item["owner_id_type"] = json!("open_id");
            }
            item
        };
        let items: Vec<Value> = page.iter().map(item).collect();
        Ok(Answer::Data(json!({"items": items, "has_more": has_more, "page_token": page_token})))
    })
}

/// `GET /open-apis/im/v1/chats/:chat_id/members`
pub(super) async fn members(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    hub.scopes().require(MEMBERS)?;
    let size = params.number("page_size", 20, 1..=100)?;
    hub.act(|world, _| {
        let chat = joined(world, &chat_id)?;
        let total = chat.members.len();
        let (page, has_more, page_token) = page_of(chat.members.clone(), &params, size)?;
        let item = |open_id: &String| {
            json!({"member_id_type": "open_id", "member_id": open_id,
                   "name": world.name_of(open_id).unwrap_or_default(), "tenant_key": world.tenant_of(open_id)})
        };
        let items: Vec<Value> = page.iter().map(item).collect();
        Ok(Answer::Data(json!({
            "items": items, "has_more": has_more, "page_token": page_token, "member_total": total,
        })))
    })
}

/// `GET /open-apis/im/v1/chats/:chat_id/members/is_in_chat`
pub(super) async fn is_in_chat(State(hub): State<Hub>, Path(chat_id): Path<String>) -> Answered {
    hub.scopes().require(MEMBERS)?;
    hub.act(|world, _| {
        let is_in_chat = known(world, &chat_id)?.has_bot;
        Ok(Answer::Data(json!({"is_in_chat": is_in_chat})))
    })
}
