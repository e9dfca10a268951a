//! One turn's card: what is being done, what was answered, and how it ended.
//!
//! The answer is laid out over several elements, because a long element is cut silently. Only the last
//! of them, [`ANSWER_ELEMENT`], is ever streamed into: those before it are settled, since their text no
//! longer changes. When a growing answer needs one element more ([`AnswerCard::elements`] got longer),
//! the card is replaced as a whole, and streaming goes on in the element of the same name with the rest.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    grey, markdown, shorten, small_markdown,
    words::{Words, duration},
};
use crate::{
    bot::markdown::{escape, first_sentence, split_elements},
    config::Language,
};

/// The element that holds the end of the answer; the only part of the answer that is streamed into.
pub const ANSWER_ELEMENT: &str = "answer";

/// The element above the answer that says what is going on. May be streamed into, too.
pub const STATUS_ELEMENT: &str = "status";

/// The member of the Stop button's value that holds the turn's id.
pub const STOP_VALUE: &str = "stop";

/// What `markdown::split` is called with, so that a card of any state stays within `CARD_BYTES_MAX`.
pub const TEXT_BYTES_MAX: usize = 23_500;

/// The latest steps are shown, the others counted. With the lengths below, this bounds what stands
/// around the text.
const STEPS_SHOWN: usize = 4;
const TITLE_CHARS_MAX: usize = 60;
const NOTE_CHARS_MAX: usize = 200;
const MODEL_CHARS_MAX: usize = 60;
const SUMMARY_CHARS_MAX: usize = 60;

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
    /// The id that the Stop button carries; it is there only while the turn goes on.
    pub stop: Option<&'a str>,
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
        if let Some(id) = self.stop.filter(|_| self.is_streaming()) {
            elements.push(self.stop_button(id));
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

    /// What [`STATUS_ELEMENT`] shows, for an update of that element alone. Never empty, since the platform
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

    fn stop_button(&self, id: &str) -> Value {
        json!({
            "tag": "button",
            "element_id": "stop",
            "type": "default",
            "size": "small",
            "text": {
                "tag": "plain_text",
                "content": self.say(Words::Stop),
                "i18n_content": {
                    "en_us": Words::Stop.in_language(Language::En),
                    "zh_cn": Words::Stop.in_language(Language::Zh),
                },
            },
            "behaviors": [{"type": "callback", "value": {STOP_VALUE: id}}],
        })
    }

    fn push_footer(&self, elements: &mut Vec<Value>) {
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

    fn summary(&self) -> Value {
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

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::bot::{
        card::{CARD_BYTES_MAX, size_bytes},
        markdown::{TABLES_MAX, split, to_dialect},
    };

    const EMPTY: AnswerCard<'_> = AnswerCard {
        language: Language::En,
        state: AnswerState::Streaming,
        steps: &[],
        text: "",
        footer: Footer {
            model: None,
            took: None,
            note: None,
        },
        continues: false,
        stop: None,
        silent: None,
    };

    fn step(title: &str, state: StepState) -> Step {
        let took = (state != StepState::Running).then(|| Duration::from_millis(1_240));
        Step {
            title: title.into(),
            state,
            took,
        }
    }

    #[test]
    fn a_card_that_has_just_begun_streams_and_says_so() {
        assert_json_snapshot!(EMPTY.render(), @r#"
        {
          "body": {
            "elements": [
              {
                "content": "<font color='grey'>Thinking…</font>",
                "element_id": "status",
                "tag": "markdown",
                "text_size": "notation"
              },
              {
                "content": "",
                "element_id": "answer",
                "tag": "markdown"
              }
            ]
          },
          "config": {
            "streaming_config": {
              "print_frequency_ms": {
                "android": 40,
                "default": 40,
                "ios": 40,
                "pc": 40
              },
              "print_step": {
                "android": 6,
                "default": 6,
                "ios": 6,
                "pc": 6
              },
              "print_strategy": "fast"
            },
            "streaming_mode": true,
            "summary": {
              "content": "Thinking…",
              "i18n_content": {
                "en_us": "Thinking…",
                "zh_cn": "正在思考…"
              }
            },
            "update_multi": true
          },
          "schema": "2.0"
        }
        "#);
    }

    #[test]
    fn a_finished_card_has_its_steps_its_answer_and_the_small_print() {
        let steps = [step("read the clock", StepState::Done)];
        let card = AnswerCard {
            state: AnswerState::Done,
            steps: &steps,
            text: "It is **12:00:30**. Anything else?",
            footer: Footer {
                model: Some("gpt-4.1-mini"),
                took: Some(Duration::from_secs(125)),
                note: None,
            },
            ..EMPTY
        };
        assert_json_snapshot!(card.render(), @r#"
        {
          "body": {
            "elements": [
              {
                "content": "<font color='grey'>✓ read the clock · 1.2 s</font>",
                "element_id": "status",
                "tag": "markdown",
                "text_size": "notation"
              },
              {
                "content": "It is **12:00:30**. Anything else?",
                "element_id": "answer",
                "tag": "markdown"
              },
              {
                "tag": "hr"
              },
              {
                "content": "<font color='grey'>gpt-4.1-mini · 2 min 5 s</font>",
                "element_id": "footer",
                "tag": "markdown",
                "text_size": "notation"
              }
            ]
          },
          "config": {
            "streaming_mode": false,
            "summary": {
              "content": "It is 12:00:30."
            },
            "update_multi": true
          },
          "schema": "2.0"
        }
        "#);
    }

    /// The contents of a card's elements, in order.
    fn contents(card: &AnswerCard<'_>) -> Vec<String> {
        let card = card.render();
        let elements = card["body"]["elements"].as_array().unwrap();
        elements
            .iter()
            .filter_map(|element| element["content"].as_str().map(str::to_owned))
            .collect()
    }

    #[test]
    fn every_ending_says_how_it_ended_in_both_languages() {
        for (state, en, zh) in [
            (
                AnswerState::Done,
                "The model ended without saying anything.",
                "模型没有给出任何内容。",
            ),
            (AnswerState::Stopped, "**Stopped.** why", "**已停止。** why"),
            (
                AnswerState::Failed,
                "**This could not be answered.** why",
                "**未能完成回答。** why",
            ),
            (
                AnswerState::Interrupted,
                "**Interrupted by a restart of the bot.** why",
                "**机器人重启，回答中断。** why",
            ),
            (
                AnswerState::CutShort,
                "**The answer was cut short.** why",
                "**回答不完整，已提前结束。** why",
            ),
        ] {
            for (language, expected) in [(Language::En, en), (Language::Zh, zh)] {
                let footer = Footer {
                    note: Some("why"),
                    ..Footer::default()
                };
                let card = AnswerCard {
                    language,
                    state,
                    footer,
                    ..EMPTY
                };
                assert_eq!(contents(&card)[0], expected);
                assert_eq!(card.closing_config()["streaming_mode"], false);
            }
        }
    }

    #[test]
    fn a_title_or_a_note_cannot_mention_anyone() {
        let steps = [step("query <at id=all></at> `x`\n# y", StepState::Failed)];
        let card = AnswerCard {
            state: AnswerState::Failed,
            steps: &steps,
            footer: Footer {
                note: Some("<at id=all></at>"),
                ..Footer::default()
            },
            ..EMPTY
        };
        for content in contents(&card) {
            assert!(!content.contains("<at"), "{content}");
        }
        assert_eq!(
            card.status(),
            "<font color='grey'>✗ query &#60;at id=all>&#60;/at> &#96;x&#96; # y · 1.2 s</font>"
        );
    }

    #[test]
    fn many_steps_are_counted_and_only_the_latest_shown() {
        let mut steps = vec![step("a", StepState::Done); 8];
        steps.push(step("b", StepState::Running));
        let card = AnswerCard {
            steps: &steps,
            ..EMPTY
        };
        let lines: Vec<String> = card.status().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), STEPS_SHOWN + 1);
        assert!(lines[0].contains("5 earlier steps"));
        assert!(lines[4].contains("→ b<"));
    }

    #[test]
    fn a_card_that_is_not_the_last_points_to_the_next() {
        let footer = Footer {
            model: Some("m"),
            ..Footer::default()
        };
        let card = AnswerCard {
            state: AnswerState::Done,
            text: "a",
            footer,
            continues: true,
            ..EMPTY
        };
        assert_eq!(
            contents(&card)[1],
            "<font color='grey'>Continued in the next message ↓</font>"
        );
    }

    #[test]
    fn a_long_answer_has_settled_elements_and_a_last_one() {
        let text = "word ".repeat(3_000);
        let card = AnswerCard {
            text: &text,
            ..EMPTY
        }
        .render();
        let ids: Vec<&str> = card["body"]["elements"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|element| element["element_id"].as_str())
            .collect();
        assert_eq!(ids, ["status", "answer_1", "answer"]);
    }

    #[test]
    fn the_fullest_card_fits() {
        let steps = vec![step(&"<步".repeat(200), StepState::Failed); 30];
        for text in [
            "汉字，".repeat(20_000),
            "a\n".repeat(40_000),
            "\"<$".repeat(9_000),
        ] {
            for part in split(&to_dialect(&text), TEXT_BYTES_MAX, TABLES_MAX) {
                let card = AnswerCard {
                    state: AnswerState::CutShort,
                    steps: &steps,
                    text: &part,
                    footer: Footer {
                        model: Some(&"`".repeat(500)),
                        took: Some(Duration::from_secs(60_000)),
                        note: Some(&"$".repeat(500)),
                    },
                    ..EMPTY
                };
                let sizes = [
                    size_bytes(&card.render()),
                    size_bytes(
                        &AnswerCard {
                            state: AnswerState::Streaming,
                            ..card
                        }
                        .render(),
                    ),
                ];
                assert!(
                    sizes.iter().all(|&size| size <= CARD_BYTES_MAX),
                    "{sizes:?}"
                );
                assert!(card.elements().len() < 100);
            }
        }
    }
}
