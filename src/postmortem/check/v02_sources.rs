//! V2: what is cited exists, belongs to this room, and was not taken back.

use super::{Finding, Subject};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject.lines() {
        for alias in placed.line.citations() {
            let message = subject.material.transcript.by_alias(alias);
            let number = alias
                .strip_prefix('r')
                .and_then(|number| number.parse().ok());
            let entry = number.and_then(|number| subject.material.records.entry(number));
            findings.extend(match (message, entry) {
                (Some(message), _) if message.recalled_at.is_some() && placed.line.is_claim() => {
                    Some(placed.fails(format!("{alias} was taken back"), format!("{alias} 已撤回")))
                }
                (None, None) => {
                    Some(placed.fails(format!("there is no {alias}"), format!("不存在 {alias}")))
                }
                _ => None,
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_source_that_does_not_exist_or_was_taken_back_fails() {
        check_lines(
            2,
            Content::Impact,
            &["x [m1][m7]", "x [r1]"],
            &["x [m99]", "x [m8]", "x [r99]", "x [m0]", "x [e1]"],
        );
    }
}
