//! The action items as lines of the report.

use super::{Line, Material, neutral, words::pick};
use crate::{
    config::Language,
    postmortem::{
        actions::{ActionItem, ActionState, items},
        events::Kind,
    },
};

/// All action items, in the order in which they were said, each as people left it.
pub(super) fn action_items(material: &Material<'_>) -> Vec<Line> {
    let items = items(material.merged, material.records, material.transcript);
    items.iter().map(|item| line(item, material)).collect()
}

/// One as a line. Owner and date are always there, or that there is none.
fn line(item: &ActionItem, material: &Material<'_>) -> Line {
    let (transcript, language) = (material.transcript, material.language);
    let owner = match &item.owner {
        Some(owner) => neutral(&owner.name),
        None => pick(language, "unassigned", "未分配").to_owned(),
    };
    let due = match &item.due {
        Some(due) => neutral(&due.to_string()),
        None => pick(language, "none", "无").to_owned(),
    };
    // Who took it upon themselves need not be named twice.
    let owner_id = item.owner.as_ref().map(|owner| &owner.id);
    let said_by = item
        .said_by(transcript)
        .filter(|by| Some(*by) != owner_id)
        .map(|by| neutral(transcript.name(by)));
    let said_by = match (said_by, language) {
        (Some(by), Language::En) => format!("; said by {by}"),
        (Some(by), Language::Zh) => format!("；提出：{by}"),
        (None, _) => String::new(),
    };
    let (text, decided) = (neutral(&item.text), decided_words(item, language));
    let words = match language {
        Language::En => format!("{text} (owner: {owner}; due: {due}{said_by}) {decided}"),
        Language::Zh => format!("{text}（负责人：{owner}；期限：{due}{said_by}）{decided}"),
    };
    let words = format!("{words}{}", item.citations(transcript));
    Line {
        kind: Some(Kind::ActionItem),
        decided: item.decided(),
        ..Line::item(words.trim_end())
    }
}

/// What a person decided of an item, and that a person did.
fn decided_words(item: &ActionItem, language: Language) -> String {
    let by = pick(language, "(set by a person) ", "（人工确认）");
    match item.decided() {
        None => String::new(),
        Some(ActionState::Declined { reason }) => {
            let not = pick(language, "decided not to do", "决定不做");
            format!("({not}: {}) {by}", neutral(&reason))
        }
        Some(_) => by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::postmortem::{
        check::testing::Scene,
        testing::{Story, room},
    };

    #[test]
    fn items_say_who_has_them_until_when_and_who_said_so() {
        let talk = room(&[
            (
                "14:40:00",
                "li",
                "action item: I will add an alert for the pool of payment-gw by Friday",
            ),
            ("14:41:00", "han", "todo: document the limit of the pool"),
        ]);
        let mut scene = Scene::of(talk, Story::opened().records());
        let shown = |scene: &Scene| {
            let lines = action_items(&scene.material());
            let lines = lines.iter().map(|item| item.text.clone());
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(shown(&scene), @"
        Add an alert for the pool of payment-gw by Friday (owner: Li Lei; due: Friday) [m1]
        Document the limit of the pool (owner: unassigned; due: none; said by Han Meimei) [m2]
        ");
        scene.language = Language::Zh;
        assert_snapshot!(shown(&scene), @"
        Add an alert for the pool of payment-gw by Friday（负责人：Li Lei；期限：Friday）[m1]
        Document the limit of the pool（负责人：未分配；期限：无；提出：Han Meimei）[m2]
        ");
    }
}
