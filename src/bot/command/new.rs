//! `/new`: begins a new conversation by forgetting the old one. What the chat says stays readable.

use tracing::error;

use super::{Command, Definition, Request};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::answer::AnswerState,
        inbox::{KeptWord, Said},
        notice,
        phrase::Phrase,
    },
    store,
};

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
    let text = match &request.kept.last {
        // An earlier process forgot, and was ended before it could say so or tidy up. What was said since
        // then is of the new conversation, and stays.
        Some(word) => word.text.clone(),
        None => forget(bot, request).await.unwrap_or_else(|error| {
            error!(%error, "a session could not be forgotten");
            let trace = &request.trace;
            Phrase::Broken { trace }.text(request.language)
        }),
    };
    notice::send(bot, &request.place, "new", &text).await;
}

/// Forgets, and keeps in the same write that it was done and what is to be said about it.
async fn forget(bot: &Bot, request: &Request) -> Result<String, store::Error> {
    let mut batch = bot.store().batch();
    let forgotten = bot.0.memory.forget(&request.session, &mut batch).await?;
    let text = Phrase::NewSession { forgotten }.text(request.language);
    let mut kept = request.kept.clone();
    kept.last = Some(KeptWord {
        state: AnswerState::Done,
        said: Said::Answered,
        text: text.clone(),
        note: None,
        is_answer: false,
        can_regenerate: false,
        anew: Vec::new(),
    });
    batch.put(&request.arrival, &kept);
    bot.store().commit(batch).await?;
    Ok(text)
}
