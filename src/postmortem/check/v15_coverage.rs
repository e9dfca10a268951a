//! V15: what is on record and what people marked is in the report.

use std::collections::HashSet;

use super::{Content, Finding, Subject, Verdict, whole};
use crate::incident::What;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let Some((section, _)) = subject.sections(Content::Timeline).next() else {
        return Vec::new();
    };
    let cited: HashSet<&str> = subject
        .document
        .sections
        .iter()
        .flat_map(|section| &section.lines)
        .flat_map(|line| line.citations())
        .collect();
    let material = subject.material;
    let entries = material
        .records
        .timeline
        .iter()
        .filter(|entry| must_be_told(&entry.what));
    let records = entries.map(|entry| format!("r{}", entry.number));
    let marked = material
        .facts
        .marked
        .iter()
        .filter_map(|id| material.transcript.alias(id));
    let missing = records
        .chain(marked)
        .filter(|alias| !cited.contains(alias.as_str()));
    missing
        .map(|alias| {
            whole(
                section,
                Verdict::Fail,
                format!("{alias} is on record or was marked, and is missing"),
                format!("{alias} 在记录中或被标记，但报告里没有"),
            )
        })
        .collect()
}

fn must_be_told(what: &What) -> bool {
    matches!(
        what,
        What::Opened { .. }
            | What::AlertFired { again: false, .. }
            | What::SeverityChanged { .. }
            | What::Acknowledged
            | What::Assigned { .. }
            | What::Resolved { .. }
            | What::Reopened { .. }
            | What::Escalated { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Line, testing::Scene};
    use crate::postmortem::{
        testing::{Story, marked, room},
        transcript::MarkKind,
    };

    #[test]
    fn a_record_or_a_marked_message_that_is_missing_fails() {
        let talk = marked(
            room(&[
                ("14:35:00", "li", "this matters"),
                ("14:36:00", "li", "this does not"),
            ]),
            1,
            MarkKind::Important,
        );
        let scene = Scene::of(talk, Story::opened().records());
        let check = |line: &str, expected: usize| {
            assert_eq!(
                scene
                    .findings(15, Content::Timeline, &[Line::item(line)])
                    .len(),
                expected,
                "{line}"
            );
        };
        check("opened [r1], marked [m1]", 0);
        check("opened [r1]", 1);
        check("nothing", 2);
    }
}
