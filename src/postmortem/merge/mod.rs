//! Joins what several chunks found: duplicates become one, and what does not agree is kept side by side.
//!
//! A later correction supersedes what it corrects, and a hypothesis that was ruled out stays ruled out; both
//! stay in the list, linked to what spoke against them. Nothing is chosen silently.

mod apart;
mod join;
mod later;
#[cfg(test)]
mod tests;
mod topic;

use serde::{Deserialize, Serialize};

use super::{events::Event, transcript::Transcript};
pub(super) use topic::share_a_topic;

/// All events of a draft, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The events. Links between them are places in this list.
    pub events: Vec<Event>,
    /// Pairs that do not agree.
    pub contradictions: Vec<Contradiction>,
    /// How many events were joined to others.
    pub joined: usize,
}

/// Two events that do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The one that was said first.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// What they do not agree about.
    pub about: About,
}

/// What two events do not agree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// When it was.
    Time,
    /// How many it were.
    Number,
    /// Whether it was the cause.
    Cause,
}

/// How many events of one kind are compared with each other; beyond that only neighbours are.
const COMPARED_MAX: usize = 120;

/// Joins events.
pub fn merge(events: Vec<Event>, transcript: &Transcript) -> Merged {
    let before = events.len();
    let mut events = join::join(events, transcript);
    let joined = before - events.len();
    later::supersede(&mut events, transcript);
    let mut contradictions = later::refute(&mut events, transcript);
    contradictions.extend(apart::times_apart(&events));
    contradictions.extend(apart::numbers_apart(&events));
    contradictions.sort_by_key(|pair| (pair.first, pair.second));
    contradictions.dedup();
    Merged {
        events,
        contradictions,
        joined,
    }
}
