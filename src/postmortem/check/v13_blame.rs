//! V13: nobody is blamed. Reports that blame teach people to keep silent.

use std::sync::LazyLock;

use regex::Regex;

use super::{Author, Finding, Subject, Verdict};

static BLAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:should(?:n'?t| not)? have|could have (?:avoided|prevented)|failed to (?:notice|check|test|follow|act|respond|communicate|review)|human error|operator error|careless(?:ly|ness)?|negligen(?:t|ce)|reckless|incompeten\w+|fault of|at fault|(?:his|her|their|whose) (?:fault|mistake)|to blame|blame[ds]?|forgot to|neglected to|should never have|ought to have|mistakenly|by mistake|erroneously|accidentally|inattenti\w+|sloppy|irresponsibl[ey]|lazy|did not bother|didn't bother|overlooked|lack of (?:attention|care|diligence|discipline|competence)|(?:ignored|violated|disregarded|bypassed) the (?:alerts?|warnings?|runbook|rules?|procedure|polic(?:y|ies)|process|review)|culpab\w+|guilty|(?:screwed|messed) up|bears? (?:the )?responsibility|responsible for (?:the|this) (?:outage|incident|failure|error)|held accountable)\b|甩锅|背锅|的锅|失责|渎职|大意|违规|违反(?:了)?(?:流程|规定|规范|制度)|擅自|私自|未按(?:照)?(?:流程|规定|规范|要求)|不认真|不专业|低级错误|没有?尽到|(?:应|需)(?:负|承担).{0,4}责任|主要责任|追责|问责|处罚|搞砸|手滑|手误|失误|疏忽|误操作|粗心|马虎|不负责任|失职|责任人|本应|本该|(?:没有|未能?)及时|忘记了?|人为(?:错误|失误)|怪(?:他|她)|(?:他|她)的(?:错|责任)",
    )
    .expect("it is compiled by a test")
});

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let blaming = subject.claims().filter_map(|placed| {
        let words = placed.line.words();
        let found = BLAME.find(&words).map(|found| found.as_str().to_owned());
        let found = found.or_else(|| accused(&words, subject))?;
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

/// Words that make a cause of the person whose name follows, or stands before them.
const BEFORE_NAME: [&str; 6] = [
    "caused by ",
    "due to ",
    "because of ",
    "blame on ",
    "由于",
    "因为",
];
const AFTER_NAME: [&str; 11] = [
    " caused",
    " broke",
    " triggered the",
    "'s mistake",
    "'s error",
    "’s mistake",
    "’s error",
    "导致",
    "造成",
    "引起",
    "引发",
];

/// A person who is told as the cause. What people did is a deed, and no cause is a person.
fn accused(words: &str, subject: &Subject<'_>) -> Option<String> {
    let lower = words.to_lowercase();
    let people = subject.material.transcript.people.iter();
    let mut accusing = people.filter(|person| !person.is_bot).flat_map(|person| {
        let name = person.name.to_lowercase();
        let before = BEFORE_NAME.map(|word| format!("{word}{name}"));
        let after = AFTER_NAME.map(|word| format!("{name}{word}"));
        before.into_iter().chain(after)
    });
    accusing.find(|words| lower.contains(words))
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
                "Han Meimei is responsible for the rollback [m5]",
                "由韩梅梅执行回滚 [m5]",
            ],
            &[
                "Han Meimei should have checked it [m5]",
                "It was human error [m5]",
                "Li failed to notice it [m5]",
                "由于韩梅梅的疏忽 [m5]",
                "没有及时发现 [m5]",
                "The table was dropped accidentally [m5]",
                "The review was skipped out of a lack of care [m5]",
                "Whoever deployed it ignored the runbook [m5]",
                "The outage was caused by Han Meimei [m5]",
                "Han Meimei broke the deploy [m5]",
                "The operator messed up [m5]",
                "这是发布同学的锅 [m5]",
                "未按流程执行变更 [m5]",
                "擅自修改了配置 [m5]",
                "王芳导致了故障 [m3]",
                "应承担主要责任 [m5]",
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
