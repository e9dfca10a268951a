//! One connection: a task that owns one WebSocket.
//!
//! It answers pings by itself, hands every data frame that comes to the owner, and sends what the
//! owner gives it. A half-open connection is read into nothing at the level of bytes, so that not
//! even the WebSocket's own pings are answered.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tokio::{
    io,
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tracing::{debug, warn};

use super::{
    super::faults::{ClientConfig, Faults},
    frame::{CONTROL, Frame, Header},
};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Between the answer 101 and the connection being ours.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);
/// For the closing handshake. A live client on the same machine answers in far less.
const CLOSE_WITHIN: Duration = Duration::from_millis(250);
/// Acknowledgements are small; a larger message is a mistake.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It works.
    Live,
    /// It stays, and nothing comes over it any more.
    HalfOpen,
    /// It ends at once, without a word.
    Cut,
    /// It ends with the closing handshake.
    Closed,
}

/// What a connection tells the owner.
#[derive(Debug)]
pub(super) struct Report {
    /// The connection's number.
    pub(super) connection: u64,
    /// What happened.
    pub(super) news: News,
}

/// What happened on a connection. Its end shows in the end of its task.
#[derive(Debug)]
pub(super) enum News {
    /// The upgrade is done; events may be sent.
    Up,
    /// A data frame came: an acknowledgement.
    Data(Box<Frame>),
}

/// The connection's end of what it shares with the owner.
#[derive(Debug)]
pub(super) struct Line {
    /// The connection's number.
    pub(super) number: u64,
    /// The `service_id` that the client was given.
    pub(super) service: i32,
    /// Messages to send; each batch is one attempt.
    pub(super) outgoing: mpsc::Receiver<Vec<Message>>,
    /// News for the owner. A full queue holds up reading from the client.
    pub(super) reports: mpsc::Sender<Report>,
    /// Set by the owner.
    pub(super) fate: watch::Receiver<Fate>,
    /// What pongs say.
    pub(super) faults: Faults,
}

/// Serves one connection until it ends, from either side.
pub(super) async fn serve(mut line: Line, upgrade: OnUpgrade) {
    let mut fate = line.fate.clone();
    let opened = tokio::select! {
        opened = open(upgrade) => opened,
        // The owner gave it up before it was there.
        () = ends(&mut fate) => return,
    };
    let Some(mut socket) = opened else {
        return debug!("a client left during the upgrade");
    };
    line.report(News::Up).await;
    let fated = tokio::select! {
        // The client left, or broke the rules and was shown out.
        outcome = line.talk(&mut socket) => return end(outcome, socket).await,
        fated = changed(&mut fate) => fated,
    };
    match fated {
        Fate::HalfOpen => {
            let mut bytes = socket.into_inner();
            let mut nowhere = io::sink();
            tokio::select! {
                // Ends when the client gives the connection up.
                _ = io::copy(&mut bytes, &mut nowhere) => {}
                () = ends(&mut fate) => {}
            }
        }
        Fate::Closed => close(&mut socket, CloseCode::Away, "the server is going away").await,
        Fate::Live | Fate::Cut => {}
    }
}

async fn open(upgrade: OnUpgrade) -> Option<Socket> {
    let upgraded = timeout(UPGRADE_WITHIN, upgrade).await.ok()?.ok()?;
    let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX));
    let io = TokioIo::new(upgraded);
    Some(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await)
}

/// Resolves once the connection is no longer to live. An owner that is gone cuts it.
async fn changed(fate: &mut watch::Receiver<Fate>) -> Fate {
    match fate.wait_for(|fate| *fate != Fate::Live).await {
        Ok(fate) => *fate,
        Err(_) => Fate::Cut,
    }
}

/// Resolves once the connection is to end.
async fn ends(fate: &mut watch::Receiver<Fate>) {
    // An error means that the owner is gone, which ends it too.
    let _ = fate
        .wait_for(|fate| matches!(fate, Fate::Cut | Fate::Closed))
        .await;
}

/// Why talking ended, when it was not the owner's wish.
enum Outcome {
    /// The client closed, or the socket broke.
    Gone,
    /// The client sent something that is no frame.
    Broke(String),
}

async fn end(outcome: Outcome, mut socket: Socket) {
    if let Outcome::Broke(why) = outcome {
        // The real platform's reaction is not documented. Closing makes the fault easy to find.
        warn!("closing a connection: {why}");
        close(&mut socket, CloseCode::Protocol, &why).await;
    }
}

async fn close(socket: &mut Socket, code: CloseCode, reason: &str) {
    // A close frame holds at most 123 bytes of reason, and a character takes up to four.
    let reason: String = reason.chars().take(30).collect();
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    let handshake = async {
        socket.close(Some(frame)).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<_, tungstenite::Error>(())
    };
    // Whether the client plays along or not, the connection is over.
    let _ = timeout(CLOSE_WITHIN, handshake).await;
}

impl Line {
    async fn talk(&mut self, socket: &mut Socket) -> Outcome {
        loop {
            let sent = tokio::select! {
                batch = self.outgoing.recv() => match batch {
                    Some(batch) => send(socket, batch).await,
                    // The owner has ended.
                    None => return Outcome::Gone,
                },
                message = socket.next() => match message {
                    Some(Ok(Message::Binary(bytes))) => match Frame::read(&bytes) {
                        Ok(frame) => self.received(socket, frame).await,
                        Err(error) => return Outcome::Broke(error.to_string()),
                    },
                    Some(Ok(Message::Text(_))) => {
                        warn!("ignored a text message: frames are binary");
                        Ok(())
                    }
                    // Pings are answered by tungstenite; after a close the stream ends by itself.
                    Some(Ok(_)) => Ok(()),
                    Some(Err(_)) | None => return Outcome::Gone,
                },
            };
            if sent.is_err() {
                return Outcome::Gone;
            }
        }
    }

    async fn received(&self, socket: &mut Socket, frame: Frame) -> Result<(), tungstenite::Error> {
        if frame.method != Some(CONTROL) {
            self.report(News::Data(Box::new(frame))).await;
            return Ok(());
        }
        match frame.header("type") {
            Some("ping") => send(socket, vec![self.pong()]).await,
            // Nothing else is known to come from a client.
            _ => Ok(()),
        }
    }

    fn pong(&self) -> Message {
        let settings = self.faults.get();
        let mut pong = Frame::from_server(CONTROL, self.service, vec![Header::new("type", "pong")]);
        if !settings.empty_pong {
            pong.payload = Some(config_json(settings.client_config));
        }
        Message::Binary(pong.encode_to_vec().into())
    }

    async fn report(&self, news: News) {
        let connection = self.number;
        // It fails only when the owner has ended, which ends the connection as well.
        let _ = self.reports.send(Report { connection, news }).await;
    }
}

fn config_json(config: ClientConfig) -> Bytes {
    serde_json::to_vec(&config)
        .expect("four numbers are always JSON")
        .into()
}

async fn send(socket: &mut Socket, batch: Vec<Message>) -> Result<(), tungstenite::Error> {
    for message in batch {
        socket.feed(message).await?;
    }
    socket.flush().await
}
