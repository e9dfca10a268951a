//! The long connection.

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{config::FeishuConfig, telemetry::Metrics};

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

/// How the connection is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// On its way.
    Connecting,
    /// Open.
    Up,
    /// Lost; it will be tried again.
    Down,
    /// Given up, and why.
    Fatal(String),
}

/// Why trying again cannot mend the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    /// The platform does not take this app id and secret.
    #[error("wrong credentials")]
    WrongCredentials,
}

/// Keeps a connection until `stop`; returns an error only for what trying again cannot mend.
pub async fn run(
    config: &FeishuConfig,
    deliveries: mpsc::Sender<Delivery>,
    link: watch::Sender<Link>,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), Fatal> {
    let _ = (config, deliveries, link, metrics, stop);
    unimplemented!()
}
