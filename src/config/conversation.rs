//! `[conversation]`: what a question is read together with, and how questions wait for each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

use super::problems::Problems;

/// `[conversation]`: what a question is read together with, and how questions wait for each other.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConversationConfig {
    /// How many messages of the chat are read before a question is answered. 0 reads none.
    pub history_messages: usize,
    /// How old they may be.
    #[serde(with = "duration")]
    pub history_age: Duration,
    /// How many tokens they may take together; the newest are kept.
    pub history_tokens: usize,
    /// How many earlier turns of the same session are remembered.
    pub remembered_turns: usize,
    /// How many tokens they may take together; the newest are kept.
    pub remembered_tokens: usize,
    /// How many messages may wait in one session while a turn runs.
    pub waiting_max: usize,
    /// A command that arrives later than this is not carried out.
    #[serde(with = "duration")]
    pub command_age_max: Duration,
    /// The language of our own sentences where the asker's cannot be told.
    pub language: Language,
    /// The time zone of the times people and the model are shown, by its IANA name.
    pub time_zone: String,
}

impl Default for ConversationConfig {
    fn default() -> Self {
        Self {
            history_messages: 50,
            history_age: Duration::from_secs(24 * 3600),
            history_tokens: 8_000,
            remembered_turns: 20,
            remembered_tokens: 16_000,
            waiting_max: 10,
            command_age_max: Duration::from_secs(300),
            language: Language::En,
            time_zone: "UTC".into(),
        }
    }
}

/// A language the bot speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

impl ConversationConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            self.waiting_max >= 1,
            "`conversation.waiting_max` is 0: allow at least one",
        );
        problems.demand(
            jiff::tz::TimeZone::get(&self.time_zone).is_ok(),
            "`conversation.time_zone` is not a time zone: use an IANA name such as Asia/Shanghai",
        );
    }
}
