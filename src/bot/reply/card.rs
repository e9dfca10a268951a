//! One card entity in one chat, and the platform's ten minutes of streaming.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use crate::feishu::{CardId, CardStream, Client, Error, MessageId};

/// The numbers that each attempt at a question has for itself, so that those of a process that was
/// killed never meet those of the one that takes over.
const SEQUENCES_PER_ATTEMPT: i32 = 1_000_000;

/// Far enough away.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// A card that people can see.
pub(super) struct Card {
    /// The entity.
    pub id: CardId,
    /// The message that shows it.
    pub message: MessageId,
    stream: CardStream,
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

impl Card {
    /// A card that was just sent, with streaming switched on, in the `attempt`th try at its question.
    pub(super) fn new(
        feishu: &Client,
        id: CardId,
        message: MessageId,
        attempt: u32,
        renew_after: Duration,
    ) -> Self {
        Self {
            renew_after: renew_after.min(NEVER),
            ..Self::resumed(feishu, id, message, first_sequence(attempt))
        }
    }

    /// A card whose last change may have carried `sequence`, to be closed.
    pub(super) fn resumed(feishu: &Client, id: CardId, message: MessageId, sequence: i32) -> Self {
        Self {
            stream: feishu.card_stream(id.clone(), sequence),
            id,
            message,
            streaming_since: Instant::now(),
            renew_after: NEVER,
        }
    }

    /// The number the last change carried.
    pub(super) fn sequence(&self) -> i32 {
        self.stream.sequence()
    }

    /// When streaming has to be renewed.
    pub(super) fn renew_at(&self) -> Instant {
        self.streaming_since + self.renew_after
    }

    /// From now on `element` shall show `text`, all of it. Does not wait: [`Card::written`] tells.
    pub(super) fn show(&self, element: &str, text: &str) {
        self.stream.show(element, text);
    }

    /// Waits until a text was shown, and says in which element, or why it was not. May be dropped and
    /// asked again; an error is then for [`Card::mend`].
    pub(super) async fn written(&mut self) -> Result<Arc<str>, Error> {
        self.stream.written().await
    }

    /// Reopens streaming when the platform has closed it; what was to be shown is then sent again.
    pub(super) async fn mend(&mut self, error: Error) -> Result<(), Error> {
        if !matches!(error, Error::StreamClosed(_)) {
            return Err(error);
        }
        debug!(card.id = %self.id, "the platform closed streaming; opening it again");
        let on = json!({ "streaming_mode": true });
        self.stream.configure(&on).await?;
        self.streaming_since = Instant::now();
        Ok(())
    }

    /// Switches streaming off and on, which starts the platform's ten minutes anew.
    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        // Whatever comes of it, the next attempt is a while away.
        self.streaming_since = Instant::now();
        self.stream.renew().await
    }

    /// Ends the card's streaming with its `config`. Text that is not shown yet is forgotten, since the whole
    /// card follows.
    pub(super) async fn configure(&mut self, config: &Value) -> Result<(), Error> {
        self.stream.forget();
        self.stream.configure(config).await
    }

    /// Replaces the whole card while its turn runs. That is progress: it stands back behind what is more
    /// urgent, and is not repeated, since the next drawing carries everything it does.
    pub(super) async fn redraw(&mut self, json: &Value) -> Result<(), Error> {
        self.stream.redraw(json).await
    }

    /// Replaces the whole card.
    pub(super) async fn replace(&mut self, json: &Value) -> Result<(), Error> {
        self.stream.replace(json).await
    }
}
