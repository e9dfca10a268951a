//! How events and callbacks reach the bot: over the long connection, or posted to an address.
//!
//! One owner task holds every connection and every event under way; a [`Push`] is a way to its
//! inbox. As on the platform, an event goes to one connection, picked at random, and comes again
//! until it is acknowledged; also when it was, if the faults say so.

mod connection;
mod failure;
mod frame;
mod http;
mod outbox;
mod owner;
mod packet;
mod records;
#[cfg(test)]
mod tests;
mod ticket;
mod webhook;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::{
    failure::Failure,
    outbox::{Item, Purpose},
    owner::{Command, Owner},
    records::Records,
    webhook::Webhook,
};
use super::{
    app::{self, App},
    clock::Clock,
    faults::Faults,
};

pub(super) use self::webhook::WebhookSettings;

/// How many orders may wait for the owner, which never waits for anything but orders. An event that
/// finds it full is lost, with a line in the log and a record of the failure.
const INBOX_MAX: usize = 4_096;

/// A handle to the sandbox's long connections; clones share them. The task behind it ends when the
/// last handle is gone (a router made by [`Push::router`] holds one), or by [`Push::stop`].
#[derive(Debug, Clone)]
pub(super) struct Push {
    app: Arc<App>,
    clock: Clock,
    faults: Faults,
    inbox: mpsc::Sender<Command>,
    records: Records,
    webhook: Webhook,
    up: watch::Receiver<usize>,
    stop: CancellationToken,
    event_ids: Arc<Mutex<fastrand::Rng>>,
}

/// What became of a callback.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Callback {
    /// The bot answered; `None` when it had nothing to say.
    Answer(Option<Value>),
    /// No bot is connected, or the app is not subscribed. People see client error 200340.
    NotConnected,
    /// No answer within 3 s, or the connection went away meanwhile. People see client error 200341.
    Late,
    /// The bot answered with another code than 200. People see client error 200671.
    Refused {
        /// The code it answered with.
        code: i64,
    },
    /// The answer is no base64 of JSON, or where it was posted no JSON. People see client error 200672.
    Unreadable,
    /// Nobody takes connections at the address. People see client error 200342.
    NotReached,
    /// The address has a name that nobody knows. People see client error 200343.
    NoSuchHost,
}

/// One attempt to deliver an event, as `GET /sandbox/deliveries` shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DeliveryRecord {
    /// The same in every attempt.
    pub(super) event_id: String,
    /// Such as `im.message.receive_v1`.
    pub(super) event_type: String,
    /// The message it is about, where it is about one.
    pub(super) message_id: Option<Box<str>>,
    /// When the attempt was made, by the sandbox's clock.
    pub(super) at_ms: i64,
    /// The `device_id` of the connection it went to, or `webhook`; none when nothing was connected.
    pub(super) connection: Option<String>,
    /// When it was acknowledged with code 200, by the sandbox's clock.
    pub(super) acked_ms: Option<i64>,
    /// 1 for the first, and so on; a duplicate made as a fault counts too.
    pub(super) attempt: u32,
    /// Why the attempt failed, once it has.
    pub(super) failure: Option<String>,
}

impl Push {
    /// Starts the task that owns everything here. Needs a tokio runtime.
    pub(super) fn new(app: Arc<App>, clock: Clock, faults: Faults, seed: u64) -> Self {
        let (inbox, orders) = mpsc::channel(INBOX_MAX);
        let (up_sender, up) = watch::channel(0);
        let records = Records::default();
        let stop = CancellationToken::new();
        let webhook = Webhook::new(Arc::clone(&app), seed);
        let owner = Owner::new(
            clock.clone(),
            faults.clone(),
            records.clone(),
            webhook.clone(),
            up_sender,
            seed,
        );
        // It ends when `inbox` and its clones are gone, or by `stop`; `Push::stop` waits for it.
        tokio::spawn(owner.run(orders, stop.clone()));
        let event_ids = fastrand::Rng::with_seed(seed ^ 0x6576_656e_745f_6964);
        Self {
            app,
            clock,
            faults,
            inbox,
            records,
            webhook,
            up,
            stop,
            event_ids: Arc::new(Mutex::new(event_ids)),
        }
    }

    /// Sends an event in the envelope of schema 2.0, at least once: at once to one of the
    /// connections or to the address that is set, and again after 15 s, 5 min, 1 h and 6 h while it is not acknowledged. Answers
    /// the event's id. Never waits.
    pub(super) fn event(&self, event_type: &str, event: Value) -> String {
        let item = self.item(event_type, event, Purpose::Event);
        let event_id = item.event_id.clone();
        let message_id = item.message_id.clone();
        if self.inbox.try_send(Command::Push(item)).is_err() {
            warn!(event.id = %event_id, "lost an event: the queue is full or the sandbox has stopped");
            self.records.add(DeliveryRecord {
                event_id: event_id.clone(),
                event_type: event_type.to_owned(),
                message_id,
                at_ms: self.clock.now_ms(),
                connection: None,
                acked_ms: None,
                attempt: 1,
                failure: Some(Failure::NoRoom.to_string()),
            });
        }
        event_id
    }

    /// Sends a callback (such as `card.action.trigger`) to one of the connections, once, and waits up
    /// to 3 s by the sandbox's clock for what the bot answers.
    pub(super) async fn callback(&self, event_type: &str, event: Value) -> Callback {
        if !self.faults.get().console.is_subscribed(event_type) {
            return Callback::NotConnected;
        }
        let (answer, answered) = oneshot::channel();
        let item = self.item(event_type, event, Purpose::Callback(answer));
        if self.inbox.send(Command::Push(item)).await.is_err() {
            return Callback::NotConnected;
        }
        // An owner that ends takes every connection with it.
        answered.await.unwrap_or(Callback::NotConnected)
    }

    /// `POST /callback/ws/endpoint` and `GET /ws/v2`, with their state, to be merged.
    pub(super) fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// What was delivered at `since_ms` or later, callbacks too, oldest first. The last 20 000
    /// attempts are kept.
    pub(super) fn deliveries(&self, since_ms: i64) -> Vec<DeliveryRecord> {
        self.records.since(since_ms)
    }

    /// Whether events have somewhere to go: a connection that is up and not half-open, or an address that
    /// was the developer's when it was set.
    pub(super) fn connected(&self) -> bool {
        *self.up.borrow() > 0 || self.webhook.settings().events_url.is_some()
    }

    /// What webhook mode is set to.
    pub(super) fn webhook(&self) -> WebhookSettings {
        self.webhook.settings()
    }

    /// Sets where events and callbacks are posted, if those addresses answer the challenge.
    ///
    /// # Errors
    /// A sentence that says which does not.
    pub(super) async fn set_webhook(&self, settings: WebhookSettings) -> Result<(), String> {
        self.webhook.set(settings).await
    }

    /// How many connections are up and not half-open, as it changes.
    pub(super) fn connections(&self) -> watch::Receiver<usize> {
        self.up.clone()
    }

    /// Closes every connection for good and waits until the tasks behind them have ended, at most
    /// about two seconds.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.inbox.closed().await;
    }

    fn item(&self, event_type: &str, event: Value, purpose: Purpose) -> Item {
        let event_id = {
            let mut random = self
                .event_ids
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            app::hex(&mut random, 32)
        };
        let message_id = [&event["message"]["message_id"], &event["message_id"]];
        let message_id = message_id.into_iter().find_map(Value::as_str);
        let message_id = message_id.map(Box::from);
        let now_ms = self.clock.now_ms();
        // The documentation's sample of a callback shows microseconds, unlike those of events.
        let create_time = match purpose {
            Purpose::Callback(_) => now_ms.saturating_mul(1_000),
            Purpose::Event | Purpose::Repeat => now_ms,
        };
        let envelope = json!({
            "schema": "2.0",
            "header": {
                "event_id": event_id,
                "event_type": event_type,
                "create_time": create_time.to_string(),
                "token": self.app.verification_token,
                "app_id": self.app.app_id,
                "tenant_key": self.app.tenant_key,
            },
            "event": event,
        });
        Item {
            event_id,
            event_type: event_type.to_owned(),
            message_id,
            payload: Bytes::from(envelope.to_string()),
            purpose,
            attempts: 0,
        }
    }
}
