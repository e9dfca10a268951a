//! One message, as the platform keeps it.

use serde_json::Value;

use super::{Mention, Pin, Urgent, World, reaction::Reaction};

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) enum Author {
    /// Our bot.
    Us,
    /// A person, by open_id.
    Person(String),
    /// Another bot, by open_id.
    Bot(String),
}

/// What an interactive message shows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Card {
    /// A card entity, by card_id.
    Entity(String),
    /// The JSON that was sent.
    Json(Value),
}

/// One message.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Message {
    pub(in crate::sandbox) message_id: String,
    pub(in crate::sandbox) chat_id: String,
    pub(in crate::sandbox) root_id: Option<String>,
    pub(in crate::sandbox) parent_id: Option<String>,
    pub(in crate::sandbox) thread_id: Option<String>,
    pub(in crate::sandbox) author: Author,
    pub(in crate::sandbox) msg_type: String,
    /// JSON in a string, in the form in which it is received; of a card what was sent.
    pub(in crate::sandbox) content: String,
    pub(in crate::sandbox) card: Option<Card>,
    pub(in crate::sandbox) mentions: Vec<Mention>,
    pub(in crate::sandbox) reactions: Vec<Reaction>,
    pub(in crate::sandbox) created_ms: i64,
    pub(in crate::sandbox) updated_ms: i64,
    /// How often it was edited, as people do with text and posts.
    pub(in crate::sandbox) edits: u32,
    /// Whether its card was changed by PATCH.
    pub(in crate::sandbox) updated: bool,
    pub(in crate::sandbox) recalled: bool,
    pub(in crate::sandbox) pin: Option<Pin>,
    /// Who was buzzed for it.
    pub(in crate::sandbox) urgent: Vec<Urgent>,
    /// The one person who sees it, of a card that nobody else does.
    pub(in crate::sandbox) only_for: Option<String>,
    /// Its place in the table of messages, which grows with time.
    pub(super) place: usize,
}

impl World {
    /// The open_id and the name of who said it.
    pub(in crate::sandbox) fn author_of<'a>(&'a self, author: &'a Author) -> (&'a str, &'a str) {
        let open_id = match author {
            Author::Us => self.app.open_id.as_str(),
            Author::Person(open_id) | Author::Bot(open_id) => open_id,
        };
        (open_id, self.name_of(open_id).unwrap_or("unknown"))
    }

    /// The JSON of the card that a message shows now.
    pub(in crate::sandbox) fn card_json<'a>(&'a self, message: &'a Message) -> Option<&'a Value> {
        match message.card.as_ref()? {
            Card::Json(json) => Some(json),
            Card::Entity(card_id) => self.cards.get(card_id).map(|entity| &entity.json),
        }
    }
}
