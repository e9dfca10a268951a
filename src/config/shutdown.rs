//! `[shutdown]`: how the process ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

/// `[shutdown]`: how the process ends.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShutdownConfig {
    /// How long turns that run may take to come to an end. What is left is taken up at the next start.
    #[serde(with = "duration")]
    pub drain: Duration,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(20),
        }
    }
}
