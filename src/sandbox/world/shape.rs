//! Messages in the shape of the REST API: ids as strings, times as strings of milliseconds.

use serde_json::{Value, json};

use super::{super::card, Author, Card, Message, World, reaction::Reaction};

/// What a bot that reads a card entity gets to see, its own replies included.
const UPGRADE_HINT: &str = "请升级至最新版本客户端，以查看内容";

/// `card_msg_content_type`: how cards are to be given back. No effect on card entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum CardContent {
    /// `{title, elements}` with plain runs of text.
    Degraded,
    /// The JSON that was sent.
    User,
    /// The JSON that was sent, as a string in `json_card`.
    Raw,
}

impl World {
    /// The message object of send, reply, edit, get and list. In a list the bot is mentioned by
    /// open_id, elsewhere by app_id; the documentation has both, so both occur here.
    pub(in crate::sandbox) fn rest_message(
        &self,
        message: &Message,
        cards: CardContent,
        in_list: bool,
    ) -> Value {
        let mut object = json!({
            "message_id": message.message_id,
            "msg_type": message.msg_type,
            "create_time": message.created_ms.to_string(),
            "update_time": message.updated_ms.to_string(),
            "deleted": message.recalled,
            "updated": message.edits > 0 || message.updated,
            "chat_id": message.chat_id,
            "sender": self.rest_sender(&message.author),
        });
        for (name, id) in [
            ("root_id", &message.root_id),
            ("parent_id", &message.parent_id),
            ("thread_id", &message.thread_id),
        ] {
            if let Some(id) = id {
                object[name] = json!(id);
            }
        }
        if let Some(link) = self.links.get(&message.message_id).filter(|_| in_list) {
            object["message_app_link"] = json!(link);
        }
        if message.recalled {
            if in_list {
                object["body"] = json!({"content": "This message was recalled"});
            }
            return object;
        }
        object["body"] = json!({"content": self.rest_content(message, cards)});
        if !message.mentions.is_empty() {
            object["mentions"] = self.rest_mentions(message, in_list);
        }
        object
    }

    fn rest_sender(&self, author: &Author) -> Value {
        let (id, id_type, sender_type) = match author {
            Author::Us => (self.app.app_id.as_str(), "app_id", "app"),
            Author::Person(open_id) => (open_id.as_str(), "open_id", "user"),
            Author::Bot(open_id) => {
                let app_id = self.bots.get(open_id).map(|bot| bot.app_id.as_str());
                (app_id.unwrap_or_default(), "app_id", "app")
            }
        };
        let tenant_key = self.tenant_of(id);
        json!({"id": id, "id_type": id_type, "sender_type": sender_type, "tenant_key": tenant_key})
    }

    fn rest_mentions(&self, message: &Message, in_list: bool) -> Value {
        let mention = |mention: &super::Mention| {
            let (id, id_type) = match &mention.app_id {
                Some(app_id) if !in_list => (app_id, "app_id"),
                _ => (&mention.open_id, "open_id"),
            };
            json!({"key": mention.key, "id": id, "id_type": id_type, "name": mention.name,
                   "tenant_key": self.tenant_of(&mention.open_id)})
        };
        message.mentions.iter().map(mention).collect()
    }

    fn rest_content(&self, message: &Message, cards: CardContent) -> String {
        match (&message.card, cards) {
            (Some(Card::Json(json)), CardContent::User) => json.to_string(),
            (Some(Card::Json(json)), CardContent::Raw) => {
                json!({"json_card": json.to_string(), "card_schema": card::schema_of(json)})
                    .to_string()
            }
            // Bare text, and not the JSON that events have.
            _ if message.msg_type == "merge_forward" => {
                let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
                content["content"].as_str().unwrap_or_default().to_owned()
            }
            _ => self.received_content(message),
        }
    }

    /// The content as events have it: cards degraded to text.
    pub(super) fn received_content(&self, message: &Message) -> String {
        match &message.card {
            None => message.content.clone(),
            Some(Card::Json(json)) => super::super::render::degraded(json).to_string(),
            Some(Card::Entity(_)) => {
                json!({"title": "", "elements": [[{"tag": "text", "text": UPGRADE_HINT}]]})
                    .to_string()
            }
        }
    }

    /// A reaction in the shape of add and list.
    pub(in crate::sandbox) fn rest_reaction(&self, reaction: &Reaction) -> Value {
        let (operator_id, operator_type) = match &reaction.by {
            Author::Us => (self.app.app_id.as_str(), "app"),
            Author::Person(open_id) => (open_id.as_str(), "user"),
            Author::Bot(open_id) => {
                let app_id = self.bots.get(open_id).map(|bot| bot.app_id.as_str());
                (app_id.unwrap_or_default(), "app")
            }
        };
        json!({
            "reaction_id": reaction.reaction_id,
            "operator": {"operator_id": operator_id, "operator_type": operator_type},
            "action_time": reaction.action_ms.to_string(),
            "reaction_type": {"emoji_type": reaction.emoji_type},
        })
    }
}
