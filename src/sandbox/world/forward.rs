//! Messages that a person forwards together: a message of its own, with copies of the others inside.
//!
//! The copies are in no chat's history. Their ids are new, which the documentation leaves open.

use serde_json::{Value, json};

use super::{Author, CardContent, Message, Saying, World};

/// What stands in the content of a bundle; what is in it is read with Get message.
const CONTENT: &str = "Merged and Forwarded Message";

impl World {
    /// Forwards messages as one bundle, and answers its place.
    pub(in crate::sandbox) fn forward(
        &mut self,
        author: Author,
        chat_id: &str,
        message_ids: &[String],
        now_ms: i64,
    ) -> usize {
        let saying = Saying {
            author,
            chat_id: chat_id.to_owned(),
            reply_to: None,
            in_thread: false,
            msg_type: "merge_forward".to_owned(),
            content: json!({"content": CONTENT}).to_string(),
            card: None,
            mentions: Vec::new(),
        };
        let originals: Vec<Message> = message_ids
            .iter()
            .filter_map(|id| self.messages.get(id).cloned())
            .collect();
        // The copies are made first, so that the bot finds them as soon as it is told of the bundle.
        let copies = self.copies(originals);
        let place = self.say(saying, now_ms);
        let bundle = self.messages.at(place).message_id.clone();
        self.forwarded.insert(bundle, copies);
        place
    }

    fn copies(&mut self, originals: Vec<Message>) -> Vec<Message> {
        let mut copies = Vec::with_capacity(originals.len());
        for original in originals {
            let copy = Message {
                message_id: self.new_id("om_"),
                root_id: None,
                parent_id: None,
                thread_id: None,
                reactions: Vec::new(),
                pin: None,
                urgent: Vec::new(),
                ..original
            };
            if let Some(inside) = self.forwarded.get(&original.message_id).cloned() {
                let inside = self.copies(inside);
                self.forwarded.insert(copy.message_id.clone(), inside);
            }
            copies.push(copy);
        }
        copies
    }

    /// What is in a bundle, one below the other.
    pub(in crate::sandbox) fn inside(&self, message_id: &str) -> &[Message] {
        self.forwarded.get(message_id).map_or(&[], Vec::as_slice)
    }

    /// Whether a message is a copy in a bundle.
    pub(super) fn is_forwarded(&self, message_id: &str) -> bool {
        let mut copies = self.forwarded.values().flatten();
        copies.any(|copy| copy.message_id == message_id)
    }

    /// Everything in a bundle, bundles in it included, each naming what it stands in.
    pub(in crate::sandbox) fn rest_inside(
        &self,
        message_id: &str,
        cards: CardContent,
    ) -> Vec<Value> {
        let mut items = Vec::new();
        for copy in self.inside(message_id) {
            let mut item = self.rest_message(copy, cards, false);
            item["upper_message_id"] = json!(message_id);
            items.push(item);
            items.extend(self.rest_inside(&copy.message_id, cards));
        }
        items
    }
}
