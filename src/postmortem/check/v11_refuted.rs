//! V11: what was ruled out is not told as the cause.

use super::{Content, Finding, Subject, v10_causes::names_a_cause};
use crate::postmortem::{events::Kind, merge::share_a_topic};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let refuted: Vec<&str> = subject
        .material
        .merged
        .events
        .iter()
        .filter(|event| event.refuted_by.is_some())
        .map(|event| event.text.as_str())
        .collect();
    let mut findings = Vec::new();
    for placed in subject
        .claims()
        .filter(|placed| placed.line.kind != Some(Kind::RuledOut))
    {
        let words = placed.line.words();
        let events = subject.sources.events(placed.line);
        // Whoever tells that it was ruled out cites the message that did so.
        let tells_so = events.iter().any(|event| event.kind == Kind::RuledOut);
        let claims_it = names_a_cause(&words) || placed.content == Content::Trigger;
        let is_stated = events.iter().any(|event| event.kind == Kind::Cause);
        if claims_it
            && !tells_so
            && !is_stated
            && refuted.iter().any(|text| share_a_topic(text, &words))
        {
            findings.push(placed.fails("this was ruled out", "这一点已被排除"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_refuted_cause_fails() {
        check_lines(
            11,
            Content::Causes,
            &[
                "Redis was suspected and is not the cause [m3][m4]",
                "The root cause was the pool size [m7]",
                "Redis was looked at [m3]",
            ],
            &[
                "The root cause was Redis [m3]",
                "Probably caused by Redis [m3]",
                "原因是 Redis 变慢 [m3]",
            ],
        );
    }
}
