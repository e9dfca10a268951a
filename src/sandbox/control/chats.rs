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
    world::{ChatKind, GroupChange, Membership, World},
};

/// The longest name of a group [doc: update chat].
const NAME_CHARS_MAX: usize = 60;

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
    /// Who does it: the group's owner, unless given.
    operator: Option<String>,
}

/// `POST /sandbox/chats/:chat_id/members`
pub(super) async fn change_members(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    body: Bytes,
) -> Told {
    let members: Members = read(&body)?;
    hub.act(|world, _| {
        group(world, &chat_id)?;
        let operator = operator(world, members.operator)?;
        let (bots, add) = split(world, &members.add);
        let change = Membership {
            add: people(world, &add)?,
            remove: people(world, &members.remove)?,
            bot: members.bot,
        };
        if !world.change_members(&chat_id, &change, operator.as_deref()) {
            return Err(missing("chat", &chat_id));
        }
        if let Some(chat) = world.chats.get_mut(&chat_id) {
            let new = bots.into_iter().filter(|bot| !chat.bots.contains(bot));
            let new: Vec<String> = new.collect();
            chat.bots.extend(new);
        }
        Ok(Json(json!({"chat_id": chat_id})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Someone {
    user: String,
}

/// `POST /sandbox/chats/:chat_id/join`: as people do with a link or a QR code.
pub(super) async fn join(State(hub): State<Hub>, Path(chat_id): Path<String>, body: Bytes) -> Told {
    let Someone { user } = read(&body)?;
    come_or_go(&hub, &chat_id, &user, |open_id| Membership {
        add: vec![open_id],
        ..Membership::default()
    })
}

/// `POST /sandbox/chats/:chat_id/leave`
pub(super) async fn leave(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    body: Bytes,
) -> Told {
    let Someone { user } = read(&body)?;
    come_or_go(&hub, &chat_id, &user, |open_id| Membership {
        remove: vec![open_id],
        ..Membership::default()
    })
}

/// What a person does about themselves.
fn come_or_go(
    hub: &Hub,
    chat_id: &str,
    user: &str,
    change: impl FnOnce(String) -> Membership,
) -> Told {
    hub.act(|world, _| {
        group(world, chat_id)?;
        let person = world.find_user(user).ok_or_else(|| nobody(world, user))?;
        let open_id = person.open_id.clone();
        if !world.change_members(chat_id, &change(open_id.clone()), Some(&open_id)) {
            return Err(bad("the chat has been dissolved"));
        }
        Ok(Json(json!({"chat_id": chat_id})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    name: String,
    operator: Option<String>,
}

/// `POST /sandbox/chats/:chat_id/rename`
pub(super) async fn rename(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    body: Bytes,
) -> Told {
    let rename: Rename = read(&body)?;
    let name = rename.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(bad(format!("a name has 1 to {NAME_CHARS_MAX} characters")));
    }
    hub.act(|world, _| {
        group(world, &chat_id)?;
        let operator = operator(world, rename.operator)?;
        let change = GroupChange {
            name: Some(name.to_owned()),
            ..GroupChange::default()
        };
        if !world.change_group(&chat_id, change, operator.as_deref()) {
            return Err(missing("chat", &chat_id));
        }
        Ok(Json(json!({"chat_id": chat_id, "name": name})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dissolve {
    operator: Option<String>,
    /// As the client offers it: then no event tells of the end.
    #[serde(default)]
    keep_history: bool,
}

/// `POST /sandbox/chats/:chat_id/dissolve`
pub(super) async fn dissolve(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    body: Bytes,
) -> Told {
    let dissolve: Dissolve = read(&body)?;
    hub.act(|world, _| {
        group(world, &chat_id)?;
        let operator = operator(world, dissolve.operator)?;
        if !world.dissolve(&chat_id, operator.as_deref(), dissolve.keep_history) {
            return Err(missing("chat", &chat_id));
        }
        Ok(Json(json!({"chat_id": chat_id})))
    })
}

/// Refuses what can be done to groups only.
fn group(world: &World, chat_id: &str) -> Result<(), Wrong> {
    match world.chats.get(chat_id) {
        None => Err(missing("chat", chat_id)),
        Some(chat) if chat.kind == ChatKind::P2p => Err(bad("this is a direct chat, and no group")),
        Some(_) => Ok(()),
    }
}

fn operator(world: &World, named: Option<String>) -> Result<Option<String>, Wrong> {
    let find = |named: String| match world.find_user(&named) {
        Some(user) => Ok(user.open_id.clone()),
        None => Err(nobody(world, &named)),
    };
    named.map(find).transpose()
}
