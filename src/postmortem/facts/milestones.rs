//! The moments that everyone asks for, each with its source.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::waves::Wave;
use crate::{
    incident::{Actor, What},
    postmortem::{
        clock,
        records::Records,
        transcript::{Message, MessageId, Transcript},
    },
};

/// A moment that everyone asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// The impact began. Only people know it.
    ImpactStart,
    /// We were told: the incident was opened.
    Triggered,
    /// Somebody or something noticed.
    Detected,
    /// A person called it an incident.
    Declared,
    /// Somebody took it.
    Acknowledged,
    /// The first person wrote in the room after it was opened.
    FirstResponder,
    /// The impact was over. Only people know it.
    Mitigated,
    /// The fault was gone.
    Resolved,
    /// A person closed it.
    Closed,
}

impl Milestone {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::ImpactStart,
        Self::Triggered,
        Self::Detected,
        Self::Declared,
        Self::Acknowledged,
        Self::FirstResponder,
        Self::Mitigated,
        Self::Resolved,
        Self::Closed,
    ];

    /// Whether it ends something, so that of several the last counts.
    fn is_end(self) -> bool {
        matches!(self, Self::Mitigated | Self::Resolved | Self::Closed)
    }
}

/// Where a time comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person set it.
    Confirmed,
    /// An entry of the timeline, by its number; 0 is the incident itself.
    Record(u32),
    /// A message that people marked, at the time when it was sent.
    Mark(MessageId),
    /// A message that people marked, at the time that it tells.
    Told(MessageId),
    /// A message, at the time when it was sent.
    Message(MessageId),
    /// Nobody knows.
    Unknown,
}

/// A milestone, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fixed {
    /// Which.
    pub milestone: Milestone,
    /// When.
    pub at: Option<Timestamp>,
    /// How that is known.
    pub source: Source,
    /// For what was noticed: whether a person did, and no monitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_person: Option<bool>,
}

/// One moment, and several times for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Which moment.
    pub milestone: Milestone,
    /// What marked messages say, each with its time.
    pub times: Vec<(MessageId, Timestamp)>,
    /// The one that the milestone uses.
    pub used: Timestamp,
}

impl Fixed {
    pub(super) fn new(milestone: Milestone, at: Timestamp, source: Source) -> Self {
        Self {
            milestone,
            at: Some(at),
            source,
            by_person: None,
        }
    }

    pub(super) fn unknown(milestone: Milestone) -> Self {
        Self {
            milestone,
            at: None,
            source: Source::Unknown,
            by_person: None,
        }
    }
}

/// A marked message, and the moment that it stands for.
pub(super) struct Marked<'a> {
    pub(super) milestone: Milestone,
    pub(super) message: &'a Message,
    pub(super) at: Timestamp,
    pub(super) source: Source,
}

/// Every mark that fixes a milestone: at the one past time that its message tells, or else when it was sent.
pub(super) fn marked<'a>(transcript: &'a Transcript, records: &'a Records) -> Vec<Marked<'a>> {
    let mut found = Vec::new();
    let by_record = marks_of_records(records);
    for message in &transcript.messages {
        if !message.is_source() {
            continue;
        }
        let in_room = message.marks.iter().map(|mark| mark.kind);
        let on_record = by_record.iter().filter(|(id, _)| **id == message.id.0);
        let mut kinds: Vec<_> = in_room.chain(on_record.map(|(_, kind)| *kind)).collect();
        kinds.dedup();
        for milestone in kinds.into_iter().filter_map(|kind| kind.milestone()) {
            let told = told_time(message, transcript);
            found.push(Marked {
                milestone,
                message,
                at: told.unwrap_or(message.at),
                source: match told {
                    Some(_) => Source::Told(message.id.clone()),
                    None => Source::Mark(message.id.clone()),
                },
            });
        }
    }
    found
}

/// The messages that are marked on record.
pub(super) fn marked_on_record(records: &Records) -> HashSet<&String> {
    marks_of_records(records)
        .into_iter()
        .map(|(message, _)| message)
        .collect()
}

/// Marks that the records tell of and that were not taken away again.
fn marks_of_records(records: &Records) -> Vec<(&String, crate::postmortem::transcript::MarkKind)> {
    let mut marks: Vec<(&String, &String)> = Vec::new();
    for entry in &records.timeline {
        match &entry.what {
            What::Marked { message, mark } => marks.push((message, mark)),
            What::Unmarked { message, mark } => marks.retain(|known| *known != (message, mark)),
            _ => {}
        }
    }
    let kind = crate::postmortem::transcript::MarkKind::from_word;
    marks
        .into_iter()
        .map(|(message, mark)| (message, kind(mark)))
        .collect()
}

/// The past time that a message tells, if it tells exactly one.
fn told_time(message: &Message, transcript: &Transcript) -> Option<Timestamp> {
    let spoken = clock::times(&message.text, message.at, &transcript.time_zone);
    match spoken.as_slice() {
        [one] => one.past(message.at),
        _ => None,
    }
}

/// Of several times for one moment, the first where something begins and the last where it ends.
pub(super) fn choose<'a>(
    milestone: Milestone,
    marks: &[&'a Marked<'a>],
) -> (Option<Fixed>, Option<Conflict>) {
    let of_it = || marks.iter().filter(|mark| mark.milestone == milestone);
    let chosen = match milestone.is_end() {
        true => of_it().max_by_key(|mark| mark.at),
        false => of_it().min_by_key(|mark| mark.at),
    };
    let Some(chosen) = chosen else {
        return (None, None);
    };
    let apart = of_it().any(|mark| mark.at.duration_since(chosen.at).abs().as_secs() >= 60);
    let conflict = apart.then(|| Conflict {
        milestone,
        times: of_it()
            .map(|mark| (mark.message.id.clone(), mark.at))
            .collect(),
        used: chosen.at,
    });
    (
        Some(Fixed::new(milestone, chosen.at, chosen.source.clone())),
        conflict,
    )
}

/// The milestones of the whole incident: beginnings from the first wave, ends from the last.
pub(super) fn overall(transcript: &Transcript, records: &Records, waves: &[Wave]) -> Vec<Fixed> {
    let (first, last) = (waves.first(), waves.last());
    let of = |wave: Option<&Wave>, milestone| {
        let found = wave.and_then(|wave| {
            wave.milestones
                .iter()
                .find(|fixed| fixed.milestone == milestone)
        });
        found.cloned().unwrap_or_else(|| Fixed::unknown(milestone))
    };
    let one = |milestone| {
        if let Some(confirmed) = records
            .confirmed
            .iter()
            .rev()
            .find(|one| one.milestone == milestone)
        {
            return Fixed::new(milestone, confirmed.at, Source::Confirmed);
        }
        match milestone {
            Milestone::Triggered => triggered(records),
            Milestone::Detected => detected(records, of(first, milestone)),
            Milestone::Declared => declared(records, of(first, milestone)),
            Milestone::Acknowledged => acknowledged(records, of(first, milestone)),
            Milestone::FirstResponder => first_responder(transcript, records),
            Milestone::Closed => closed(records, of(last, milestone)),
            Milestone::ImpactStart => of(first, milestone),
            Milestone::Mitigated | Milestone::Resolved => of(last, milestone),
        }
    };
    Milestone::ALL.into_iter().map(one).collect()
}

fn triggered(records: &Records) -> Fixed {
    let opened = records
        .timeline
        .iter()
        .find(|entry| matches!(entry.what, What::Opened { .. }));
    let source = Source::Record(opened.map_or(0, |entry| entry.number));
    Fixed::new(Milestone::Triggered, records.incident.opened_at, source)
}

/// A mark in the room that is older than the record means that people noticed first.
fn detected(records: &Records, marked: Fixed) -> Fixed {
    let opened = records
        .timeline
        .iter()
        .find(|entry| matches!(entry.what, What::Opened { .. }));
    let recorded = opened.map(|entry| Fixed {
        by_person: Some(matches!(entry.by.actor, Actor::Person(_))),
        ..Fixed::new(
            Milestone::Detected,
            entry.noted_at,
            Source::Record(entry.number),
        )
    });
    let marked = marked.at.map(|_| Fixed {
        by_person: Some(true),
        ..marked
    });
    let all = marked.into_iter().chain(recorded);
    all.min_by_key(|fixed| fixed.at)
        .unwrap_or_else(|| Fixed::unknown(Milestone::Detected))
}

fn declared(records: &Records, marked: Fixed) -> Fixed {
    let by_person = records.timeline.iter().find(|entry| {
        matches!(entry.what, What::Opened { .. }) && matches!(entry.by.actor, Actor::Person(_))
    });
    match by_person {
        Some(entry) => Fixed::new(
            Milestone::Declared,
            entry.noted_at,
            Source::Record(entry.number),
        ),
        None => marked,
    }
}

fn acknowledged(records: &Records, marked: Fixed) -> Fixed {
    let entry = records
        .timeline
        .iter()
        .find(|entry| matches!(entry.what, What::Acknowledged));
    match (entry, records.incident.first_acknowledged_at) {
        (Some(entry), _) => Fixed::new(
            Milestone::Acknowledged,
            entry.at,
            Source::Record(entry.number),
        ),
        (None, Some(at)) => Fixed::new(Milestone::Acknowledged, at, Source::Record(0)),
        (None, None) => marked,
    }
}

fn first_responder(transcript: &Transcript, records: &Records) -> Fixed {
    let first = transcript.messages.iter().find(|message| {
        message.at >= records.incident.opened_at
            && transcript.is_human(&message.author)
            && message.alert.is_none()
            && message.aside.is_none()
    });
    match first {
        Some(message) => Fixed::new(
            Milestone::FirstResponder,
            message.at,
            Source::Message(message.id.clone()),
        ),
        None => Fixed::unknown(Milestone::FirstResponder),
    }
}

/// What a clock resolved, nobody closed.
fn closed(records: &Records, marked: Fixed) -> Fixed {
    let last = records
        .timeline
        .iter()
        .rev()
        .find(|entry| matches!(entry.what, What::Resolved { .. } | What::Reopened { .. }));
    match last {
        Some(entry)
            if matches!(entry.what, What::Resolved { .. })
                && matches!(entry.by.actor, Actor::Person(_)) =>
        {
            Fixed::new(Milestone::Closed, entry.at, Source::Record(entry.number))
        }
        _ => marked,
    }
}
