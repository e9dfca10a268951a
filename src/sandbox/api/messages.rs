//! Messages: send, reply, get, list, update, edit, recall.

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        world::{self, CardContent, Container, Target, World},
    },
    envelope::{Answer, Answered, Params, read},
};

const SEND: &[&str] = &["im:message", "im:message:send_as_bot", "im:message:send"];
const READ: &[&str] = &["im:message", "im:message:readonly"];
const LIST: &[&str] = &[
    "im:message",
    "im:message:readonly",
    "im:message.history:readonly",
];
const READ_GROUPS: &[&str] = &["im:message.group_msg", "im:message.group_msg:readonly"];
const UPDATE: &[&str] = &["im:message", "im:message:send_as_bot", "im:message:update"];
const RECALL: &[&str] = &["im:message", "im:message:recall", "im:message:send_as_bot"];

/// Of the whole request of a text.
const TEXT_MAX: usize = 150 * 1024;
/// Of the content of a card or post.
const CONTENT_MAX: usize = 30 * 1024;
/// Seconds beyond this are milliseconds by mistake: it is the year 5138.
const SECONDS_MAX: i64 = 100_000_000_000;

#[derive(Deserialize)]
struct Sending {
    receive_id: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
struct Replying {
    #[serde(default)]
    reply_in_thread: bool,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
struct What {
    msg_type: String,
    content: String,
    uuid: Option<String>,
}

/// `POST /open-apis/im/v1/messages`
pub(super) async fn send(
    State(hub): State<Hub>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(SEND)?;
    let id_type = params.required("receive_id_type")?;
    let sending: Sending = read(&body)?;
    check_size(&sending.what, &body)?;
    hub.act(|world, now_ms| {
        let chat_id = recipient(world, id_type, &sending.receive_id)?;
        say(world, Target::Chat(&chat_id), &sending.what, now_ms)
    })
}

/// `POST /open-apis/im/v1/messages/:message_id/reply`
pub(super) async fn reply(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(SEND)?;
    let replying: Replying = read(&body)?;
    check_size(&replying.what, &body)?;
    let target = Target::Reply {
        to: &message_id,
        in_thread: replying.reply_in_thread,
    };
    hub.act(|world, now_ms| say(world, target, &replying.what, now_ms))
}

fn say(world: &mut World, target: Target<'_>, what: &What, now_ms: i64) -> Answered {
    let uuid = what.uuid.as_deref().filter(|uuid| !uuid.is_empty());
    let message = world.say_as_bot(target, &what.msg_type, &what.content, uuid, now_ms)?;
    let message_id = message.message_id.clone();
    Ok(Answer::Data(shown(world, &message_id)))
}

fn shown(world: &World, message_id: &str) -> Value {
    world
        .messages
        .get(message_id)
        .map(|message| world.rest_message(message, CardContent::Degraded, false))
        .unwrap_or_default()
}

fn check_size(what: &What, body: &Bytes) -> Result<(), Refusal> {
    if what
        .uuid
        .as_ref()
        .is_some_and(|uuid| uuid.chars().count() > 50)
    {
        return Err(Refusal::field("uuid", "the max length of uuid is 50"));
    }
    let is_too_large = match what.msg_type.as_str() {
        "text" => body.len() > TEXT_MAX,
        "post" | "interactive" => what.content.len() > CONTENT_MAX,
        _ => false,
    };
    if is_too_large {
        return Err(Refusal::new(
            230_025,
            "The length of the message content reaches its limit.",
        ));
    }
    Ok(())
}

/// The chat that a receive_id names. A person's is their direct chat with the bot.
fn recipient(world: &mut World, id_type: &str, receive_id: &str) -> Result<String, Refusal> {
    let misshapen = || Refusal::new(230_034, "The receive_id is invalid.");
    let user = match id_type {
        "chat_id" if !receive_id.starts_with("oc_") => return Err(misshapen()),
        "chat_id" => {
            let chat = world
                .chats
                .get(receive_id)
                .ok_or_else(Refusal::no_such_chat)?;
            return Ok(chat.chat_id.clone());
        }
        "open_id" if !receive_id.starts_with("ou_") => return Err(misshapen()),
        "open_id" => world.users.get(receive_id),
        "union_id" => world.users.iter().find(|user| user.union_id == receive_id),
        "user_id" => world.users.iter().find(|user| user.user_id == receive_id),
        "email" => world
            .users
            .iter()
            .find(|user| user.email.as_deref() == Some(receive_id)),
        _ => {
            return Err(Refusal::field(
                "receive_id_type",
                "receive_id_type must be one of open_id, union_id, user_id, email, chat_id",
            ));
        }
    };
    if user.is_some_and(|user| user.left) {
        return Err(Refusal::new(230_029, "The user has resigned."));
    }
    let open_id = user
        .map(|user| user.open_id.clone())
        .ok_or_else(|| match id_type {
            "open_id" => Refusal::no_such_open_id(),
            "union_id" => Refusal::new(99_992_364, "The union_id does not exist"),
            "user_id" => Refusal::new(99_992_360, "The user_id does not exist"),
            _ => misshapen(),
        })?;
    Ok(world.p2p_chat(&open_id))
}

/// `GET /open-apis/im/v1/messages/:message_id`
pub(super) async fn get(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(READ)?;
    let cards = card_content(&params)?;
    hub.act(|world, _| {
        let message = world.readable_message(&message_id, scopes.any(READ_GROUPS))?;
        let mut items = vec![world.rest_message(message, cards, false)];
        if !message.recalled {
            items.extend(world.rest_inside(&message_id, cards));
        }
        Ok(Answer::Data(json!({"items": items})))
    })
}

/// `GET /open-apis/im/v1/messages`
pub(super) async fn list(State(hub): State<Hub>, Query(params): Query<Params>) -> Answered {
    let scopes = hub.scopes();
    scopes.require(LIST)?;
    let query = query(&params)?;
    let cards = card_content(&params)?;
    hub.act(|world, _| {
        let (messages, next) = world.history(&query, scopes.any(READ_GROUPS))?;
        let items: Vec<Value> = messages
            .iter()
            .map(|message| world.rest_message(message, cards, true))
            .collect();
        Ok(Answer::Data(json!({
            "items": items,
            "has_more": next.is_some(),
            "page_token": next.unwrap_or_default(),
        })))
    })
}

fn query(params: &Params) -> Result<world::Query, Refusal> {
    let id = params.required("container_id")?.to_owned();
    let container = match params.required("container_id_type")? {
        "chat" => Container::Chat(id),
        "thread" => Container::Thread(id),
        _ => {
            return Err(Refusal::field(
                "container_id_type",
                "container_id_type must be chat or thread",
            ));
        }
    };
    let (start_s, end_s) = (seconds(params, "start_time")?, seconds(params, "end_time")?);
    if matches!(container, Container::Thread(_)) && (start_s.is_some() || end_s.is_some()) {
        return Err(Refusal::parameter(
            "start_time and end_time are not supported for a thread",
        ));
    }
    let newest_first = match params.get("sort_type") {
        None | Some("ByCreateTimeAsc") => false,
        Some("ByCreateTimeDesc") => true,
        Some(_) => return Err(Refusal::field("sort_type", "sort_type is invalid")),
    };
    Ok(world::Query {
        container,
        start_s,
        end_s,
        newest_first,
        page_size: params.number("page_size", 20, 1..=50)?,
        page_token: params.get("page_token").map(str::to_owned),
    })
}

fn seconds(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (0..SECONDS_MAX).contains(seconds));
    seconds
        .map(Some)
        .ok_or_else(|| Refusal::parameter(format!("{name} is a time in seconds, not {text:?}")))
}

fn card_content(params: &Params) -> Result<CardContent, Refusal> {
    match params.get("card_msg_content_type") {
        None => Ok(CardContent::Degraded),
        Some("user_card_content") => Ok(CardContent::User),
        Some("raw_card_content") => Ok(CardContent::Raw),
        Some(_) => Err(Refusal::field(
            "card_msg_content_type",
            "card_msg_content_type must be user_card_content or raw_card_content",
        )),
    }
}

#[derive(Deserialize)]
struct CardUpdate {
    content: String,
}

/// `PATCH /open-apis/im/v1/messages/:message_id`: card JSON only.
pub(super) async fn patch_card(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(UPDATE)?;
    let update: CardUpdate = read(&body)?;
    hub.act(|world, now_ms| world.patch_card(&message_id, &update.content, now_ms))?;
    Ok(Answer::Data(json!({})))
}

/// `PUT /open-apis/im/v1/messages/:message_id`: text and posts only.
pub(super) async fn edit(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(UPDATE)?;
    let what: What = read(&body)?;
    check_size(&what, &body)?;
    hub.act(|world, now_ms| {
        world.edit_as_bot(&message_id, &what.msg_type, &what.content, now_ms)?;
        Ok(Answer::Data(shown(world, &message_id)))
    })
}

/// `DELETE /open-apis/im/v1/messages/:message_id`
pub(super) async fn recall(State(hub): State<Hub>, Path(message_id): Path<String>) -> Answered {
    hub.scopes().require(RECALL)?;
    hub.act(|world, now_ms| world.recall_as_bot(&message_id, now_ms))?;
    Ok(Answer::Data(json!({})))
}
