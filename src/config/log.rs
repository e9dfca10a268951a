//! `[log]`: what is logged, and how.

use serde::{Deserialize, Serialize};

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// For eyes or for machines.
    pub format: LogFormat,
    /// Which spans and events, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".into(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for eyes.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
