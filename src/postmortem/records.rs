//! What is on record about an incident: the incident itself, its timeline, and what people confirmed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{actions::ActionItem, facts::Milestone};
use crate::incident::{Entry, Incident, PersonId};

/// The records of one incident, as `nightjar postmortem --incident` reads them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// The incident.
    pub incident: Incident,
    /// All that happened to it, in the order of the entries' numbers.
    #[serde(default)]
    pub timeline: Vec<Entry>,
    /// Milestones that a person set or corrected; nothing is stronger than these.
    #[serde(default)]
    pub confirmed: Vec<Confirmed>,
    /// Action items as people left them; those that nobody decided about are proposed by each draft anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionItem>,
}

/// A milestone that a person set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Which.
    pub milestone: Milestone,
    /// When it was.
    pub at: Timestamp,
    /// Who said so.
    pub by: PersonId,
}

impl Records {
    /// Reads the JSON file; an error names the field.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        let mut records: Self =
            serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
        records.timeline.sort_by_key(|entry| entry.number);
        Ok(records)
    }

    /// The entry with this number.
    pub fn entry(&self, number: u32) -> Option<&Entry> {
        self.timeline.iter().find(|entry| entry.number == number)
    }
}
