//! Saying something, whoever says it: where it stands among the messages, and whom it mentions.

use serde_json::{Value, json};

use super::{
    Author, Card, ChatKind, Mention, Message, Thread, World,
    mention::{Candidate, Mentions},
};
use crate::sandbox::post;

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

/// Where a message stands among others.
#[derive(Debug, Default)]
struct Placement {
    root_id: Option<String>,
    parent_id: Option<String>,
    thread_id: Option<String>,
}

impl World {
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
            pin: None,
            urgent: Vec::new(),
            only_for: None,
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
