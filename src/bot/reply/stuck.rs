//! Cards that could not be closed when their turn ended.
//!
//! Their answer was given another way, or is in another card, but they still look as if they were being
//! written. They are kept in the store and tried again, also after a restart, until the platform takes it
//! or they have expired.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, time::timeout};
use tracing::{debug, error, warn};

use crate::{
    bot::{
        card::answer::{AnswerCard, AnswerState, Footer},
        inbox::LiveCard,
        phrase::Phrase,
    },
    config::Language,
    feishu::{Client, Error, MessageId},
    store::{self, Collection, Record, Store},
};

use super::{
    card::Card,
    shown::{Finished, MessageCard, Shown},
};

/// The first wait between two rounds, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(300);

/// A card lives this long on the platform.
const CARDS_LIVE: Duration = Duration::from_secs(14 * 24 * 3600);

/// How many are looked at in one round.
const PAGE: usize = 200;

/// A card that looks as if it were being written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::bot) struct OpenCard {
    card: LiveCard,
    sequence: i32,
    is_zh: bool,
    /// Whether the answer stands elsewhere; otherwise there is none.
    is_answered: bool,
    since: Timestamp,
}

impl Record for OpenCard {
    const COLLECTION: &'static str = "open_card";
    const VERSION: u8 = 1;
}

/// All of them.
#[derive(Clone)]
pub(in crate::bot) struct Stuck {
    cards: Collection<OpenCard>,
    store: Store,
    feishu: Client,
    more: Arc<Notify>,
}

impl Stuck {
    /// Opens the collection.
    pub(in crate::bot) fn new(store: &Store, feishu: Client) -> Self {
        Self {
            cards: store.collection(),
            store: store.clone(),
            feishu,
            more: Arc::default(),
        }
    }

    /// Sees to it that the card is closed at some time. `sequence` is the last number it may have had.
    pub(in crate::bot) async fn close_later(
        &self,
        card: LiveCard,
        sequence: i32,
        language: Language,
        is_answered: bool,
    ) {
        let key = match (&card.id, &card.message) {
            (Some(id), _) => id.as_str().to_owned(),
            (None, Some(message)) => message.as_str().to_owned(),
            // It was never sent.
            (None, None) => return,
        };
        let record = OpenCard {
            card,
            sequence,
            is_zh: language == Language::Zh,
            is_answered,
            since: Timestamp::now(),
        };
        let mut batch = self.store.batch();
        batch.put(&key, &record);
        if let Err(error) = self.store.commit(batch).await {
            error!(%error, "a card that looks unfinished could not be noted, and stays so");
        }
        self.more.notify_one();
    }

    /// Closes them as they come, for ever.
    pub(in crate::bot) async fn close_for_ever(self) {
        let mut wait = FIRST_WAIT;
        loop {
            let left = self.close_all().await.unwrap_or_else(|error| {
                warn!(%error, "cannot look for unfinished cards");
                1
            });
            if left == 0 {
                self.more.notified().await;
                wait = FIRST_WAIT;
            } else if timeout(wait, self.more.notified()).await.is_ok() {
                wait = FIRST_WAIT;
            } else {
                wait = (wait * 2).min(WAIT_MAX);
            }
        }
    }

    /// One round. Says how many are left.
    async fn close_all(&self) -> Result<usize, store::Error> {
        let mut left = 0;
        for (key, open) in self.cards.scan("", None, PAGE).await? {
            let is_old = open.since.duration_until(Timestamp::now()).unsigned_abs() > CARDS_LIVE;
            match self.close(&open).await {
                Ok(_) | Err(Error::Gone(_)) => self.cards.delete(&key).await?,
                Err(error) if is_old => {
                    debug!(%error, "an unfinished card has expired");
                    self.cards.delete(&key).await?;
                }
                Err(error) => {
                    debug!(%error, "an unfinished card stays as it is for now");
                    left += 1;
                }
            }
        }
        Ok(left)
    }

    async fn close(&self, open: &OpenCard) -> Result<(), Error> {
        let language = if open.is_zh {
            Language::Zh
        } else {
            Language::En
        };
        let text = Phrase::Elsewhere.text(language);
        let view = AnswerCard {
            language,
            state: match open.is_answered {
                true => AnswerState::Done,
                false => AnswerState::Interrupted,
            },
            steps: &[],
            text: if open.is_answered { &text } else { "" },
            footer: Footer::default(),
            continues: false,
            stop: None,
            silent: None,
        };
        let finished = Finished {
            config: view.closing_config(),
            json: view.render(),
        };
        let message = open.card.message.clone();
        let mut shown = match (&open.card.id, message) {
            (Some(id), message) => {
                // An entity is changed by its own id; which message shows it may never have been known.
                let message = message.unwrap_or_else(|| MessageId::new(""));
                let card = Card::resumed(&self.feishu, id.clone(), message, open.sequence);
                Shown::Entity(card)
            }
            (None, Some(message)) => Shown::Message(MessageCard::new(self.feishu.clone(), message)),
            (None, None) => return Ok(()),
        };
        shown.close(&finished).await.map(drop)
    }
}
