//! Something said in a chat, as a line of it.

use jiff::{Timestamp, tz::TimeZone};

use super::clip;
use crate::prompt::marks::one_line;

/// Something said in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The name of who said it.
    pub author: String,
    /// Whether a bot (this one or another) said it.
    pub is_bot: bool,
    /// When.
    pub at: Timestamp,
    /// What, as plain text.
    pub text: String,
    /// What it replies to, in words for the model: the author and the beginning of that message.
    pub reply_to: Option<String>,
}

impl Said {
    /// A line of a chat. Lines after the first are indented, so that none can pass for another message.
    pub(super) fn line(&self, zone: &TimeZone, tokens_max: usize) -> String {
        let at = self.at.to_zoned(zone.clone());
        let author = one_line(&self.author, 64);
        let bot = if self.is_bot { " (bot)" } else { "" };
        let reply = self.reply_to.as_ref().map_or_else(String::new, |to| {
            format!(" (in reply to {:?})", one_line(to, 80))
        });
        let text = clip(self.text.trim(), tokens_max).replace(['\r', '\u{2028}', '\u{2029}'], "\n");
        let text = text.replace('\n', "\n    ");
        format!(
            "[{}] {author}{bot}{reply}: {text}",
            at.strftime("%m-%d %H:%M:%S")
        )
    }
}
