//! An event on its way from either intake, the long connection or the webhook, to whoever keeps it.

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};

/// One event as it came, waiting to be acknowledged.
#[derive(Debug)]
pub struct Delivery {
    /// The event's JSON, put together from its fragments.
    pub payload: Bytes,
    /// When its last fragment arrived.
    pub received_at: Instant,
    /// Where the answer goes. Dropped without one, the event is not acknowledged and comes again.
    pub answer: oneshot::Sender<Answer>,
}

/// How a delivery is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is kept; it must not come again.
    Done,
    /// It is kept, and this is the reply that a card click shows.
    DoneWith(serde_json::Value),
    /// It could not be kept; it should come again.
    Failed,
}
