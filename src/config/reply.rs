//! `[reply]`: how answers reach the chat.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

use super::problems::Problems;

/// `[reply]`: how answers reach the chat.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplyConfig {
    /// How often a streaming card is redrawn. Slower is kinder to the platform's limits.
    #[serde(with = "duration")]
    pub redraw_every: Duration,
    /// The platform ends streaming ten minutes after it was switched on, so it is switched on anew this long after.
    #[serde(with = "duration")]
    pub renew_streaming_after: Duration,
    /// How long a card stays as it is before it shows the time instead, when there is nothing else to show. After
    /// the first time, twice as long.
    #[serde(with = "duration")]
    pub silence_shown_after: Duration,
    /// The reactions that show where a question stands.
    pub reactions: ReactionsConfig,
}

impl Default for ReplyConfig {
    fn default() -> Self {
        Self {
            redraw_every: Duration::from_millis(400),
            renew_streaming_after: Duration::from_secs(9 * 60),
            silence_shown_after: Duration::from_secs(15),
            reactions: ReactionsConfig::default(),
        }
    }
}

/// `[reply.reactions]`: the reactions that show where a question stands, by the platform's `emoji_type`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReactionsConfig {
    /// The question was seen and is being worked on.
    pub seen: String,
    /// The answer is there.
    pub done: String,
    /// Someone stopped the turn.
    pub stopped: String,
    /// There will be no answer; the card says why.
    pub failed: String,
}

impl Default for ReactionsConfig {
    fn default() -> Self {
        Self {
            seen: "OnIt".into(),
            done: "DONE".into(),
            stopped: "CrossMark".into(),
            failed: "ERROR".into(),
        }
    }
}

impl ReactionsConfig {
    /// All of them, with the key each is configured under.
    pub fn all(&self) -> [(&'static str, &str); 4] {
        [
            ("seen", &self.seen),
            ("done", &self.done),
            ("stopped", &self.stopped),
            ("failed", &self.failed),
        ]
    }
}

impl ReplyConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            self.redraw_every >= Duration::from_millis(100),
            "`reply.redraw_every` is below 100ms: the platform takes 10 changes a second of one card",
        );
    }
}
