//! One card entity in one chat, and the order of what is done to it.
//!
//! The platform wants every change of a card to carry a higher number than the last, over all kinds of
//! changes (feishu-wire 7.1). So a card is changed from one place at a time, and that place is here.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::feishu::{CardId, Client, Error, MessageId};

/// The platform ends streaming ten minutes after it was switched on, whatever happens in between
/// (feishu-wire 7.4), so we switch it off and on before that.
pub(super) const RENEW_AFTER: Duration = Duration::from_secs(9 * 60);

/// How far the numbers jump when the platform says that one was too low: there may be changes of an
/// earlier process that we do not know of.
const SEQUENCE_JUMP: i32 = 1_000;

/// The numbers that each attempt at a question has for itself, so that those of a process that was
/// killed never meet those of the one that takes over.
const SEQUENCES_PER_ATTEMPT: i32 = 1_000_000;

/// A card that people can see.
pub(super) struct Card {
    /// The entity.
    pub id: CardId,
    /// The message that shows it.
    pub message: MessageId,
    feishu: Client,
    sequence: i32,
    streaming_since: Instant,
}

/// What can be done to a card.
enum Change<'a> {
    Text { element: &'a str, text: &'a str },
    Config(&'a Value),
    Whole(&'a Value),
}

impl Card {
    /// A card that was just sent, with streaming switched on, in the `attempt`th try at its question.
    pub(super) fn new(feishu: Client, id: CardId, message: MessageId, attempt: u32) -> Self {
        let attempt = i32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
        let sequence = attempt.saturating_mul(SEQUENCES_PER_ATTEMPT);
        Self {
            id,
            message,
            feishu,
            sequence,
            streaming_since: Instant::now(),
        }
    }

    /// When streaming has to be renewed.
    pub(super) fn renew_at(&self) -> Instant {
        self.streaming_since + RENEW_AFTER
    }

    /// Makes `element` show `text`, all of it. Reopens streaming when the platform has closed it.
    pub(super) async fn show(&mut self, element: &str, text: &str) -> Result<(), Error> {
        let change = Change::Text { element, text };
        match self.change(&change).await {
            Err(Error::StreamClosed(_)) => {
                debug!(card.id = %self.id, "the platform closed streaming; opening it again");
                self.set_streaming(true).await?;
                self.change(&change).await
            }
            outcome => outcome,
        }
    }

    /// Switches streaming off and on, which starts the platform's ten minutes anew.
    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        // Whatever comes of it, the next attempt is a while away.
        self.streaming_since = Instant::now();
        self.set_streaming(false).await?;
        self.set_streaming(true).await
    }

    /// Changes the card's `config`.
    pub(super) async fn configure(&mut self, config: &Value) -> Result<(), Error> {
        self.change(&Change::Config(config)).await
    }

    /// Replaces the whole card.
    pub(super) async fn replace(&mut self, json: &Value) -> Result<(), Error> {
        self.change(&Change::Whole(json)).await
    }

    async fn set_streaming(&mut self, on: bool) -> Result<(), Error> {
        self.configure(&json!({ "streaming_mode": on })).await?;
        if on {
            self.streaming_since = Instant::now();
        }
        Ok(())
    }

    async fn change(&mut self, change: &Change<'_>) -> Result<(), Error> {
        match self.try_change(change).await {
            Err(Error::OutOfSequence(_)) => {
                warn!(card.id = %self.id, sequence = self.sequence, "a change came with too low a number");
                self.sequence = self.sequence.saturating_add(SEQUENCE_JUMP);
                self.try_change(change).await
            }
            outcome => outcome,
        }
    }

    async fn try_change(&mut self, change: &Change<'_>) -> Result<(), Error> {
        self.sequence = self.sequence.saturating_add(1);
        let (feishu, id, sequence) = (&self.feishu, &self.id, self.sequence);
        match change {
            Change::Text { element, text } => feishu.stream_text(id, element, text, sequence).await,
            Change::Config(config) => feishu.set_card_settings(id, config, sequence).await,
            Change::Whole(json) => feishu.replace_card(id, json, sequence).await,
        }
    }
}
