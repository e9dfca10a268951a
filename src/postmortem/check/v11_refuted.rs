//! V11: what was ruled out is not told as the cause.

use super::{Author, Content, Finding, Form, Subject};
use crate::postmortem::{
    events::{Event, Kind, is_hedged, names_a_cause},
    merge::share_a_topic,
    support::{Carrier, denies_a_cause, named_causes},
};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject.claims().filter(|placed| {
        !told_apart(placed.line.kind, placed.author) && placed.line.form != Form::Quote
    }) {
        let words = placed.line.words();
        if !names_a_cause(&words) && placed.content != Content::Trigger {
            continue;
        }
        // Whoever tells that it was ruled out cites the message that did so, and says no more than that.
        let is_told = denies_a_cause(&words) || is_hedged(&words);
        if is_told && subject.sources.rules_out(placed.line) {
            continue;
        }
        let events = subject.sources.events(placed.line);
        let is_refuted = subject.sources.refuted().iter().any(|text| {
            // A person who states it all the same is a contradiction, and shown as one.
            (share_a_topic(text, &words) || is_meant(&words, text))
                && !events.iter().any(|event| is_cause_of(event, text))
        });
        if is_refuted {
            findings.push(placed.fails("this was ruled out", "这一点已被排除"));
        }
    }
    findings
}

/// What was ruled out is told as such, by its kind or in brackets.
fn told_apart(kind: Option<Kind>, author: Author) -> bool {
    kind == Some(Kind::RuledOut) || author == Author::Code && kind == Some(Kind::Hypothesis)
}

/// Whether what a line calls the cause was ruled out in other words: `the database` for 数据库.
fn is_meant(words: &str, refuted: &str) -> bool {
    let refuted = Carrier::of([refuted]);
    named_causes(words).iter().any(|cause| {
        let support = refuted.support(cause);
        support.all > 0 && support.carried == support.all
    })
}

fn is_cause_of(event: &Event, refuted: &str) -> bool {
    event.kind == Kind::Cause && share_a_topic(refuted, &event.text)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Author, Content, Line,
        testing::{Scene, check_lines},
    };
    use crate::postmortem::{
        events::Kind,
        testing::{Story, room},
    };

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
                "The culprit was Redis [m4]",
                "Redis contributed to the outage [m3]",
                "归咎于 Redis [m4]",
            ],
        );
    }

    #[test]
    fn a_refuted_cause_in_other_words_fails() {
        let talk = room(&[
            ("14:05:00", "li", "maybe the database is slow"),
            ("14:10:00", "han", "the database is not the cause"),
            ("14:30:00", "li", "The root cause was the pool"),
        ]);
        let scene = Scene::of(talk, Story::opened().records());
        let check = |text: &str, expected: usize| {
            let found = scene.findings(11, Content::Causes, &[Line::item(text)]);
            assert_eq!(found.len(), expected, "{text}");
        };
        check("根因是数据库 [m1]", 1);
        check("The outage was caused by a slow db [m1]", 1);
        check("根因是连接池 [m3]", 0);
    }

    #[test]
    fn a_guess_that_was_ruled_out_stays_in_the_timeline() {
        let scene = Scene {
            author: Author::Code,
            ..Scene::new()
        };
        let line = Line {
            kind: Some(Kind::Hypothesis),
            ..Line::item("王芳 · hypothesis (refuted): maybe caused by Redis [m3]")
        };
        assert_eq!(scene.findings(11, Content::Timeline, &[line]), []);
    }
}
