//! Who is told what they have to do, when a report is published.

use serde_json::{Value, json};

use super::{TEXT_CHARS, either, list_title};
use crate::{
    bot::{
        card::{incident::mention, markdown, shorten},
        markdown::escape,
    },
    config::Language,
    postmortem::actions::ActionItem,
};

/// How many items are told of; the rest is counted.
const TOLD_MAX: usize = 40;

/// What the chat is told at publishing, with a mention of everybody who has something to do.
#[derive(Debug)]
pub struct TellingCard<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The language of the report.
    pub language: Language,
    /// What is to be done.
    pub items: &'a [ActionItem],
}

impl TellingCard<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        let language = self.language;
        let shown = self.items.iter().take(TOLD_MAX);
        let mut lines: Vec<String> = shown.map(|item| self.line(item)).collect();
        let left_out = self.items.len().saturating_sub(TOLD_MAX);
        if left_out > 0 {
            lines.push(either(
                language,
                format!("And {left_out} more, which the report lists."),
                format!("另有 {left_out} 项，见报告。"),
            ));
        }
        let title = list_title(self.number, language);
        json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": shorten(&title, 60)}},
            "header": {
                "title": {"tag": "plain_text", "content": title},
                "template": "green",
            },
            "body": {"elements": [markdown("items", &lines.join("\n"))]},
        })
    }

    fn line(&self, item: &ActionItem) -> String {
        let owner = match &item.owner {
            Some(owner) => mention(&owner.id),
            None => either(self.language, "**no owner yet**", "**暂无负责人**"),
        };
        format!("{} · {owner}", what_and_when(item, self.language))
    }
}

/// What one person is told directly.
#[derive(Debug)]
pub struct Mentioned<'a> {
    /// What people call the incident.
    pub number: u32,
    /// What they have to do.
    pub items: &'a [&'a ActionItem],
}

impl Mentioned<'_> {
    /// As Markdown.
    pub fn text(&self, language: Language) -> String {
        let number = self.number;
        let head = either(
            language,
            format!("The post-mortem of #{number} is published. This is yours to do:"),
            format!("故障 #{number} 的复盘报告已发布，以下行动项由你负责："),
        );
        let shown = self.items.iter().take(TOLD_MAX);
        let lines: Vec<String> = shown.map(|item| what_and_when(item, language)).collect();
        format!("{head}\n\n{}", lines.join("\n"))
    }
}

fn what_and_when(item: &ActionItem, language: Language) -> String {
    let text = escape(&shorten(&item.text, TEXT_CHARS));
    let due = item.due.as_ref().map(|due| escape(&due.to_string()));
    match due {
        Some(due) => either(
            language,
            format!("- {text} · due {due}"),
            format!("- {text} · 期限 {due}"),
        ),
        None => format!("- {text}"),
    }
}
