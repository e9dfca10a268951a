//! `[model]`: the language model.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::duration;

use super::{problems::Problems, secret};

/// `[model]`: the language model, anything that speaks the OpenAI chat completions protocol.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The address that `/chat/completions` is added to.
    pub base_url: String,
    /// The key sent as a bearer token; servers at home often want none.
    #[serde(serialize_with = "secret::masked")]
    pub api_key: SecretString,
    /// A file that holds the key, read at start instead of `api_key`.
    pub api_key_file: Option<PathBuf>,
    /// The model's name, as its server knows it.
    pub name: String,
    /// How many tokens a request and its answer may have together.
    pub context_tokens: usize,
    /// How many tokens an answer may have; 0 leaves it to the server.
    pub answer_tokens_max: u32,
    /// Whether the model may be shown images. One that refuses them is asked again without, and people are told.
    pub images: bool,
    /// How long a connection may take to be made.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How long to wait for the first piece of an answer. Reasoning models take their time.
    #[serde(with = "duration")]
    pub first_token_timeout: Duration,
    /// How long an answer may pause before it is taken for broken.
    #[serde(with = "duration")]
    pub stall_timeout: Duration,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".into(),
            api_key: SecretString::default(),
            api_key_file: None,
            name: "gpt-4.1-mini".into(),
            context_tokens: 64_000,
            answer_tokens_max: 0,
            images: true,
            connect_timeout: Duration::from_secs(5),
            first_token_timeout: Duration::from_secs(90),
            stall_timeout: Duration::from_secs(60),
        }
    }
}

impl ModelConfig {
    pub(super) fn read_secrets(&mut self, problems: &mut Problems) {
        let file = &self.api_key_file;
        secret::read("model.api_key_file", file, &mut self.api_key, problems);
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand_url(
            &self.base_url,
            "`model.base_url` is not an address: it begins with http:// or https:// and ends before /chat/completions",
        );
        problems.demand(
            !self.name.is_empty(),
            "`model.name` is empty: name a model that the server knows",
        );
        problems.demand(
            secret::is_printable(&self.api_key),
            "`model.api_key` has characters that a key cannot have: was it copied whole, without spaces?",
        );
        problems.demand(
            self.context_tokens >= 4_000,
            "`model.context_tokens` is below 4000: a question with its context would not fit",
        );
    }
}
