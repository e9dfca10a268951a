//! `[agent]`: the limits of one turn of thought.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

use super::problems::Problems;

/// `[agent]`: the limits of one turn of thought.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentConfig {
    /// How many times the model may be asked in one turn.
    pub steps_max: usize,
    /// How long a turn may take in all.
    #[serde(with = "duration")]
    pub time_max: Duration,
    /// How long one tool call may take.
    #[serde(with = "duration")]
    pub tool_timeout: Duration,
    /// How many bytes of one tool's result the model is shown.
    pub tool_result_bytes_max: usize,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            steps_max: 12,
            time_max: Duration::from_secs(600),
            tool_timeout: Duration::from_secs(30),
            tool_result_bytes_max: 32 * 1024,
        }
    }
}

impl AgentConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            self.steps_max >= 1,
            "`agent.steps_max` is 0: allow at least one",
        );
        problems.demand(
            self.tool_result_bytes_max >= 1024,
            "`agent.tool_result_bytes_max` is below 1024: tools could say nothing",
        );
    }
}
