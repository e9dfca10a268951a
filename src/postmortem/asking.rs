//! Asks a model for one complete answer, and counts what that cost.
//!
//! Every request says how long its answer may be, and why the answer ended is looked at: one that ran into
//! the limit is cut, which is told to the caller and never taken for the whole.

use std::sync::Mutex;

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::draft::DraftError;
use crate::llm::{
    ChatMessage, Error, FinishReason, IMAGE_TOKENS, Model, Request, StreamEvent, estimate_tokens,
};

/// The longest answer that is read, in bytes, whatever the server thinks of limits.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What a draft cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// How often the model was asked.
    pub calls: u64,
    /// Tokens of all requests: as the server counted them, or as they were estimated where it did not.
    pub prompt_tokens: u64,
    /// Tokens of all answers, likewise.
    pub completion_tokens: u64,
    /// Tokens of the transcript, as they were estimated.
    pub transcript_tokens: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        self.transcript_tokens += other.transcript_tokens;
    }
}

/// A model with a budget.
pub struct Asker {
    model: Model,
    answer_tokens: usize,
    cost: Mutex<Cost>,
    cancel: CancellationToken,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its words.
    pub text: String,
    /// Whether its end is missing.
    pub is_cut: bool,
}

impl Asker {
    /// Asks this model, until it is cancelled.
    pub fn new(model: &Model, cancel: CancellationToken) -> Self {
        let quarter = (model.context_tokens() / 4).min(4096);
        let answer_tokens = match model.answer_tokens_max() as usize {
            0 => quarter,
            // A limit as long as the window is a wish and not a plan.
            limit => limit.min(model.context_tokens() / 3),
        };
        let limit = u32::try_from(answer_tokens).unwrap_or(u32::MAX);
        Self {
            model: model.with_answer_tokens_max(limit),
            answer_tokens,
            cost: Mutex::default(),
            cancel,
        }
    }

    /// The model's name.
    pub fn model_name(&self) -> &str {
        self.model.name()
    }

    /// How many tokens an answer may have.
    pub fn answer_tokens(&self) -> usize {
        self.answer_tokens
    }

    /// How many tokens of material fit into a request whose own words have so many. There is room for one
    /// repair: the first answer comes back in it, with what is wrong with it. Tokens are only estimated, hence
    /// the margin.
    pub fn room(&self, own_tokens: usize) -> usize {
        let usable = self.model.context_tokens() * 85 / 100;
        usable
            .saturating_sub(own_tokens + self.answer_tokens * 5 / 2 + 128)
            .max(256)
    }

    /// What was spent so far.
    pub fn cost(&self) -> Cost {
        *self
            .cost
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Asks, and waits for all of the answer.
    pub async fn ask(&self, messages: Vec<ChatMessage>) -> Result<Said, DraftError> {
        tokio::select! {
            // Dropping the request ends it at once.
            () = self.cancel.cancelled() => Err(DraftError::Cancelled),
            said = self.ask_to_the_end(messages) => said.map_err(DraftError::Model),
        }
    }

    async fn ask_to_the_end(&self, messages: Vec<ChatMessage>) -> Result<Said, Error> {
        let estimated: usize = messages.iter().map(tokens).sum();
        let request = Request {
            messages,
            tools: Vec::new(),
        };
        let mut answer = self.model.stream(&request).await?;
        let mut said = Said {
            text: String::new(),
            is_cut: true,
        };
        let mut usage = None;
        while let Some(event) = answer.next().await {
            match event? {
                StreamEvent::Text(text) => said.text.push_str(&text),
                StreamEvent::Finished {
                    reason,
                    usage: counted,
                } => {
                    said.is_cut = reason != FinishReason::Stop;
                    usage = counted;
                }
                StreamEvent::Reasoning(_) | StreamEvent::ToolCall(_) => {}
            }
            if said.text.len() > ANSWER_BYTES_MAX {
                said.is_cut = true;
                break;
            }
        }
        let mut cost = self
            .cost
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        cost.calls += 1;
        cost.prompt_tokens += usage.map_or(estimated as u64, |usage| usage.prompt_tokens);
        cost.completion_tokens += usage.map_or(estimate_tokens(&said.text) as u64, |usage| {
            usage.completion_tokens
        });
        Ok(said)
    }
}

fn tokens(message: &ChatMessage) -> usize {
    match message {
        ChatMessage::System(text)
        | ChatMessage::User(text)
        | ChatMessage::Assistant { text, .. } => estimate_tokens(text) + 8,
        ChatMessage::UserWithImages { text, images } => {
            estimate_tokens(text) + 8 + images.len() * IMAGE_TOKENS
        }
        ChatMessage::ToolResult { .. } => 0,
    }
}
