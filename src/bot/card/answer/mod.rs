//! One turn's card: what is being done, what was answered, and how it ended.
//!
//! The answer is laid out over several elements, because a long element is cut silently. Only the last
//! of them, [`ANSWER_ELEMENT`], is ever streamed into: those before it are settled, since their text no
//! longer changes. When a growing answer needs one element more ([`AnswerCard::elements`] got longer),
//! the card is replaced as a whole, and streaming goes on in the element of the same name with the rest.

mod controls;
mod small_print;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{markdown, small_markdown, words::Words};
use crate::{bot::markdown::split_elements, config::Language};

pub use controls::{ControlRow, Controls, REASONS_FIELD, TEXT_CHARS_MAX, TEXT_FIELD};

/// The element that holds the end of the answer; the only part of the answer that is streamed into.
pub const ANSWER_ELEMENT: &str = "answer";

/// The element above the answer that says what is going on. May be streamed into, too.
pub const STATUS_ELEMENT: &str = "status";

/// What `markdown::split` is called with, so that a card of any state stays within `CARD_BYTES_MAX`,
/// its buttons and its form included.
pub const TEXT_BYTES_MAX: usize = 19_000;

/// Where a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerState {
    /// It goes on.
    Streaming,
    /// The answer is whole.
    Done,
    /// Someone stopped it.
    Stopped,
    /// There will be no answer, or no more of it.
    Failed,
    /// The bot was restarted in the middle.
    Interrupted,
    /// A limit ended it: steps, time, or the model's own length.
    CutShort,
}

impl AnswerState {
    fn words(self) -> Option<Words> {
        match self {
            AnswerState::Streaming | AnswerState::Done => None,
            AnswerState::Stopped => Some(Words::Stopped),
            AnswerState::Failed => Some(Words::Failed),
            AnswerState::Interrupted => Some(Words::Interrupted),
            AnswerState::CutShort => Some(Words::CutShort),
        }
    }
}

/// How a tool call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Not back yet.
    Running,
    /// It gave a result.
    Done,
    /// It gave none.
    Failed,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done, in a few words. Any text; it is escaped here.
    pub title: String,
    /// How it went.
    pub state: StepState,
    /// How long it took, once it has ended.
    pub took: Option<Duration>,
}

/// The small print under an answer that has ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Footer<'a> {
    /// The model's name.
    pub model: Option<&'a str>,
    /// How long the turn took.
    pub took: Option<Duration>,
    /// A sentence for the reader, such as why it failed. Any text; it is escaped here.
    pub note: Option<&'a str>,
}

/// One card of a turn.
#[derive(Debug, Clone, Copy)]
pub struct AnswerCard<'a> {
    /// The language of our own sentences.
    pub language: Language,
    /// Where the turn stands.
    pub state: AnswerState,
    /// What was done, in order.
    pub steps: &'a [Step],
    /// This card's part of the answer: dialect, from `markdown::split` with [`TEXT_BYTES_MAX`].
    pub text: &'a str,
    /// Shown once the turn has ended.
    pub footer: Footer<'a>,
    /// The answer goes on in a further card, which also has the footer.
    pub continues: bool,
    /// What the Stop button carries; it is there only while the turn goes on.
    pub stop: Option<&'a Value>,
    /// For how long the turn goes on, where it has been silent for a while.
    pub silent: Option<Duration>,
}

impl AnswerCard<'_> {
    /// The whole card, JSON 2.0, at most `CARD_BYTES_MAX` bytes if the text kept to its limit.
    pub fn render(&self) -> Value {
        let mut config = self.closing_config();
        config["update_multi"] = json!(true);
        if self.is_streaming() {
            config["streaming_mode"] = json!(true);
            config["streaming_config"] = streaming_config();
        }
        let mut elements = Vec::new();
        if self.is_streaming() || !self.steps.is_empty() {
            elements.push(small_markdown(STATUS_ELEMENT, &self.status()));
        }
        self.push_answer(&mut elements);
        if let Some(value) = self.stop.filter(|_| self.is_streaming()) {
            elements.push(controls::stop_button(value, self.language));
        }
        self.push_footer(&mut elements);
        json!({"schema": "2.0", "config": config, "body": {"elements": elements}})
    }

    /// As [`AnswerCard::render`], for a card that is no entity and so cannot be typed into.
    pub fn render_still(&self) -> Value {
        let mut card = self.render();
        if let Some(config) = card["config"].as_object_mut() {
            config.insert("streaming_mode".to_owned(), json!(false));
            config.remove("streaming_config");
        }
        card
    }

    /// The text as it is laid out over elements: the last is [`ANSWER_ELEMENT`]'s, those before are
    /// settled. At least one, which is empty as long as there is no text.
    pub fn elements(&self) -> Vec<String> {
        let mut elements = split_elements(self.text);
        if elements.is_empty() {
            elements.push(String::new());
        }
        elements
    }

    /// The `config` that ends streaming: mode off, and a summary for the list of chats, which would say
    /// "generating…" for ever otherwise.
    pub fn closing_config(&self) -> Value {
        json!({"streaming_mode": false, "summary": self.summary()})
    }

    fn push_answer(&self, elements: &mut Vec<Value>) {
        let mut texts = self.elements();
        let last = texts.pop().unwrap_or_default();
        for (index, text) in texts.iter().enumerate() {
            elements.push(markdown(&format!("{ANSWER_ELEMENT}_{}", index + 1), text));
        }
        if !last.is_empty() || self.is_streaming() {
            elements.push(markdown(ANSWER_ELEMENT, &last));
        } else if self.state == AnswerState::Done {
            elements.push(markdown(ANSWER_ELEMENT, &self.say(Words::NoAnswer)));
        }
    }

    fn is_streaming(&self) -> bool {
        self.state == AnswerState::Streaming
    }

    fn say(&self, words: Words) -> String {
        words.in_language(self.language)
    }
}

/// How fast clients type: 6 characters each 40 ms, or 150 a second, which is what fast models write. At
/// the platform's default of one each 70 ms an answer would go on being typed for minutes after its end
/// (bytedance/deer-flow#3801). `fast` shows at once what is not yet typed when more arrives.
fn streaming_config() -> Value {
    let on_all =
        |value: u32| json!({"default": value, "android": value, "ios": value, "pc": value});
    json!({
        "print_frequency_ms": on_all(40),
        "print_step": on_all(6),
        "print_strategy": "fast",
    })
}
