//! One message of a room, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    bot::Me,
    feishu::{AttachmentKind, Message, MessageId, OpenId, ResourceKey, SenderKind, ThreadId},
    store::Record,
};

/// The longest text that is kept of a message, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// How many earlier texts are kept, and how much of each. The platform allows twenty edits.
const EDITS_MAX: usize = 20;
const EDIT_BYTES_MAX: usize = 4 * 1024;
/// How many kinds of reactions are kept, and how many people of each.
const REACTIONS_MAX: usize = 50;
const REACTED_MAX: usize = 200;
/// A longer link is none that a client opens.
const LINK_BYTES_MAX: usize = 1024;
/// How many mentions and attachments are kept.
const LISTED_MAX: usize = 50;

/// A message as it was heard in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Said {
    /// Its id.
    pub id: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Author,
    /// The platform's `msg_type`.
    pub kind: String,
    /// What it says, as plain text. It stays when the message is recalled.
    pub text: String,
    /// The message it replies to.
    #[serde(default)]
    pub parent: Option<MessageId>,
    /// The first message of the chain of replies it belongs to.
    #[serde(default)]
    pub root: Option<MessageId>,
    /// The thread it belongs to.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// Where clients open it, where the platform said so.
    #[serde(default)]
    pub link: Option<String>,
    /// Who is mentioned in it.
    #[serde(default)]
    pub mentions: Vec<Mentioned>,
    /// What came with it.
    #[serde(default)]
    pub attachments: Vec<Attached>,
    /// What it said before, the oldest first.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// When it was taken back.
    #[serde(default)]
    pub recalled_at: Option<Timestamp>,
    /// The reactions on it.
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    /// Whether it is pinned.
    #[serde(default)]
    pub is_pinned: bool,
    /// As what it stands in the timeline.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

impl Record for Said {
    const COLLECTION: &'static str = "room_message";
    const VERSION: u8 = 1;
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Author {
    /// An open id; ours is always the same, whatever the platform gave.
    pub id: String,
    /// Whether it is a bot.
    #[serde(default)]
    pub is_bot: bool,
    /// What the platform called them, which it does only sometimes.
    #[serde(default)]
    pub name: Option<String>,
}

/// Somebody who is mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Mentioned {
    /// Their id.
    pub id: String,
    /// What they are called.
    pub name: String,
}

/// A file or an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Attached {
    /// The key under which the message has it.
    pub key: ResourceKey,
    /// What the sender called it.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it is an image.
    pub is_image: bool,
}

/// What a message said until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Edit {
    /// When it was changed.
    pub at: Timestamp,
    /// What it had said.
    pub before: String,
}

/// A reaction on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Reaction {
    /// The platform's name of it.
    pub emoji: String,
    /// Who put it there, the first one first.
    pub by: Vec<String>,
}

/// That a message stands in the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Mark {
    /// As what, by the word of the configuration.
    pub mark: String,
    /// Who said so first.
    pub by: OpenId,
}

impl Said {
    /// A message that is heard for the first time. `text` is what it says where that is known better than
    /// from the message, as with our own cards.
    pub(super) fn new(message: &Message, me: &Me, text: Option<&str>) -> Self {
        let is_ours = me.is(&message.sender.id);
        Self {
            id: message.id.clone(),
            at: message.created_at,
            author: Author {
                id: match is_ours {
                    true => me.open_id.to_string(),
                    false => message.sender.id.clone(),
                },
                is_bot: message.sender.kind != SenderKind::Person,
                name: message.sender.name.clone(),
            },
            kind: message.kind.clone(),
            text: words(message, text),
            parent: message.parent_id.clone(),
            root: message.root_id.clone(),
            thread: message.thread_id.clone(),
            link: link(message),
            mentions: mentions(message),
            attachments: attachments(message),
            edits: Vec::new(),
            recalled_at: message.deleted.then(|| changed_at(message)),
            reactions: Vec::new(),
            is_pinned: false,
            marks: Vec::new(),
        }
    }

    /// Takes what the same message is now.
    pub(super) fn hear(&mut self, message: &Message, text: Option<&str>) {
        if message.deleted {
            // What it said stays known, and it is known that it was taken back.
            self.recalled_at.get_or_insert_with(|| changed_at(message));
            return;
        }
        let text = words(message, text);
        if text != self.text {
            let before = std::mem::replace(&mut self.text, text);
            // A card changes all the time; only people edit.
            if self.kind != "interactive" && self.edits.len() < EDITS_MAX {
                self.edits.push(Edit {
                    at: changed_at(message),
                    before: cut(&before, EDIT_BYTES_MAX),
                });
            }
            self.mentions = mentions(message);
        }
        if self.thread.is_none() {
            self.thread.clone_from(&message.thread_id);
        }
        // Events tell of no link, and a list does.
        if let Some(link) = link(message) {
            self.link = Some(link);
        }
    }

    /// Somebody put a reaction on it, or took theirs away. Says whether that changed anything.
    pub(super) fn react(&mut self, emoji: &str, who: &str, is_there: bool) -> bool {
        let at = self.reactions.iter().position(|one| one.emoji == emoji);
        match (at, is_there) {
            (Some(at), true) => {
                let by = &mut self.reactions[at].by;
                let is_new = by.len() < REACTED_MAX && !by.iter().any(|one| one == who);
                if is_new {
                    by.push(who.to_owned());
                }
                is_new
            }
            (None, true) if self.reactions.len() < REACTIONS_MAX => {
                self.reactions.push(Reaction {
                    emoji: emoji.to_owned(),
                    by: vec![who.to_owned()],
                });
                true
            }
            (Some(at), false) => {
                let by = &mut self.reactions[at].by;
                let before = by.len();
                by.retain(|one| one != who);
                let is_changed = by.len() < before;
                if by.is_empty() {
                    self.reactions.remove(at);
                }
                is_changed
            }
            (None, _) => false,
        }
    }

    /// Who put this reaction on it first, of those for whom `counts` holds.
    pub(in crate::bot) fn reacted(
        &self,
        emoji: &str,
        counts: impl Fn(&str) -> bool,
    ) -> Option<&str> {
        let reaction = self.reactions.iter().find(|one| one.emoji == emoji)?;
        reaction
            .by
            .iter()
            .map(String::as_str)
            .find(|who| counts(who))
    }

    /// What it says, as others may be shown it: nothing of what was taken back.
    pub(in crate::bot) fn shown(&self) -> &str {
        match self.recalled_at {
            Some(_) => "[recalled]",
            None => &self.text,
        }
    }
}

fn words(message: &Message, text: Option<&str>) -> String {
    match (message.deleted, text) {
        (true, _) => String::new(),
        (false, Some(text)) => cut(text, TEXT_BYTES_MAX),
        (false, None) => cut(&message.text(), TEXT_BYTES_MAX),
    }
}

fn link(message: &Message) -> Option<String> {
    let is_short = |link: &String| link.len() <= LINK_BYTES_MAX;
    message.link.clone().filter(is_short)
}

fn changed_at(message: &Message) -> Timestamp {
    message.updated_at.unwrap_or(message.created_at)
}

fn mentions(message: &Message) -> Vec<Mentioned> {
    let mentions = message.mentions.iter().take(LISTED_MAX);
    let mentioned = mentions.filter_map(|one| {
        Some(Mentioned {
            id: one.id.clone()?,
            name: one.name.clone(),
        })
    });
    mentioned.collect()
}

fn attachments(message: &Message) -> Vec<Attached> {
    let all = message.attachments().into_iter().take(LISTED_MAX);
    let attached = all.map(|one| Attached {
        key: one.key,
        name: one.name,
        is_image: one.kind == AttachmentKind::Image,
    });
    attached.collect()
}

/// At most so many bytes of a text, and a sign where it was cut.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max - '…'.len_utf8());
    format!("{}…", &text[..end])
}
