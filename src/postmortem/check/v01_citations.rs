//! V1: every claim cites something, and what it cites carries its words and says nothing to the contrary.
//!
//! What code wrote are people's own words, and what people wrote is theirs; only a model is held to this.

use super::{Author, Finding, Placed, Subject, Verdict};
use crate::postmortem::support::{Carrier, Weight};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject.claims() {
        // Whoever added an item is its source.
        if placed.line.citations().is_empty() && placed.line.decided.is_none() {
            findings.push(placed.fails("it cites nothing", "没有出处"));
        } else if placed.author == Author::Model && subject.sources.are_there(placed.line) {
            findings.extend(held(&placed, &subject.sources.carrier(placed.line)));
        }
    }
    findings
}

/// What speaks against a line whose sources are there.
fn held(placed: &Placed<'_>, carrier: &Carrier) -> Option<Finding> {
    let words = placed.line.words();
    if let Some(word) = carrier.denies(&words) {
        return Some(placed.fails(
            format!("its sources say the opposite of \"{word}\""),
            format!("出处所说与“{word}”相反"),
        ));
    }
    let support = carrier.support(&words);
    let verdict = match support.weight() {
        Weight::Carried => return None,
        Weight::Thin => Verdict::Warn,
        Weight::Bare => Verdict::Fail,
    };
    let missing = support.missing_words();
    Some(placed.finding(
        verdict,
        format!("its sources say nothing of: {missing}"),
        format!("出处没有提到：{missing}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{
        Content, Verdict,
        testing::{check_lines, judge},
    };

    #[test]
    fn a_claim_without_a_source_fails() {
        check_lines(
            1,
            Content::Impact,
            &["Orders failed. [m6]", "It was opened. [r1]"],
            &["Orders failed.", "See [note]."],
        );
    }

    #[test]
    fn a_claim_that_its_source_does_not_carry_fails() {
        check_lines(
            1,
            Content::Response,
            &[
                "payment-gw was reverted to 1.8.2. [m5]",
                "Han Meimei acknowledged the incident. [m2][r2]",
                "Li Lei suspected that the connection pool was exhausted. [m1]",
                "payment-gw 已回滚到 1.8.2。[m5]",
            ],
            &[
                "Customers were informed of the outage. [m5]",
                "The team reacted quickly and kept everything under control. [m5]",
                "已通知所有客户。[m5]",
            ],
        );
    }

    #[test]
    fn what_its_sources_deny_fails_and_what_they_hardly_carry_is_warned_of() {
        check_lines(
            1,
            Content::Causes,
            &["Redis was not the cause. [m4]"],
            &[
                "Redis was the cause. [m4]",
                "payment-gw was not rolled back. [m5]",
            ],
        );
        let thin = "About 1,200 orders failed, and the vendor helped. [m6]";
        assert_eq!(judge(1, Content::Response, thin), Verdict::Warn);
    }
}
