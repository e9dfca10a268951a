//! V18: no secret and no personal data of the kinds that have a shape: keys, tokens, passwords, mail
//! addresses, telephone and identity numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Subject};

static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = [
        r"\bAKIA[0-9A-Z]{16}\b",
        r"\b(?:sk|ghp|gho|glpat|xox[abp]|AIza|eyJ)[-_A-Za-z0-9.]{16,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^\n]*",
        r"(?i)\b(?:password|passwd|pwd|secret|token|api[_-]?key)\s*(?:[:=：]|is\b)\s*[^\s,;，。；]{4,}",
        r"(?:密码|口令|密钥)\s*(?:[:=：]|是|为)\s*[!-~]{4,}",
        r"(?i)\bbearer\s+[A-Za-z0-9._-]{12,}",
        r"(?i)[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@",
        r"(?i)\b[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b",
        r"\b1[3-9]\d{9}\b",
        r"\b\d{17}[0-9Xx]\b",
    ];
    Regex::new(&shapes.join("|")).expect("it is compiled by a test")
});

/// A text without what must not be shown.
pub(in crate::postmortem) fn redacted(text: &str, instead: &str) -> String {
    SECRET
        .replace_all(text, regex::NoExpand(instead))
        .into_owned()
}

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let secret = subject
        .lines()
        .filter(|placed| SECRET.is_match(&placed.line.text));
    // The reason does not repeat it.
    secret
        .map(|placed| placed.fails("it holds a secret or personal data", "含有密钥或个人信息"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Content, testing::check_lines},
        redacted,
    };

    #[test]
    fn secrets_and_personal_data_fail_and_can_be_taken_out() {
        let secrets = [
            "the key AKIAIOSFODNN7EXAMPLE leaked [m5]",
            "it used sk-abcdefghijklmnop1234 [m5]",
            "password: hunter2 was used [m5]",
            "数据库密码是hunter2 [m5]",
            "postgres://app:hunter2@db/x [m5]",
            "write to li.lei@example.com [m5]",
            "call 13812345678 [m5]",
        ];
        check_lines(
            18,
            Content::Summary,
            &[
                "the token expired [m5]",
                "1381234567890 requests [m5]",
                "密码轮换 [m5]",
            ],
            &secrets,
        );
        for text in secrets {
            let clean = redacted(text, "(redacted)");
            assert!(
                clean.contains("(redacted)") && !clean.contains("hunter2"),
                "{clean}"
            );
        }
    }
}
