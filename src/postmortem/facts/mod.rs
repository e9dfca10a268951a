//! What code can say about an incident without any judgement: people, milestones, metrics, alerts.
//!
//! Nothing here is guessed. A milestone that nobody recorded or marked is unknown, and a metric one of whose
//! ends is unknown is `null`, never 0.

mod metrics;
mod milestones;
#[cfg(test)]
mod tests;
mod waves;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    records::Records,
    transcript::{Message, MessageId, Transcript},
};
use crate::incident::{Actor, PersonId, What};

pub use metrics::{Metric, MetricName};
pub use milestones::{Conflict, Fixed, Milestone, Source};
pub use waves::Wave;

/// Everything that is known without reading for meaning.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Everybody of the room, those who wrote first.
    pub participants: Vec<Participant>,
    /// Every milestone, also those that nobody knows.
    pub milestones: Vec<Fixed>,
    /// The times between opening or reopening and resolving, each with its own milestones.
    pub waves: Vec<Wave>,
    /// Every metric, also those that are unknown.
    pub metrics: Vec<Metric>,
    /// Milestones for which the room tells several times.
    pub conflicts: Vec<Conflict>,
    /// What monitors wrote into the room, collapsed.
    pub alerts: Vec<AlertLines>,
    /// The messages that people marked, pinned or answered with signs.
    pub marked: Vec<MessageId>,
    /// The messages that could not be read, and those that were taken back.
    pub missing: Vec<MessageId>,
}

/// Somebody of the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// Who.
    pub id: PersonId,
    /// What they are called.
    pub name: String,
    /// What they do in this incident.
    pub role: Option<String>,
    /// Whether it is a bot.
    pub is_bot: bool,
    /// How many messages they wrote.
    pub messages: usize,
    /// When they first wrote.
    pub first: Option<Timestamp>,
    /// When they last wrote.
    pub last: Option<Timestamp>,
}

/// The lines of one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertLines {
    /// What it is called.
    pub title: String,
    /// How often it began to fire.
    pub firing: usize,
    /// How often it recovered.
    pub recovered: usize,
    /// When it was first told of.
    pub first: Timestamp,
    /// When it was last told of.
    pub last: Timestamp,
    /// The first and the last of its messages.
    pub messages: Vec<MessageId>,
}

impl Facts {
    /// Computes them.
    pub fn compute(transcript: &Transcript, records: &Records) -> Self {
        let (waves, conflicts) = waves::waves(transcript, records);
        let milestones = milestones::overall(transcript, records, &waves);
        let metrics = metrics::metrics(transcript, records, &milestones, &waves);
        let on_record = milestones::marked_on_record(records);
        let is_marked = |message: &Message| {
            let has_mark = message.is_marked() || on_record.contains(&message.id.0);
            has_mark && message.alert.is_none() && message.is_source()
        };
        let is_missing = |message: &Message| {
            message.aside.is_none()
                && (message.recalled_at.is_some() || message.unreadable.is_some())
        };
        Self {
            participants: participants(transcript),
            milestones,
            waves,
            metrics,
            conflicts,
            alerts: alert_lines(transcript),
            marked: ids(transcript, is_marked),
            missing: ids(transcript, is_missing),
        }
    }

    /// When a milestone was; nothing where that is unknown.
    pub fn at(&self, milestone: Milestone) -> Option<Timestamp> {
        let fixed = self
            .milestones
            .iter()
            .find(|fixed| fixed.milestone == milestone)?;
        fixed.at
    }

    /// A metric by its name.
    pub fn metric(&self, name: MetricName) -> Option<i64> {
        self.metrics
            .iter()
            .find(|metric| metric.name == name)?
            .value
    }
}

fn ids(transcript: &Transcript, wanted: impl Fn(&Message) -> bool) -> Vec<MessageId> {
    let messages = transcript.messages.iter().filter(|message| wanted(message));
    messages.map(|message| message.id.clone()).collect()
}

/// Who was there, in the order in which they first wrote; who was silent comes last.
fn participants(transcript: &Transcript) -> Vec<Participant> {
    let mut spoke: BTreeMap<&PersonId, (usize, Timestamp, Timestamp)> = BTreeMap::new();
    let heard = transcript.messages.iter();
    for message in heard.filter(|message| message.aside.is_none()) {
        let entry = spoke
            .entry(&message.author)
            .or_insert((0, message.at, message.at));
        entry.0 += 1;
        entry.2 = message.at;
    }
    let mut participants: Vec<Participant> = transcript
        .people
        .iter()
        .map(|person| {
            let said = spoke.get(&person.id);
            Participant {
                id: person.id.clone(),
                name: person.name.clone(),
                role: person.role.clone(),
                is_bot: person.is_bot,
                messages: said.map_or(0, |said| said.0),
                first: said.map(|said| said.1),
                last: said.map(|said| said.2),
            }
        })
        .collect();
    participants.sort_by_key(|participant| participant.first.unwrap_or(Timestamp::MAX));
    participants
}

/// One line for each alert, in the order in which they began.
fn alert_lines(transcript: &Transcript) -> Vec<AlertLines> {
    let mut lines: Vec<AlertLines> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &transcript.messages {
        let Some(alert) = &message.alert else {
            continue;
        };
        let place = *places.entry(&alert.title).or_insert_with(|| {
            lines.push(AlertLines {
                title: alert.title.clone(),
                firing: 0,
                recovered: 0,
                first: message.at,
                last: message.at,
                messages: Vec::new(),
            });
            lines.len() - 1
        });
        let line = &mut lines[place];
        *(if alert.firing {
            &mut line.firing
        } else {
            &mut line.recovered
        }) += 1;
        line.last = message.at;
        line.messages.truncate(1);
        line.messages.push(message.id.clone());
    }
    lines
}

/// The people who worked on it by the records: they took it, were given it, or joined.
pub(in crate::postmortem) fn responders(records: &Records) -> Vec<&PersonId> {
    let mut people: Vec<&PersonId> = records.incident.responders.iter().collect();
    for entry in &records.timeline {
        people.extend(match (&entry.what, &entry.by.actor) {
            (What::Acknowledged, Actor::Person(person)) => Some(person),
            (What::Assigned { to }, _) => Some(to),
            (What::ResponderAdded { who }, _) => Some(who),
            _ => None,
        });
    }
    people.sort();
    people.dedup();
    people
}
