//! The small form that a button answers with, where a press alone does not say enough: in a message of its
//! own, since the incident's card is redrawn while somebody writes.

use serde_json::{Value, json};

use super::{
    super::{grey, markdown, shorten, small_markdown},
    words::Words,
};
use crate::{bot::markdown::escape, config::Language};

/// The form's one field.
pub const FIELD: &str = "words";

/// The longest text that the platform's field takes.
const CHARS_MAX: usize = 1000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A comment.
    Comment,
    /// Why it is reopened.
    Reason,
    /// For how long it is put off.
    Time,
}

/// A form about an incident.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// What is asked for.
    pub asks: Asks,
    /// The incident's number.
    pub number: u32,
    /// Its title. Any text; it is escaped here.
    pub title: &'a str,
    /// What sending it carries.
    pub value: &'a Value,
    /// The language.
    pub language: Language,
}

impl Form<'_> {
    /// The card with the form.
    pub fn render(&self) -> Value {
        let (title, hint) = match self.asks {
            Asks::Comment => (Words::CommentTitle, Words::CommentHint),
            Asks::Reason => (Words::ReopenTitle, Words::ReopenHint),
            Asks::Time => (Words::SnoozeTitle, Words::SnoozeHint),
        };
        let head = format!(
            "**{} #{}** {}",
            title.in_language(self.language),
            self.number,
            escape(&shorten(self.title, 80)),
        );
        let (input, rows) = match self.asks {
            Asks::Time => ("text", Value::Null),
            _ => ("multiline_text", json!(3)),
        };
        let mut field = json!({
            "tag": "input",
            "element_id": FIELD,
            "name": FIELD,
            "required": true,
            "width": "fill",
            "input_type": input,
            "max_length": CHARS_MAX,
            "placeholder": hint.node(self.language),
        });
        if !rows.is_null() {
            field["rows"] = rows;
        }
        let send = json!({
            "tag": "button",
            "element_id": "send",
            "name": "send",
            "form_action_type": "submit",
            "type": "primary",
            "size": "small",
            "text": Words::Send.node(self.language),
            "behaviors": [{"type": "callback", "value": self.value}],
        });
        json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": format!("#{}", self.number)}},
            "body": {"elements": [
                markdown("head", &head),
                {"tag": "form", "element_id": "form", "name": "form", "elements": [field, send]},
            ]},
        })
    }
}

/// What a form becomes once it was sent: what was said, and by whom. Both may be any text.
pub fn said(number: u32, line: &str, words: Option<&str>) -> Value {
    let mut elements = Vec::new();
    if let Some(words) = words {
        let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(escape).collect();
        elements.push(markdown("said", &lines.join("\n")));
    }
    elements.push(small_markdown("by", &grey(&escape(line))));
    json!({
        "schema": "2.0",
        "config": {"update_multi": true, "summary": {"content": shorten(&format!("#{number} {line}"), 60)}},
        "body": {"elements": elements},
    })
}
