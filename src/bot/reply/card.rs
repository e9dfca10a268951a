//! One card entity in one chat, and the order of what is done to it.
//!
//! The platform wants every change of a card to carry a higher number than the last, over all kinds of
//! changes (feishu-wire 7.1). So a card is changed from one place at a time, and that place is here.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::feishu::{CardId, Client, Error, MessageId};

/// How far the numbers jump when the platform says that one was too low: there may be changes of an
/// earlier process that we do not know of.
const SEQUENCE_JUMPS: [i32; 2] = [1_000, 1_000_000];

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
    /// The platform ends streaming ten minutes after it was switched on, whatever happens in between
    /// (feishu-wire 7.4), so we switch it off and on after this long.
    renew_after: Duration,
}

/// The number before the first one of an attempt.
pub(super) fn first_sequence(attempt: u32) -> i32 {
    let attempt = i32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
    attempt.saturating_mul(SEQUENCES_PER_ATTEMPT)
}

/// What can be done to a card.
enum Change<'a> {
    Text { element: &'a str, text: &'a str },
    Config(&'a Value),
    Whole(&'a Value),
}

impl Card {
    /// A card that was just sent, with streaming switched on, in the `attempt`th try at its question.
    pub(super) fn new(
        feishu: Client,
        id: CardId,
        message: MessageId,
        attempt: u32,
        renew_after: Duration,
    ) -> Self {
        Self {
            renew_after,
            ..Self::resumed(feishu, id, message, first_sequence(attempt))
        }
    }

    /// A card whose last change may have carried `sequence`, to be closed.
    pub(super) fn resumed(feishu: Client, id: CardId, message: MessageId, sequence: i32) -> Self {
        Self {
            id,
            message,
            feishu,
            sequence,
            streaming_since: Instant::now(),
            renew_after: Duration::MAX,
        }
    }

    /// The number the last change carried.
    pub(super) fn sequence(&self) -> i32 {
        self.sequence
    }

    /// When streaming has to be renewed.
    pub(super) fn renew_at(&self) -> Instant {
        let never = Duration::from_secs(365 * 24 * 3600);
        self.streaming_since + self.renew_after.min(never)
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
        let mut outcome = self.try_change(change).await;
        for jump in SEQUENCE_JUMPS {
            if !matches!(outcome, Err(Error::OutOfSequence(_))) {
                break;
            }
            warn!(card.id = %self.id, sequence = self.sequence, "a change came with too low a number");
            self.sequence = self.sequence.saturating_add(jump);
            outcome = self.try_change(change).await;
        }
        outcome
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
