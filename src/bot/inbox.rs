//! What people asked for and has not come to its end, kept so that a crash loses nothing.
//!
//! An event is written here, together with its id, and flushed before it is acknowledged; after that
//! nothing depends on memory. The entry goes when the work it asked for has ended. Its id stays for
//! eight hours, longer than the platform's last attempt to deliver it again.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{card::answer::AnswerState, past::Again};
use crate::{
    feishu::{CardId, MessageId},
    incident::IncidentId,
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
    /// Set where the question was answered before and somebody wants another answer.
    #[serde(default)]
    pub again: Option<Again>,
    /// The incident that the question is about, where it was asked on its card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<IncidentId>,
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
    /// Whether the question still stands, so that it may be answered anew.
    #[serde(default)]
    pub can_regenerate: bool,
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
    /// Set for a message that was recalled: whether it came before or comes after, nobody answers it.
    #[serde(default)]
    recalled: bool,
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
        self.put_about(id, payload, None, batch)
    }

    /// As [`Inbox::put`], for a question about an incident.
    pub(super) fn put_about(
        &self,
        id: &str,
        payload: String,
        about: Option<IncidentId>,
        batch: &mut Batch,
    ) -> (String, Kept) {
        let entry = self.put_entry(payload, None, about, batch);
        batch.put(
            id,
            &Seen {
                at: Timestamp::now(),
                recalled: false,
            },
        );
        entry
    }

    /// Puts an event into `batch` that was seen before and is to be answered anew.
    pub(super) fn put_again(
        &self,
        payload: String,
        again: Again,
        batch: &mut Batch,
    ) -> (String, Kept) {
        self.put_entry(payload, Some(again), None, batch)
    }

    fn put_entry(
        &self,
        payload: String,
        again: Option<Again>,
        about: Option<IncidentId>,
        batch: &mut Batch,
    ) -> (String, Kept) {
        let kept = Kept {
            payload,
            kept_at: Timestamp::now(),
            attempts: 0,
            cards: Vec::new(),
            last: None,
            said: None,
            again,
            about,
        };
        let key = Uuid::now_v7().to_string();
        batch.put(&key, &kept);
        (key, kept)
    }

    /// Puts into `batch` that a message was recalled. Should it only be delivered now, it counts as seen.
    pub(super) fn put_recalled(&self, message: &MessageId, batch: &mut Batch) {
        let seen = Seen {
            at: Timestamp::now(),
            recalled: true,
        };
        batch.put(message.as_str(), &seen);
    }

    /// Whether a message was recalled, within the last [`SEEN_KEPT`].
    pub(super) async fn is_recalled(&self, message: &MessageId) -> Result<bool, store::Error> {
        let seen = self.seen.get(message.as_str()).await?;
        Ok(seen.is_some_and(|seen| seen.recalled))
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

    /// As [`Inbox::remove`], and durable: a crash does not bring back what was done.
    pub(super) async fn finish(&self, key: &str) -> Result<(), store::Error> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::StoreConfig;

    #[tokio::test]
    async fn a_message_that_is_recalled_before_it_comes_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        let inbox = Inbox::new(&store, Metrics::default());
        let (recalled, other) = (MessageId::new("om_a"), MessageId::new("om_b"));
        let mut batch = store.batch();
        inbox.put_recalled(&recalled, &mut batch);
        inbox.put(other.as_str(), "{}".into(), &mut batch);
        inbox.commit(batch, 1).await.unwrap();
        for (message, is_recalled) in [(&recalled, true), (&other, false)] {
            assert!(inbox.is_seen(message.as_str()).await.unwrap());
            assert_eq!(inbox.is_recalled(message).await.unwrap(), is_recalled);
        }
        let left_over = inbox.left_over().await.unwrap();
        assert_eq!(left_over.len(), 1, "a recalled message asks nothing");
        inbox.finish(&left_over[0].0).await.unwrap();
        assert!(inbox.left_over().await.unwrap().is_empty());
    }

    #[test]
    fn what_an_older_version_kept_is_readable() {
        let at = "2026-11-20T10:00:00Z";
        let seen: Seen = serde_json::from_value(json!({ "at": at })).unwrap();
        assert!(!seen.recalled);
        let kept = json!({ "payload": "{}", "kept_at": at });
        let kept: Kept = serde_json::from_value(kept).unwrap();
        assert_eq!((kept.attempts, kept.cards.len()), (0, 0));
    }
}
