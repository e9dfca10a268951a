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

/// What the history of a chat shows in place of an answer that was replaced. Read by the model alone.
const REPLACED: &str = "(This answer was replaced by a newer one to the same question.)";
/// How much is read at once where a whole chat is forgotten.
const PAGE: usize = 100;

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

/// A chat with all its sessions: the chat's own and those of its threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChatKey(String);

impl ChatKey {
    /// The sessions of `chat`, as one app in one tenant sees it.
    pub(super) fn new(app_id: &str, tenant: &TenantKey, chat: &ChatId) -> Self {
        Self(format!("{app_id}/{tenant}/{chat}/"))
    }

    /// What the keys of its sessions, and of what they hold, begin with.
    fn prefix(&self) -> &str {
        &self.0
    }
}

/// A question and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// The message that asked.
    pub question_id: MessageId,
    /// The messages that answered; several where one card was too small.
    pub answer_ids: Vec<MessageId>,
    /// Those of earlier answers, which this one replaces: nobody should take them for what holds.
    #[serde(default)]
    pub replaced_ids: Vec<MessageId>,
    /// Who asked, by name.
    pub asked_by: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// What was asked.
    pub question: String,
    /// What was answered, in the model's own Markdown.
    pub answer: String,
}

impl Exchange {
    /// The messages that answered or once did.
    pub(super) fn all_answer_ids(&self) -> impl Iterator<Item = &MessageId> {
        self.answer_ids.iter().chain(&self.replaced_ids)
    }
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

/// Which messages of ours answered a message, for as long as their text is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answered {
    answer_ids: Vec<MessageId>,
    at: Timestamp,
}

impl Record for Answered {
    const COLLECTION: &'static str = "answered";
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
    store: Store,
    exchanges: Collection<Exchange>,
    sessions: Collection<Session>,
    answers: Collection<Answer>,
    answered: Collection<Answered>,
    turns_max: usize,
}

impl Memory {
    /// Opens the collections.
    pub(super) fn new(store: &Store, config: &ConversationConfig) -> Self {
        Self {
            store: store.clone(),
            exchanges: store.collection(),
            sessions: store.collection(),
            answers: store.collection(),
            answered: store.collection(),
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

    /// Adds to `batch` what makes the session remember `exchange`, and lets the oldest go. A new answer
    /// takes the place of an earlier one to the same question.
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
        for id in &exchange.replaced_ids {
            let text = REPLACED.to_owned();
            batch.put(id.as_str(), &Answer { text, at: now });
        }
        let answered = Answered {
            answer_ids: exchange.all_answer_ids().cloned().collect(),
            at: now,
        };
        batch.put(exchange.question_id.as_str(), &answered);
        if self.turns_max == 0 {
            return Ok(());
        }
        let kept = self
            .exchanges
            .scan(&session.prefix(), None, self.turns_max + 1)
            .await?;
        let earlier = kept
            .iter()
            .find(|(_, one)| one.question_id == exchange.question_id);
        if let Some((key, earlier)) = earlier {
            let mut exchange = exchange.clone();
            exchange.replaced_ids = earlier.all_answer_ids().cloned().collect();
            batch.put(key, &exchange);
            return Ok(());
        }
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

    /// Makes every session of `chat` forget what a message said: the exchange that it asked, whose answer
    /// quotes it, or that it answered. Durable when it returns.
    pub(super) async fn forget_message(
        &self,
        chat: &ChatKey,
        id: &MessageId,
    ) -> Result<(), store::Error> {
        let mut batch = self.store.batch();
        batch.delete::<Answer>(id.as_str());
        if let Some(answered) = self.answered.get(id.as_str()).await? {
            for answer in &answered.answer_ids {
                batch.delete::<Answer>(answer.as_str());
            }
            batch.delete::<Answered>(id.as_str());
        }
        self.store.commit(batch).await?;
        let is_about = |one: &Exchange| one.question_id == *id || one.answer_ids.contains(id);
        self.forget_exchanges(chat, is_about).await
    }

    /// Makes every session of `chat` forget everything. Durable when it returns.
    pub(super) async fn forget_chat(&self, chat: &ChatKey) -> Result<(), store::Error> {
        self.forget_exchanges(chat, |_| true).await?;
        let mut after: Option<String> = None;
        loop {
            let page = self
                .sessions
                .scan(chat.prefix(), after.as_deref(), PAGE)
                .await?;
            let mut batch = self.store.batch();
            for (key, _) in &page {
                batch.delete::<Session>(key);
            }
            self.store.commit(batch).await?;
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// Forgets those exchanges of a chat, with the texts of their answers.
    async fn forget_exchanges(
        &self,
        chat: &ChatKey,
        is_one: impl Fn(&Exchange) -> bool,
    ) -> Result<(), store::Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self
                .exchanges
                .scan(chat.prefix(), after.as_deref(), PAGE)
                .await?;
            let mut batch = self.store.batch();
            for (key, exchange) in page.iter().filter(|(_, exchange)| is_one(exchange)) {
                batch.delete::<Exchange>(key);
                batch.delete::<Answered>(exchange.question_id.as_str());
                for answer in &exchange.answer_ids {
                    batch.delete::<Answer>(answer.as_str());
                }
            }
            self.store.commit(batch).await?;
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// What a message of ours says, which the platform would not tell.
    pub(super) async fn answer(&self, id: &MessageId) -> Result<Option<Answer>, store::Error> {
        self.answers.get(id.as_str()).await
    }

    /// Forgets answers older than [`ANSWERS_KEPT`].
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        let is_old = |at: Timestamp| at.duration_until(now).unsigned_abs() > ANSWERS_KEPT;
        let answered = super::sweep::sweep(&self.answered, |one| is_old(one.at)).await?;
        Ok(answered + super::sweep::sweep(&self.answers, |one| is_old(one.at)).await?)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::config::StoreConfig;

    async fn memory(remembered_turns: usize) -> (Memory, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let conversation = ConversationConfig {
            remembered_turns,
            ..ConversationConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        (Memory::new(&store, &conversation), folder)
    }

    fn chat(id: &str) -> (ChatKey, SessionKey, SessionKey) {
        let (tenant, chat, thread) = (TenantKey::new("t"), ChatId::new(id), ThreadId::new("omt"));
        (
            ChatKey::new("cli", &tenant, &chat),
            SessionKey::new("cli", &tenant, &chat, None),
            SessionKey::new("cli", &tenant, &chat, Some(&thread)),
        )
    }

    impl Memory {
        async fn knows(&self, session: &SessionKey, question: &str) {
            let mut batch = self.store.batch();
            let exchange = Exchange {
                question_id: MessageId::new(question),
                answer_ids: vec![MessageId::new(format!("{question}/answer"))],
                replaced_ids: Vec::new(),
                asked_by: "Li Lei".into(),
                asked_at: Timestamp::UNIX_EPOCH,
                question: question.into(),
                answer: "yes".into(),
            };
            self.remember(session, &exchange, &mut batch).await.unwrap();
            self.store.commit(batch).await.unwrap();
        }

        async fn questions(&self, session: &SessionKey) -> Vec<String> {
            let remembered = self.recall(session).await.unwrap();
            let exchanges = remembered.exchanges.into_iter();
            exchanges.map(|one| one.question).collect()
        }

        async fn has_answer(&self, question: &str) -> bool {
            let id = MessageId::new(format!("{question}/answer"));
            self.answer(&id).await.unwrap().is_some()
        }
    }

    #[tokio::test]
    async fn a_message_is_forgotten_as_question_and_as_answer_and_in_threads() {
        let (memory, _folder) = memory(20).await;
        let (key, session, thread) = chat("oc_a");
        for (session, question) in [(&session, "a"), (&session, "b"), (&thread, "c")] {
            memory.knows(session, question).await;
        }
        let forget = async |id: &str| {
            memory
                .forget_message(&key, &MessageId::new(id))
                .await
                .unwrap();
        };
        forget("a").await;
        assert_eq!(memory.questions(&session).await, ["b"]);
        assert!(!memory.has_answer("a").await && memory.has_answer("b").await);
        forget("b/answer").await;
        assert_eq!(memory.questions(&session).await, [""; 0]);
        assert!(!memory.has_answer("b").await);
        forget("c").await;
        assert_eq!(memory.questions(&thread).await, [""; 0]);
    }

    #[tokio::test]
    async fn an_answer_is_forgotten_also_when_the_session_has_let_its_question_go() {
        let (memory, _folder) = memory(0).await;
        let (key, session, _) = chat("oc_a");
        memory.knows(&session, "a").await;
        assert!(memory.has_answer("a").await);
        let id = MessageId::new("a");
        memory.forget_message(&key, &id).await.unwrap();
        assert!(!memory.has_answer("a").await);
    }

    #[tokio::test]
    async fn a_chat_is_forgotten_with_its_threads_and_no_other_chat() {
        let (memory, _folder) = memory(1).await;
        let (key, session, thread) = chat("oc_a");
        let (_, other, _) = chat("oc_ab");
        for question in ["a", "b"] {
            memory.knows(&session, question).await;
        }
        memory.knows(&thread, "c").await;
        memory.knows(&other, "d").await;
        assert_eq!(memory.recall(&session).await.unwrap().forgotten, 1);
        memory.forget_chat(&key).await.unwrap();
        let remembered = memory.recall(&session).await.unwrap();
        assert_eq!((remembered.exchanges.len(), remembered.forgotten), (0, 0));
        assert_eq!(memory.questions(&thread).await, [""; 0]);
        assert_eq!(memory.questions(&other).await, ["d"]);
        assert!(!memory.has_answer("c").await && memory.has_answer("d").await);
    }

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let answered = Answered {
            answer_ids: vec![MessageId::new("om_a")],
            at: Timestamp::UNIX_EPOCH,
        };
        assert_json_snapshot!(answered, @r#"
        {
          "answer_ids": [
            "om_a"
          ],
          "at": "1970-01-01T00:00:00Z"
        }
        "#);
    }
}
