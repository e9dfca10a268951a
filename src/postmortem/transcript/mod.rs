//! A frozen room: who was in it, what was said, and a hash over both.
//!
//! The file format is NDJSON, described in `docs/postmortem.md`. A transcript never changes after it was
//! frozen: whatever a draft cites can be shown again as it was read.

mod file;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashMap, fmt};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::facts::Milestone;
use crate::incident::PersonId;

pub use file::{FORMAT_VERSION, ReadError};

/// A message, by the id that the platform gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub String);

impl MessageId {
    /// Takes the platform's id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The room that was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// The platform's id.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Where it can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Somebody who is in the room, or was spoken of there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The platform's id.
    pub id: PersonId,
    /// What they are called.
    pub name: String,
    /// What they do in this incident, in people's words: `on call`, `commander`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it is a bot, ours or another.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_bot: bool,
    /// Whether it is this bot.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_us: bool,
}

/// One message, as it stood when the room was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// When it was sent.
    pub at: Timestamp,
    /// Who sent it.
    pub author: PersonId,
    /// What it says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The first message of the thread that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageId>,
    /// The message that it replies to or quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<MessageId>,
    /// Who is mentioned in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<PersonId>,
    /// What it said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// When it was taken back. Its text may still be known, and is not quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled_at: Option<Timestamp>,
    /// That it is no part of what happened, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Aside>,
    /// Who answered it with which sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Whether it is pinned.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// What people said that it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Files and images that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The card that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// The messages that it forwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forwarded: Vec<Forwarded>,
    /// The alert of which it is a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertLine>,
    /// Where it can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Why it could not be read, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Why a message is no part of what happened: it is kept, and nobody reads or cites it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aside {
    /// Our own card or line. What it shows is on record, and a draft must not become the source of the next.
    Notice,
    /// What somebody told us to do.
    Command,
}

/// What a message said until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// When it was changed.
    pub at: Timestamp,
    /// What it had said.
    pub before: String,
}

/// A sign that people gave to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// Its name.
    pub emoji: String,
    /// Who gave it.
    pub by: Vec<PersonId>,
}

/// What somebody said that a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What it is.
    #[serde(rename = "mark")]
    pub kind: MarkKind,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
}

/// What a message can be marked as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// The impact began.
    ImpactStart,
    /// Somebody or something noticed.
    Detected,
    /// It was called an incident.
    Declared,
    /// Somebody took it.
    Acknowledged,
    /// The impact was over.
    Mitigated,
    /// The fault was gone.
    Resolved,
    /// Nothing was left to do.
    Closed,
    /// Why it happened, as a person states it.
    Cause,
    /// Something was decided.
    Decision,
    /// Something is to be done.
    ActionItem,
    /// It should be in the report.
    Important,
}

impl MarkKind {
    /// The kind that a record's word stands for. Teams choose these words freely, so an unknown one still means
    /// that somebody thought it important.
    pub fn from_word(word: &str) -> Self {
        let word = word.trim().to_lowercase().replace([' ', '-'], "_");
        match word.as_str() {
            "action" | "todo" | "行动" | "待办" => Self::ActionItem,
            "决定" => Self::Decision,
            "原因" | "根因" | "root_cause" => Self::Cause,
            "影响开始" => Self::ImpactStart,
            "缓解" | "已缓解" | "止血" => Self::Mitigated,
            "恢复" | "已恢复" => Self::Resolved,
            _ => serde_json::from_value(serde_json::Value::String(word)).unwrap_or(Self::Important),
        }
    }

    /// The milestone that it fixes, if any.
    pub fn milestone(self) -> Option<Milestone> {
        Some(match self {
            Self::ImpactStart => Milestone::ImpactStart,
            Self::Detected => Milestone::Detected,
            Self::Declared => Milestone::Declared,
            Self::Acknowledged => Milestone::Acknowledged,
            Self::Mitigated => Milestone::Mitigated,
            Self::Resolved => Milestone::Resolved,
            Self::Closed => Milestone::Closed,
            Self::Cause | Self::Decision | Self::ActionItem | Self::Important => return None,
        })
    }
}

/// A file or an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// What the sender called it.
    pub name: String,
    /// Whether it is an image.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_image: bool,
    /// What is in it, where a model looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Attachment {
    /// Its name, and of a description whose it is: a model may have misread the picture.
    fn evidence(&self) -> Cow<'_, str> {
        let name = &self.name;
        match &self.description {
            Some(seen) if self.is_image => {
                format!("(image {name}, as a model sees it: {seen})").into()
            }
            Some(seen) => format!("{name}\n{seen}").into(),
            None => name.into(),
        }
    }
}

/// A card, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its words.
    #[serde(default)]
    pub text: String,
}

/// A message from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarded {
    /// The name of who wrote it.
    pub author: String,
    /// When, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it says.
    pub text: String,
}

/// A line that a monitor wrote into the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertLine {
    /// What it is called.
    pub title: String,
    /// Whether it fires or has recovered.
    pub firing: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Message {
    /// An ordinary message.
    pub fn said(
        id: impl Into<String>,
        at: Timestamp,
        author: &PersonId,
        text: impl Into<String>,
    ) -> Self {
        Self {
            id: MessageId::new(id),
            at,
            author: author.clone(),
            text: text.into(),
            thread: None,
            parent: None,
            mentions: Vec::new(),
            edits: Vec::new(),
            recalled_at: None,
            aside: None,
            reactions: Vec::new(),
            pinned: false,
            marks: Vec::new(),
            attachments: Vec::new(),
            card: None,
            forwarded: Vec::new(),
            alert: None,
            link: None,
            unreadable: None,
        }
    }

    /// Whether a claim may rest on it: it was not taken back, and is no aside.
    pub fn is_source(&self) -> bool {
        self.recalled_at.is_none() && self.aside.is_none()
    }

    /// All that can be read in it: what a claim that cites it may rest on. Nothing of what is no source.
    pub fn evidence(&self) -> String {
        if !self.is_source() {
            return String::new();
        }
        let card = self.card.iter().flat_map(|card| [&card.title, &card.text]);
        let alert = self.alert.iter().map(|alert| &alert.title);
        let attached = self.attachments.iter().map(Attachment::evidence);
        let forwarded = self
            .forwarded
            .iter()
            .flat_map(|one| [&one.author, &one.text]);
        let said = std::iter::once(&self.text).chain(card).chain(alert);
        let parts: Vec<Cow<'_, str>> = said
            .map(Cow::from)
            .chain(attached)
            .chain(forwarded.map(Cow::from))
            .filter(|part| !part.trim().is_empty())
            .collect();
        parts.join("\n")
    }

    /// How many images came with it that nobody looked at.
    pub fn images_not_seen(&self) -> usize {
        let images = self.attachments.iter().filter(|one| one.is_image);
        match self.is_source() {
            true => images.filter(|one| one.description.is_none()).count(),
            false => 0,
        }
    }

    /// Whether people said that it matters: marked, pinned, or answered with a sign by two people.
    pub fn is_marked(&self) -> bool {
        let signs: usize = self
            .reactions
            .iter()
            .map(|reaction| reaction.by.len())
            .sum();
        self.is_source() && (self.pinned || !self.marks.is_empty() || signs >= 2)
    }
}

/// A frozen room.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// Which room.
    pub room: Room,
    /// The zone in which its times are shown.
    pub time_zone: TimeZone,
    /// When it was frozen.
    pub frozen_at: Timestamp,
    /// Everybody who wrote or was mentioned.
    pub people: Vec<Person>,
    /// What was said, oldest first.
    pub messages: Vec<Message>,
    /// `sha256:` and 64 hexadecimal digits over all of the above.
    pub hash: String,
    by_id: HashMap<MessageId, usize>,
    /// The places of all messages but asides, in their order: the first of them is `m1`.
    numbered: Vec<usize>,
    by_person: HashMap<PersonId, usize>,
}

impl Transcript {
    /// Freezes a room: sorts its messages by time, keeping the order of those of one second.
    pub fn freeze(
        room: Room,
        time_zone: TimeZone,
        frozen_at: Timestamp,
        people: Vec<Person>,
        mut messages: Vec<Message>,
    ) -> Self {
        messages.sort_by_key(|message| message.at);
        let by_id = messages.iter().enumerate();
        let by_id = by_id
            .map(|(at, message)| (message.id.clone(), at))
            .collect();
        let places = 0..messages.len();
        let numbered = places.filter(|at| messages[*at].aside.is_none()).collect();
        let by_person = people.iter().enumerate();
        let by_person = by_person
            .map(|(at, person)| (person.id.clone(), at))
            .collect();
        let mut transcript = Self {
            room,
            time_zone,
            frozen_at,
            people,
            messages,
            hash: String::new(),
            by_id,
            numbered,
            by_person,
        };
        transcript.hash = file::hash(&transcript);
        transcript
    }

    /// The message with this id.
    pub fn message(&self, id: &MessageId) -> Option<&Message> {
        self.by_id.get(id).map(|at| &self.messages[*at])
    }

    /// The place of the message with this id, counted from 0.
    pub fn place(&self, id: &MessageId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The person with this id.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.by_person.get(id).map(|at| &self.people[*at])
    }

    /// What the person with this id is called; the id itself where nobody knows.
    pub fn name<'a>(&'a self, id: &'a PersonId) -> &'a str {
        self.person(id).map_or(&id.0, |person| &person.name)
    }

    /// Whether that is a person and no bot.
    pub fn is_human(&self, id: &PersonId) -> bool {
        self.person(id).is_none_or(|person| !person.is_bot)
    }

    /// The short name by which a message is cited: `m1` is the first. An aside has none, so nobody cites it.
    pub fn alias(&self, id: &MessageId) -> Option<String> {
        self.alias_at(self.place(id)?)
    }

    /// The short name of the message at this place.
    pub fn alias_at(&self, place: usize) -> Option<String> {
        let number = self.numbered.binary_search(&place).ok()?;
        Some(format!("m{}", number + 1))
    }

    /// The message that a short name stands for.
    pub fn by_alias(&self, alias: &str) -> Option<&Message> {
        let number: usize = alias.strip_prefix('m')?.parse().ok()?;
        let place = self.numbered.get(number.checked_sub(1)?)?;
        self.messages.get(*place)
    }
}
