//! V9: what stands between quotation marks was written so.

use super::{Finding, Subject};
use crate::postmortem::events::{is_verbatim, quotes};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject.claims() {
        let messages = subject.sources.messages(placed.line);
        let entries = subject.sources.entries(placed.line);
        for quote in quotes(&placed.line.words()) {
            let on_record = entries.iter().any(|entry| {
                serde_json::to_string(&entry.what).is_ok_and(|what| what.contains(&quote))
            });
            if !on_record && !is_verbatim(&quote, &messages) {
                findings.push(placed.fails(
                    format!("nobody wrote \"{quote}\""),
                    format!("没有人写过“{quote}”"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_quote_that_nobody_wrote_fails() {
        check_lines(
            9,
            Content::Summary,
            &[
                "Han said \"I'm on it\" [m2]",
                "Li wrote “about 1,200  orders failed.” [m6]",
            ],
            &[
                "Han said \"we broke it\" [m2]",
                "Li wrote “1,200 orders were lost” [m6]",
                "「全部完蛋」 [m6]",
            ],
        );
    }
}
