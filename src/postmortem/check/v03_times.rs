//! V3: a time in a line is that of what it cites, or is told there, or is a milestone.

use jiff::Timestamp;

use super::{Finding, Form, Placed, Subject};
use crate::postmortem::clock;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject.claims() {
        // Dates of action items lie ahead, and have their own source.
        if placed.line.form == Form::Row || placed.content == super::Content::ActionItems {
            continue;
        }
        let known = known_times(&placed, subject);
        let written = clock::times(
            &placed.line.words(),
            near(&known, subject),
            &subject.material.transcript.time_zone,
        );
        let own = placed.line.at.filter(|at| {
            !known.iter().any(|known| same_second(*known, *at)) && !is_told(&placed, subject, *at)
        });
        let wrong = written.iter().find(|time| {
            let is_known = known.iter().any(|known| time.means(*known));
            !is_known
                && !time
                    .readings
                    .iter()
                    .any(|reading| is_told(&placed, subject, *reading))
        });
        if own.is_some() || wrong.is_some() {
            let time = wrong
                .map(|time| placed.line.words()[time.span.clone()].to_owned())
                .unwrap_or_default();
            findings.push(placed.fails(
                format!("the time {time} is not that of its sources"),
                format!("时间 {time} 与出处不符"),
            ));
        }
    }
    findings
}

fn same_second(one: Timestamp, other: Timestamp) -> bool {
    one.as_second() == other.as_second()
}

/// The day around which a time without one is read.
fn near(known: &[Timestamp], subject: &Subject<'_>) -> Timestamp {
    known
        .first()
        .copied()
        .unwrap_or(subject.material.records.incident.opened_at)
}

fn known_times(placed: &Placed<'_>, subject: &Subject<'_>) -> Vec<Timestamp> {
    let messages = subject.sources.messages(placed.line);
    let mut known: Vec<Timestamp> = messages.iter().map(|message| message.at).collect();
    for entry in subject.sources.entries(placed.line) {
        known.extend([entry.at, entry.noted_at]);
    }
    let facts = subject.material.facts;
    known.extend(facts.milestones.iter().filter_map(|fixed| fixed.at));
    known.extend(
        facts
            .waves
            .iter()
            .flat_map(|wave| &wave.milestones)
            .filter_map(|fixed| fixed.at),
    );
    for alert in &facts.alerts {
        if messages
            .iter()
            .any(|message| alert.messages.contains(&message.id))
        {
            known.extend([alert.first, alert.last]);
        }
    }
    known
}

/// Whether a cited message tells this time.
fn is_told(placed: &Placed<'_>, subject: &Subject<'_>, at: Timestamp) -> bool {
    let zone = &subject.material.transcript.time_zone;
    subject.sources.messages(placed.line).iter().any(|message| {
        clock::times(&message.evidence(), message.at, zone)
            .iter()
            .any(|time| time.means(at))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_time_that_no_source_tells_fails() {
        check_lines(
            3,
            Content::Timeline,
            &[
                "14:20:10 rolled back [m5]",
                "at 14:20 it was rolled back [m5]",
                "06:20 UTC rolled back [m5]",
                "timeouts since 13:52 [m1]",
                "opened at 14:00 [r1]",
            ],
            &[
                "14:19 rolled back [m5]",
                "14:20:11 rolled back [m5]",
                "timeouts since 13:25 [m1]",
                "在14:35恢复 [m5]",
            ],
        );
    }
}
