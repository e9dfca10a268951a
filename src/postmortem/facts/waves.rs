//! The waves of an incident: from opening or reopening to resolving.
//!
//! What is marked belongs to the wave in which its time lies. What is said after one wave ended and before
//! the next was opened belongs to the next, since people notice before the records do.

use jiff::Timestamp;
use serde::Serialize;

use super::milestones::{Conflict, Fixed, Marked, Milestone, Source, choose, marked};
use crate::{
    incident::What,
    postmortem::{records::Records, transcript::Transcript},
};

/// One wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wave {
    /// When it was opened or reopened.
    pub opened_at: Timestamp,
    /// When the records say that it was over.
    pub resolved_at: Option<Timestamp>,
    /// Its own milestones, as far as they are known.
    pub milestones: Vec<Fixed>,
}

impl Wave {
    /// When a milestone of it was.
    pub fn at(&self, milestone: Milestone) -> Option<Timestamp> {
        let fixed = self
            .milestones
            .iter()
            .find(|fixed| fixed.milestone == milestone)?;
        fixed.at
    }

    /// From the start of the impact until it was mitigated, in seconds.
    pub fn impact_seconds(&self) -> Option<i64> {
        let (from, to) = (
            self.at(Milestone::ImpactStart)?,
            self.at(Milestone::Mitigated)?,
        );
        let seconds = to.duration_since(from).as_secs();
        (seconds >= 0).then_some(seconds)
    }
}

/// Its waves, the first one first, and what the room tells differently.
pub(super) fn waves(transcript: &Transcript, records: &Records) -> (Vec<Wave>, Vec<Conflict>) {
    let mut waves = recorded(records);
    let marks = marked(transcript, records);
    let mut conflicts = Vec::new();
    for place in 0..waves.len() {
        let after = place
            .checked_sub(1)
            .and_then(|before| waves[before].0.resolved_at);
        let until = (place + 1 < waves.len())
            .then(|| waves[place].0.resolved_at)
            .flatten();
        let own: Vec<&Marked<'_>> = marks
            .iter()
            .filter(|mark| after.is_none_or(|after| mark.at > after))
            .filter(|mark| until.is_none_or(|until| mark.at <= until))
            .collect();
        let (wave, number) = &mut waves[place];
        for milestone in Milestone::ALL {
            let (fixed, conflict) = choose(milestone, &own);
            wave.milestones.extend(fixed);
            conflicts.extend(conflict);
        }
        if wave.at(Milestone::Resolved).is_none()
            && let (Some(at), Some(number)) = (wave.resolved_at, *number)
        {
            let source = Source::Record(number);
            wave.milestones
                .push(Fixed::new(Milestone::Resolved, at, source));
        }
    }
    let mut waves: Vec<Wave> = waves.into_iter().map(|(wave, _)| wave).collect();
    // What people confirmed is of the whole incident: its beginning is the first wave's, its end the last's.
    for confirmed in &records.confirmed {
        let wave = match confirmed.milestone {
            Milestone::Mitigated | Milestone::Resolved | Milestone::Closed => waves.last_mut(),
            _ => waves.first_mut(),
        };
        if let Some(wave) = wave {
            wave.milestones
                .retain(|fixed| fixed.milestone != confirmed.milestone);
            let fixed = Fixed::new(confirmed.milestone, confirmed.at, Source::Confirmed);
            wave.milestones.push(fixed);
        }
    }
    (waves, conflicts)
}

/// The waves that the records know, each with the number of the entry that ended it.
fn recorded(records: &Records) -> Vec<(Wave, Option<u32>)> {
    let wave = |opened_at| Wave {
        opened_at,
        resolved_at: None,
        milestones: Vec::new(),
    };
    let mut waves = vec![(wave(records.incident.opened_at), None)];
    for entry in &records.timeline {
        let Some((last, number)) = waves.last_mut() else {
            break;
        };
        match entry.what {
            What::Resolved { .. } => {
                last.resolved_at = Some(entry.at);
                *number = Some(entry.number);
            }
            What::Reopened { .. } if last.resolved_at.is_some() => {
                waves.push((wave(entry.noted_at), None));
            }
            _ => {}
        }
    }
    if let Some((last, number @ None)) = waves.last_mut()
        && waves_is_single(records)
    {
        // A record without its timeline still knows when it was resolved.
        last.resolved_at = records.incident.resolved_at;
        *number = records.incident.resolved_at.map(|_| 0);
    }
    waves
}

fn waves_is_single(records: &Records) -> bool {
    records.incident.reopened == 0
}
