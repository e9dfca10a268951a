//! The model, and nothing else: a request in, a stream of events out.
//!
//! Speaks to any server with OpenAI's `/chat/completions`. What may surprise: [`Model::stream`] resolves
//! with the *first* piece of the answer and not with the response's head, because until then a request
//! that failed can be made again without anyone having seen half an answer.

mod error;
mod tokens;

use futures::stream::BoxStream;
use serde_json::Value;

use crate::{config::ModelConfig, telemetry::Metrics};

pub use error::{Error, Refusal};
pub use tokens::estimate_tokens;

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

/// A model on a server. Clones share its connections.
#[derive(Clone)]
pub struct Model {}

impl Model {
    /// Prepares to ask the model; connects to nothing yet.
    pub fn new(_config: &ModelConfig, _metrics: Metrics) -> Result<Self, Error> {
        unimplemented!()
    }

    /// The model's name, as its server knows it.
    pub fn name(&self) -> &str {
        unimplemented!()
    }

    /// Asks, and resolves with the answer when its first piece is there.
    pub async fn stream(&self, _request: &Request) -> Result<Answer, Error> {
        unimplemented!()
    }
}
