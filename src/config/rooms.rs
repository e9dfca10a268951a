//! `[incidents.rooms]`: which incidents get a war room, and what is done in it.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    duration,
    incident::{labels::Matchers, severity::Severity},
};

use super::problems::Problems;

/// The longest word that a mark can have, in characters.
const MARK_CHARS_MAX: usize = 32;

/// `[incidents.rooms]`: which incidents get a war room, and what is done in it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoomsConfig {
    /// What a room is called. `{number}`, `{severity}` and `{title}` stand for those of the incident; a name
    /// that would be too long has its title cut.
    pub name: String,
    /// Incidents that are at least this bad get a room by themselves. None does, if it is not set.
    pub severity_min: Option<Severity>,
    /// Incidents with these labels get a room by themselves. None does, if there is no condition.
    pub matchers: Matchers,
    /// Incidents that nobody acknowledged for this long get a room by themselves. Zero: none does.
    #[serde(with = "duration")]
    pub unacknowledged_after: Duration,
    /// Whether the incident of a storm gets a room by itself.
    pub storm: bool,
    /// After how long without a word and without a change a room is asked how things are. Zero: never.
    #[serde(with = "duration")]
    pub remind_after: Duration,
    /// Whether those who join later are told what happened so far.
    pub catch_up: bool,
    /// Which reaction puts a message into the timeline, and as what, by the platform's `emoji_type`.
    pub marks: BTreeMap<String, String>,
}

impl Default for RoomsConfig {
    fn default() -> Self {
        let marks = [
            ("Pin", "note"),
            ("StatusFlashOfInspiration", "fact"),
            ("CheckMark", "decision"),
            ("Alarm", "action"),
        ];
        Self {
            name: "#{number} {severity} {title}".to_owned(),
            severity_min: None,
            matchers: Matchers::default(),
            unacknowledged_after: Duration::ZERO,
            storm: false,
            remind_after: Duration::ZERO,
            catch_up: true,
            marks: marks
                .into_iter()
                .map(|(emoji, mark)| (emoji.to_owned(), mark.to_owned()))
                .collect(),
        }
    }
}

impl RoomsConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            self.name.contains("{number}"),
            "`incidents.rooms.name` has no `{number}`: rooms could not be told apart",
        );
        let is_word = |mark: &String| {
            let chars = mark.chars().count();
            (1..=MARK_CHARS_MAX).contains(&chars) && mark.trim() == mark
        };
        problems.demand(
            self.marks.values().all(is_word),
            &format!("`incidents.rooms.marks` has a mark that is no word of 1 to {MARK_CHARS_MAX} characters"),
        );
    }
}
