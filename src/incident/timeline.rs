//! What happened to an incident: one typed entry for each thing, never changed afterwards.
//!
//! Entries are records of their own, in the order of their numbers. An entry has two times, because what a
//! monitor tells now may have happened a while ago.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{alert::AlertKey, severity::Severity, state::IncidentId};

/// The longest text that a person gives for a comment, a reason or an impact, in bytes.
pub const WORDS_BYTES_MAX: usize = 3072;

/// A person, by the id that the platform gives them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person(PersonId),
    /// A monitor, by the name of its integration.
    Monitor(String),
    /// The bot itself, by one of its rules.
    Nightjar,
}

/// Through what something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A card in a group.
    Card,
    /// A card in a direct message.
    DirectMessage,
    /// The incident's own room.
    WarRoom,
    /// A command in a chat.
    Command,
    /// The web page.
    Console,
    /// An alert that came in.
    Alert,
    /// Time that went by.
    Clock,
}

/// Who did something, and through what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// Through what.
    pub channel: Channel,
}

impl By {
    /// A person, through this.
    pub fn person(id: impl Into<String>, channel: Channel) -> Self {
        Self {
            actor: Actor::Person(PersonId(id.into())),
            channel,
        }
    }

    /// A monitor that sent an alert.
    pub fn monitor(integration: impl Into<String>) -> Self {
        Self {
            actor: Actor::Monitor(integration.into()),
            channel: Channel::Alert,
        }
    }

    /// The bot, when a time had come.
    pub fn clock() -> Self {
        Self {
            actor: Actor::Nightjar,
            channel: Channel::Clock,
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place among the entries of the incident, from 1.
    pub number: u32,
    /// When it happened, by the clock of whoever told of it.
    pub at: Timestamp,
    /// When we were told.
    pub noted_at: Timestamp,
    /// Who did it, and through what.
    pub by: By,
    /// What it was.
    pub what: What,
}

/// Everything that can happen to an incident.
#[expect(
    missing_docs,
    reason = "the fields are what the variant's sentence speaks of"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// It began.
    Opened { title: String, severity: Severity },
    /// An alert began to fire, for the first time here or again.
    AlertFired {
        key: AlertKey,
        title: String,
        severity: Severity,
        again: bool,
    },
    /// An alert fires no more.
    AlertRecovered { key: AlertKey, title: String },
    /// Somebody at the sender has acknowledged an alert.
    AlertAcknowledged { key: AlertKey, title: String },
    /// What an alert told was older than what was known, and changed nothing.
    AlertLate { key: AlertKey, title: String },
    /// So many alerts that they are counted instead of listed.
    AlertsCounted { firing: u32, total: u32 },
    /// Nothing fires any more. It is resolved when that stays so.
    Recovering,
    /// Something fires again before it was resolved.
    Relapsed,
    /// The severity is another, by its alerts or by hand.
    SeverityChanged { from: Severity, to: Severity },
    /// Somebody has it.
    Acknowledged,
    /// Nobody has it any more.
    Unacknowledged,
    /// It is put off.
    Snoozed { until: Timestamp },
    /// It is back, because the time was over or because it became worse.
    Woke { worse: bool },
    /// Alerts like its own are silenced.
    Silenced { until: Timestamp },
    /// It is over.
    Resolved { firing: u32 },
    /// It is not over after all.
    Reopened { reason: String },
    /// It was given to somebody.
    Assigned { to: PersonId },
    /// Somebody joined those who work on it.
    ResponderAdded { who: PersonId },
    /// Somebody said something about it.
    Commented { text: String },
    /// It is called otherwise now.
    TitleChanged { to: String },
    /// Its impact was written down anew.
    ImpactChanged { to: String },
    /// Another incident turned out to be this one.
    Absorbed { other: IncidentId, number: u32 },
    /// It turned out to be another incident.
    MergedInto { other: IncidentId, number: u32 },
    /// Nobody answered, so it went a level up. Levels count from 1.
    Escalated { level: u32 },
    /// Somebody was told.
    Paged { who: PersonId, level: u32 },
    /// Somebody could not be told.
    PageFailed {
        who: PersonId,
        level: u32,
        reason: String,
    },
    /// A group was told.
    ChatTold { chat: String },
    /// A room was made for it.
    RoomOpened { chat: String, name: String },
    /// Its room is gone.
    RoomGone { chat: String },
    /// Something was changed on purpose around that time.
    ChangeSeen { key: AlertKey, title: String },
    /// Somebody does a job in the room: `commander`, `scribe`.
    RoleTaken { role: String, who: PersonId },
    /// Something said in the room was marked as worth keeping.
    Marked { message: String, mark: String },
    /// The mark was taken away.
    Unmarked { message: String, mark: String },
    /// The report of it was published, with so many checks that failed.
    ReportPublished { version: u32, failures: u32 },
    /// The report is worked on again.
    ReportReopened,
    /// An earlier version of the report came back as a new one.
    ReportRestored { version: u32, from: u32 },
    /// It was decided not to do an action item of the report.
    ActionDeclined { text: String, reason: String },
    /// An action item of the report is done.
    ActionDone { text: String },
}
