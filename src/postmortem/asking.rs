//! Asks a model for one complete answer, waits for one that is away for a moment, and counts what it all cost.
//!
//! Every request says how long its answer may be, and why the answer ended is looked at: one that ran into
//! the limit is cut, which is told to the caller and never taken for the whole.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::draft::DraftError;
use crate::llm::{
    ChatMessage, Error, FinishReason, IMAGE_TOKENS, Model, Request, StreamEvent, estimate_tokens,
};

/// The longest answer that is read, in bytes, whatever the server thinks of limits.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How long a draft waits in all for a model that is away or asks to slow down, before it does without.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a draft cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// What reading the room cost, repairs included.
    pub reading: Spent,
    /// What wording the sections cost, repairs included.
    pub writing: Spent,
    /// What looking at images cost.
    pub looking: Spent,
    /// Tokens of the transcript, as they were estimated.
    pub transcript_tokens: u64,
}

/// What one kind of work cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// How often the model was asked.
    pub calls: u64,
    /// Tokens of all requests: as the server counted them, or as they were estimated where it did not.
    pub prompt_tokens: u64,
    /// Tokens of all answers, likewise.
    pub completion_tokens: u64,
    /// Tokens of all requests as they were estimated, like the transcript's, with which they are compared.
    pub estimated_tokens: u64,
    /// How many answers ran into their limit.
    pub cut: u64,
}

impl Spent {
    /// Tokens of requests and answers.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }
}

impl Cost {
    /// How often the model was asked.
    pub fn calls(&self) -> u64 {
        self.reading.calls + self.writing.calls + self.looking.calls
    }

    /// Tokens of all requests and answers.
    pub fn tokens(&self) -> u64 {
        self.reading.tokens() + self.writing.tokens() + self.looking.tokens()
    }

    /// Tokens of the requests that read the room, in percent of its own. Less than 100 where parts were read
    /// before; much more in a small room, where the prompts tell. Nothing where no model read it.
    pub fn read_percent(&self) -> Option<u64> {
        let is_read = self.reading.calls > 0 && self.transcript_tokens > 0;
        is_read.then(|| self.reading.estimated_tokens * 100 / self.transcript_tokens)
    }
}

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read a part of the room.
    Reading,
    /// To word a section.
    Writing,
    /// To say what is seen in an image.
    Looking,
}

/// A model with a budget.
pub struct Asker {
    model: Model,
    answer_tokens: usize,
    patience: Duration,
    /// Whether somebody waited in vain. Then nobody else does, until it answers again.
    is_away: AtomicBool,
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
    /// Asks this model, until it is cancelled. One that is away is waited for so long.
    pub fn new(model: &Model, patience: Duration, cancel: CancellationToken) -> Self {
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
            patience,
            is_away: AtomicBool::new(false),
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

    /// How many tokens of material fit into a request whose own words have so many. Tokens are only estimated,
    /// hence the margin.
    pub fn room_once(&self, own_tokens: usize) -> usize {
        self.room_beside(own_tokens + self.answer_tokens)
    }

    /// The same where there is to be room for one repair: the first answer comes back in it, with what is wrong
    /// with it.
    pub fn room(&self, own_tokens: usize) -> usize {
        self.room_beside(own_tokens + self.answer_tokens * 5 / 2)
    }

    fn room_beside(&self, tokens: usize) -> usize {
        let usable = self.model.context_tokens() * 85 / 100;
        usable.saturating_sub(tokens + 128).max(256)
    }

    /// What was spent so far.
    pub fn cost(&self) -> Cost {
        *self.costs()
    }

    fn costs(&self) -> MutexGuard<'_, Cost> {
        // Plain numbers: whoever panicked while holding the lock left them whole.
        self.cost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and waits for all of the answer.
    pub async fn ask(
        &self,
        purpose: Purpose,
        messages: Vec<ChatMessage>,
    ) -> Result<Said, DraftError> {
        tokio::select! {
            // Dropping the request ends it at once, and so it does a wait.
            () = self.cancel.cancelled() => Err(DraftError::Cancelled),
            said = self.ask_patiently(purpose, messages) => said.map_err(DraftError::Model),
        }
    }

    /// Asks again where that may help, after waits that double and that the patience bounds.
    async fn ask_patiently(
        &self,
        purpose: Purpose,
        messages: Vec<ChatMessage>,
    ) -> Result<Said, Error> {
        let request = Request {
            messages,
            tools: Vec::new(),
        };
        let mut left = self.patience;
        let mut next = self.patience / 15;
        loop {
            let error = match self.ask_to_the_end(purpose, &request).await {
                Err(error) if error.is_transient() => error,
                other => {
                    if other.is_ok() {
                        self.is_away.store(false, Ordering::Relaxed);
                    }
                    return other;
                }
            };
            let wait = match &error {
                Error::TooFast { wait: Some(wait) } => (*wait).max(next),
                _ => next,
            };
            if wait.is_zero() || wait > left || self.is_away.load(Ordering::Relaxed) {
                self.is_away.store(true, Ordering::Relaxed);
                return Err(error);
            }
            tracing::warn!(%error, ?wait, "waiting for the model");
            tokio::time::sleep(wait).await;
            left -= wait;
            next *= 2;
        }
    }

    async fn ask_to_the_end(&self, purpose: Purpose, request: &Request) -> Result<Said, Error> {
        let mut answer = self.model.stream(request).await?;
        let estimated: usize = request.messages.iter().map(tokens).sum();
        let estimated = estimated as u64;
        // Counted before the end: an answer that breaks off was asked for too.
        self.spend(purpose, |spent| {
            spent.calls += 1;
            spent.estimated_tokens += estimated;
            spent.prompt_tokens += estimated;
        });
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
        self.spend(purpose, |spent| {
            spent.cut += u64::from(said.is_cut);
            match usage {
                Some(usage) => {
                    spent.prompt_tokens = spent.prompt_tokens - estimated + usage.prompt_tokens;
                    spent.completion_tokens += usage.completion_tokens;
                }
                None => spent.completion_tokens += estimate_tokens(&said.text) as u64,
            }
        });
        Ok(said)
    }

    fn spend(&self, purpose: Purpose, count: impl FnOnce(&mut Spent)) {
        let mut cost = self.costs();
        count(match purpose {
            Purpose::Reading => &mut cost.reading,
            Purpose::Writing => &mut cost.writing,
            Purpose::Looking => &mut cost.looking,
        });
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
