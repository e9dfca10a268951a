//! Groups: read, made, changed, ended. Bots are in no list of members, direct chats in no list of groups.

mod change;
mod create;
mod members;
mod turn;

use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        scopes::Scopes,
        world::{BotRole, Chat, ChatKind, World},
    },
    envelope::{Answer, Answered, Params, page_of},
    ids::IdType,
};

pub(super) use change::{dissolve, update};
pub(super) use create::create;
pub(super) use members::{
    add as add_members, is_in_chat, list as members, remove as remove_members,
};

const READ: &[&str] = &["im:chat", "im:chat:read", "im:chat:readonly"];
/// Lets an app run the groups it made as their owner would.
const AS_OWNER: &[&str] = &["im:chat:operate_as_owner"];

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

/// A group, which a direct chat is not.
fn group<'a>(world: &'a World, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = joined(world, chat_id)?;
    match chat.kind {
        ChatKind::P2p => Err(Refusal::new(
            232_008,
            "The chat type is not supported for this operation.",
        )),
        ChatKind::Group | ChatKind::Topic => Ok(chat),
    }
}

/// Whether the bot owns it, or made it and may act as if it did.
fn is_ours(chat: &Chat, scopes: &Scopes) -> bool {
    chat.bot_role == BotRole::Owner || chat.made_by_bot && scopes.any(AS_OWNER)
}

/// Whether the bot may run it: it is ours, or we manage it.
fn is_run_by_us(chat: &Chat, scopes: &Scopes) -> bool {
    is_ours(chat, scopes) || chat.bot_role == BotRole::Manager
}

fn not_owner() -> Refusal {
    Refusal::new(
        232_017,
        "The operator is not the owner of the chat, nor its creator with im:chat:operate_as_owner.",
    )
}

/// `GET /open-apis/im/v1/chats/:chat_id`. Counts are strings; who is outside sees little.
pub(super) async fn get(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    hub.scopes().require(READ)?;
    let ids = IdType::read(&params, "user_id_type")?;
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
            add_inside(&mut data, chat, world, ids);
        }
        Ok(Answer::Data(data))
    })
}

/// What members get to see besides.
fn add_inside(data: &mut Value, chat: &Chat, world: &World, ids: IdType) {
    data["description"] = json!(chat.description);
    data["chat_mode"] = json!(chat.kind.mode());
    data["chat_type"] = json!(if chat.public { "public" } else { "private" });
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
    data["moderation_permission"] = json!("all_members");
    for (name, value) in chat.settings.all() {
        data[name] = value;
    }
    add_owner(data, chat, world, ids);
    let managers = chat.managers.iter();
    let managers: Vec<&str> = managers.map(|one| ids.translated(world, one)).collect();
    data["user_manager_id_list"] = json!(managers);
    let manages = chat.bot_role == BotRole::Manager;
    data["bot_manager_id_list"] = json!(Vec::from_iter(manages.then_some(&world.app.app_id)));
}

/// A group that a bot owns has no `owner_id`.
fn add_owner(data: &mut Value, chat: &Chat, world: &World, ids: IdType) {
    if let Some(owner) = chat.owner() {
        data["owner_id"] = json!(ids.translated(world, owner));
        data["owner_id_type"] = json!(ids.word());
    }
}

/// `GET /open-apis/im/v1/chats`
pub(super) async fn list(State(hub): State<Hub>, Query(params): Query<Params>) -> Answered {
    hub.scopes().require(READ)?;
    let ids = IdType::read(&params, "user_id_type")?;
    let size = params.number("page_size", 20, 1..=100)?;
    hub.act(|world, _| {
        let mut chats: Vec<&Chat> = world
            .chats
            .iter()
            .filter(|chat| chat.has_bot && !chat.dissolved && chat.kind != ChatKind::P2p)
            .collect();
        if params.get("sort_type") == Some("ByActiveTimeDesc") {
            chats.sort_by_key(|chat| std::cmp::Reverse(world.last_said_ms(chat)));
        }
        let (page, has_more, page_token) = page_of(chats, &params, size)?;
        let item = |chat: &&Chat| {
            let mut item = json!({
                "chat_id": chat.chat_id, "avatar": "", "name": chat.name, "description": chat.description,
                "external": world.is_external(chat), "tenant_key": world.app.tenant_key, "chat_status": "normal",
            });
            add_owner(&mut item, chat, world, ids);
            item
        };
        let items: Vec<Value> = page.iter().map(item).collect();
        Ok(Answer::Data(json!({"items": items, "has_more": has_more, "page_token": page_token})))
    })
}
