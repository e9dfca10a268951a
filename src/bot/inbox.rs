//! What people asked for and has not come to its end, kept so that a crash loses nothing.
//!
//! An event is written here, together with its id, and flushed before it is acknowledged; after that
//! nothing depends on memory. The entry goes when the work it asked for has ended. Its id stays for
//! eight hours, longer than the platform's last attempt to deliver it again.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::card::answer::AnswerState;
use crate::{
    feishu::{CardId, MessageId},
    store::{self, Batch, Collection, Record, Store},
    telemetry::Metrics,
};

/// How long ids are remembered. The platform's last attempt comes some seven hours after the first
/// (feishu-wire 2.8: 15 s, 5 min, 1 h, 6 h).
pub(super) const SEEN_KEPT: Duration = Duration::from_secs(8 * 3600);

/// How often one entry is taken up before we give up on it and say so. Whatever ends the process on
/// every attempt must not do so for ever.
pub(super) const ATTEMPTS_MAX: u32 = 5;

/// How much of the inbox is read at once.
const PAGE: usize = 500;

/// An event that asked for work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The event as it came, so that it is decoded the same way again.
    pub payload: String,
    /// When it was written here.
    pub kept_at: Timestamp,
    /// How often its work was begun.
    #[serde(default)]
    pub attempts: u32,
    /// The cards that were opened for its answer, in their order.
    #[serde(default)]
    pub cards: Vec<LiveCard>,
    /// The last word, from the moment it is known: an earlier process may have been ended while it said it.
    #[serde(default)]
    pub last: Option<KeptWord>,
    /// Set once the last word was said: only the reaction may still be missing.
    #[serde(default)]
    pub said: Option<Said>,
}

/// The last word of a turn, as it will be said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptWord {
    /// How the turn ended.
    pub state: AnswerState,
    /// The same, for the question's reaction.
    pub said: Said,
    /// What the card shows, in the model's Markdown.
    pub text: String,
    /// Sentences of ours under it.
    pub note: Option<String>,
    /// Whether the text is an answer that the session should remember.
    pub is_answer: bool,
    /// The parts of it that were tried in messages of their own. Such a message may stand in the chat although
    /// no answer came, so the same is sent again, by which the platform knows it, and nothing else is tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anew: Vec<Anew>,
}

/// A part of the last word that has a message of its own, or may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anew {
    /// Which part.
    pub part: usize,
    /// In which layout, since the parts of two layouts are not the same text.
    pub layout: usize,
    /// Whether a card was refused, so that it is text.
    pub as_text: bool,
}

/// A card that is open in a chat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LiveCard {
    /// The entity; none for a card that was sent as a message.
    pub id: Option<CardId>,
    /// The message that shows it, once it was sent.
    pub message: Option<MessageId>,
}

/// How the last word was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// There is an answer.
    Answered,
    /// Someone stopped it.
    Stopped,
    /// There is none, and the card says why.
    Failed,
}

impl Record for Kept {
    const COLLECTION: &'static str = "inbox";
    const VERSION: u8 = 1;
}

/// That an event was seen, by the id the platform repeats.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    at: Timestamp,
}

impl Record for Seen {
    const COLLECTION: &'static str = "seen";
    const VERSION: u8 = 1;
}

/// The store's side of the inbox.
#[derive(Clone)]
pub(super) struct Inbox {
    store: Store,
    kept: Collection<Kept>,
    seen: Collection<Seen>,
    metrics: Metrics,
}

impl Inbox {
    /// Opens the collections.
    pub(super) fn new(store: &Store, metrics: Metrics) -> Self {
        Self {
            store: store.clone(),
            kept: store.collection(),
            seen: store.collection(),
            metrics,
        }
    }

    /// Whether the event of this id was kept before.
    pub(super) async fn is_seen(&self, id: &str) -> Result<bool, store::Error> {
        Ok(self.seen.get(id).await?.is_some())
    }

    /// Puts an event and its id into `batch`, and says under which key. Keys sort by time.
    pub(super) fn put(&self, id: &str, payload: String, batch: &mut Batch) -> (String, Kept) {
        let now = Timestamp::now();
        let kept = Kept {
            payload,
            kept_at: now,
            attempts: 0,
            cards: Vec::new(),
            last: None,
            said: None,
        };
        let key = Uuid::now_v7().to_string();
        batch.put(&key, &kept);
        batch.put(id, &Seen { at: now });
        (key, kept)
    }

    /// Writes what `put` collected. When this returns, it survives a crash.
    pub(super) async fn commit(&self, batch: Batch, entries: usize) -> Result<(), store::Error> {
        self.store.commit(batch).await?;
        self.metrics
            .inbox_depth
            .inc_by(i64::try_from(entries).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Writes how far the work has come.
    pub(super) async fn update(&self, key: &str, kept: &Kept) -> Result<(), store::Error> {
        let mut batch = self.store.batch();
        batch.put(key, kept);
        self.store.commit(batch).await
    }

    /// An entry as it was last written.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Kept>, store::Error> {
        self.kept.get(key).await
    }

    /// Forgets an entry whose work has ended. Not flushed: at worst a crash finds it ended already.
    pub(super) async fn remove(&self, key: &str) -> Result<(), store::Error> {
        self.kept.delete(key).await?;
        self.metrics.inbox_depth.dec();
        Ok(())
    }

    /// As [`Inbox::remove`], and when this returns it survives a crash.
    pub(super) async fn remove_for_good(&self, key: &str) -> Result<(), store::Error> {
        let mut batch = self.store.batch();
        batch.delete::<Kept>(key);
        self.store.commit(batch).await?;
        self.metrics.inbox_depth.dec();
        Ok(())
    }

    /// What an earlier process left, oldest first.
    pub(super) async fn left_over(&self) -> Result<Vec<(String, Kept)>, store::Error> {
        let mut all: Vec<(String, Kept)> = Vec::new();
        loop {
            let after = all.last().map(|(key, _)| key.clone());
            let page = self.kept.scan("", after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                self.metrics
                    .inbox_depth
                    .set(i64::try_from(all.len()).unwrap_or(i64::MAX));
                return Ok(all);
            }
        }
    }

    /// Forgets ids that the platform no longer repeats.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        super::sweep::sweep(&self.seen, |seen| {
            seen.at.duration_until(now).unsigned_abs() > SEEN_KEPT
        })
        .await
    }
}
