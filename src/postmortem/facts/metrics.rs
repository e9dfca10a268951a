//! Numbers, each with the two moments between which it was measured.
//!
//! "Time to repair" is counted from detection, declaration or impact in reports of one and the same team, so
//! a name here says both of its ends.

use jiff::Timestamp;
use serde::Serialize;

use super::{Fixed, Milestone, Wave, responders};
use crate::{
    incident::{Actor, PersonId, What},
    postmortem::{
        records::Records,
        transcript::{Message, Transcript},
    },
};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// Time to detect.
    ImpactStartToDetected,
    /// Time to declare.
    TriggeredToDeclared,
    /// Time to acknowledge.
    TriggeredToAcknowledged,
    /// Time until the first person wrote.
    TriggeredToFirstResponder,
    /// Time to mitigate.
    DetectedToMitigated,
    /// Time to resolve.
    TriggeredToResolved,
    /// Time to close.
    TriggeredToClosed,
    /// How long people were hurt: the sum over all waves.
    ImpactStartToMitigated,
    /// The longest time in which no person wrote, while it was open.
    LongestSilence,
    /// How many waves there were.
    Waves,
    /// How many people worked on it, by the records.
    Responders,
    /// How often somebody else took it over, by the records.
    Handovers,
    /// How often somebody was paged.
    Pages,
    /// How many messages people wrote.
    Messages,
    /// How many alerts it had.
    Alerts,
}

/// A number, or `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metric {
    /// What is measured.
    pub name: MetricName,
    /// Seconds, or a count; nothing where an end is unknown.
    pub value: Option<i64>,
    /// The two ends, where it has two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<(Milestone, Milestone)>,
}

impl MetricName {
    /// Whether it is a time in seconds, and no count.
    pub fn is_time(self) -> bool {
        self.between().is_some() || self == Self::LongestSilence
    }

    /// The two moments between which it is measured.
    pub fn between(self) -> Option<(Milestone, Milestone)> {
        use Milestone::{
            Acknowledged, Closed, Declared, Detected, FirstResponder, ImpactStart, Mitigated,
            Resolved, Triggered,
        };
        Some(match self {
            Self::ImpactStartToDetected => (ImpactStart, Detected),
            Self::TriggeredToDeclared => (Triggered, Declared),
            Self::TriggeredToAcknowledged => (Triggered, Acknowledged),
            Self::TriggeredToFirstResponder => (Triggered, FirstResponder),
            Self::DetectedToMitigated => (Detected, Mitigated),
            Self::TriggeredToResolved => (Triggered, Resolved),
            Self::TriggeredToClosed => (Triggered, Closed),
            Self::ImpactStartToMitigated => (ImpactStart, Mitigated),
            _ => return None,
        })
    }
}

pub(super) fn metrics(
    transcript: &Transcript,
    records: &Records,
    milestones: &[Fixed],
    waves: &[Wave],
) -> Vec<Metric> {
    use MetricName as Name;
    let at = |wanted| {
        milestones
            .iter()
            .find(|fixed| fixed.milestone == wanted)?
            .at
    };
    let span = |name: MetricName| {
        let (from, to) = name.between()?;
        let seconds = at(to)?.duration_since(at(from)?).as_secs();
        // An end before its beginning is a contradiction and no measurement.
        (seconds >= 0).then_some(seconds)
    };
    let count = |count: usize| Some(i64::try_from(count).unwrap_or(i64::MAX));
    let written = transcript
        .messages
        .iter()
        .filter(|message| is_of_people(message, transcript));
    let pages = records
        .timeline
        .iter()
        .filter(|entry| matches!(entry.what, What::Paged { .. }));
    let value = |name| match name {
        Name::ImpactStartToMitigated => waves.iter().map(Wave::impact_seconds).sum(),
        Name::LongestSilence => longest_silence(transcript, waves),
        Name::Waves => count(waves.len()),
        Name::Responders => count(responders(records).len()),
        Name::Handovers => count(handovers(records)),
        Name::Pages => count(pages.clone().count()),
        Name::Messages => count(written.clone().count()),
        Name::Alerts => Some(i64::from(records.incident.alerts)),
        name => span(name),
    };
    ALL.into_iter()
        .map(|name| Metric {
            name,
            value: value(name),
            between: name.between(),
        })
        .collect()
}

const ALL: [MetricName; 15] = [
    MetricName::ImpactStartToDetected,
    MetricName::TriggeredToDeclared,
    MetricName::TriggeredToAcknowledged,
    MetricName::TriggeredToFirstResponder,
    MetricName::DetectedToMitigated,
    MetricName::TriggeredToResolved,
    MetricName::TriggeredToClosed,
    MetricName::ImpactStartToMitigated,
    MetricName::LongestSilence,
    MetricName::Waves,
    MetricName::Responders,
    MetricName::Handovers,
    MetricName::Pages,
    MetricName::Messages,
    MetricName::Alerts,
];

/// Whether a person wrote it, and neither as a monitor's line nor as a command to us.
fn is_of_people(message: &Message, transcript: &Transcript) -> bool {
    transcript.is_human(&message.author) && message.alert.is_none() && message.aside.is_none()
}

/// The ends of a wave count as if somebody had spoken. A night between two waves is no silence.
fn longest_silence(transcript: &Transcript, waves: &[Wave]) -> Option<i64> {
    let longest_in = |wave: &Wave| {
        let end = wave.resolved_at?;
        let spoken = transcript.messages.iter().filter(|message| {
            is_of_people(message, transcript) && (wave.opened_at..=end).contains(&message.at)
        });
        let mut last = wave.opened_at;
        let mut longest = 0;
        let mut quiet_until = |at: Timestamp| {
            longest = longest.max(at.duration_since(last).as_secs());
            last = at;
        };
        spoken.for_each(|message| quiet_until(message.at));
        quiet_until(end);
        Some(longest)
    };
    let each: Option<Vec<i64>> = waves.iter().map(longest_in).collect();
    each?.into_iter().max()
}

/// How often the one who has it became another.
fn handovers(records: &Records) -> usize {
    let mut holder: Option<&PersonId> = None;
    let mut count = 0;
    for entry in &records.timeline {
        let next = match (&entry.what, &entry.by.actor) {
            (What::Acknowledged, Actor::Person(person)) => person,
            (What::Assigned { to }, _) => to,
            _ => continue,
        };
        count += usize::from(holder.is_some_and(|holder| holder != next));
        holder = Some(next);
    }
    count
}
