//! One turn's card.
use std::time::Duration;

use serde_json::Value;

use crate::config::Language;

/// The element that holds the end of the answer; the only one that is streamed into.
pub const ANSWER_ELEMENT: &str = "answer";
/// The element above it that says what is going on.
pub const STATUS_ELEMENT: &str = "status";
/// What `markdown::split` is called with, so that a card of any state stays within the platform's 30 KB.
pub const TEXT_BYTES_MAX: usize = 24_000;

/// Where a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerState {
    /// It goes on.
    Streaming,
    /// The answer is whole.
    Done,
    /// Someone stopped it.
    Stopped,
    /// There will be no (more) answer.
    Failed,
    /// The bot was restarted in the middle.
    Interrupted,
    /// A limit ended it.
    CutShort,
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
    /// What is done, in a few words; any text.
    pub title: String,
    /// How it went.
    pub state: StepState,
    /// How long it took, once it has ended.
    pub took: Option<Duration>,
}

/// The small print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Footer<'a> {
    /// The model's name.
    pub model: Option<&'a str>,
    /// How long the turn took.
    pub took: Option<Duration>,
    /// A sentence for the reader, any text.
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
    /// This card's part of the answer, in the platform's dialect.
    pub text: &'a str,
    /// The small print under a finished answer.
    pub footer: Footer<'a>,
    /// The answer goes on in a further card.
    pub continues: bool,
}

impl AnswerCard<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        unimplemented!()
    }

    /// What [`STATUS_ELEMENT`] shows, for an update of that element alone. Never empty.
    pub fn status(&self) -> String {
        unimplemented!()
    }

    /// The text as it is laid out over elements: all but the last are settled, the last is
    /// [`ANSWER_ELEMENT`]'s. When their number grows the card must be replaced.
    pub fn elements(&self) -> Vec<String> {
        unimplemented!()
    }

    /// The `config` that ends streaming: mode off, and the summary for the chat list.
    pub fn closing_config(&self) -> Value {
        unimplemented!()
    }
}
