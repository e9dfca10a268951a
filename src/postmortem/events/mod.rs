//! What happened, as typed events that cite the messages they rest on.
//!
//! A model or a list of phrases proposes them; [`check()`] holds each against the transcript before anything is
//! written from it.

mod check;
mod extract;
mod reading;
mod repair;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::transcript::{MessageId, Transcript};
use crate::incident::PersonId;

pub use check::{EventFault, check, is_hedged, is_instruction};
pub(super) use check::{
    is_by_a_person, is_only_supposed, is_verbatim, names_a_cause, quotes, states_a_cause,
};
pub use extract::{ChunkEvents, Extractor, KeptChunks, NothingKept, PROMPT_VERSION, key};
pub use reading::Proposed;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A monitor told something.
    Alert,
    /// Something was changed before or during it.
    Change,
    /// Somebody outside told of it.
    Report,
    /// Who was hurt, and how much.
    Impact,
    /// Somebody saw something.
    Observation,
    /// Somebody thinks that it may be so.
    Hypothesis,
    /// It is not so.
    RuledOut,
    /// A person states or confirms why it happened.
    Cause,
    /// It was called an incident, or its severity was set.
    Declaration,
    /// Somebody took it.
    Acknowledgement,
    /// What to do was settled.
    Decision,
    /// Somebody did something.
    Action,
    /// Others were told.
    Communication,
    /// Somebody else has it from now on.
    Handoff,
    /// The impact became less.
    Mitigation,
    /// Somebody looked whether it helped.
    Verification,
    /// It is over.
    Resolution,
    /// Something to do later.
    ActionItem,
    /// What helped.
    WentWell,
    /// What did not.
    WentBadly,
    /// What could have been worse.
    Lucky,
    /// What is to be learnt.
    Lesson,
    /// What nobody knows.
    Question,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 23] = [
        Self::Alert,
        Self::Change,
        Self::Report,
        Self::Impact,
        Self::Observation,
        Self::Hypothesis,
        Self::RuledOut,
        Self::Cause,
        Self::Declaration,
        Self::Acknowledgement,
        Self::Decision,
        Self::Action,
        Self::Communication,
        Self::Handoff,
        Self::Mitigation,
        Self::Verification,
        Self::Resolution,
        Self::ActionItem,
        Self::WentWell,
        Self::WentBadly,
        Self::Lucky,
        Self::Lesson,
        Self::Question,
    ];

    /// Whether it belongs into a timeline, and not only into a section of its own.
    pub fn is_in_timeline(self) -> bool {
        !matches!(
            self,
            Self::ActionItem
                | Self::WentWell
                | Self::WentBadly
                | Self::Lucky
                | Self::Lesson
                | Self::Question
        )
    }
}

/// Where an event's time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// The time when the cited message was sent.
    Message,
    /// A time that the cited message tells.
    Text,
    /// An entry of the records.
    Record,
}

/// How sure the people were who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It turned out not to be so.
    Refuted,
    /// Somebody supposes it.
    Suspected,
    /// Somebody said it.
    Stated,
    /// Somebody checked it.
    Confirmed,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    pub kind: Kind,
    /// Who did or said it.
    pub actor: Option<PersonId>,
    /// What it was, in a sentence.
    pub text: String,
    /// The messages that it rests on.
    pub message_ids: Vec<MessageId>,
    /// The entries of the records that it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<u32>,
    /// When it was.
    pub at: Timestamp,
    /// How that is known.
    pub time_source: TimeSource,
    /// How sure it is.
    pub certainty: Certainty,
    /// Who should do it, for something to do later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Until when, in people's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The event that corrects this one, by its place among all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<usize>,
    /// The event that refutes this one, by its place among all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuted_by: Option<usize>,
}

impl Event {
    /// Something that a message says at the time when it was sent.
    pub fn said(kind: Kind, message: &super::transcript::Message, text: &str) -> Self {
        Self {
            kind,
            actor: Some(message.author.clone()),
            text: text.to_owned(),
            message_ids: vec![message.id.clone()],
            records: Vec::new(),
            at: message.at,
            time_source: TimeSource::Message,
            certainty: Certainty::Stated,
            owner: None,
            due: None,
            superseded_by: None,
            refuted_by: None,
        }
    }

    /// Its citations as a text writes them: `[m3][r1]`.
    pub fn citations(&self, transcript: &Transcript) -> String {
        let messages = self
            .message_ids
            .iter()
            .filter_map(|id| transcript.alias(id));
        let records = self.records.iter().map(|number| format!("r{number}"));
        messages
            .chain(records)
            .map(|alias| format!("[{alias}]"))
            .collect()
    }

    /// Whether it is a cause that a person stated or confirmed: one who wrote it, or marked a message as the
    /// cause. What a bot says is a cause to nobody, ours included.
    pub fn is_cause_by_a_person(&self, transcript: &Transcript) -> bool {
        let mut cited = self
            .message_ids
            .iter()
            .filter_map(|id| transcript.message(id));
        self.kind == Kind::Cause
            && self.holds()
            && self.certainty >= Certainty::Stated
            && cited.any(|message| is_by_a_person(message, transcript))
    }

    /// Whether nothing corrected or refuted it later.
    pub fn holds(&self) -> bool {
        self.superseded_by.is_none()
            && self.refuted_by.is_none()
            && self.certainty != Certainty::Refuted
    }
}
