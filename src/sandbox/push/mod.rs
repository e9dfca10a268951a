//! The long connection, server side: connections, and the events and callbacks that go over them.
use std::sync::Arc;

use axum::Router;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::{app::App, clock::Clock, faults::Faults};

/// A handle to the sandbox's long connections; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Push;

/// What became of a callback.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Callback {
    /// The bot answered; `None` when with nothing.
    Answer(Option<Value>),
    /// No bot is connected. Client error 200340.
    NotConnected,
    /// No answer within 3 s, or the connection went away meanwhile. Client error 200341.
    Late,
    /// The bot answered with another code than 200. Client error 200671.
    Refused {
        /// The code.
        code: i64,
    },
    /// The answer is no base64 of JSON. Client error 200672.
    Unreadable,
}

/// One attempt to deliver an event, as `GET /sandbox/deliveries` shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DeliveryRecord {
    /// The same in every attempt.
    pub(super) event_id: String,
    /// Such as `im.message.receive_v1`.
    pub(super) event_type: String,
    /// When the attempt was made, by the sandbox's clock.
    pub(super) at_ms: i64,
    /// The `device_id` of the connection it went to; none when nothing was connected.
    pub(super) connection: Option<String>,
    /// When it was acknowledged with code 200, by the sandbox's clock.
    pub(super) acked_ms: Option<i64>,
    /// 1 for the first, and so on.
    pub(super) attempt: u32,
    /// Why the attempt failed, once it has.
    pub(super) failure: Option<String>,
}

impl Push {
    /// Starts the task that owns everything here. Needs a tokio runtime.
    pub(super) fn new(app: Arc<App>, clock: Clock, faults: Faults, seed: u64) -> Self {
        let _ = (app, clock, faults, seed);
        Self
    }

    /// Sends an event, at least once; answers its id.
    pub(super) fn event(&self, event_type: &str, event: Value) -> String {
        let _ = (event_type, event);
        unimplemented!("face only")
    }

    /// Sends a callback once and waits up to 3 s for the answer.
    pub(super) async fn callback(&self, event_type: &str, event: Value) -> Callback {
        let _ = (event_type, event);
        unimplemented!("face only")
    }

    /// `POST /callback/ws/endpoint` and `GET /ws/v2`.
    pub(super) fn router(&self) -> Router {
        Router::new()
    }

    /// What was delivered at `since_ms` or later, oldest first.
    pub(super) fn deliveries(&self, since_ms: i64) -> Vec<DeliveryRecord> {
        let _ = since_ms;
        unimplemented!("face only")
    }

    /// Whether an event would find a connection that answers.
    pub(super) fn connected(&self) -> bool {
        unimplemented!("face only")
    }

    /// How many connections are up and healthy, as it changes.
    pub(super) fn connections(&self) -> watch::Receiver<usize> {
        unimplemented!("face only")
    }

    /// Closes every connection now.
    pub(super) fn drop_connections(&self) {
        unimplemented!("face only")
    }

    /// Closes every connection for good and waits until the tasks behind them have ended.
    pub(super) async fn stop(&self) {
        unimplemented!("face only")
    }
}
