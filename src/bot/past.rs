//! Turns that have ended, kept for a week so that something can still be asked about them.
//!
//! A card's buttons outlive its turn. What they need is kept here, under the question's id and the
//! turn's own: the event that asked, to answer it anew, and the card as it was left, to show it changed.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::Language,
    feishu::{ChatId, MessageId, OpenId},
    store::{self, Batch, Collection, Record, Store},
};

use super::{
    card::answer::{ControlRow, Controls},
    phrase::Phrase,
};

/// How long a turn can be asked about.
pub(super) const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often one question is answered anew. Whoever is still not content is helped by other words.
pub(super) const REGENERATIONS_MAX: u32 = 5;

/// Turns of one question: the first and its regenerations.
const TURNS_MAX: usize = 2 * REGENERATIONS_MAX as usize;

/// A turn that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PastTurn {
    /// The event that asked, as it came.
    pub payload: String,
    /// The chat it was asked in.
    pub chat: ChatId,
    /// The messages that answered.
    pub messages: Vec<MessageId>,
    /// The last card without its buttons; none where the answer ended as text.
    pub card: Option<Value>,
    /// Whether our own sentences on it are Chinese.
    pub is_zh: bool,
    /// Whether there was an answer, and not only a reason why there is none.
    pub is_answer: bool,
    /// Who stopped it.
    #[serde(default)]
    pub stopped_by: Option<OpenId>,
    /// How many turns for the same question came before.
    #[serde(default)]
    pub regenerations: u32,
    /// Who had the question answered anew.
    #[serde(default)]
    pub regenerated: Option<Again>,
    /// Whether the card asks what was wrong.
    #[serde(default)]
    pub has_form: bool,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// That a question is answered anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Again {
    /// Who pressed the button.
    pub by: OpenId,
    /// Their name, as far as it is known.
    pub name: String,
    /// How many turns for the same question came before the new one.
    pub regenerations: u32,
    /// The messages that the new answer replaces.
    pub replaces: Vec<MessageId>,
}

impl Record for PastTurn {
    const COLLECTION: &'static str = "past_turn";
    const VERSION: u8 = 1;
}

impl PastTurn {
    /// The language of our own sentences on its card.
    pub(super) fn language(&self) -> Language {
        match self.is_zh {
            true => Language::Zh,
            false => Language::En,
        }
    }

    /// Its last card as it should look now.
    pub(super) fn card_now(&self, controls: &Controls) -> Option<Value> {
        let mut card = self.card.clone()?;
        let language = self.language();
        let note = self.regenerated.as_ref().map(|again| {
            let name = &again.name;
            Phrase::RegeneratedBelow { name }.text(language)
        });
        let row = ControlRow {
            controls,
            language,
            is_answer: self.is_answer,
            can_regenerate: self.regenerated.is_none(),
            note: note.as_deref(),
            has_form: self.has_form,
        };
        row.put_under(&mut card);
        Some(card)
    }
}

/// What a press is about: one turn of one question. Also the key under which the turn is kept.
pub(super) fn turn_id(question: &MessageId, inbox_key: &str) -> String {
    format!("{question}/{inbox_key}")
}

/// The store's side of it.
#[derive(Clone)]
pub(super) struct PastTurns {
    turns: Collection<PastTurn>,
}

impl PastTurns {
    /// Opens the collection.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            turns: store.collection(),
        }
    }

    /// A turn, by its [`turn_id`].
    pub(super) async fn get(&self, id: &str) -> Result<Option<PastTurn>, store::Error> {
        self.turns.get(id).await
    }

    /// Adds to `batch` that a turn is kept as it is now.
    pub(super) fn put(&self, id: &str, turn: &PastTurn, batch: &mut Batch) {
        batch.put(id, turn);
    }

    /// Forgets all turns of a question, which was withdrawn.
    pub(super) async fn forget(&self, question: &MessageId) -> Result<(), store::Error> {
        let prefix = format!("{question}/");
        for (id, _) in self.turns.scan(&prefix, None, TURNS_MAX).await? {
            self.turns.delete(&id).await?;
        }
        Ok(())
    }

    /// Forgets all turns of a chat, which is gone.
    pub(super) async fn forget_chat(&self, chat: &ChatId) -> Result<(), store::Error> {
        super::sweep::sweep(&self.turns, |turn| turn.chat == *chat).await?;
        Ok(())
    }

    /// Forgets what is older than [`KEPT`].
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        super::sweep::sweep(&self.turns, |turn| {
            turn.ended_at.duration_until(now).unsigned_abs() > KEPT
        })
        .await
    }
}
