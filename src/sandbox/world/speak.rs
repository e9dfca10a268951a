//! What our bot says, and what it does to it afterwards: edit, update of a card, recall.
//!
//! Here stand the platform's checks; where the message then goes is the same as for everybody.

use serde_json::{Value, json};

use super::{Author, Card, Mention, Message, Saying, World, mention::Mentions};
use crate::sandbox::{card, limits::Rule, post, refusal::Refusal};

/// How long the `uuid` of a send is remembered.
const UUID_MS: i64 = 60 * 60 * 1000;
/// How long a message's card may be updated.
const PATCH_MS: i64 = 14 * 24 * 60 * 60 * 1000;
/// How long a message may be recalled: the default of a tenant.
const RECALL_MS: i64 = 24 * 60 * 60 * 1000;
/// How often a message may be edited.
const EDITS_MAX: u32 = 20;

/// Where the bot speaks.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) enum Target<'a> {
    Chat(&'a str),
    Reply { to: &'a str, in_thread: bool },
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

    /// `PATCH`: another card JSON in a message that was sent with card JSON.
    pub(in crate::sandbox) fn patch_card(
        &mut self,
        message_id: &str,
        content: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let message = self.own_message(message_id)?;
        if message.only_for.is_some() {
            return Err(Refusal::parameter("an ephemeral card cannot be updated"));
        }
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

    /// A message that the bot may reply to.
    pub(super) fn reply_target(&self, message_id: &str) -> Result<&Message, Refusal> {
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

    pub(in crate::sandbox) fn own_message(&self, message_id: &str) -> Result<&Message, Refusal> {
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
                let value = value()?;
                required_members(other, &value)?;
                match other {
                    "image" | "file" | "audio" | "media" => {
                        self.content_of_own(other, &value)?.to_string()
                    }
                    _ => content.to_owned(),
                }
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
