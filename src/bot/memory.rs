//! What was said between people and us, kept per session.
//!
//! Two things need it: the next turn, which should know the earlier ones, and the history of the chat,
//! because the platform does not give our own cards back. Both are bounded: a session keeps its newest
//! exchanges and counts what it let go, and answers are forgotten after a month.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    config::ConversationConfig,
    feishu::{ChatId, MessageId, TenantKey, ThreadId},
    store::{self, Batch, Collection, Record, Store},
};

/// How long the text of an answer is kept for the history of its chat.
pub(super) const ANSWERS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Whose conversation: one chat, or one thread of it, as one app in one tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SessionKey(String);

impl SessionKey {
    /// The session that a message of this place belongs to.
    pub(super) fn new(
        app_id: &str,
        tenant: &TenantKey,
        chat: &ChatId,
        thread: Option<&ThreadId>,
    ) -> Self {
        let thread = thread.map_or("-", ThreadId::as_str);
        Self(format!("{app_id}/{tenant}/{chat}/{thread}"))
    }

    /// As it is written in logs and in the store.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn prefix(&self) -> String {
        format!("{}/", self.0)
    }
}

/// A question and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// The message that asked.
    pub question_id: MessageId,
    /// The messages that answered; several where one card was too small.
    pub answer_ids: Vec<MessageId>,
    /// Who asked, by name.
    pub asked_by: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// What was asked.
    pub question: String,
    /// What was answered, in the model's own Markdown.
    pub answer: String,
}

impl Record for Exchange {
    const COLLECTION: &'static str = "exchange";
    const VERSION: u8 = 1;
}

/// What a session remembers beyond its exchanges.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Session {
    /// How many exchanges it has let go since it began.
    forgotten: usize,
}

impl Record for Session {
    const COLLECTION: &'static str = "session";
    const VERSION: u8 = 1;
}

/// One message of ours, by its id, as text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What it says, in Markdown.
    pub text: String,
    /// When it was finished.
    pub at: Timestamp,
}

impl Record for Answer {
    const COLLECTION: &'static str = "answer";
    const VERSION: u8 = 1;
}

/// What a session remembers, oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The newest exchanges.
    pub exchanges: Vec<Exchange>,
    /// How many older ones were let go.
    pub forgotten: usize,
}

/// The store's side of all this.
#[derive(Clone)]
pub(super) struct Memory {
    exchanges: Collection<Exchange>,
    sessions: Collection<Session>,
    answers: Collection<Answer>,
    turns_max: usize,
}

impl Memory {
    /// Opens the collections.
    pub(super) fn new(store: &Store, config: &ConversationConfig) -> Self {
        Self {
            exchanges: store.collection(),
            sessions: store.collection(),
            answers: store.collection(),
            turns_max: config.remembered_turns,
        }
    }

    /// What `session` remembers.
    pub(super) async fn recall(&self, session: &SessionKey) -> Result<Remembered, store::Error> {
        // It holds at most one more than it should, so this reads all of it.
        let exchanges = self
            .exchanges
            .scan(&session.prefix(), None, self.turns_max + 1)
            .await?;
        let forgotten = self
            .sessions
            .get(session.as_str())
            .await?
            .unwrap_or_default()
            .forgotten;
        Ok(Remembered {
            exchanges: exchanges.into_iter().map(|(_, one)| one).collect(),
            forgotten,
        })
    }

    /// Adds to `batch` what makes the session remember `exchange`, and lets the oldest go.
    pub(super) async fn remember(
        &self,
        session: &SessionKey,
        exchange: &Exchange,
        batch: &mut Batch,
    ) -> Result<(), store::Error> {
        let now = Timestamp::now();
        for id in &exchange.answer_ids {
            batch.put(
                id.as_str(),
                &Answer {
                    text: exchange.answer.clone(),
                    at: now,
                },
            );
        }
        if self.turns_max == 0 {
            return Ok(());
        }
        let kept = self
            .exchanges
            .scan(&session.prefix(), None, self.turns_max + 1)
            .await?;
        let too_many = (kept.len() + 1).saturating_sub(self.turns_max);
        for (key, _) in kept.iter().take(too_many) {
            batch.delete::<Exchange>(key);
        }
        if too_many > 0 {
            let mut record = self
                .sessions
                .get(session.as_str())
                .await?
                .unwrap_or_default();
            record.forgotten += too_many;
            batch.put(session.as_str(), &record);
        }
        // Ids of this kind sort by the time they were made.
        batch.put(&format!("{}{}", session.prefix(), Uuid::now_v7()), exchange);
        Ok(())
    }

    /// Puts into `batch` that `session` forgets everything, and says how many exchanges that are.
    pub(super) async fn forget(
        &self,
        session: &SessionKey,
        batch: &mut Batch,
    ) -> Result<usize, store::Error> {
        let kept = self
            .exchanges
            .scan(&session.prefix(), None, self.turns_max + 1)
            .await?;
        for (key, _) in &kept {
            batch.delete::<Exchange>(key);
        }
        batch.delete::<Session>(session.as_str());
        Ok(kept.len())
    }

    /// What a message of ours says, which the platform would not tell.
    pub(super) async fn answer(&self, id: &MessageId) -> Result<Option<Answer>, store::Error> {
        self.answers.get(id.as_str()).await
    }

    /// Forgets answers older than [`ANSWERS_KEPT`].
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        super::sweep::sweep(&self.answers, |answer| {
            answer.at.duration_until(now).unsigned_abs() > ANSWERS_KEPT
        })
        .await
    }
}
