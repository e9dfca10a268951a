//! V8: every host, service, version, ticket, command and number of a line occurs in what it cites.

use super::{Author, Finding, Subject, Verdict};
use crate::postmortem::{events::names_a_cause, ground::TokenKind};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = super::outside::machines(subject);
    for placed in subject.claims() {
        let ground = subject.sources.ground(placed.line);
        let carrier =
            (placed.author == Author::Model).then(|| subject.sources.carrier(placed.line));
        if let Some(number) = carrier.and_then(|carrier| carrier.swapped(&placed.line.words())) {
            findings.push(placed.fails(
                format!("{number} counts something else in the sources"),
                format!("{number} 在出处中说的是别的"),
            ));
        }
        // What is called a cause has to stand in what is cited, and not just somewhere.
        let names_cause = names_a_cause(&placed.line.words());
        for token in ground.missing(&placed.line.words()) {
            // Code's own words around a Chinese quote, such as `stated`, look like names there.
            if placed.author == Author::Code && token.text.chars().all(|c| c.is_ascii_lowercase()) {
                continue;
            }
            // Numbers are everywhere, so one that stands elsewhere proves nothing.
            let proves = token.kind != TokenKind::Number && !names_cause;
            let elsewhere = proves && subject.sources.all().holds(&token);
            let text = &token.text;
            findings.push(match elsewhere {
                true => placed.finding(
                    Verdict::Warn,
                    format!("{text} occurs in the room, but not in what is cited"),
                    format!("{text} 在群里出现过，但不在出处中"),
                ),
                false => placed.fails(
                    format!("{text} does not occur in the sources"),
                    format!("{text} 没有出现在出处中"),
                ),
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{
        Content, Verdict,
        testing::{check_lines, judge},
    };

    #[test]
    fn what_no_source_names_or_counts_fails() {
        check_lines(
            8,
            Content::Summary,
            &[
                "payment-gw was rolled back to 1.8.2 [m5]",
                "1200 orders failed [m6]",
                "约1,200笔订单失败 [m6]",
                "Incident #42 was opened [r1]",
                "More than a thousand orders failed [m6]",
                "上千笔订单失败 [m6]",
            ],
            &[
                "payment-gw was rolled back to 1.8.4 [m5]",
                "order-db-7 was restarted [m5]",
                "3,000 orders failed [m6]",
                "OPS-17 tracks it [m5]",
                "回滚了 kafka [m5]",
                "It ran `rm -rf /data` [m5]",
                "the culprit was DNS [m5]",
                "kafka was restarted [m5]",
                "约９９９９笔订单失败 [m6]",
                "Millions of orders failed [m6]",
                "上万笔订单失败 [m5]",
            ],
        );
    }

    #[test]
    fn a_name_from_elsewhere_in_the_room_is_only_warned_of() {
        assert_eq!(
            judge(8, Content::Summary, "the cache named Redis was fine [m5]"),
            Verdict::Warn
        );
    }
}
