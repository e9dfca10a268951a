//! What the model is told about a question, within a budget of tokens.
//!
//! The newest is kept. When there is too little room, the question is cut last, then the message it
//! replies to; the chat's history comes before what is remembered of the session, because it is what the
//! question is about.

mod attached;
mod excerpt;
mod facts;
mod said;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::{
    config::{ConversationConfig, FilesConfig, Language, ModelConfig},
    llm::{ChatMessage, IMAGE_TOKENS, estimate_tokens},
    prompt::{
        Prompt, Question, Remembered, System,
        marks::{Marks, beginning, one_line},
    },
};

pub use attached::{Attached, Content, With};
pub use excerpt::{Excerpt, Gap};
pub use facts::{ChatKind, Facts};
pub use said::Said;

use attached::Rendered;

/// What a message costs beside its text, about.
pub(super) const MESSAGE_TOKENS: usize = 8;

/// All that a turn starts from.
#[derive(Debug, Clone)]
pub struct Context {
    /// The language of tool titles, and of an answer to a question that has none.
    pub language: Language,
    /// When the question is taken up, in the zone in which times are shown.
    pub now: Zoned,
    /// Where the question was asked.
    pub facts: Facts,
    /// Earlier turns of this session, oldest first.
    pub remembered: Vec<Exchange>,
    /// How many turns older than these the session has had.
    pub remembered_left_out: usize,
    /// What was said in the chat (or thread) before the question, oldest first.
    pub history: Vec<Said>,
    /// How many messages are known to be missing from the old end of `history`.
    pub history_left_out: usize,
    /// Why `history` is less than it should be, in a sentence: what was not read is unknown, never empty.
    pub history_problem: Option<String>,
    /// The message that the question replies to.
    pub quoted: Option<Said>,
    /// What came with the question, or with the message it replies to.
    pub attached: Vec<Attached>,
    /// The question.
    pub question: Said,
    /// How long all this may be.
    pub budgets: Budgets,
}

/// How many tokens the parts of a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// A request and its answer together.
    pub context_tokens: usize,
    /// Of these, what is kept free for the answer; 0 takes a quarter, at most 4096.
    pub answer_tokens: usize,
    /// `history`, at most.
    pub history_tokens: usize,
    /// `remembered`, at most.
    pub remembered_tokens: usize,
    /// The texts of `attached`, at most.
    pub file_tokens: usize,
}

impl Budgets {
    /// The budgets that the configuration gives.
    pub fn new(
        model: &ModelConfig,
        conversation: &ConversationConfig,
        files: &FilesConfig,
    ) -> Self {
        Self {
            context_tokens: model.context_tokens,
            answer_tokens: model.answer_tokens_max as usize,
            history_tokens: conversation.history_tokens,
            remembered_tokens: conversation.remembered_tokens,
            file_tokens: files.tokens_max,
        }
    }

    /// What a request may have, with some head-room, since tokens are only estimated.
    pub(super) fn request_tokens(&self) -> usize {
        let answer = match self.answer_tokens {
            0 => (self.context_tokens / 4).min(4096),
            // A limit as long as the context is a wish and not a plan.
            tokens => tokens.min(self.context_tokens / 2),
        };
        (self.context_tokens - answer) * 85 / 100
    }
}

/// An earlier turn of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was asked.
    pub question: String,
    /// What the bot answered.
    pub answer: String,
    /// The name of who asked.
    pub asked_by: String,
    /// When it was asked.
    pub at: Timestamp,
}

/// The parts of the last message that had to be made to fit.
#[derive(Default)]
struct Ask {
    question: String,
    quoted: Option<String>,
    attached: Option<String>,
    history: Vec<String>,
    forgotten: usize,
}

impl Context {
    /// The conversation up to the question, of about so many tokens at most. A model that `sees` is shown
    /// the images.
    pub(super) fn messages(
        &self,
        marks: &Marks,
        tokens_max: usize,
        sees: bool,
    ) -> Vec<ChatMessage> {
        let system = System {
            language: match self.language {
                Language::En => "English",
                Language::Zh => "Chinese",
            },
            nonce: marks.nonce(),
        };
        let system = system.render();
        let mut ask = Ask {
            question: marks.harmless(&clip(&self.question.text, tokens_max / 3)),
            quoted: self.quoted.as_ref().map(|said| {
                let line = said.line(self.now.time_zone(), tokens_max / 6);
                marks.quote(&line)
            }),
            ..Ask::default()
        };
        // The frame of the question is among its fixed costs, so it is rendered without what is optional.
        let bare = estimate_tokens(&self.render(marks, &ask));
        let room = tokens_max.saturating_sub(estimate_tokens(&system) + bare + 64);
        // What was sent to be read comes before what happens to stand around it.
        let for_files = room * 3 / 4;
        let Rendered { text, images } = attached::render(
            &self.attached,
            marks,
            for_files,
            self.budgets.file_tokens,
            sees,
        );
        ask.attached = text;
        let attached = estimate_tokens(&self.render(marks, &ask)).saturating_sub(bare)
            + images.len() * IMAGE_TOKENS;
        let room = room.saturating_sub(attached);

        ask.history = self.newest_history(room.min(self.budgets.history_tokens));
        let images_cost = images.len() * IMAGE_TOKENS;
        let spent = (estimate_tokens(&self.render(marks, &ask)) + images_cost)
            .saturating_sub(bare + attached);
        let room = room.saturating_sub(spent);
        let remembered = self.newest_remembered(marks, room.min(self.budgets.remembered_tokens));
        ask.forgotten = self.remembered_left_out + self.remembered.len() - remembered.len() / 2;

        let mut messages = vec![ChatMessage::System(system)];
        messages.extend(remembered);
        let text = self.render(marks, &ask);
        messages.push(match images.is_empty() {
            true => ChatMessage::User(text),
            false => ChatMessage::UserWithImages { text, images },
        });
        messages
    }

    /// The last message: everything quoted, and then the question.
    fn render(&self, marks: &Marks, ask: &Ask) -> String {
        let left_out = self.history_left_out + (self.history.len() - ask.history.len());
        let history = (!ask.history.is_empty()).then(|| marks.quote(&ask.history.join("\n")));
        let problem = self.history_problem.as_ref();
        let problem = problem.map(|problem| marks.quote(&one_line(problem, 200)));
        let question = Question {
            now: &self
                .now
                .strftime("%Y-%m-%d %H:%M:%S, %A, UTC%:z (%Q)")
                .to_string(),
            facts: &marks.quote(&self.facts.describe()),
            forgotten: (ask.forgotten > 0).then_some(ask.forgotten),
            history: history.as_deref(),
            left_out: (left_out > 0).then_some(left_out),
            history_problem: problem.as_deref(),
            quoted: ask.quoted.as_deref(),
            attached: ask.attached.as_deref(),
            asker: &marks.quote_name(&self.question.author),
            question: &ask.question,
        };
        question.render()
    }

    /// The newest messages of the chat that fit, oldest first. None takes more than a quarter.
    fn newest_history(&self, tokens_max: usize) -> Vec<String> {
        newest_lines(&self.history, self.now.time_zone(), tokens_max)
    }

    /// The newest turns of the session that fit, oldest first, each a question and an answer.
    fn newest_remembered(&self, marks: &Marks, tokens_max: usize) -> Vec<ChatMessage> {
        let zone = self.now.time_zone();
        let turns = self.remembered.iter().rev().map(|exchange| {
            let asked = Remembered {
                at: &exchange
                    .at
                    .to_zoned(zone.clone())
                    .strftime("%Y-%m-%d %H:%M")
                    .to_string(),
                asker: &marks.quote_name(&exchange.asked_by),
                question: &marks.harmless(&clip(&exchange.question, tokens_max / 4)),
            };
            (
                asked.render(),
                marks.harmless(&clip(&exchange.answer, tokens_max / 2)),
            )
        });
        let cost = |(asked, answer): &(String, String)| {
            estimate_tokens(asked) + estimate_tokens(answer) + 2 * MESSAGE_TOKENS
        };
        let kept = keep_while_it_fits(turns, tokens_max, cost);
        let messages = kept.into_iter().rev().flat_map(|(asked, answer)| {
            [
                ChatMessage::User(asked),
                ChatMessage::Assistant {
                    text: answer,
                    reasoning: String::new(),
                    tool_calls: Vec::new(),
                },
            ]
        });
        messages.collect()
    }
}

/// The newest messages of a chat that fit into so many tokens, as the model is given them, oldest first.
pub fn newest_lines(history: &[Said], zone: &TimeZone, tokens_max: usize) -> Vec<String> {
    let lines = history.iter().rev();
    let lines = lines.map(|said| said.line(zone, tokens_max / 4));
    let mut kept = keep_while_it_fits(lines, tokens_max, |line| estimate_tokens(line));
    kept.reverse();
    kept
}

/// The first of these that together stay within a number of tokens.
fn keep_while_it_fits<T>(
    items: impl Iterator<Item = T>,
    tokens_max: usize,
    cost: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut left = tokens_max;
    let fits = |item: &T| {
        let enough = left.checked_sub(cost(item));
        left = enough.unwrap_or(left);
        enough.is_some()
    };
    // `take_while`, because a conversation with holes reads as one without.
    items.take_while(fits).collect()
}

/// The beginning of a text, of about so many tokens at most, which says so when it is not the whole.
pub(super) fn clip(text: &str, tokens_max: usize) -> String {
    let tokens = estimate_tokens(text);
    if tokens <= tokens_max {
        return text.to_owned();
    }
    let kept = beginning(text, text.len().saturating_mul(tokens_max) / tokens);
    format!(
        "{kept} […cut: {} of {} bytes are shown]",
        kept.len(),
        text.len()
    )
}

#[cfg(test)]
pub(super) mod tests;
