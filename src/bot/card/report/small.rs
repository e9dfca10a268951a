//! What is left of a card of a report that is over.

use serde_json::Value;

use super::{either, title};
use crate::{
    bot::card::notice::{Notice, Template},
    config::Language,
};

/// Why a card is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over<'a> {
    /// A newer one shows the report.
    Replaced,
    /// Somebody cancelled it. The name is escaped already.
    Cancelled(&'a str),
    /// It could not be made.
    Failed,
}

/// What is left of a card that is over.
#[derive(Debug, Clone, Copy)]
pub struct Small<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The language.
    pub language: Language,
    /// Why.
    pub why: Over<'a>,
}

impl Small<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        let text = match self.why {
            Over::Replaced => either(
                self.language,
                "There is a newer card of this report below.",
                "下方有这份报告的新卡片。",
            ),
            Over::Cancelled(name) => either(
                self.language,
                format!("{name} cancelled this draft."),
                format!("{name} 取消了起草。"),
            ),
            Over::Failed => either(
                self.language,
                "This draft could not be made. Send `/postmortem` to try again.",
                "起草失败。发送 `/复盘` 重试。",
            ),
        };
        Notice {
            title: Some(&title(self.number, self.language)),
            text: &text,
            template: Template::Grey,
        }
        .render()
    }
}
