//! `/new`: begins a new conversation by forgetting the old one. What the chat says stays readable.

use tracing::error;

use super::{Command, Definition, Request};
use crate::bot::{Bot, access::Role, notice, phrase::Phrase};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::New,
    english: &["new"],
    chinese: &["新会话"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "begins a new conversation; I forget what was said between us here",
    about_chinese: "开始新会话，忘记我们之前在这里的对话",
    more_english: "",
    more_chinese: "",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let text = match bot.0.memory.forget(&request.session).await {
        Ok(forgotten) => Phrase::NewSession { forgotten }.text(request.language),
        Err(error) => {
            error!(%error, "a session could not be forgotten");
            Phrase::Broken {
                trace: &request.trace,
            }
            .text(request.language)
        }
    };
    notice::send(bot, &request.place, "new", &text).await;
}
