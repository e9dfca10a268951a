//! What people do: come, say, edit, take back, react.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Told, Wrong, bad, missing, nobody, read};
use crate::sandbox::{
    card,
    hub::Hub,
    post,
    world::{Author, Card, Message, Saying, World, is_emoji_type},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    name: String,
    email: Option<String>,
    mobile: Option<String>,
    /// Another organisation than the app's.
    tenant_key: Option<String>,
    /// Another bot, and no person.
    #[serde(default)]
    bot: bool,
}

/// `POST /sandbox/users`
pub(super) async fn add_user(State(hub): State<Hub>, body: Bytes) -> Told {
    let new: NewUser = read(&body)?;
    if new.name.trim().is_empty() {
        return Err(bad("a user needs a name"));
    }
    if new.bot {
        let bot = hub.act(|world, _| world.add_other_bot(new.name.trim()));
        return Ok(Json(json!({"open_id": bot.open_id, "name": bot.name})));
    }
    let user = hub.act(|world, _| {
        let user = world.add_user(new.name.trim(), new.email, new.mobile);
        if let Some(user) = world.users.get_mut(&user.open_id) {
            user.tenant_key = new.tenant_key;
        }
        user
    });
    Ok(Json(json!({"open_id": user.open_id, "name": user.name})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    chat_id: Option<String>,
    /// An open_id, or a name that only one person has; also another bot's.
    sender: String,
    text: Option<String>,
    #[serde(default)]
    mention_bot: bool,
    #[serde(default)]
    mention_all: bool,
    reply_to: Option<String>,
    #[serde(default)]
    thread: InThread,
    msg_type: Option<String>,
    /// The content's JSON, as an object or as a string of one.
    content: Option<Value>,
}

/// `true` starts or uses the thread at `reply_to`; a thread's id speaks into that thread.
#[derive(Deserialize)]
#[serde(untagged, expecting = "thread is true, false or a thread's id")]
enum InThread {
    Flag(bool),
    Id(String),
    Null(()),
}

impl Default for InThread {
    fn default() -> Self {
        Self::Flag(false)
    }
}

/// `POST /sandbox/messages`
pub(super) async fn say(State(hub): State<Hub>, body: Bytes) -> Told {
    let mut new: NewMessage = read(&body)?;
    hub.act(|world, now_ms| {
        let author = author(world, &new.sender)?;
        let in_thread = resolve_thread(world, &mut new)?;
        let chat_id = chat_for(world, &new, &author)?;
        let msg_type = new.msg_type.clone().unwrap_or_else(|| "text".to_owned());
        let mut content = content(&msg_type, new.text.as_deref(), new.content.as_ref())?;
        let is_blank = content["text"]
            .as_str()
            .is_some_and(|text| text.trim().is_empty());
        if msg_type == "text" && is_blank && !new.mention_bot && !new.mention_all {
            return Err(bad("the text is empty"));
        }
        name_file(world, &mut content);
        add_mentions(world, &new, &msg_type, &mut content, &chat_id)?;
        let mentions = world.mentions_typed(&chat_id, &msg_type, &mut content);
        let saying = Saying {
            author,
            chat_id: chat_id.clone(),
            reply_to: new.reply_to.clone(),
            in_thread,
            card: card_of(&msg_type, &content)?,
            content: content.to_string(),
            msg_type,
            mentions,
        };
        let place = world.say(saying, now_ms);
        let message = world.messages.at(place);
        Ok(Json(json!({
            "message_id": message.message_id, "chat_id": chat_id, "thread_id": message.thread_id,
        })))
    })
}

pub(super) fn author(world: &World, sender: &str) -> Result<Author, Wrong> {
    if let Some(user) = world.find_user(sender) {
        return Ok(Author::Person(user.open_id.clone()));
    }
    let mut bots = world.bots.iter();
    match bots.find(|bot| bot.open_id == sender || bot.name == sender) {
        Some(bot) => Ok(Author::Bot(bot.open_id.clone())),
        None => Err(nobody(world, sender)),
    }
}

/// A thread's id stands for a reply to the thread's root, a message's id for one to that message.
fn resolve_thread(world: &World, new: &mut NewMessage) -> Result<bool, Wrong> {
    let thread_id = match &new.thread {
        InThread::Flag(flag) => return Ok(*flag),
        InThread::Null(()) => return Ok(false),
        InThread::Id(thread_id) => thread_id,
    };
    let root = match thread_id.starts_with("om_") {
        true => thread_id,
        false => world
            .thread_root(thread_id)
            .ok_or_else(|| missing("thread", thread_id))?,
    };
    if new.reply_to.is_none() {
        new.reply_to = Some(root.to_owned());
    }
    Ok(true)
}

/// The chat to speak in: the one named, that of the message replied to, or the direct one.
fn chat_for(world: &mut World, new: &NewMessage, author: &Author) -> Result<String, Wrong> {
    let replied = new
        .reply_to
        .as_deref()
        .map(|id| known_message(world, id))
        .transpose()?;
    let replied_in = replied.map(|message| message.chat_id.clone());
    let chat_id = match (new.chat_id.clone().filter(|id| !id.is_empty()), replied_in) {
        (Some(chat_id), Some(replied_in)) if chat_id != replied_in => {
            return Err(bad("reply_to is a message of another chat"));
        }
        (Some(chat_id), _) | (None, Some(chat_id)) => chat_id,
        (None, None) => match author {
            Author::Person(open_id) => world.p2p_chat(open_id),
            _ => return Err(bad("chat_id is missing")),
        },
    };
    check_may_speak(world, &chat_id, author)?;
    Ok(chat_id)
}

/// People speak in chats that are there, and that they are in.
pub(super) fn check_may_speak(world: &World, chat_id: &str, author: &Author) -> Result<(), Wrong> {
    let chat = world
        .chats
        .get(chat_id)
        .ok_or_else(|| missing("chat", chat_id))?;
    if chat.dissolved {
        return Err(bad("the chat has been dissolved"));
    }
    let (open_id, name) = world.author_of(author);
    let is_in = chat
        .members
        .iter()
        .chain(&chat.bots)
        .any(|member| member == open_id);
    if !is_in {
        return Err(bad(format!("{name} is not in this chat")));
    }
    Ok(())
}

pub(super) fn known_message<'a>(world: &'a World, message_id: &str) -> Result<&'a Message, Wrong> {
    let message = world
        .messages
        .get(message_id)
        .ok_or_else(|| missing("message", message_id))?;
    if message.recalled {
        return Err(bad("the message was recalled"));
    }
    Ok(message)
}

/// Every type of message that a bot can receive.
const MSG_TYPES: &[&str] = &[
    "text",
    "post",
    "image",
    "file",
    "folder",
    "audio",
    "media",
    "sticker",
    "interactive",
    "hongbao",
    "share_calendar_event",
    "calendar",
    "general_calendar",
    "share_chat",
    "share_user",
    "system",
    "location",
    "video_chat",
    "todo",
    "vote",
    "merge_forward",
];

/// The content in the form in which it is received.
fn content(msg_type: &str, text: Option<&str>, raw: Option<&Value>) -> Result<Value, Wrong> {
    if !MSG_TYPES.contains(&msg_type) {
        return Err(bad(format!("there is no msg_type {msg_type:?}")));
    }
    let raw = match raw {
        Some(Value::String(string)) => Some(
            serde_json::from_str(string)
                .map_err(|error| bad(format!("content is not a string of JSON: {error}")))?,
        ),
        other => other.filter(|content| !content.is_null()).cloned(),
    };
    let content: Value = match (raw, text, msg_type) {
        (Some(content), ..) => content,
        (None, Some(text), "post") => {
            json!({"title": "", "content": [[{"tag": "text", "text": text}]]})
        }
        (None, Some(text), "text") => json!({"text": text}),
        _ => return Err(bad("text or content is missing")),
    };
    match msg_type {
        "text" if !content["text"].is_string() => {
            Err(bad("the content of a text has a member text"))
        }
        "post" if content["content"].is_array() => post::from_paragraphs(&content).map_err(bad),
        "post" => post::received(&content).map_err(bad),
        _ if !content.is_object() => Err(bad("content is not a JSON object")),
        _ => Ok(content),
    }
}

/// A file's name comes with the file, unless it is given.
fn name_file(world: &World, content: &mut Value) {
    let known = content["file_key"]
        .as_str()
        .and_then(|key| world.resources.get(key));
    if let Some(resource) = known
        && content["file_name"].is_null()
        && !resource.name.is_empty()
        && resource.file_type != "opus"
    {
        content["file_name"] = json!(resource.name);
    }
}

/// Only bots send cards, but the sandbox lets anyone quote one.
fn card_of(msg_type: &str, content: &Value) -> Result<Option<Card>, Wrong> {
    if msg_type != "interactive" {
        return Ok(None);
    }
    let card = card::parse(&content.to_string()).map_err(card::Fault::for_message)?;
    Ok(Some(Card::Json(card)))
}

/// Puts the bot, or everybody, in front, where the text does not name them already.
fn add_mentions(
    world: &World,
    new: &NewMessage,
    msg_type: &str,
    content: &mut Value,
    chat_id: &str,
) -> Result<(), Wrong> {
    if !new.mention_bot && !new.mention_all {
        return Ok(());
    }
    if !matches!(msg_type, "text" | "post") {
        return Err(bad(format!("a message of type {msg_type} mentions nobody")));
    }
    if new.mention_bot {
        let bot = world.app.open_id.as_str();
        if world.chats.get(chat_id).is_none_or(|chat| !chat.has_bot) {
            return Err(bad("the bot is not in this chat"));
        }
        let named = world.mentions_typed(chat_id, msg_type, &mut content.clone());
        if !named.iter().any(|mention| mention.open_id == bot) {
            put_in_front(content, msg_type, bot, &world.app.name);
        }
    }
    if new.mention_all {
        let text = content["text"].as_str().unwrap_or_default();
        let typed = ["@all", "@所有人"]
            .into_iter()
            .find(|all| text.contains(all));
        match typed.filter(|_| msg_type == "text") {
            Some(all) => content["text"] = json!(text.replacen(all, "@_all", 1)),
            None => put_in_front(content, msg_type, "all", "all"),
        }
    }
    Ok(())
}

fn put_in_front(content: &mut Value, msg_type: &str, open_id: &str, name: &str) {
    if msg_type == "text" {
        let text = content["text"].as_str().unwrap_or_default();
        content["text"] = json!(format!("<at user_id=\"{open_id}\"></at> {text}"));
        return;
    }
    let at = json!({"tag": "at", "user_id": open_id, "user_name": name, "style": []});
    let paragraphs = content["content"].as_array_mut();
    match paragraphs
        .and_then(|all| all.first_mut())
        .and_then(Value::as_array_mut)
    {
        Some(first) => first.insert(0, at),
        None => content["content"] = json!([[at]]),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(alias = "operator", alias = "sender")]
    user: Option<String>,
    text: Option<String>,
    content: Option<Value>,
}

/// `POST /sandbox/messages/:id/edit`. Without a `user` it is the author who edits.
pub(super) async fn edit(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Told {
    let edit: Edit = read(&body)?;
    hub.act(|world, now_ms| {
        let message = own_message(world, &message_id, edit.user.as_deref())?;
        let (msg_type, chat_id) = (message.msg_type.clone(), message.chat_id.clone());
        if !matches!(msg_type.as_str(), "text" | "post") {
            return Err(bad("only texts and posts can be edited"));
        }
        let mut content = content(&msg_type, edit.text.as_deref(), edit.content.as_ref())?;
        let mentions = world.mentions_typed(&chat_id, &msg_type, &mut content);
        world.rewrite(
            &message_id,
            &msg_type,
            content.to_string(),
            mentions,
            now_ms,
        );
        Ok(Json(json!({"message_id": message_id})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recall {
    #[serde(alias = "operator", alias = "sender")]
    user: Option<String>,
}

/// `POST /sandbox/messages/:id/recall`. Without a `user` it is the author who takes it back.
pub(super) async fn recall(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Told {
    let recall: Recall = read(&body)?;
    hub.act(|world, now_ms| {
        own_message(world, &message_id, recall.user.as_deref())?;
        world.recall(&message_id, now_ms);
        Ok(Json(json!({"message_id": message_id})))
    })
}

fn own_message<'a>(
    world: &'a World,
    message_id: &str,
    user: Option<&str>,
) -> Result<&'a Message, Wrong> {
    let message = known_message(world, message_id)?;
    if let Some(user) = user
        && author(world, user)? != message.author
    {
        return Err(bad("only the author can do that"));
    }
    Ok(message)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct React {
    user: String,
    emoji_type: String,
    #[serde(default)]
    remove: bool,
}

/// `POST /sandbox/messages/:id/reactions`
pub(super) async fn react(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Told {
    let react: React = read(&body)?;
    if !is_emoji_type(&react.emoji_type) {
        return Err(bad(format!("there is no emoji {:?}", react.emoji_type)));
    }
    hub.act(|world, now_ms| {
        let by = author(world, &react.user)?;
        let message = known_message(world, &message_id)?;
        let is_it = |one: &&crate::sandbox::world::Reaction| {
            one.by == by && one.emoji_type == react.emoji_type
        };
        let there = message
            .reactions
            .iter()
            .find(is_it)
            .map(|one| one.reaction_id.clone());
        let reaction = match (react.remove, there) {
            (false, _) => world.add_reaction(&message_id, by, &react.emoji_type, now_ms)?,
            (true, Some(id)) => world.remove_reaction(&message_id, &by, &id, now_ms)?,
            (true, None) => return Err(bad("there is no such reaction to remove")),
        };
        Ok(Json(json!({"reaction_id": reaction.reaction_id})))
    })
}
