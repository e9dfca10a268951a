//! A piece of an answer as it stands on the wire, read leniently.
//!
//! Every server calls itself compatible and is so in its own way. A field that is missing, null or of an
//! unknown type counts as absent, so that one odd field does not cost the answer; unknown fields are
//! ignored. A whole answer (`message`) has the same shape as a piece of one (`delta`).

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::Usage;

/// One `data:` line of a stream, or the body of an answer that is not streamed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk {
    /// We ask for one answer, so there is one at most; the piece with the usage has none.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) choices: Vec<Choice>,
    /// In the last piece; some servers send a running count in each.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Option<Usage>,
    /// What went wrong in the middle of a stream: an object, or a sentence.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error: Option<Value>,
    /// `error` where an error is not wrapped (vLLM).
    #[serde(default, deserialize_with = "lenient")]
    pub(super) object: String,
    /// The sentence of an error that is not wrapped.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) message: Option<Value>,
    /// The code of an error that is not wrapped.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) code: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Choice {
    #[serde(default, deserialize_with = "lenient", alias = "message")]
    pub(super) delta: Piece,
    /// A word, and not an enum: servers have words of their own.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Piece {
    /// A text, or a list of parts of which some are texts.
    #[serde(default, deserialize_with = "lenient")]
    content: Value,
    /// What the model says instead of an answer it will not give (OpenAI).
    #[serde(default, deserialize_with = "lenient")]
    refusal: String,
    /// Thinking, by DeepSeek, Qwen, Kimi, SGLang and older vLLM.
    #[serde(default, deserialize_with = "lenient")]
    reasoning_content: String,
    /// Thinking, by OpenRouter, Ollama and newer vLLM.
    #[serde(default, deserialize_with = "lenient")]
    reasoning: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) tool_calls: Vec<CallPiece>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CallPiece {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) index: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) function: FunctionPiece,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionPiece {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    arguments: Value,
}

impl Piece {
    /// The piece of the answer.
    pub(super) fn text(&self) -> String {
        let mut text = match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect(),
            _ => String::new(),
        };
        text.push_str(&self.refusal);
        text
    }

    /// The piece of thinking. A server that fills both fields says the same in both.
    pub(super) fn thinking(&self) -> &str {
        if self.reasoning_content.is_empty() {
            &self.reasoning
        } else {
            &self.reasoning_content
        }
    }
}

impl FunctionPiece {
    /// The piece of JSON. Some servers send the arguments as an object and not as a text.
    pub(super) fn arguments(&self) -> String {
        match &self.arguments {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// Reads a field, or takes it for absent when it is not what we know.
fn lenient<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(T::deserialize(value).unwrap_or_default())
}
