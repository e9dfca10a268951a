//! Who is in a group: read, added in batches, thrown out [doc: chat members].

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, Answered, Hub, IdType, Params, Refusal, World,
    create::{BOTS_MAX, PEOPLE_MAX, not_visible},
    group, is_run_by_us, joined, known, not_owner, page_of,
    turn::Turn,
};
use crate::sandbox::{
    api::envelope::read,
    world::{Membership, Newcomers},
};

const READ: &[&str] = &["im:chat", "im:chat:readonly", "im:chat.members:read"];
const WRITE: &[&str] = &["im:chat", "im:chat.members:write_only"];
/// How many people a group holds, unless the tenant has paid for more.
const MEMBERS_MAX: usize = 5000;

/// `GET /open-apis/im/v1/chats/:chat_id/members`
pub(in crate::sandbox::api) async fn list(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    hub.scopes().require(READ)?;
    let ids = IdType::read(&params, "member_id_type")?;
    let size = params.number("page_size", 20, 1..=100)?;
    hub.act(|world, _| {
        let chat = joined(world, &chat_id)?;
        let total = chat.members.len();
        let (page, has_more, page_token) = page_of(chat.members.clone(), &params, size)?;
        let item = |open_id: &String| {
            json!({"member_id_type": ids.word(), "member_id": ids.translated(world, open_id),
                   "name": world.name_of(open_id).unwrap_or_default(), "tenant_key": world.tenant_of(open_id)})
        };
        let items: Vec<Value> = page.iter().map(item).collect();
        Ok(Answer::Data(json!({
            "items": items, "has_more": has_more, "page_token": page_token, "member_total": total,
        })))
    })
}

/// `GET /open-apis/im/v1/chats/:chat_id/members/is_in_chat`
pub(in crate::sandbox::api) async fn is_in_chat(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
) -> Answered {
    hub.scopes().require(READ)?;
    hub.act(|world, _| {
        let is_in_chat = known(world, &chat_id)?.has_bot;
        Ok(Answer::Data(json!({"is_in_chat": is_in_chat})))
    })
}

#[derive(Deserialize)]
struct Ids {
    id_list: Vec<String>,
}

/// People by one kind of id, or bots by their app_id.
enum Named {
    People(IdType),
    Bots,
}

impl Named {
    fn read(params: &Params, ids: &Ids) -> Result<Self, Refusal> {
        let (named, max) = match params.get("member_id_type") {
            Some("app_id") => (Self::Bots, BOTS_MAX),
            _ => (
                Self::People(IdType::read(params, "member_id_type")?),
                PEOPLE_MAX,
            ),
        };
        match ids.id_list.len() {
            0 => Err(Refusal::field("id_list", "id_list is required")),
            count if count > max => Err(Refusal::field(
                "id_list",
                format!("id_list holds at most {max} ids"),
            )),
            _ => Ok(named),
        }
    }
}

/// One change of a group's members at a time.
async fn turn(hub: &Hub, chat_id: &str) -> Result<Turn, Refusal> {
    let busy = Refusal::new(232_019, "Your request is rate limited by the chat.");
    Turn::begin(hub, format!("members {chat_id}"), busy).await
}

/// `POST /open-apis/im/v1/chats/:chat_id/members`
pub(in crate::sandbox::api) async fn add(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(WRITE)?;
    let ids: Ids = read(&body)?;
    let named = Named::read(&params, &ids)?;
    let succeed_type = params.number("succeed_type", 0, 0..=2)?;
    let _turn = turn(&hub, &chat_id).await?;
    hub.act(|world, _| {
        let chat = group(world, &chat_id)?;
        let runs = is_run_by_us(chat, &scopes);
        if chat.settings.is_for_owners("add_member_permission") && !runs {
            return Err(not_owner());
        }
        match named {
            Named::People(kind) => {
                let newcomers = Newcomers::sorted(&ids.id_list, |id| kind.find(world, id));
                check_newcomers(&newcomers, kind, succeed_type)?;
                add_people(world, &chat_id, newcomers, runs)
            }
            Named::Bots => add_bots(world, &chat_id, &ids.id_list, succeed_type),
        }
    })
}

/// `succeed_type` 0: who has left is passed over, anyone else who cannot come fails the call. 1: whoever can
/// come does. 2: all or nobody.
fn check_newcomers(
    newcomers: &Newcomers,
    kind: IdType,
    succeed_type: usize,
) -> Result<(), Refusal> {
    if !newcomers.foreign.is_empty() {
        let msg = "Users of other tenants cannot be added to an internal chat.";
        return Err(Refusal::new(232_028, msg));
    }
    let Newcomers {
        unknown,
        left,
        refused,
        ..
    } = newcomers;
    match succeed_type {
        0 if !unknown.is_empty() => Err(kind.unknown()),
        0 if !refused.is_empty() => Err(not_visible()),
        0 if newcomers.welcome.is_empty() => Err(Refusal::new(
            232_027,
            "None of the ids of the list is valid.",
        )),
        2 if !(unknown.is_empty() && left.is_empty() && refused.is_empty()) => {
            Err(Refusal::new(232_043, "The list contains unavailable ids."))
        }
        _ => Ok(()),
    }
}

fn add_people(world: &mut World, chat_id: &str, newcomers: Newcomers, runs: bool) -> Answered {
    let chat = group(world, chat_id)?;
    let is_new = |open_id: &&String| !chat.members.contains(open_id);
    let new: Vec<String> = newcomers.welcome.iter().filter(is_new).cloned().collect();
    if chat.members.len() + new.len() > MEMBERS_MAX {
        return Err(Refusal::new(
            232_013,
            "The chat has reached its limit of members.",
        ));
    }
    // Who runs the group need not ask.
    let (coming, pending) = match chat.settings.needs_approval() && !runs {
        true => (Vec::new(), new),
        false => (new, Vec::new()),
    };
    let change = Membership {
        add: coming,
        ..Membership::default()
    };
    world.change_members_as_bot(chat_id, &change);
    let invalid: Vec<String> = newcomers
        .left
        .into_iter()
        .chain(newcomers.refused)
        .collect();
    Ok(listed(&invalid, &newcomers.unknown, &pending))
}

fn add_bots(world: &mut World, chat_id: &str, app_ids: &[String], succeed_type: usize) -> Answered {
    let (mut bots, mut unknown) = (Vec::new(), Vec::new());
    for app_id in app_ids.iter().filter(|id| **id != world.app.app_id) {
        match world.bots.iter().find(|bot| bot.app_id == *app_id) {
            Some(bot) => bots.push(bot.open_id.clone()),
            None => unknown.push(app_id.clone()),
        }
    }
    if succeed_type != 1 && !unknown.is_empty() {
        return Err(Refusal::new(232_021, "The bot is not found."));
    }
    if let Some(chat) = world.chats.get_mut(chat_id) {
        bots.retain(|bot| !chat.bots.contains(bot));
        chat.bots.extend(bots);
    }
    Ok(listed(&[], &unknown, &[]))
}

fn listed(invalid: &[String], unknown: &[String], pending: &[String]) -> Answer {
    Answer::Data(json!({
        "invalid_id_list": invalid, "not_existed_id_list": unknown, "pending_approval_id_list": pending,
    }))
}

/// `DELETE /open-apis/im/v1/chats/:chat_id/members`
pub(in crate::sandbox::api) async fn remove(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(WRITE)?;
    let ids: Ids = read(&body)?;
    let named = Named::read(&params, &ids)?;
    let _turn = turn(&hub, &chat_id).await?;
    hub.act(|world, _| {
        let runs = is_run_by_us(group(world, &chat_id)?, &scopes);
        match named {
            Named::People(kind) => remove_people(world, &chat_id, &ids.id_list, kind, runs),
            Named::Bots => remove_bots(world, &chat_id, &ids.id_list, runs),
        }
    })
}

fn remove_people(
    world: &mut World,
    chat_id: &str,
    ids: &[String],
    kind: IdType,
    runs: bool,
) -> Answered {
    if !runs {
        return Err(not_owner());
    }
    let chat = group(world, chat_id)?;
    let (mut going, mut invalid) = (Vec::new(), Vec::new());
    for id in ids {
        match kind.find(world, id) {
            Some(user) if chat.members.contains(&user.open_id) => going.push(user.open_id.clone()),
            _ => invalid.push(id.clone()),
        }
    }
    if chat
        .owner()
        .is_some_and(|owner| going.iter().any(|one| one == owner))
    {
        return Err(Refusal::new(
            232_076,
            "The owner cannot be removed from the chat.",
        ));
    }
    let change = Membership {
        remove: going,
        ..Membership::default()
    };
    world.change_members_as_bot(chat_id, &change);
    Ok(Answer::Data(json!({"invalid_id_list": invalid})))
}

/// A bot may always go itself.
fn remove_bots(world: &mut World, chat_id: &str, app_ids: &[String], runs: bool) -> Answered {
    let goes_itself = app_ids.contains(&world.app.app_id);
    let others = app_ids.iter().filter(|id| **id != world.app.app_id);
    let (mut going, mut invalid) = (Vec::new(), Vec::new());
    for app_id in others {
        let chat = group(world, chat_id)?;
        let bot = world.bots.iter().find(|bot| bot.app_id == *app_id);
        match bot.filter(|bot| chat.bots.contains(&bot.open_id)) {
            Some(bot) => going.push(bot.open_id.clone()),
            None => invalid.push(app_id.clone()),
        }
    }
    if !going.is_empty() && !runs {
        return Err(not_owner());
    }
    if let Some(chat) = world.chats.get_mut(chat_id) {
        chat.bots.retain(|bot| !going.contains(bot));
    }
    if goes_itself {
        let change = Membership {
            bot: Some(false),
            ..Membership::default()
        };
        world.change_members_as_bot(chat_id, &change);
    }
    Ok(Answer::Data(json!({"invalid_id_list": invalid})))
}
