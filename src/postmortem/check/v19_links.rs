//! V19: links lead to allowed hosts only, and there are no images.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Subject};

static LINK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)([^\s/()\[\]<>"'，。：:]+)"#)
        .expect("it is compiled by a test")
});
static IMAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)!\[[^\]]*\]|<(?:img|a|iframe|script)\b|\]\((?:javascript|data):")
        .expect("it is compiled by a test")
});

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject.lines() {
        let text = &placed.line.text;
        if IMAGE.is_match(text) {
            findings.push(placed.fails("it shows an image or a tag", "含有图片或标签"));
        }
        for found in LINK.captures_iter(text) {
            let host = found[1]
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .to_lowercase();
            if !subject
                .hosts
                .iter()
                .any(|allowed| host == *allowed || host.ends_with(&format!(".{allowed}")))
            {
                findings.push(placed.fails(
                    format!("{host} may not be linked to"),
                    format!("不允许链接到 {host}"),
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
    fn links_elsewhere_and_images_fail() {
        check_lines(
            19,
            Content::Summary,
            &[
                "see https://wiki.example.com/a [m5]",
                "no link [m5]",
                "10:00 // note [m5]",
            ],
            &[
                "see https://evil.example/a [m5]",
                "see [here](http://wiki.example.com.evil.example) [m5]",
                "https://wiki.example.com@evil.example/ [m5]",
                "![x](https://wiki.example.com/x.png) [m5]",
                "<img src=x> [m5]",
                "[x](javascript:alert) [m5]",
            ],
        );
    }
}
