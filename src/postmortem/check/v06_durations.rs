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
        let said = messages.iter().map(|message| message.evidence());
        // An alert's title is told by its monitor: `p99 is 4.2 s`.
        let entries = subject.sources.entries(placed.line);
        let noted = entries
            .iter()
            .filter_map(|entry| serde_json::to_string(&entry.what).ok());
        let told: Vec<Length> = said
            .chain(noted)
            .flat_map(|words| clock::lengths(&words))
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
    use super::super::{
        Content,
        testing::{Scene, check_lines, talk},
    };
    use crate::{
        incident::Deed,
        postmortem::{testing::Story, write::Line},
    };

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

    #[test]
    fn what_a_record_tells_is_told() {
        let comment = Deed::Comment("clients wait 42 s".to_owned());
        let story = Story::opened().deed("14:07:00", "han", comment);
        let scene = Scene::of(talk(), story.records());
        let found = |line: &str| scene.findings(6, Content::Timeline, &[Line::item(line)]);
        assert!(found("14:07:00 clients wait 42 s [r2]").is_empty());
        assert_eq!(found("14:07:00 clients wait 42 s [r1]").len(), 1);
    }
}
