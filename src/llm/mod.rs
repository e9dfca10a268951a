//! The model, and nothing else: a request in, a stream of events out.
//!
//! Speaks to any server with OpenAI's `/chat/completions`. What may surprise: [`Model::stream`] resolves
//! with the *first* piece of the answer and not with the response's head, because until then a request
//! that failed can be made again without anyone having seen half an answer.

mod chunk;
mod delta;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod image;
mod provider;
mod reading;
mod request;
#[cfg(test)]
mod tests;
mod tokens;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::stream::BoxStream;
use serde::Deserialize;
use serde_json::Value;
use tracing::{Instrument, field, info_span, warn};

use self::{
    provider::{Chunks, NotOpened, Provider},
    reading::Reading,
    request::Dialect,
};
use crate::{config::ModelConfig, telemetry::Metrics};

pub use error::{Error, Refusal, SetupError};
pub use image::{IMAGE_TOKENS, Image};
pub use tokens::estimate_tokens;

/// The longest wait that is worth it while someone looks at an empty card.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);

/// What the model is asked: a conversation, and the tools that it may call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The conversation, oldest first.
    pub messages: Vec<ChatMessage>,
    /// What the model may call. Empty means that it has to answer in words.
    pub tools: Vec<ToolSpec>,
}

/// One message of a conversation with the model.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatMessage {
    /// Our own instructions. Nothing that others wrote belongs here.
    System(String),
    /// What a person asks, and the material quoted for it.
    User(String),
    /// The same, with images.
    UserWithImages {
        /// What is asked.
        text: String,
        /// In the order in which the text speaks of them. At least one.
        images: Vec<Image>,
    },
    /// What the model said.
    Assistant {
        /// Its words, which may be empty beside tool calls.
        text: String,
        /// What it thought before it called tools. Some servers (DeepSeek) demand it back within a turn.
        reasoning: String,
        /// The calls it asked for. Each needs a [`ChatMessage::ToolResult`] after it.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    ToolResult {
        /// The [`ToolCall::id`] that this answers.
        call_id: String,
        /// The answer.
        text: String,
    },
}

/// A call that the model asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The server's name for the call; empty where the server gave none.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// JSON, as the model wrote it: it may be empty, cut off or wrong.
    pub arguments: String,
}

/// A tool, as the model is told about it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does and when to call it, for the model.
    pub description: String,
    /// A JSON Schema of its arguments, of type `object`.
    pub parameters: Value,
}

/// One thing that happens while the model answers. [`StreamEvent::Finished`] comes last, and once.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// The next piece of the answer.
    Text(String),
    /// The next piece of what the model thinks, which is no part of the answer.
    Reasoning(String),
    /// A complete call; all of them come after the text.
    ToolCall(ToolCall),
    /// The answer is complete.
    Finished {
        /// Why the model stopped.
        reason: FinishReason,
        /// What it cost, where the server says so.
        usage: Option<Usage>,
    },
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said all.
    Stop,
    /// It wants tools called.
    ToolCalls,
    /// It ran into a limit on tokens: the answer is cut.
    Length,
    /// The server held the rest back.
    ContentFilter,
    /// A reason only this server knows, such as DeepSeek's `insufficient_system_resource`.
    Other(String),
}

/// Tokens, as the model's server counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of requests.
    pub prompt_tokens: u64,
    /// Tokens of answers, thinking included.
    pub completion_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self
            .completion_tokens
            .saturating_add(other.completion_tokens);
    }
}

/// An answer on its way. Dropping it ends the request at once.
pub type Answer = BoxStream<'static, Result<StreamEvent, Error>>;

/// A model on a server. Clones share its connections, and what was learnt about the server.
#[derive(Clone)]
pub struct Model {
    provider: Provider,
    config: Arc<ModelConfig>,
    dialect: Arc<Mutex<Dialect>>,
    metrics: Metrics,
}

impl Model {
    /// Prepares to ask the model; connects to nothing yet. Fails when the address or the key cannot be
    /// used, or this machine has no certificates to trust.
    pub fn new(config: &ModelConfig, metrics: Metrics) -> Result<Self, SetupError> {
        // reqwest panics where no provider of cryptography is installed; a second one changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            provider: Provider::new(config)?,
            config: Arc::new(config.clone()),
            dialect: Arc::default(),
            metrics,
        })
    }

    /// The model's name, as its server knows it.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// How many tokens a request and its answer may have together.
    pub fn context_tokens(&self) -> usize {
        self.config.context_tokens
    }

    /// How many tokens an answer may have; 0 where that is left to the server.
    pub fn answer_tokens_max(&self) -> u32 {
        self.config.answer_tokens_max
    }

    /// The same model, whose answers may have so many tokens.
    #[must_use]
    pub fn with_answer_tokens_max(&self, answer_tokens_max: u32) -> Self {
        let config = ModelConfig {
            answer_tokens_max,
            ..(*self.config).clone()
        };
        Self {
            config: Arc::new(config),
            ..self.clone()
        }
    }

    /// Another model of the same server.
    #[must_use]
    pub fn with_name(&self, name: &str) -> Self {
        let config = ModelConfig {
            name: name.to_owned(),
            ..(*self.config).clone()
        };
        Self {
            config: Arc::new(config),
            // What one model was found to refuse, another may take.
            dialect: Arc::default(),
            ..self.clone()
        }
    }

    /// Whether it may be shown images.
    pub fn sees_images(&self) -> bool {
        self.config.images
    }

    /// Asks, and resolves with the answer when its first piece is there.
    ///
    /// What fails before that and may pass is tried once more, after the wait that the server asks for;
    /// a wait of more than ten seconds is left to the caller, as [`Error::TooFast`]. After the first
    /// piece nothing is tried again, since someone may have read it.
    pub async fn stream(&self, request: &Request) -> Result<Answer, Error> {
        let span = info_span!(
            "request",
            model.name = self.name(),
            tokens.prompt = field::Empty,
            tokens.completion = field::Empty,
        );
        let asking = async {
            let error = match self.begin(request).await {
                Err(error) if error.is_transient() => error,
                other => return other,
            };
            let Some(wait) = wait_before_retry(&error) else {
                return Err(error);
            };
            warn!(%error, ?wait, "asking the model once more");
            tokio::time::sleep(wait).await;
            self.begin(request).await
        };
        let reading = asking.instrument(span.clone()).await?;
        Ok(reading.into_answer(span, self.metrics.clone()))
    }

    /// Asks once, and waits for the first piece.
    async fn begin(&self, request: &Request) -> Result<Reading, Error> {
        let beginning = async {
            let chunks = self.open(request).await?;
            Reading::begin(chunks, self.config.stall_timeout).await
        };
        let wait = self.config.first_token_timeout;
        let begun = tokio::time::timeout(wait, beginning).await;
        begun.unwrap_or(Err(Error::NoFirstToken(wait)))
    }

    /// Opens an answer, and learns on the way what the server does not understand.
    async fn open(&self, request: &Request) -> Result<Chunks, Error> {
        loop {
            let dialect = *self.dialect();
            let limit = self.config.answer_tokens_max;
            let body = request::body(self.name(), limit, request, dialect);
            match self.provider.open(&body).await {
                Ok(chunks) => return Ok(chunks),
                Err(NotOpened::Failed(error)) => return Err(error),
                Err(NotOpened::Refused { body, error }) => {
                    match (&error, dialect.after_refusal(&body)) {
                        // Ends, because each refusal takes one more thing out of the dialect.
                        (Error::Refused(_), Some(next)) => *self.dialect() = next,
                        _ => return Err(error),
                    }
                }
            }
        }
    }

    fn dialect(&self) -> MutexGuard<'_, Dialect> {
        // Plain data: whoever panicked while holding the lock left it whole.
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait before a request is made again; nothing where it is too long to wait.
fn wait_before_retry(error: &Error) -> Option<Duration> {
    match error {
        Error::TooFast { wait: Some(wait) } => (*wait <= RETRY_WAIT_MAX).then_some(*wait),
        // Many ask at once when a server comes back, so not all at the same moment.
        _ => Some(Duration::from_millis(fastrand::u64(300..900))),
    }
}
