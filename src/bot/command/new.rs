//! `/new`: begins a new conversation by forgetting the old one. What the chat says stays readable.

use tracing::error;

use super::{Command, Definition};
use crate::bot::{
    Bot, Entry,
    notice::{self, Place},
    phrase::Phrase,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::New,
    english: &["new"],
    chinese: &["新会话"],
    about_english: "begins a new conversation; I forget what was said between us here",
    about_chinese: "开始新会话，忘记我们之前在这里的对话",
};

pub(super) async fn run(bot: &Bot, entry: &Entry, place: &Place) {
    let text = match bot.0.memory.forget(&entry.session).await {
        Ok(forgotten) => Phrase::NewSession { forgotten }.text(entry.language),
        Err(error) => {
            error!(%error, "a session could not be forgotten");
            Phrase::Broken {
                trace: entry.message.id.as_str(),
            }
            .text(entry.language)
        }
    };
    notice::send(bot, place, "new", &text).await;
}
