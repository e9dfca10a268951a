//! How far the work on a room is: what was done already, so that after a crash it is done once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::Language,
    feishu::{ChatId, MessageId, OpenId, ThreadId, WhyNotAdded},
    incident::IncidentId,
    store::Record,
};

/// How many people are remembered as invited, and how many threads are known.
pub(super) const INVITED_MAX: usize = 500;
pub(super) const THREADS_MAX: usize = 500;

/// How far the work on one room is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::bot) struct Progress {
    /// Whose room it is.
    pub incident: IncidentId,
    /// What people call that incident.
    pub number: u32,
    /// Which of its rooms it is, from 1.
    pub generation: u32,
    /// What is said in it by us is said in this language.
    pub language: Language,
    /// When its making was first tried.
    #[serde(default)]
    pub tried_at: Option<Timestamp>,
    /// The group.
    #[serde(default)]
    pub chat: Option<ChatId>,
    /// When it was there.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    /// Whether it is gone.
    #[serde(default)]
    pub is_gone: bool,
    /// Whether the first message was sent.
    #[serde(default)]
    pub is_opening_said: bool,
    /// The incident's card, once it was pinned.
    #[serde(default)]
    pub pinned: Option<MessageId>,
    /// Up to which entry of the timeline the room was told.
    #[serde(default)]
    pub told: u32,
    /// Up to which entry it is being told.
    #[serde(default)]
    pub telling: Option<u32>,
    /// Up to which entry it was looked who was told, and so belongs here.
    #[serde(default)]
    pub looked: u32,
    /// Who asked for the room after it was there, or took part.
    #[serde(default)]
    pub wanted: BTreeSet<String>,
    /// Who was invited, by the name that the incident has for them.
    #[serde(default)]
    pub invited: BTreeMap<String, Invitation>,
    /// Who does which job.
    #[serde(default)]
    pub roles: BTreeMap<String, OpenId>,
    /// How often the room was asked how things are, in all.
    #[serde(default)]
    pub reminders: u32,
    /// When that was last.
    #[serde(default)]
    pub reminded_at: Option<Timestamp>,
    /// For which round of the incident it was asked what is to become of the room.
    #[serde(default)]
    pub ended_round: Option<u32>,
    /// What was said to that.
    #[serde(default)]
    pub ending: Option<Ending>,
    /// Until when the history was read.
    #[serde(default)]
    pub filled_until: Option<Timestamp>,
    /// The threads in it.
    #[serde(default)]
    pub threads: BTreeSet<ThreadId>,
}

/// What becomes of a room when its incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub(in crate::bot) enum Ending {
    /// It stays.
    Kept {
        /// Who said so.
        by: OpenId,
    },
    /// It is to be dissolved.
    Dissolving {
        /// Who said so.
        by: OpenId,
    },
    /// The platform does not let us dissolve it.
    Undissolvable,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bot) enum Invitation {
    /// They are in it, or were.
    Added,
    /// No account is known for them.
    Unlinked,
    /// They left, or the app is not meant for them.
    NotReachable,
    /// The platform does not know them.
    Unknown,
    /// Somebody has to agree.
    AwaitsApproval,
    /// The group is full.
    Full,
    /// The platform said no.
    Refused,
}

impl From<WhyNotAdded> for Invitation {
    fn from(why: WhyNotAdded) -> Self {
        match why {
            WhyNotAdded::NotReachable => Self::NotReachable,
            WhyNotAdded::Unknown => Self::Unknown,
            WhyNotAdded::AwaitsApproval => Self::AwaitsApproval,
            WhyNotAdded::Full => Self::Full,
            WhyNotAdded::Refused => Self::Refused,
        }
    }
}

impl Record for Progress {
    const COLLECTION: &'static str = "room";
    const VERSION: u8 = 1;
}

impl Progress {
    /// Nothing was done yet.
    pub(super) fn new(
        incident: IncidentId,
        number: u32,
        generation: u32,
        language: Language,
    ) -> Self {
        Self {
            incident,
            number,
            generation,
            language,
            tried_at: None,
            chat: None,
            opened_at: None,
            is_gone: false,
            is_opening_said: false,
            pinned: None,
            told: 0,
            telling: None,
            looked: 0,
            wanted: BTreeSet::new(),
            invited: BTreeMap::new(),
            roles: BTreeMap::new(),
            reminders: 0,
            reminded_at: None,
            ended_round: None,
            ending: None,
            filled_until: None,
            threads: BTreeSet::new(),
        }
    }

    /// Its key.
    pub(super) fn key(&self) -> String {
        key(self.number, self.generation)
    }

    /// What a message of ours in the room is told apart by.
    pub(super) fn purpose(&self, what: &str) -> String {
        format!("room/{}/{}/{what}", self.incident, self.generation)
    }

    /// Stands in the group's description, by which a group is known as ours whose making we do not remember.
    pub(super) fn mark(&self) -> String {
        format!("[{}/{}]", self.incident, self.generation)
    }
}

/// The key of the room of this generation of an incident.
pub(super) fn key(number: u32, generation: u32) -> String {
    format!("{number:010}/{generation:010}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_kept_is_readable() {
        let least = serde_json::json!({
            "incident": "42-ab", "number": 42, "generation": 1, "language": "zh",
        });
        let progress: Progress = serde_json::from_value(least).unwrap();
        let expected = Progress::new(IncidentId("42-ab".into()), 42, 1, Language::Zh);
        assert_eq!(progress, expected);
        assert_eq!(progress.key(), "0000000042/0000000001");
        assert_eq!(progress.mark(), "[42-ab/1]");
    }
}
