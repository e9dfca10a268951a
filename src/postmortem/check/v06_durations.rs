//! V6: a length of time in prose equals a computed one, or is told by what the line cites.

use super::{Content, Finding, Subject};
use crate::postmortem::clock::{self, Length};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject
        .claims()
        .filter(|placed| placed.content != Content::ActionItems)
    {
        let words = placed.line.words();
        let messages = subject.sources.messages(placed.line);
        let told: Vec<Length> = messages
            .iter()
            .flat_map(|message| clock::lengths(&message.evidence()))
            .collect();
        for length in clock::lengths(&words) {
            let is_told = told.iter().any(|told| told.seconds == length.seconds);
            if !is_told && !is_computed(&length, subject) {
                let text = &words[length.span.clone()];
                findings.push(placed.fails(
                    format!("{text} was neither computed nor told"),
                    format!("{text} 既非计算所得也未被提到"),
                ));
            }
        }
    }
    findings
}

/// As exact as its smallest unit: 18 minutes are 17 minutes 40 seconds.
fn is_computed(length: &Length, subject: &Subject<'_>) -> bool {
    let facts = subject.material.facts;
    let metrics = facts
        .metrics
        .iter()
        .filter(|metric| metric.name.is_time())
        .filter_map(|metric| metric.value);
    let waves = facts.waves.iter().filter_map(|wave| wave.impact_seconds());
    metrics
        .chain(waves)
        .any(|seconds| (seconds - length.seconds).abs() < length.unit)
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_length_that_nobody_computed_or_told_fails() {
        // Acknowledged six minutes and resolved forty minutes after it was opened.
        check_lines(
            6,
            Content::Summary,
            &[
                "It was resolved after 40 minutes [r3]",
                "acknowledged within 6 min [r2]",
                "40分钟后恢复 [r3]",
            ],
            &[
                "It was resolved after 55 minutes [r3]",
                "an outage of 2 hours [m1]",
                "历时3小时 [m1]",
            ],
        );
    }
}
