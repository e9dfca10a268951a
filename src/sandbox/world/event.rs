//! The bodies of events: ids are objects here, where the REST shape has strings.

use serde_json::{Value, json};

use super::{Author, Chat, ChatKind, Message, World, reaction::Reaction};

/// Direct messages to the bot [doc: receive message].
const P2P: &[&str] = &["im:message.p2p_msg:readonly", "im:message.p2p_msg"];
/// Every message of people in groups.
const GROUP: &[&str] = &["im:message.group_msg", "im:message.group_msg:readonly"];
/// Those of them that mention the bot.
const GROUP_AT: &[&str] = &[
    "im:message.group_msg",
    "im:message.group_msg:readonly",
    "im:message.group_at_msg:readonly",
    "im:message.group_at_msg",
    "im:message.group_at_msg.include_bot:readonly",
];
/// Other bots that mention the bot.
const FROM_BOTS: &[&str] = &["im:message.group_at_msg.include_bot:readonly"];
/// Recalls.
const RECALLED: &[&str] = &["im:message", "im:message:readonly"];

impl World {
    /// Tells the bot about a new message, if the platform would.
    pub(super) fn message_happened(&mut self, message: &Message) {
        self.tell("message", Some(&message.chat_id), Some(&message.message_id));
        let Some(chat) = self.chats.get(&message.chat_id).filter(|chat| chat.has_bot) else {
            return;
        };
        let mentions_us = message
            .mentions
            .iter()
            .any(|one| one.open_id == self.app.open_id);
        let scopes = match (&message.author, chat.kind, mentions_us) {
            (Author::Us, ..) | (Author::Bot(_), _, false) => return,
            (Author::Bot(_), _, true) => FROM_BOTS,
            (Author::Person(_), ChatKind::P2p, _) => P2P,
            (Author::Person(_), _, true) => GROUP_AT,
            (Author::Person(_), _, false) => GROUP,
        };
        let body = self.message_event(message, chat);
        self.emit("im.message.receive_v1", body, scopes);
    }

    fn message_event(&self, message: &Message, chat: &Chat) -> Value {
        let mut body = json!({
            "message_id": message.message_id,
            "create_time": message.created_ms.to_string(),
            "update_time": message.updated_ms.to_string(),
            "chat_id": message.chat_id,
            "chat_type": chat.kind.event_type(),
            "message_type": message.msg_type,
            "content": self.received_content(message),
        });
        for (name, id) in [
            ("root_id", &message.root_id),
            ("parent_id", &message.parent_id),
            ("thread_id", &message.thread_id),
        ] {
            if let Some(id) = id {
                body[name] = json!(id);
            }
        }
        // Left out when nobody is mentioned.
        if !message.mentions.is_empty() {
            body["mentions"] = message
                .mentions
                .iter()
                .map(|mention| {
                    json!({
                        "key": mention.key,
                        "id": self.ids(&mention.open_id),
                        "mentioned_type": if mention.app_id.is_some() { "bot" } else { "user" },
                        "name": mention.name,
                        "tenant_key": self.tenant_of(&mention.open_id),
                    })
                })
                .collect();
        }
        let (open_id, _) = self.author_of(&message.author);
        json!({
            "sender": {
                "sender_id": self.ids(open_id),
                "sender_type": if matches!(message.author, Author::Person(_)) { "user" } else { "bot" },
                "tenant_key": self.tenant_of(open_id),
            },
            "message": body,
        })
    }

    /// Tells the bot that a message was recalled by whoever wrote it.
    pub(super) fn recall_happened(&mut self, message: &Message, now_ms: i64) {
        self.tell("message", Some(&message.chat_id), Some(&message.message_id));
        let has_bot = self
            .chats
            .get(&message.chat_id)
            .is_some_and(|chat| chat.has_bot);
        if has_bot {
            let body = json!({
                "message_id": message.message_id,
                "chat_id": message.chat_id,
                "recall_time": now_ms.to_string(),
                "recall_type": "message_owner",
            });
            self.emit("im.message.recalled_v1", body, RECALLED);
        }
    }

    /// The body of both reaction events. There is no chat_id in it.
    pub(super) fn reaction_event(
        &self,
        message_id: &str,
        reaction: &Reaction,
        now_ms: i64,
    ) -> Value {
        let mut body = json!({
            "message_id": message_id,
            "reaction_type": {"emoji_type": reaction.emoji_type},
            "action_time": now_ms.to_string(),
        });
        match &reaction.by {
            Author::Person(open_id) => {
                body["operator_type"] = json!("user");
                body["user_id"] = self.ids(open_id);
            }
            Author::Us => {
                body["operator_type"] = json!("app");
                body["app_id"] = json!(self.app.app_id);
            }
            Author::Bot(open_id) => {
                body["operator_type"] = json!("app");
                body["app_id"] = json!(self.bots.get(open_id).map(|bot| &bot.app_id));
            }
        }
        body
    }

    /// The ids of someone as events have them. `user_id` is absent: the app has no scope for it.
    pub(in crate::sandbox) fn ids(&self, open_id: &str) -> Value {
        match self.users.get(open_id) {
            Some(user) => json!({"open_id": open_id, "union_id": user.union_id}),
            None => json!({"open_id": open_id}),
        }
    }
}
