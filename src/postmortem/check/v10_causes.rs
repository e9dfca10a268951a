//! V10: a cause was stated by a person, or is said to be supposed. A guess stays a guess.

use super::{Author, Content, Finding, Subject, Verdict};
use crate::postmortem::{
    events::{Event, Kind, is_hedged, is_only_supposed, names_a_cause},
    support::{denies_a_cause, is_stated_cause},
};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject
        .claims()
        .filter(|placed| placed.line.kind != Some(Kind::RuledOut))
        // A line that only repeats what somebody said, with their name before it, claims no more than they did.
        .filter(|placed| placed.author != Author::Code)
    {
        let words = placed.line.words();
        let events = subject.sources.events(placed.line);
        let messages = subject.sources.messages(placed.line);
        let is_sure = !is_hedged(&words);
        let transcript = subject.material.transcript;
        let is_stated = events
            .iter()
            .any(|event| event.is_cause_by_a_person(transcript));
        let names_one = names_a_cause(&words) && !denies_a_cause(&words);
        if names_one && is_sure && !is_stated {
            findings.push(placed.fails("no person stated this cause", "没有人明确说出这个原因"));
        } else if names_one
            && is_sure
            && !is_named(&words, &subject.sources.cause_statements(placed.line))
        {
            findings.push(placed.fails(
                "what it calls the cause is not what its sources call it",
                "它所说的原因与出处所说的不同",
            ));
        } else if is_sure && is_only_supposed(&words, &messages) {
            findings.push(placed.fails("its sources only suppose it", "出处只是推测"));
        } else if placed.content == Content::Causes
            && placed.author == Author::Model
            && !names_one
            && !events.iter().any(|event| is_about_causes(event))
        {
            // Among the causes every sentence reads as one.
            findings.push(placed.finding(
                Verdict::Warn,
                "it stands among the causes, and no source of it speaks of one",
                "列在原因中，但出处没有谈到原因",
            ));
        }
    }
    findings
}

fn is_about_causes(event: &Event) -> bool {
    matches!(event.kind, Kind::Cause | Kind::Hypothesis | Kind::RuledOut)
}

fn is_named(words: &str, statements: &[String]) -> bool {
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    is_stated_cause(words, &statements)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Content, Line, Verdict,
        testing::{Scene, check_lines, judge},
    };
    use crate::postmortem::{
        events::{Certainty, Event, Kind},
        testing::{Story, marked, room},
        transcript::MarkKind,
    };

    #[test]
    fn what_a_bot_calls_the_cause_is_none_until_a_person_says_so() {
        let cause = "The root cause was the pool size of payment-gw";
        let check = |talk, expected: usize| {
            let mut scene = Scene::of(talk, Story::opened().records());
            let mut event = Event::said(Kind::Cause, &scene.transcript.messages[0], cause);
            event.certainty = Certainty::Stated;
            scene.merged.events.push(event);
            let line = Line::item(format!("{cause} [m1]"));
            let findings = scene.findings(10, Content::Causes, &[line]);
            assert_eq!(findings.len(), expected, "{findings:?}");
        };
        let talk = || room(&[("14:30:00", "bot", cause)]);
        check(talk(), 1);
        check(marked(talk(), 1, MarkKind::Cause), 0);
        check(room(&[("14:30:00", "li", cause)]), 0);
    }

    #[test]
    fn a_cause_that_nobody_stated_fails() {
        check_lines(
            10,
            Content::Causes,
            &[
                "The root cause was the pool size, as Li Lei stated [m7]",
                "It was maybe caused by the pool [m1]",
                "根因是连接池 [m7]",
                "可能由连接池引起 [m1]",
            ],
            &[
                "The root cause was the rollback [m5]",
                "Orders failed due to a deploy [m6]",
                "由于发布导致失败 [m6]",
                "The pool is exhausted [m1]",
            ],
        );
    }

    #[test]
    fn a_cause_that_its_sources_do_not_call_one_fails() {
        check_lines(
            10,
            Content::Causes,
            &[
                "The outage was caused by the small pool size of payment-gw [m7]",
                "Redis was ruled out as the cause [m4]",
            ],
            &[
                "The root cause was an expired certificate [m7]",
                "The root cause was Redis [m3][m7]",
                "The rollback led to the outage [m5][m7]",
                "根因是证书过期 [m7]",
                // A source that rules out something else does not free a claim.
                "The culprit was the rollback [m4]",
                "Orders failed due to the rollback, Redis was ruled out [m4][m5]",
            ],
        );
    }

    #[test]
    fn a_line_among_the_causes_without_a_source_that_speaks_of_one_is_warned_of() {
        let verdict = |content| judge(10, content, "Orders failed [m6]");
        assert_eq!(verdict(Content::Causes), Verdict::Warn);
        assert_eq!(verdict(Content::Impact), Verdict::Pass);
    }
}
