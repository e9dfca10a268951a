//! V10: a cause was stated by a person, or is said to be supposed. A guess stays a guess.

use super::{Author, Finding, Subject};
use crate::postmortem::events::{Certainty, Kind, is_hedged, names_a_cause};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject
        .claims()
        .filter(|placed| placed.line.kind != Some(Kind::RuledOut))
    {
        let words = placed.line.words();
        let events = subject.sources.events(placed.line);
        let messages = subject.sources.messages(placed.line);
        let is_stated = events.iter().any(|event| {
            event.kind == Kind::Cause && event.holds() && event.certainty >= Certainty::Stated
        });
        // A line that only repeats what somebody said, with their name before it, claims no more than they did.
        let is_quoted = placed.author == Author::Code;
        let is_negated = events.iter().any(|event| event.kind == Kind::RuledOut);
        if names_a_cause(&words) && !is_stated && !is_hedged(&words) && !is_quoted && !is_negated {
            findings.push(placed.fails("no person stated this cause", "没有人明确说出这个原因"));
        } else if !messages.is_empty()
            && messages
                .iter()
                .all(|message| is_hedged(&message.evidence()))
            && !is_hedged(&words)
            && !is_quoted
        {
            findings.push(placed.fails("its sources only suppose it", "出处只是推测"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_cause_that_nobody_stated_fails() {
        check_lines(
            10,
            Content::Causes,
            &[
                "The root cause was the pool size, as Li Lei stated [m7]",
                "It was maybe caused by the pool [m1]",
                "Orders failed [m6]",
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
}
