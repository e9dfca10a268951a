//! Saying something, and what can be done to it afterwards: edit, recall, update of a card.

use serde_json::{Value, json};

use super::{
    super::{card, limits::Rule, refusal::Refusal},
    Author, Card, ChatKind, Mention, Message, Thread, World,
    mention::{Candidate, Mentions},
};
use crate::sandbox::post;

/// How long the `uuid` of a send is remembered.
const UUID_MS: i64 = 60 * 60 * 1000;
/// How long a message's card may be updated.
const PATCH_MS: i64 = 14 * 24 * 60 * 60 * 1000;
/// How long a message may be recalled: the default of a tenant.
const RECALL_MS: i64 = 24 * 60 * 60 * 1000;
/// How often a message may be edited.
const EDITS_MAX: u32 = 20;

/// Something said, ready to be put into its chat.
#[derive(Debug)]
pub(in crate::sandbox) struct Saying {
    pub(in crate::sandbox) author: Author,
    pub(in crate::sandbox) chat_id: String,
    pub(in crate::sandbox) reply_to: Option<String>,
    /// Starts a thread at the message replied to, or opens a topic.
    pub(in crate::sandbox) in_thread: bool,
    pub(in crate::sandbox) msg_type: String,
    pub(in crate::sandbox) content: String,
    pub(in crate::sandbox) card: Option<Card>,
    pub(in crate::sandbox) mentions: Vec<Mention>,
}

/// Where the bot speaks.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) enum Target<'a> {
    Chat(&'a str),
    Reply { to: &'a str, in_thread: bool },
}

/// Where a message stands among others.
#[derive(Debug, Default)]
struct Placement {
    root_id: Option<String>,
    parent_id: Option<String>,
    thread_id: Option<String>,
}

/// Content as it will be kept.
struct Prepared {
    content: String,
    card: Option<Card>,
    mentions: Vec<Mention>,
}

impl World {
    /// The bot sends or replies. A `uuid` that was used within the hour answers the message of
    /// that time: the documentation promises at most one message and does not say what the repeat
    /// answers.
    pub(in crate::sandbox) fn say_as_bot(
        &mut self,
        target: Target<'_>,
        msg_type: &str,
        content: &str,
        uuid: Option<&str>,
        now_ms: i64,
    ) -> Result<&Message, Refusal> {
        let (chat_id, reply_to, in_thread) = match target {
            Target::Chat(chat_id) => (chat_id.to_owned(), None, false),
            Target::Reply { to, in_thread } => {
                let chat_id = self.reply_target(to)?.chat_id.clone();
                (chat_id, Some(to.to_owned()), in_thread)
            }
        };
        self.usable_chat(&chat_id)?;
        self.limits.take(&[Rule::chat(&chat_id)], now_ms)?;
        if let Some(message_id) = self.already_sent(uuid, now_ms) {
            return Ok(self
                .messages
                .get(&message_id)
                .expect("sent messages are kept"));
        }
        let prepared = self.prepare(&chat_id, msg_type, content, now_ms)?;
        let place = self.say(
            Saying {
                author: Author::Us,
                chat_id,
                reply_to,
                in_thread,
                msg_type: msg_type.to_owned(),
                content: prepared.content,
                card: prepared.card,
                mentions: prepared.mentions,
            },
            now_ms,
        );
        let message_id = self.messages.at(place).message_id.clone();
        if let Some(uuid) = uuid {
            self.sent.insert(uuid.to_owned(), (now_ms, message_id));
        }
        Ok(self.messages.at(place))
    }

    /// Puts a message into its chat, and answers its place. The chat and the message replied to
    /// must be there.
    pub(in crate::sandbox) fn say(&mut self, saying: Saying, now_ms: i64) -> usize {
        let message_id = self.new_id("om_");
        let placement = self.place_of(&saying, &message_id);
        let place = self.messages.len();
        if let Some(Card::Entity(card_id)) = &saying.card
            && let Some(entity) = self.cards.get_mut(card_id)
        {
            entity.message_id = Some(message_id.clone());
        }
        if let Some(thread) = placement
            .thread_id
            .as_ref()
            .and_then(|id| self.threads.get_mut(id))
        {
            thread.places.push(place);
        }
        if let Some(chat) = self.chats.get_mut(&saying.chat_id) {
            chat.places.push(place);
        }
        let message = Message {
            message_id: message_id.clone(),
            chat_id: saying.chat_id,
            root_id: placement.root_id,
            parent_id: placement.parent_id,
            thread_id: placement.thread_id,
            author: saying.author,
            msg_type: saying.msg_type,
            content: saying.content,
            card: saying.card,
            mentions: saying.mentions,
            reactions: Vec::new(),
            created_ms: now_ms,
            updated_ms: now_ms,
            edits: 0,
            updated: false,
            recalled: false,
            place,
        };
        self.messages.insert(&message_id, message.clone());
        self.message_happened(&message);
        place
    }

    /// Root, parent and thread of a new message. Inside a thread the root is the thread's first
    /// message; outside it is the first message of the chain of replies.
    fn place_of(&mut self, saying: &Saying, message_id: &str) -> Placement {
        let target = saying
            .reply_to
            .as_deref()
            .and_then(|id| self.messages.get(id))
            .cloned();
        let Some(target) = target else {
            let is_topic = self
                .chats
                .get(&saying.chat_id)
                .is_some_and(|chat| chat.kind == ChatKind::Topic);
            let thread_id = (is_topic || saying.in_thread)
                .then(|| self.open_thread(&saying.chat_id, message_id, Vec::new()));
            return Placement {
                thread_id,
                ..Placement::default()
            };
        };
        let thread_id = match &target.thread_id {
            Some(thread_id) => Some(thread_id.clone()),
            None if saying.in_thread => {
                let thread_id =
                    self.open_thread(&target.chat_id, &target.message_id, vec![target.place]);
                if let Some(root) = self.messages.get_mut(&target.message_id) {
                    root.thread_id = Some(thread_id.clone());
                }
                Some(thread_id)
            }
            None => None,
        };
        let thread_root = thread_id
            .as_ref()
            .and_then(|thread_id| self.threads.get(thread_id))
            .map(|thread| thread.root_id.clone());
        let chain_root = || {
            target
                .root_id
                .clone()
                .unwrap_or_else(|| target.message_id.clone())
        };
        Placement {
            root_id: Some(thread_root.unwrap_or_else(chain_root)),
            parent_id: Some(target.message_id.clone()),
            thread_id,
        }
    }

    fn open_thread(&mut self, chat_id: &str, root_id: &str, places: Vec<usize>) -> String {
        let thread_id = self.new_id("omt_");
        let thread = Thread {
            chat_id: chat_id.to_owned(),
            root_id: root_id.to_owned(),
            places,
        };
        self.threads.insert(thread_id.clone(), thread);
        thread_id
    }

    /// Edits a text or a post of the bot.
    pub(in crate::sandbox) fn edit_as_bot(
        &mut self,
        message_id: &str,
        msg_type: &str,
        content: &str,
        now_ms: i64,
    ) -> Result<&Message, Refusal> {
        if !matches!(msg_type, "text" | "post") {
            return Err(Refusal::parameter(
                "invalid msg_type, only text and post can be edited",
            ));
        }
        let message = self.own_message(message_id)?;
        if message.edits >= EDITS_MAX {
            return Err(Refusal::new(
                230_072,
                "The message has reached the limit of edits.",
            ));
        }
        if !matches!(message.msg_type.as_str(), "text" | "post") {
            return Err(Refusal::new(
                230_054,
                "This operation is not supported for this message type.",
            ));
        }
        let chat_id = message.chat_id.clone();
        self.limits.take(&[Rule::message(message_id)], now_ms)?;
        let prepared = self.prepare(&chat_id, msg_type, content, now_ms)?;
        self.rewrite(
            message_id,
            msg_type,
            prepared.content,
            prepared.mentions,
            now_ms,
        );
        Ok(self.messages.get(message_id).expect("it was found above"))
    }

    /// New words in an old message. No event tells of it, only `update_time` does.
    pub(in crate::sandbox) fn rewrite(
        &mut self,
        message_id: &str,
        msg_type: &str,
        content: String,
        mentions: Vec<Mention>,
        now_ms: i64,
    ) {
        let Some(message) = self.messages.get_mut(message_id) else {
            return;
        };
        message.msg_type = msg_type.to_owned();
        message.content = content;
        message.mentions = mentions;
        message.edits += 1;
        message.updated_ms = now_ms;
        let chat_id = message.chat_id.clone();
        self.tell("message", Some(&chat_id), Some(message_id));
    }

    /// `PATCH`: another card JSON in a message that was sent with card JSON.
    pub(in crate::sandbox) fn patch_card(
        &mut self,
        message_id: &str,
        content: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let message = self.own_message(message_id)?;
        let old = match &message.card {
            Some(Card::Json(json)) => json.clone(),
            // What the platform does here is not documented; the vendor's plugin never tries it.
            Some(Card::Entity(_)) => {
                return Err(Refusal::parameter(
                    "the message shows a card entity, update it through cardkit",
                ));
            }
            None => {
                return Err(Refusal::parameter(
                    "only interactive messages can be updated",
                ));
            }
        };
        if now_ms - message.created_ms > PATCH_MS {
            return Err(Refusal::new(
                230_031,
                "The message was sent more than 14 days ago and cannot be updated.",
            ));
        }
        self.limits.take(&[Rule::message(message_id)], now_ms)?;
        let new = card::parse(content).map_err(card::Fault::for_message)?;
        if !card::is_shared(&old) || !card::is_shared(&new) {
            return Err(Refusal::parameter(
                "config.update_multi must be true in both cards",
            ));
        }
        if card::schema_of(&old) == 2 && card::schema_of(&new) == 1 {
            return Err(
                card::Fault::new(200_830, "a card of schema 2.0 cannot become 1.0").for_message(),
            );
        }
        self.replace_card_json(message_id, new, now_ms);
        Ok(())
    }

    /// Another card JSON in a message, whoever has the right to put it there.
    pub(in crate::sandbox) fn replace_card_json(
        &mut self,
        message_id: &str,
        card: Value,
        now_ms: i64,
    ) {
        let Some(message) = self.messages.get_mut(message_id) else {
            return;
        };
        message.content = card.to_string();
        message.card = Some(Card::Json(card));
        message.updated = true;
        message.updated_ms = now_ms;
        let chat_id = message.chat_id.clone();
        self.tell("card", Some(&chat_id), Some(message_id));
    }

    /// The bot takes back what it said.
    pub(in crate::sandbox) fn recall_as_bot(
        &mut self,
        message_id: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let message = self.reply_target(message_id)?;
        if message.author != Author::Us {
            return Err(Refusal::new(
                230_026,
                "No permission to recall this message, which someone else sent.",
            ));
        }
        if now_ms - message.created_ms > RECALL_MS {
            return Err(Refusal::new(
                230_009,
                "The message can no longer be recalled.",
            ));
        }
        self.recall(message_id, now_ms);
        Ok(())
    }

    /// Takes a message back, whoever said it.
    pub(in crate::sandbox) fn recall(&mut self, message_id: &str, now_ms: i64) {
        let Some(message) = self.messages.get_mut(message_id) else {
            return;
        };
        message.recalled = true;
        message.updated_ms = now_ms;
        let message = message.clone();
        self.recall_happened(&message, now_ms);
    }

    /// A message that the bot may reply to.
    fn reply_target(&self, message_id: &str) -> Result<&Message, Refusal> {
        let message = self
            .messages
            .get(message_id)
            .ok_or_else(Refusal::no_such_message)?;
        self.usable_chat(&message.chat_id)?;
        if message.recalled {
            return Err(Refusal::new(230_011, "The message was withdrawn."));
        }
        Ok(message)
    }

    fn own_message(&self, message_id: &str) -> Result<&Message, Refusal> {
        let message = self.reply_target(message_id)?;
        if message.author == Author::Us {
            Ok(message)
        } else {
            Err(Refusal::new(
                230_071,
                "The operator is not the sender of the message.",
            ))
        }
    }

    fn already_sent(&mut self, uuid: Option<&str>, now_ms: i64) -> Option<String> {
        self.sent.retain(|_, (at_ms, _)| now_ms - *at_ms < UUID_MS);
        self.sent
            .get(uuid?)
            .map(|(_, message_id)| message_id.clone())
    }

    /// Checks what the bot wants to say, and turns it into the form in which it is received.
    fn prepare(
        &self,
        chat_id: &str,
        msg_type: &str,
        content: &str,
        now_ms: i64,
    ) -> Result<Prepared, Refusal> {
        let value = || {
            serde_json::from_str::<Value>(content)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| Refusal::parameter("content is not a string of a JSON object"))
        };
        let candidates = self.candidates(chat_id);
        let mut mentions = Mentions::of(&candidates);
        let mut card = None;
        let content = match msg_type {
            "text" => {
                let value = value()?;
                let text = value["text"].as_str().filter(|text| !text.is_empty());
                let text = text.ok_or_else(|| Refusal::parameter("content has no text"))?;
                json!({"text": mentions.key_tags(text)}).to_string()
            }
            "post" => {
                let mut post = post::received(&value()?).map_err(Refusal::parameter)?;
                post::key_mentions(&mut post, &mut |open_id| mentions.key_of(open_id));
                post.to_string()
            }
            "interactive" => {
                card = Some(self.card_to_send(content, now_ms)?);
                content.to_owned()
            }
            other => {
                required_members(other, &value()?)?;
                content.to_owned()
            }
        };
        Ok(Prepared {
            content,
            card,
            mentions: mentions.found,
        })
    }

    /// The three forms of an interactive message: card JSON, a card entity, a template.
    fn card_to_send(&self, content: &str, now_ms: i64) -> Result<Card, Refusal> {
        let value: Value = serde_json::from_str(content)
            .map_err(|error| card::Fault::unreadable(&error.to_string()).for_message())?;
        match value["type"].as_str() {
            Some("card") => {
                let card_id = value["data"]["card_id"].as_str().unwrap_or_default();
                self.sendable_entity(card_id, now_ms)?;
                Ok(Card::Entity(card_id.to_owned()))
            }
            Some("template") => Err(card::Fault::new(
                200_380,
                "template does not exist: the sandbox has no card templates",
            )
            .for_message()),
            _ => card::parse(content)
                .map(Card::Json)
                .map_err(card::Fault::for_message),
        }
    }

    /// Everyone who can be mentioned in a chat.
    pub(super) fn candidates(&self, chat_id: &str) -> Vec<Candidate> {
        let Some(chat) = self.chats.get(chat_id) else {
            return Vec::new();
        };
        let people = chat
            .members
            .iter()
            .filter_map(|open_id| self.users.get(open_id));
        let bots = chat
            .bots
            .iter()
            .filter_map(|open_id| self.bots.get(open_id));
        let us = chat.has_bot.then(|| Candidate {
            open_id: self.app.open_id.clone(),
            app_id: Some(self.app.app_id.clone()),
            name: self.app.name.clone(),
        });
        people
            .map(|user| Candidate {
                open_id: user.open_id.clone(),
                app_id: None,
                name: user.name.clone(),
            })
            .chain(bots.map(|bot| Candidate {
                open_id: bot.open_id.clone(),
                app_id: Some(bot.app_id.clone()),
                name: bot.name.clone(),
            }))
            .chain(us)
            .collect()
    }

    /// Turns `@Name` and at-elements in what a person typed into mentions.
    pub(in crate::sandbox) fn mentions_typed(
        &self,
        chat_id: &str,
        msg_type: &str,
        content: &mut Value,
    ) -> Vec<Mention> {
        let candidates = self.candidates(chat_id);
        let mut mentions = Mentions::of(&candidates);
        match msg_type {
            "text" => {
                let text = mentions.key_tags(content["text"].as_str().unwrap_or_default());
                content["text"] = json!(mentions.key_names(&text));
            }
            "post" => post::key_mentions(content, &mut |open_id| mentions.key_of(open_id)),
            _ => {}
        }
        mentions.found
    }
}

/// The members without which a message of this type means nothing.
fn required_members(msg_type: &str, content: &Value) -> Result<(), Refusal> {
    let members: &[&str] = match msg_type {
        "image" => &["image_key"],
        "file" | "audio" | "sticker" => &["file_key"],
        "media" => &["file_key"],
        "share_chat" => &["chat_id"],
        "share_user" => &["user_id"],
        // Needs im:message:send_sys_msg, which this app has not.
        "system" => return Err(Refusal::new(230_027, "Lack of necessary permissions.")),
        _ => return Err(Refusal::parameter(format!("invalid msg_type {msg_type:?}"))),
    };
    match members.iter().find(|member| !content[**member].is_string()) {
        None => Ok(()),
        Some(member) => Err(Refusal::parameter(format!("content has no {member}"))),
    }
}
