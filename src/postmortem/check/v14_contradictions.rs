//! V14: what does not agree is listed with both sides; nothing is chosen silently.

use super::{Content, Finding, Subject, Verdict, whole};
use crate::postmortem::transcript::MessageId;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let material = subject.material;
    let events = &material.merged.events;
    let mut pairs: Vec<Vec<&MessageId>> = Vec::new();
    for pair in &material.merged.contradictions {
        let sides = [pair.first, pair.second].map(|place| {
            events
                .get(place)
                .and_then(|event| event.message_ids.first())
        });
        pairs.push(sides.into_iter().flatten().collect());
    }
    pairs.extend(
        material
            .facts
            .conflicts
            .iter()
            .map(|conflict| conflict.times.iter().map(|(id, _)| id).collect()),
    );
    let listed: Vec<Vec<&str>> = subject
        .lines()
        .filter(|placed| matches!(placed.content, Content::About | Content::Questions))
        .map(|placed| placed.line.citations())
        .collect();
    let missing = pairs.into_iter().filter(|ids| {
        let aliases: Vec<String> = ids
            .iter()
            .filter_map(|id| material.transcript.alias(id))
            .collect();
        !listed
            .iter()
            .any(|cited| aliases.iter().all(|alias| cited.contains(&alias.as_str())))
    });
    let last = subject.document.sections.len().saturating_sub(1);
    missing
        .map(|ids| {
            let aliases: Vec<String> = ids
                .iter()
                .filter_map(|id| material.transcript.alias(id))
                .collect();
            let aliases = aliases.join(", ");
            whole(
                last,
                Verdict::Fail,
                format!("{aliases} do not agree, and that is not told"),
                format!("{aliases} 互相矛盾，但没有列出"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Line, testing::Scene};
    use crate::postmortem::testing::{Story, room};

    #[test]
    fn a_contradiction_that_is_not_told_fails() {
        let talk = room(&[
            ("14:35:00", "li", "about 300 orders failed"),
            ("14:36:00", "han", "1200 orders failed"),
        ]);
        let scene = Scene::of(talk, Story::opened().records());
        let check = |line: &str, content, expected: usize| {
            assert_eq!(
                scene.findings(14, content, &[Line::item(line)]).len(),
                expected,
                "{line}"
            );
        };
        check("two numbers: 300 [m1], 1200 [m2]", Content::About, 0);
        check("two numbers: 300 [m1], 1200 [m2]", Content::Impact, 1);
        check("300 orders failed [m1]", Content::About, 1);
    }
}
