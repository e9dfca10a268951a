//! V13: nobody is blamed. Reports that blame teach people to keep silent.

use std::sync::LazyLock;

use regex::Regex;

use super::{Author, Finding, Subject, Verdict};

static BLAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:should(?:n'?t| not)? have|could have (?:avoided|prevented)|failed to (?:notice|check|test|follow|act|respond|communicate|review)|human error|operator error|careless(?:ly|ness)?|negligen(?:t|ce)|reckless|incompeten\w+|fault of|at fault|(?:his|her|their|whose) (?:fault|mistake)|to blame|blame[ds]?|forgot to|neglected to)\b|失误|疏忽|误操作|粗心|马虎|不负责任|失职|责任人|本应|本该|(?:没有|未能?)及时|忘记了?|人为(?:错误|失误)|怪(?:他|她)|(?:他|她)的(?:错|责任)",
    )
    .expect("it is compiled by a test")
});

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let blaming = subject.claims().filter_map(|placed| {
        let words = placed.line.words();
        let found = BLAME.find(&words)?.as_str().to_owned();
        // People's own words are shown as they are, and whoever reviews the draft is told.
        let verdict = match placed.author {
            Author::Code => Verdict::Warn,
            Author::Model | Author::Person => Verdict::Fail,
        };
        Some(placed.finding(
            verdict,
            format!("\"{found}\" blames"),
            format!("“{found}”带有指责"),
        ))
    });
    blaming.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Author, Content, Line, Verdict,
        testing::{Scene, check_lines},
    };

    #[test]
    fn blame_fails_in_both_languages() {
        check_lines(
            13,
            Content::Summary,
            &[
                "The process allowed a deploy without a review [m5]",
                "The health check failed to start [m5]",
                "流程允许未经评审的发布 [m5]",
            ],
            &[
                "Han Meimei should have checked it [m5]",
                "It was human error [m5]",
                "Li failed to notice it [m5]",
                "由于韩梅梅的疏忽 [m5]",
                "没有及时发现 [m5]",
            ],
        );
    }

    #[test]
    fn what_people_said_themselves_is_only_warned_of() {
        let scene = Scene {
            author: Author::Code,
            ..Scene::new()
        };
        let found = scene.findings(
            13,
            Content::Lessons,
            &[Line::item("Li Lei: I forgot to check [m5]")],
        );
        assert_eq!(found[0].verdict, Verdict::Warn);
    }
}
