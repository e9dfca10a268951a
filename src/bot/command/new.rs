//! `/new`: begins a new conversation by forgetting the old one. What the chat says stays readable.

use tracing::error;

use super::{Command, Definition};
use crate::{
    bot::{
        Bot, Entry,
        card::answer::AnswerState,
        inbox::{KeptWord, Said},
        notice::{self, Place},
        phrase::Phrase,
    },
    store,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::New,
    english: &["new"],
    chinese: &["新会话"],
    about_english: "begins a new conversation; I forget what was said between us here",
    about_chinese: "开始新会话，忘记我们之前在这里的对话",
};

pub(super) async fn run(bot: &Bot, entry: &Entry, place: &Place) {
    let text = match &entry.kept.last {
        // An earlier process forgot, and was ended before it could say so or tidy up. What was said since
        // then is of the new conversation, and stays.
        Some(word) => word.text.clone(),
        None => forget(bot, entry).await.unwrap_or_else(|error| {
            error!(%error, "a session could not be forgotten");
            let trace = entry.message.id.as_str();
            Phrase::Broken { trace }.text(entry.language)
        }),
    };
    notice::send(bot, place, "new", &text).await;
}

/// Forgets, and keeps in the same write that it was done and what is to be said about it.
async fn forget(bot: &Bot, entry: &Entry) -> Result<String, store::Error> {
    let mut batch = bot.store().batch();
    let forgotten = bot.0.memory.forget(&entry.session, &mut batch).await?;
    let text = Phrase::NewSession { forgotten }.text(entry.language);
    let mut kept = entry.kept.clone();
    kept.last = Some(KeptWord {
        state: AnswerState::Done,
        said: Said::Answered,
        text: text.clone(),
        note: None,
        is_answer: false,
        anew: Vec::new(),
    });
    batch.put(&entry.key, &kept);
    bot.store().commit(batch).await?;
    Ok(text)
}
