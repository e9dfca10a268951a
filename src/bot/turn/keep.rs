//! What is kept of a turn once its last word was said: for the questions after it, and for its buttons.

use jiff::Timestamp;
use serde_json::Value;
use tracing::error;

use crate::{
    bot::{
        happening::recalled,
        inbox::KeptWord,
        memory::Exchange,
        past::{PastTurn, turn_id},
        reply::Journal,
    },
    config::Language,
    feishu::{MessageId, OpenId},
    store,
};

use super::Turn;

impl Turn<'_> {
    /// Keeps what was said, and that the last word was said, in one write.
    pub(super) async fn remember(
        &self,
        word: &KeptWord,
        messages: Vec<MessageId>,
        card: Option<Value>,
        journal: &Journal,
    ) {
        let (desk, message) = (&self.bot.0, &self.entry.message);
        let mut batch = desk.store.batch();
        batch.put(&journal.key, &journal.kept);
        if word.can_regenerate && !messages.is_empty() {
            let past = self.past(word, &messages, card);
            let id = turn_id(&message.id, &self.entry.key);
            desk.past.put(&id, &past, &mut batch);
        }
        if word.is_answer && !messages.is_empty() {
            let asker = OpenId::new(message.sender.id.as_str());
            let exchange = Exchange {
                question_id: message.id.clone(),
                answer_ids: messages,
                replaced_ids: match &self.entry.kept.again {
                    Some(again) => again.replaces.clone(),
                    None => Vec::new(),
                },
                asked_by: desk.people.name(&asker, &message.chat_id).await,
                asked_at: message.created_at,
                question: self.entry.text.clone(),
                answer: word.text.clone(),
            };
            if let Err(error) = desk
                .memory
                .remember(&self.entry.session, &exchange, &mut batch)
                .await
            {
                error!(%error, "the session will not know this answer");
            }
        }
        if let Err(error) = desk.store.commit(batch).await {
            error!(%error, "an answer was given and could not be kept; a crash now would give it again");
        }
        if let Err(error) = self.forget_what_is_gone().await {
            error!(%error, "the session may remember what was withdrawn");
        }
    }

    /// The question may have been recalled, or its chat dissolved, while the last word was said. Looked for
    /// after the answer was kept, as whoever withdraws notes that first and forgets after it: so one of the
    /// two sees the other, whichever is first.
    async fn forget_what_is_gone(&self) -> Result<(), store::Error> {
        let (desk, entry) = (&self.bot.0, self.entry);
        if desk.inbox.is_recalled(&entry.message.id).await? {
            recalled::forget_message(self.bot, &entry.chat, &entry.message.id).await?;
        }
        if self.running.is_chat_gone() {
            desk.memory.forget_chat(&entry.chat).await?;
            desk.past.forget_chat(&entry.message.chat_id).await?;
        }
        Ok(())
    }

    /// What its buttons need from now on.
    fn past(&self, word: &KeptWord, messages: &[MessageId], card: Option<Value>) -> PastTurn {
        let again = self.entry.kept.again.as_ref();
        PastTurn {
            payload: self.entry.kept.payload.clone(),
            chat: self.entry.message.chat_id.clone(),
            messages: messages.to_vec(),
            card,
            is_zh: self.entry.language == Language::Zh,
            is_answer: word.is_answer,
            stopped_by: self.running.stopped_by(),
            regenerations: again.map_or(0, |again| again.regenerations),
            regenerated: None,
            has_form: false,
            ended_at: Timestamp::now(),
        }
    }
}
