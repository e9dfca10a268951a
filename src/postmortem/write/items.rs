//! What is to be done: the action items as the report lists them, and as a list in the chat may show them.
//!
//! An item keeps what the person said but for the words that lead up to it, so that it begins with its verb:
//! "we should add an alert" is "Add an alert". A date that was said is taken as it was said.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::{Content, Line, Material, neutral, select::events_for, words::pick};
use crate::{
    config::Language,
    incident::PersonId,
    postmortem::events::{Event, Kind},
};

/// Something to do, as it was said in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionItem {
    /// What to do, with the verb first.
    pub text: String,
    /// Who has taken it or was given it; nobody: it is unassigned.
    pub owner: Option<PersonId>,
    /// Until when, in people's words.
    pub due: Option<String>,
    /// Who said it.
    pub said_by: Option<PersonId>,
    /// When they said it.
    pub at: Timestamp,
    /// The short names of what it rests on: `m12`.
    pub sources: Vec<String>,
}

/// All action items, in the order in which they were said.
pub fn action_items(material: &Material<'_>) -> Vec<ActionItem> {
    let events = events_for(Content::ActionItems, material).into_iter();
    events.map(|event| item(event, material)).collect()
}

fn item(event: &Event, material: &Material<'_>) -> ActionItem {
    let transcript = material.transcript;
    let author = || {
        let first = event.message_ids.first()?;
        Some(transcript.message(first)?.author.clone())
    };
    let owner = event.owner.as_ref().map(|owner| transcript.name(owner));
    let due = event.due.clone().or_else(|| due(&event.text));
    let messages = event.message_ids.iter();
    let messages = messages.filter_map(|id| transcript.alias(id));
    let records = event.records.iter().map(|number| format!("r{number}"));
    ActionItem {
        text: verb_first(&event.text, owner),
        owner: event.owner.clone(),
        due: due.filter(|due| !due.trim().is_empty()),
        said_by: event.actor.clone().or_else(author),
        at: event.at,
        sources: messages.chain(records).collect(),
    }
}

impl ActionItem {
    /// It as a line of the report. Owner and date are always there, or that there is none.
    pub(super) fn line(&self, material: &Material<'_>) -> Line {
        let language = material.language;
        let name = |person: &PersonId| neutral(material.transcript.name(person));
        let owner = match &self.owner {
            Some(owner) => name(owner),
            None => pick(language, "unassigned", "未分配").to_owned(),
        };
        let due = match &self.due {
            Some(due) => neutral(due),
            None => pick(language, "none", "无").to_owned(),
        };
        // Who took it upon themselves need not be named twice.
        let said_by = self
            .said_by
            .as_ref()
            .filter(|by| Some(*by) != self.owner.as_ref());
        let said_by = match (said_by.map(name), language) {
            (Some(by), Language::En) => format!("; said by {by}"),
            (Some(by), Language::Zh) => format!("；提出：{by}"),
            (None, _) => String::new(),
        };
        let citations: String = self.sources.iter().map(|one| format!("[{one}]")).collect();
        let text = neutral(&self.text);
        let words = match language {
            Language::En => format!("{text} (owner: {owner}; due: {due}{said_by}) {citations}"),
            Language::Zh => format!("{text}（负责人：{owner}；期限：{due}{said_by}）{citations}"),
        };
        Line {
            kind: Some(Kind::ActionItem),
            ..Line::item(words)
        }
    }
}

/// Fewer letters say nothing of what to do, so what leads up to them is kept.
const LETTERS_MIN: usize = 4;

static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(?:(?:action items?|follow[- ]?ups?|todo|to[- ]do)\b\s*[:：,，-]*\s*|(?:we|i|you|someone|somebody|they) (?:should|need to|needs to|must|will|have to|ought to)\s+|(?:i'?ll|we'?ll|let'?s|please)\s+|also\s+|(?:待办|行动项|改进项|跟进项|后续)(?:事项)?[:：,，、\s]*|(?:我们|我|大家|请)?(?:需要|应该|得|要|来)(?:先)?|请)",
    )
    .expect("it is compiled by a test")
});

/// The words from the verb on.
fn verb_first(text: &str, owner: Option<&str>) -> String {
    let text = text.trim();
    let mut rest = text;
    loop {
        let named = owner.and_then(|owner| {
            let rest = rest.strip_prefix('@').unwrap_or(rest);
            let rest = rest.strip_prefix(owner)?;
            let apart = rest.trim_start_matches([' ', ',', ':', '，', '：']);
            // `Li Lei's service` does not speak to Li Lei.
            (apart.len() < rest.len()).then_some(apart)
        });
        let lead = LEAD.find(rest).map(|lead| &rest[lead.end()..]);
        match named.or(lead) {
            Some(shorter) if letters(shorter) >= LETTERS_MIN => rest = shorter,
            _ => break,
        }
    }
    let mut rest = rest.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

static DUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:by|until|before|due(?: on)?)\s+((?:(?:the )?end of (?:the |this |next )?(?:day|week|month|quarter|sprint)|(?:next |this )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|month)|today|tonight|tomorrow|eod|eow|\d{4}-\d{2}-\d{2}))\b|((?:今天|明天|后天|(?:本|这|下)?(?:周|星期)[一二三四五六日天末]|本周|这周|下周|本月|下个?月|月底|年底|\d{4}-\d{2}-\d{2}|\d{1,2}月\d{1,2}[日号])(?:之?前|以前|内)?)",
    )
    .expect("it is compiled by a test")
});

/// Until when, where the words say so.
fn due(text: &str) -> Option<String> {
    let found = DUE.captures(text)?;
    let due = found.get(1).or_else(|| found.get(2))?;
    Some(due.as_str().to_owned())
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
    fn an_item_begins_with_its_verb_and_keeps_what_was_said() {
        let check = |text: &str, owner: Option<&str>, expected: &str| {
            assert_eq!(verb_first(text, owner), expected, "{text}");
        };
        check(
            "TODO: we should add an alert for the pool",
            None,
            "Add an alert for the pool",
        );
        check(
            "Follow-up: I'll write the runbook",
            None,
            "Write the runbook",
        );
        check(
            "@Li Lei please document the limit",
            Some("Li Lei"),
            "Document the limit",
        );
        check(
            "Li Lei's service needs a limit",
            Some("Li Lei"),
            "Li Lei's service needs a limit",
        );
        check("待办：我来补连接池告警", None, "补连接池告警");
        check("后续需要补压测用例", None, "补压测用例");
        check("todo: fix", None, "Todo: fix");
    }

    #[test]
    fn a_date_is_taken_as_it_was_said() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(due(text).as_deref(), expected, "{text}");
        };
        check("add an alert by next Friday", Some("next Friday"));
        check(
            "write it up before the end of the week",
            Some("the end of the week"),
        );
        check("下周三前补告警", Some("下周三前"));
        check("11月30日前完成压测", Some("11月30日前"));
        check("step by step", None);
    }

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
            let lines = lines.iter().map(|item| item.line(&scene.material()).text);
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
