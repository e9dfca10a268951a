//! A sandbox with nothing but the long connection, and a client that writes its frames by hand.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};
use tokio_util::sync::CancellationToken;

use crate::sandbox::{
    app::App,
    clock::Clock,
    faults::Faults,
    push::{
        DeliveryRecord, Push,
        frame::{CONTROL, DATA, Frame, Header},
    },
    server,
};

/// Only a failing test waits so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const MESSAGE: &str = "im.message.receive_v1";

pub(super) const CLICK: &str = "card.action.trigger";

pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it takes too long")
}

/// A sandbox with nothing but the long connection.
pub(super) struct World {
    pub(super) address: String,
    pub(super) app: Arc<App>,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) push: Push,
    pub(super) stop: CancellationToken,
    pub(super) server: JoinHandle<()>,
}

impl World {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (app, clock, faults) = (Arc::new(App::seeded(1)), Clock::new(), Faults::new(1));
        let push = Push::new(Arc::clone(&app), clock.clone(), faults.clone(), 1);
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::serve(listener, push.router(), stop.clone()));
        Self {
            address,
            app,
            clock,
            faults,
            push,
            stop,
            server,
        }
    }

    pub(super) fn trouble(&self, settings: Value) {
        self.faults.set(serde_json::from_value(settings).unwrap());
    }

    /// `POST /callback/ws/endpoint`: the HTTP status and the body.
    pub(super) async fn discover(&self, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!(
            "POST /callback/ws/endpoint HTTP/1.1\r\nhost: {}\r\nlocale: zh\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        let status = answer[9..12].parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    pub(super) async fn url(&self) -> String {
        let body = json!({"AppID": self.app.app_id, "AppSecret": self.app.app_secret});
        let (_, answer) = self.discover(&body.to_string()).await;
        answer["data"]["URL"].as_str().unwrap().to_owned()
    }

    /// A client whose connection has come up.
    pub(super) async fn connect(&self) -> Client {
        let mut connections = self.push.connections();
        let before = *connections.borrow();
        let client = Client::open(&self.url().await).await.unwrap();
        soon(connections.wait_for(|up| *up > before)).await.unwrap();
        client
    }

    pub(super) async fn connections(&self, wanted: usize) {
        let mut connections = self.push.connections();
        soon(connections.wait_for(|up| *up == wanted))
            .await
            .unwrap();
    }

    pub(super) fn says(&self, text: &str) -> String {
        self.push.event(MESSAGE, json!({"text": text}))
    }

    /// The records of an event, once `done` holds of them.
    pub(super) async fn records(
        &self,
        event_id: &str,
        done: impl Fn(&[DeliveryRecord]) -> bool,
    ) -> Vec<DeliveryRecord> {
        soon(async {
            loop {
                let mut records = self.push.deliveries(0);
                records.retain(|record| record.event_id == event_id);
                if done(&records) {
                    return records;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub(super) async fn acked(&self, event_id: &str) -> Vec<DeliveryRecord> {
        let last_is_acked = |records: &[DeliveryRecord]| {
            records
                .last()
                .is_some_and(|record| record.acked_ms.is_some())
        };
        self.records(event_id, last_is_acked).await
    }

    pub(super) async fn failed(&self, event_id: &str) -> Vec<DeliveryRecord> {
        let last_has_failed = |records: &[DeliveryRecord]| {
            records
                .last()
                .is_some_and(|record| record.failure.is_some())
        };
        self.records(event_id, last_has_failed).await
    }

    pub(super) async fn finish(self) {
        soon(self.push.stop()).await;
        self.stop.cancel();
        soon(self.server).await.unwrap();
    }
}

/// A bot's end of a connection, with nothing automatic about it.
pub(super) struct Client {
    pub(super) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(super) service: i32,
}

/// An event as a client puts it together.
pub(super) struct Event {
    /// The frame that came last, which is the one to acknowledge with.
    pub(super) frame: Frame,
    pub(super) body: Value,
}

impl Event {
    pub(super) fn id(&self) -> &str {
        self.body["header"]["event_id"].as_str().unwrap()
    }

    pub(super) fn message_id(&self) -> &str {
        self.frame.header("message_id").unwrap()
    }
}

impl Client {
    pub(super) async fn open(url: &str) -> Result<Self, Error> {
        let (socket, _) = soon(connect_async(url)).await?;
        let service = url.split("service_id=").nth(1).unwrap();
        let service = service.split('&').next().unwrap().parse().unwrap();
        Ok(Self { socket, service })
    }

    pub(super) async fn send(&mut self, frame: &Frame) {
        let bytes = frame.encode_to_vec();
        self.socket
            .send(Message::Binary(bytes.into()))
            .await
            .unwrap();
    }

    pub(super) async fn ping(&mut self) {
        let headers = vec![Header::new("type", "ping")];
        self.send(&Frame::from_server(CONTROL, self.service, headers))
            .await;
    }

    pub(super) async fn frame(&mut self) -> Frame {
        match soon(self.socket.next()).await {
            Some(Ok(Message::Binary(bytes))) => Frame::read(&bytes).unwrap(),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    /// The next event, put together from its pieces.
    pub(super) async fn event(&mut self) -> Event {
        let mut pieces = BTreeMap::new();
        loop {
            let frame = self.frame().await;
            assert_eq!(frame.method, Some(DATA));
            for key in ["type", "message_id", "sum", "seq", "trace_id", "timestamp"] {
                assert!(frame.header(key).is_some(), "{key} is missing");
            }
            let number = |key| frame.header(key).unwrap().parse::<usize>().unwrap();
            let (sum, seq) = (number("sum"), number("seq"));
            pieces.insert(seq, frame.payload.clone().unwrap_or_default());
            if pieces.len() == sum {
                let whole: Vec<u8> = pieces.into_values().flatten().collect();
                let body = serde_json::from_slice(&whole).unwrap();
                return Event { frame, body };
            }
        }
    }

    pub(super) async fn ack_with(&mut self, event: &Event, payload: Value) {
        let mut frame = event.frame.clone();
        frame.headers.push(Header::new("biz_rt", "1"));
        frame.payload = Some(payload.to_string().into());
        self.send(&frame).await;
    }

    pub(super) async fn ack(&mut self, event: &Event) {
        self.ack_with(event, json!({"code": 200, "headers": null, "data": null}))
            .await;
    }

    /// Waits for the end of the connection; fails when a frame comes first. Answers the close code.
    pub(super) async fn ends(&mut self) -> Option<CloseCode> {
        let mut code = None;
        loop {
            match soon(self.socket.next()).await {
                None | Some(Err(_)) => return code,
                Some(Ok(Message::Close(frame))) => code = frame.map(|frame| frame.code),
                Some(Ok(other)) => panic!("expected the end, got {other:?}"),
            }
        }
    }
}
