//! What can be pressed on an answer: Stop while it is written, and a quiet row of small buttons once it
//! has ended.
//!
//! A card is one view for all. So the form that asks what was wrong is on it only while somebody who
//! disliked the answer has not filled it in, and not on every answer for ever. It stands at the root,
//! where alone a form may stand, with the card's text untouched above it.

use serde_json::{Value, json};

use super::super::{
    grey, markdown, shorten, small_markdown,
    words::{Words, plain_text},
};
use crate::{
    bot::{feedback::Reason, markdown::escape},
    config::Language,
};

/// The fields of the form.
pub const REASONS_FIELD: &str = "reasons";
/// The field for one's own words.
pub const TEXT_FIELD: &str = "text";
/// How many characters of one's own words the form takes.
pub const TEXT_CHARS_MAX: usize = 500;

const NOTE_CHARS_MAX: usize = 120;

/// What the buttons of one answer carry. Made and read by `bot::click` alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Controls {
    /// Ends the turn.
    pub stop: Value,
    /// Has the question answered anew.
    pub regenerate: Value,
    /// The answer was good.
    pub praise: Value,
    /// It was not.
    pub complain: Value,
    /// Why it was not.
    pub explain: Value,
}

/// What stands under an answer that has ended.
#[derive(Debug, Clone, Copy)]
pub struct ControlRow<'a> {
    /// What the buttons carry.
    pub controls: &'a Controls,
    /// The language of our own sentences.
    pub language: Language,
    /// Whether there is an answer, which can be good or bad.
    pub is_answer: bool,
    /// Whether the question may be answered anew.
    pub can_regenerate: bool,
    /// A sentence of ours about what became of the answer. Any text; it is escaped here.
    pub note: Option<&'a str>,
    /// Whether somebody is asked what was wrong.
    pub has_form: bool,
}

impl ControlRow<'_> {
    /// Puts it under a card of [`AnswerCard::render`](super::AnswerCard::render) that has none yet.
    pub fn put_under(&self, card: &mut Value) {
        let Some(elements) = card["body"]["elements"].as_array_mut() else {
            return;
        };
        if let Some(note) = self.note {
            let note = grey(&escape(&shorten(note, NOTE_CHARS_MAX)));
            elements.push(small_markdown("note", &note));
        }
        let buttons = self.buttons();
        if !buttons.is_empty() {
            elements.push(row("controls", buttons));
        }
        if self.has_form {
            elements.push(self.form());
        }
    }

    fn buttons(&self) -> Vec<Value> {
        let mut buttons = Vec::new();
        let mut push = |id: &str, words: Words, tips: Words, value: &Value| {
            let mut button = button(id, words, self.language, value);
            button["type"] = json!("text");
            button["hover_tips"] = plain_text(tips, self.language);
            buttons.push(button);
        };
        let controls = self.controls;
        if self.is_answer {
            push(
                "praise",
                Words::ThumbsUp,
                Words::PraiseTips,
                &controls.praise,
            );
            push(
                "complain",
                Words::ThumbsDown,
                Words::ComplainTips,
                &controls.complain,
            );
        }
        if self.can_regenerate {
            push(
                "regenerate",
                Words::Regenerate,
                Words::RegenerateTips,
                &controls.regenerate,
            );
        }
        buttons
    }

    fn form(&self) -> Value {
        let say = |words| plain_text(words, self.language);
        let options: Vec<Value> = Reason::ALL
            .into_iter()
            .map(|reason| json!({"text": say(Words::Reason(reason)), "value": reason.name()}))
            .collect();
        let mut send = button("send", Words::Send, self.language, &self.controls.explain);
        send["name"] = json!("send");
        send["form_action_type"] = json!("submit");
        let title = Words::WhatWasWrong.in_language(self.language);
        json!({
            "tag": "form",
            "element_id": "explain",
            "name": "explain",
            "elements": [
                markdown("question", &format!("**{title}**")),
                {
                    "tag": "multi_select_static",
                    "element_id": "why",
                    "name": REASONS_FIELD,
                    "width": "fill",
                    "placeholder": say(Words::ChooseReasons),
                    "options": options,
                },
                {
                    "tag": "input",
                    "element_id": "words",
                    "name": TEXT_FIELD,
                    "width": "fill",
                    "input_type": "multiline_text",
                    "rows": 2,
                    "max_length": TEXT_CHARS_MAX,
                    "placeholder": say(Words::FreeText),
                },
                send,
            ],
        })
    }
}

/// The button that ends a turn.
pub(super) fn stop_button(value: &Value, language: Language) -> Value {
    button("stop", Words::Stop, language, value)
}

fn button(id: &str, words: Words, language: Language, value: &Value) -> Value {
    json!({
        "tag": "button",
        "element_id": id,
        "type": "default",
        "size": "small",
        "text": plain_text(words, language),
        "behaviors": [{"type": "callback", "value": value}],
    })
}

/// Things side by side, each as wide as it needs to be.
fn row(id: &str, things: Vec<Value>) -> Value {
    let columns: Vec<Value> = things
        .into_iter()
        .map(|thing| json!({"tag": "column", "width": "auto", "elements": [thing]}))
        .collect();
    json!({
        "tag": "column_set",
        "element_id": id,
        "flex_mode": "none",
        "horizontal_spacing": "small",
        "columns": columns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::card::answer::{AnswerCard, AnswerState, Footer};

    fn under(row: &ControlRow<'_>) -> Value {
        let mut card = AnswerCard {
            language: row.language,
            state: AnswerState::Done,
            steps: &[],
            text: "All is well.",
            footer: Footer::default(),
            continues: false,
            stop: None,
            silent: None,
        }
        .render();
        row.put_under(&mut card);
        card
    }

    /// Everything in a card that has this tag.
    fn all<'a>(node: &'a Value, tag: &str, found: &mut Vec<&'a Value>) {
        if node["tag"] == tag {
            found.push(node);
        }
        match node {
            Value::Array(items) => items.iter().for_each(|item| all(item, tag, found)),
            Value::Object(members) => members.values().for_each(|item| all(item, tag, found)),
            _ => {}
        }
    }

    fn labels(card: &Value) -> Vec<String> {
        let mut buttons = Vec::new();
        all(card, "button", &mut buttons);
        buttons
            .iter()
            .filter_map(|button| button["text"]["content"].as_str().map(str::to_owned))
            .collect()
    }

    fn plain(controls: &Controls) -> ControlRow<'_> {
        ControlRow {
            controls,
            language: Language::En,
            is_answer: true,
            can_regenerate: true,
            note: None,
            has_form: false,
        }
    }

    #[test]
    fn only_what_can_be_done_can_be_pressed() {
        let controls = Controls::default();
        let row = plain(&controls);
        assert_eq!(labels(&under(&row)), ["👍", "👎", "↻ Regenerate"]);
        let zh = ControlRow {
            language: Language::Zh,
            is_answer: false,
            ..row
        };
        assert_eq!(labels(&under(&zh)), ["↻ 重新回答"]);
        let none = ControlRow {
            is_answer: false,
            can_regenerate: false,
            ..row
        };
        let bare = under(&none);
        assert!(labels(&bare).is_empty());
        assert!(!bare.to_string().contains("column_set"));
    }

    #[test]
    fn the_form_stands_at_the_root_and_each_of_its_parts_has_a_name() {
        let controls = Controls::default();
        let row = ControlRow {
            has_form: true,
            ..plain(&controls)
        };
        let card = under(&row);
        let form = card["body"]["elements"]
            .as_array()
            .and_then(|elements| elements.last())
            .expect("a last element");
        assert_eq!(form["tag"], "form");
        for tag in ["button", "input", "multi_select_static"] {
            let mut parts = Vec::new();
            all(form, tag, &mut parts);
            assert!(!parts.is_empty(), "{tag}");
            assert!(parts.iter().all(|part| part["name"].is_string()), "{tag}");
        }
        assert_eq!(form["elements"][3]["form_action_type"], "submit");
    }

    #[test]
    fn a_name_in_the_note_cannot_mention_anyone() {
        let controls = Controls::default();
        let row = ControlRow {
            note: Some("By <at id=all></at>."),
            ..plain(&controls)
        };
        let card = under(&row).to_string();
        assert!(!card.contains("<at"), "{card}");
    }
}
