//! What stands around an answer: the line above it that says what is being done, the small print under
//! it, and the line in the list of chats.

use std::time::Duration;

use serde_json::{Value, json};

use super::{AnswerCard, AnswerState, Step, StepState};
use crate::{
    bot::{
        card::{
            grey, markdown, shorten, small_markdown,
            words::{Words, duration},
        },
        markdown::{escape, first_sentence},
    },
    config::Language,
};

/// The latest steps are shown, the others counted. With the lengths below, this bounds what stands
/// around the text.
pub(super) const STEPS_SHOWN: usize = 4;
const TITLE_CHARS_MAX: usize = 60;
const NOTE_CHARS_MAX: usize = 200;
const MODEL_CHARS_MAX: usize = 60;
const SUMMARY_CHARS_MAX: usize = 60;

impl AnswerCard<'_> {
    /// What [`STATUS_ELEMENT`](super::STATUS_ELEMENT) shows, for an update of that element alone. Never empty, since the platform
    /// takes no empty content.
    pub fn status(&self) -> String {
        let mut lines = Vec::new();
        let hidden = self.steps.len().saturating_sub(STEPS_SHOWN);
        if hidden > 0 {
            lines.push(grey(&self.say(Words::EarlierSteps(hidden))));
        }
        lines.extend(self.steps[hidden..].iter().map(|step| self.step_line(step)));
        let waits = self
            .steps
            .iter()
            .all(|step| step.state != StepState::Running);
        if lines.is_empty() || self.is_streaming() && waits {
            let words = if self.text.is_empty() {
                Words::Thinking
            } else {
                Words::Writing
            };
            lines.push(grey(&self.say(words)));
        }
        if let Some(silent) = self.silent.filter(|_| self.is_streaming()) {
            let silent = silent.max(Duration::from_secs(10));
            lines.push(grey(&format!("⏱ {}", duration(silent, self.language))));
        }
        lines.join("\n")
    }

    pub(super) fn push_footer(&self, elements: &mut Vec<Value>) {
        if self.is_streaming() {
            return;
        }
        if self.continues {
            elements.push(small_markdown("footer", &grey(&self.say(Words::Continues))));
            return;
        }
        let note = self
            .footer
            .note
            .map(|note| escape(&shorten(note, NOTE_CHARS_MAX)));
        let mut small = Vec::new();
        match self.state.words() {
            // How it ended is as important as the answer, so it has the answer's size.
            Some(words) => {
                let note = note.map_or_else(String::new, |note| format!(" {note}"));
                elements.push(markdown(
                    "outcome",
                    &format!("**{}**{note}", self.say(words)),
                ));
            }
            None => small.extend(note),
        }
        let model = self
            .footer
            .model
            .map(|model| escape(&shorten(model, MODEL_CHARS_MAX)));
        let took = self.footer.took.map(|took| duration(took, self.language));
        let facts: Vec<String> = model.into_iter().chain(took).collect();
        if !facts.is_empty() {
            small.push(facts.join(" · "));
        }
        if !small.is_empty() {
            let lines: Vec<String> = small.iter().map(|line| grey(line)).collect();
            elements.push(json!({"tag": "hr"}));
            elements.push(small_markdown("footer", &lines.join("\n")));
        }
    }

    fn step_line(&self, step: &Step) -> String {
        let mark = match (step.state, self.is_streaming()) {
            (StepState::Done, _) => "✓",
            (StepState::Failed, _) => "✗",
            (StepState::Running, true) => "→",
            // The turn ended before its tool did.
            (StepState::Running, false) => "–",
        };
        let title = escape(&shorten(&step.title, TITLE_CHARS_MAX));
        let took = step.took.map_or_else(String::new, |took| {
            format!(" · {}", duration(took, self.language))
        });
        grey(&format!("{mark} {title}{took}"))
    }

    pub(super) fn summary(&self) -> Value {
        let sentence = first_sentence(self.text, SUMMARY_CHARS_MAX);
        let words = match self.state {
            AnswerState::Streaming if self.text.is_empty() => Some(Words::Thinking),
            AnswerState::Streaming => Some(Words::Writing),
            AnswerState::Done if sentence.is_empty() => Some(Words::NoAnswer),
            state => state.words(),
        };
        let Some(words) = words else {
            return json!({"content": sentence});
        };
        // While it streams, what it will begin with is not worth a line yet.
        let sentence = if self.is_streaming() {
            String::new()
        } else {
            sentence
        };
        let in_language = |language| {
            let line = format!("{} {sentence}", words.in_language(language));
            shorten(line.trim_end(), SUMMARY_CHARS_MAX)
        };
        json!({
            "content": in_language(self.language),
            "i18n_content": {
                "en_us": in_language(Language::En),
                "zh_cn": in_language(Language::Zh),
            },
        })
    }
}
