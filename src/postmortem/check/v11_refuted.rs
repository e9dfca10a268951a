//! V11: what was ruled out is not told as the cause.

use super::{Content, Finding, Form, Subject};
use crate::postmortem::{
    events::{Kind, names_a_cause},
    merge::share_a_topic,
};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let told_apart = |kind: Option<Kind>| kind == Some(Kind::RuledOut);
    for placed in subject
        .claims()
        .filter(|placed| !told_apart(placed.line.kind) && placed.line.form != Form::Quote)
    {
        let words = placed.line.words();
        if !names_a_cause(&words) && placed.content != Content::Trigger {
            continue;
        }
        // Whoever tells that it was ruled out cites the message that did so.
        if subject.sources.rules_out(placed.line) {
            continue;
        }
        let events = subject.sources.events(placed.line);
        let is_refuted = subject.sources.refuted().iter().any(|text| {
            // A person who states it all the same is a contradiction, and shown as one.
            share_a_topic(text, &words) && !events.iter().any(|event| is_cause_of(event, text))
        });
        if is_refuted {
            findings.push(placed.fails("this was ruled out", "这一点已被排除"));
        }
    }
    findings
}

fn is_cause_of(event: &crate::postmortem::events::Event, refuted: &str) -> bool {
    event.kind == Kind::Cause && share_a_topic(refuted, &event.text)
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
                "The root cause was Redis [m7]",
                "Probably caused by Redis [m3]",
                "原因是 Redis 变慢 [m3]",
            ],
        );
    }
}
