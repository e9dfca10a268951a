//! One connection, from its opening to its end.
//!
//! One task reads, pings and writes acknowledgements, and waits for nobody: an event is handed over
//! only if there is room for it, and its acknowledgement is written whenever its answer comes. An event
//! that finds no room, or whose answer does not come, is not acknowledged, and the platform repeats it.

use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Answer, Delivery,
    discovery::{ClientConfig, Endpoint, Settings, Trouble, refused_upgrade},
    fragments::Fragments,
    frame::{CONTROL, DATA, Frame},
    pulse::{Beat, Pulse},
};
use crate::{config::FeishuConfig, feishu::http::with_causes, telemetry::Metrics};

/// The most bytes of one message of the connection.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// The most events that may be handed over and not answered.
const UNANSWERED_MAX: usize = 4096;
/// How long an answer is waited for. The platform has given up after 3 seconds and repeats after 15.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a stop waits for the last acknowledgements.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// We were asked to stop.
    Stopped,
    /// Nobody takes events any more.
    Unwanted,
    /// It broke, and how.
    Lost(String),
}

/// An open connection.
pub(super) struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    service_id: i32,
    settings: Settings,
    pulse: Pulse,
    /// However rarely the platform wants it, we ping this often: only a ping finds out that nobody is there.
    ping_every_max: Duration,
    /// For how long a write may be stuck.
    pong_timeout: Duration,
    fragments: Fragments,
    unanswered: FuturesUnordered<BoxFuture<'static, Option<Acknowledgement>>>,
    was_heard: bool,
    /// Whether the last event found no room, so that a flood of them makes one line in the log.
    is_full: bool,
}

struct Acknowledgement {
    frame: Frame,
    received_at: Instant,
}

impl Connection {
    /// Connects to `endpoint`.
    pub(super) async fn open(
        endpoint: &Endpoint,
        settings: Settings,
        config: &FeishuConfig,
    ) -> Result<Self, Trouble> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX))
            // Allocated at once for every connection; events are small.
            .read_buffer_size(16 << 10);
        let connecting = connect_async_with_config(&endpoint.url, Some(limits), true);
        let (socket, _) = timeout(config.connect_timeout, connecting)
            .await
            .map_err(|_| Trouble::Passing("connecting took too long".into()))?
            .map_err(refusal)?;
        let now = Instant::now();
        Ok(Self {
            socket,
            service_id: endpoint.service_id,
            settings,
            pulse: Pulse::new(
                now,
                settings.ping_every.min(config.ping_every_max),
                config.pong_timeout,
            ),
            ping_every_max: config.ping_every_max,
            pong_timeout: config.pong_timeout,
            fragments: Fragments::default(),
            unanswered: FuturesUnordered::new(),
            was_heard: false,
            is_full: false,
        })
    }

    /// The settings as they are by now.
    pub(super) fn settings(&self) -> Settings {
        self.settings
    }

    /// Whether the other end ever said anything.
    pub(super) fn was_heard(&self) -> bool {
        self.was_heard
    }

    /// Serves the connection until it ends or `stop` is cancelled.
    pub(super) async fn serve(
        &mut self,
        deliveries: &mpsc::Sender<Delivery>,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> End {
        loop {
            let end = tokio::select! {
                // Shutdown: no more events are taken, what was taken is still answered.
                () = stop.cancelled() => Some(self.goodbye(metrics).await),
                // The platform speaks. Reading also answers WebSocket's own pings.
                message = self.socket.next() => self.hear(message, deliveries),
                // An event was kept, or failed, or was dropped.
                Some(answered) = self.unanswered.next(), if !self.unanswered.is_empty() => {
                    self.acknowledge(answered, metrics).await
                }
                // A ping is due, or its answer overdue.
                () = sleep_until(self.pulse.next()) => self.beat().await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    fn hear(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
        deliveries: &mpsc::Sender<Delivery>,
    ) -> Option<End> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Some(End::Lost(with_causes(&error))),
            None => return Some(End::Lost("the connection ended".into())),
        };
        self.was_heard = true;
        self.pulse.heard();
        match message {
            Message::Binary(bytes) => match Frame::read(bytes) {
                Ok(frame) => self.take(frame, deliveries),
                Err(error) => {
                    warn!(%error, "ignored a message of the long connection");
                    None
                }
            },
            Message::Close(_) => Some(End::Lost("closed by the platform".into())),
            Message::Text(_) => {
                debug!("ignored a text message of the long connection");
                None
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
        }
    }

    fn take(&mut self, frame: Frame, deliveries: &mpsc::Sender<Delivery>) -> Option<End> {
        match (frame.method, frame.header("type")) {
            (CONTROL, Some("pong")) => self.take_settings(&frame),
            // A click may come as either of the two; what it is stands in its event.
            (DATA, Some("event" | "card")) => return self.take_event(frame, deliveries),
            (method, kind) => debug!(method, kind, "ignored a frame"),
        }
        None
    }

    fn take_settings(&mut self, pong: &Frame) {
        let payload = pong.payload.as_deref().unwrap_or_default();
        if let Ok(served) = serde_json::from_slice::<ClientConfig>(payload) {
            let settings = self.settings.changed_by(&served);
            if settings.ping_every != self.settings.ping_every {
                let ping_every = settings.ping_every.min(self.ping_every_max);
                self.pulse.set_interval(ping_every, Instant::now());
            }
            self.settings = settings;
        }
    }

    fn take_event(&mut self, mut frame: Frame, deliveries: &mpsc::Sender<Delivery>) -> Option<End> {
        let received_at = Instant::now();
        let part = frame.payload.take().unwrap_or_default();
        let number = |key, absent| match frame.header(key) {
            // A number that is none is refused below as one that makes no sense.
            Some(value) => value.parse().unwrap_or(-1),
            None => absent,
        };
        let (sum, seq) = (number("sum", 1), number("seq", 0));
        let message_id = frame.header("message_id").unwrap_or_default();
        match self.fragments.add(message_id, sum, seq, part, received_at) {
            Ok(Some(payload)) => self.hand_over(frame, payload, received_at, deliveries),
            Ok(None) => None,
            Err(error) => {
                warn!(%error, "ignored a part of an event");
                None
            }
        }
    }

    fn hand_over(
        &mut self,
        frame: Frame,
        payload: Bytes,
        received_at: Instant,
        deliveries: &mpsc::Sender<Delivery>,
    ) -> Option<End> {
        let (answer, answered) = oneshot::channel();
        let delivery = Delivery {
            payload,
            received_at,
            answer,
        };
        let outcome = match self.unanswered.len() < UNANSWERED_MAX {
            true => deliveries.try_send(delivery),
            false => Err(mpsc::error::TrySendError::Full(delivery)),
        };
        match outcome {
            Ok(()) => {
                self.is_full = false;
                self.unanswered
                    .push(acknowledgement(frame, received_at, answered).boxed());
                None
            }
            Err(mpsc::error::TrySendError::Full(_)) => {
                if !std::mem::replace(&mut self.is_full, true) {
                    warn!("events come faster than they are kept; the platform will repeat them");
                }
                None
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Some(End::Unwanted),
        }
    }

    async fn acknowledge(
        &mut self,
        answered: Option<Acknowledgement>,
        metrics: &Metrics,
    ) -> Option<End> {
        let acknowledgement = answered?;
        let end = self.write(&acknowledgement.frame).await;
        if end.is_none() {
            let took = acknowledgement.received_at.elapsed();
            metrics.event_ack_seconds.observe(took.as_secs_f64());
        }
        end
    }

    async fn beat(&mut self) -> Option<End> {
        match self.pulse.beat(Instant::now()) {
            Beat::Wait => None,
            Beat::Ping => self.write(&Frame::ping(self.service_id)).await,
            Beat::Dead => Some(End::Lost(format!(
                "nothing was heard for {:?} after a ping",
                self.pong_timeout
            ))),
        }
    }

    /// Writes a frame; a socket that does not take it for long is as dead as one that does not answer.
    async fn write(&mut self, frame: &Frame) -> Option<End> {
        let writing = self.socket.send(Message::Binary(frame.to_bytes()));
        match timeout(self.pong_timeout, writing).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(End::Lost(with_causes(&error))),
            Err(_) => Some(End::Lost("a write was stuck".into())),
        }
    }

    /// Writes the acknowledgements that come within a moment, and closes.
    async fn goodbye(&mut self, metrics: &Metrics) -> End {
        let until = Instant::now() + GOODBYE_MAX;
        while let Ok(Some(answered)) = timeout_at(until, self.unanswered.next()).await {
            if let Some(end) = self.acknowledge(answered, metrics).await {
                debug!(?end, "the connection broke while closing");
                return End::Stopped;
            }
        }
        // Whether the other end still hears it makes no difference.
        let _ = timeout(GOODBYE_MAX, self.socket.close(None)).await;
        End::Stopped
    }
}

/// Waits for the answer to an event and makes its acknowledgement, if there is to be one.
async fn acknowledgement(
    frame: Frame,
    received_at: Instant,
    answered: oneshot::Receiver<Answer>,
) -> Option<Acknowledgement> {
    let answer = timeout(ANSWER_WAIT_MAX, answered).await.ok()?.ok()?;
    Some(Acknowledgement {
        frame: frame.acknowledge(&answer, received_at.elapsed()),
        received_at,
    })
}

fn refusal(error: tungstenite::Error) -> Trouble {
    let tungstenite::Error::Http(response) = error else {
        return Trouble::Passing(with_causes(&error));
    };
    refused_upgrade(response.status().as_u16(), |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    })
}
