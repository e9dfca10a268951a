//! V12: an action item says who has it and until when, or that nobody does; and whoever has it agreed or was asked.

use std::sync::LazyLock;

use regex::Regex;

use super::{Content, Finding, Subject};

static OWNER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:owner|负责人)[:：]\s*([^;；)）\n]+)").expect("it is compiled by a test")
});
static DUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:due|期限)[:：]\s*[^;；)）\n]+").expect("it is compiled by a test")
});

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in subject
        .claims()
        .filter(|placed| placed.content == Content::ActionItems)
    {
        let words = placed.line.words();
        let Some(owner) = OWNER.captures(&words) else {
            findings.push(placed.fails(
                "it names no owner, and does not say that there is none",
                "没有写负责人，也没有写“未分配”",
            ));
            continue;
        };
        if !DUE.is_match(&words) {
            findings.push(placed.fails(
                "it names no date, and does not say that there is none",
                "没有写期限，也没有写“无”",
            ));
        }
        let owner = owner[1].trim();
        let is_nobody = matches!(
            owner.to_lowercase().as_str(),
            "unassigned" | "未分配" | "none" | "无"
        );
        if !is_nobody && !subject.sources.ground(placed.line).holds_word(owner) {
            findings.push(placed.fails(
                format!("{owner} neither took it nor was asked to"),
                format!("{owner} 没有认领也没有被指派"),
            ));
        }
        if words
            .chars()
            .take_while(|c| *c != '(' && *c != '（')
            .filter(|c| c.is_alphanumeric())
            .count()
            < 4
        {
            findings.push(placed.fails("it does not say what to do", "没有写要做什么"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{
        Content, Line,
        testing::{Scene, check_lines},
    };
    use crate::postmortem::{
        actions::{ActionItem, Owner},
        testing::person,
    };

    #[test]
    fn an_action_item_without_an_owner_or_a_date_fails() {
        check_lines(
            12,
            Content::ActionItems,
            &[
                "Raise the pool size (owner: Li Lei; due: none) [m7]",
                "加上告警（负责人：未分配；期限：无） [m7]",
            ],
            &[
                "Raise the pool size [m7]",
                "Raise the pool size (owner: Li Lei) [m7]",
                "Raise the pool size (owner: Zhao Yun; due: none) [m7]",
                "x (owner: unassigned; due: none) [m7]",
            ],
        );
        check_lines(12, Content::Summary, &["no action item [m7]"], &[]);
    }

    #[test]
    fn what_a_person_decided_is_its_own_source_and_nobody_else_can_say_so() {
        let mut scene = Scene::new();
        let owner = Owner {
            id: person("zhao"),
            name: "Zhao Yun".into(),
        };
        let item = ActionItem {
            owner: Some(owner),
            ..ActionItem::added("raise the pool of payment-db", person("li"))
        };
        let text = "raise the pool of payment-db (owner: Zhao Yun; due: none) (set by a person)";
        let said = Line::item(text);
        let decided = Line {
            decided: item.decided(),
            ..said.clone()
        };
        scene.records.actions.push(item);
        for check in [1, 7, 8, 12] {
            let found = |line: &Line| {
                let lines = std::slice::from_ref(line);
                scene.findings(check, Content::ActionItems, lines).len()
            };
            assert_eq!(found(&decided), 0, "V{check}");
            assert!(found(&said) > 0, "V{check}");
        }
    }
}
