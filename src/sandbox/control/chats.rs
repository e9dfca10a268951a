//! Groups come and go, and so do people and the bot in them.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{Told, Wrong, bad, missing, nobody, read};
use crate::sandbox::{
    hub::Hub,
    world::{ChatKind, World},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChat {
    #[serde(default)]
    name: String,
    #[serde(default)]
    members: Vec<String>,
    /// Members who manage it; the first member owns it.
    #[serde(default)]
    managers: Vec<String>,
    /// `group` (the default), `topic`, or `p2p` with the bot.
    chat_type: Option<String>,
    /// Whether the bot is in it; it is unless told otherwise.
    bot: Option<bool>,
}

/// `POST /sandbox/chats`
pub(super) async fn add(State(hub): State<Hub>, body: Bytes) -> Told {
    let new: NewChat = read(&body)?;
    hub.act(|world, _| {
        let (bots, people_named) = split(world, &new.members);
        let members = people(world, &people_named)?;
        let managers = people(world, &new.managers)?;
        if let Some(one) = managers.iter().find(|one| !members.contains(one)) {
            return Err(bad(format!("{one} manages the chat and is not in it")));
        }
        let kind = match new.chat_type.as_deref() {
            // `private` and `public` are what the platform calls a group's visibility.
            None | Some("group" | "private" | "public") => ChatKind::Group,
            Some("topic") => ChatKind::Topic,
            Some("p2p") => {
                let [open_id] = members.as_slice() else {
                    return Err(bad("a p2p chat has exactly one member, and the bot"));
                };
                let chat_id = world.p2p_chat(open_id);
                return Ok(Json(json!({"chat_id": chat_id, "name": new.name})));
            }
            Some(_) => return Err(bad("chat_type is group, topic or p2p")),
        };
        let chat = world.add_chat(&new.name, kind, members, new.bot.unwrap_or(true));
        if let Some(chat) = world.chats.get_mut(&chat.chat_id) {
            chat.bots = bots;
            chat.managers = managers;
        }
        Ok(Json(json!({"chat_id": chat.chat_id, "name": chat.name})))
    })
}

/// Other bots, and people. Our bot may be named, which says nothing new.
fn split(world: &World, ids: &[String]) -> (Vec<String>, Vec<String>) {
    let others = ids.iter().filter(|id| **id != world.app.open_id).cloned();
    others.partition(|id| world.bots.get(id).is_some())
}

fn people(world: &World, ids: &[String]) -> Result<Vec<String>, Wrong> {
    let mut open_ids: Vec<String> = Vec::new();
    for id in ids {
        let user = world.find_user(id).ok_or_else(|| nobody(world, id))?;
        if !open_ids.contains(&user.open_id) {
            open_ids.push(user.open_id.clone());
        }
    }
    Ok(open_ids)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    /// Lets the bot in, or throws it out.
    bot: Option<bool>,
}

/// `POST /sandbox/chats/:chat_id/members`
pub(super) async fn change_members(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    body: Bytes,
) -> Told {
    let members: Members = read(&body)?;
    hub.act(|world, _| {
        let (add, remove) = (
            people(world, &members.add)?,
            people(world, &members.remove)?,
        );
        if !world.change_members(&chat_id, add, &remove, members.bot) {
            return Err(missing("chat", &chat_id));
        }
        Ok(Json(json!({"chat_id": chat_id})))
    })
}

/// `POST /sandbox/chats/:chat_id/dissolve`
pub(super) async fn dissolve(State(hub): State<Hub>, Path(chat_id): Path<String>) -> Told {
    hub.act(|world, _| {
        if !world.dissolve(&chat_id) {
            return Err(missing("chat", &chat_id));
        }
        Ok(Json(json!({"chat_id": chat_id})))
    })
}
