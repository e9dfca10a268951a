//! The long connection against a server of the test's own.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use super::{
    frame::{CONTROL, DATA},
    *,
};
use crate::{
    config::FeishuConfig,
    feishu::testing::{Platform, Reply},
};

const DISCOVERY: &str = "POST /callback/ws/endpoint";
/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(10);

/// The platform's side of the line, and a client that is kept connected to it.
struct Line {
    platform: Platform,
    listener: TcpListener,
    deliveries: mpsc::Receiver<Delivery>,
    link: watch::Receiver<Link>,
    stop: CancellationToken,
    metrics: Metrics,
    running: JoinHandle<Result<(), Fatal>>,
}

impl Line {
    /// A client that may hold `room` events and takes a silence of `pong_timeout` for death. Discovery
    /// gives `replies` first and after that the way here.
    async fn new(room: usize, pong_timeout: Duration, replies: Vec<Reply>) -> Self {
        Self::configured(room, replies, |config| config.pong_timeout = pong_timeout).await
    }

    async fn configured(
        room: usize,
        replies: Vec<Reply>,
        configure: impl FnOnce(&mut FeishuConfig),
    ) -> Self {
        let platform = Platform::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "ws://{}/ws/v2?device_id=d1&access_key=hush&service_id=7&ticket=hush",
            listener.local_addr().unwrap()
        );
        platform.will(DISCOVERY, replies);
        let served = json!({"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": 90});
        let here = || Reply::data(json!({"URL": url, "ClientConfig": served}));
        platform.will(DISCOVERY, (0..20).map(|_| here()));

        let mut config = platform.config();
        configure(&mut config);
        let (sender, deliveries) = mpsc::channel(room);
        let (link_sender, link) = watch::channel(Link::Connecting);
        let (stop, metrics) = (CancellationToken::new(), Metrics::default());
        let running = tokio::spawn({
            let (stop, metrics) = (stop.clone(), metrics.clone());
            async move { run(&config, sender, link_sender, metrics, stop).await }
        });
        Self {
            platform,
            listener,
            deliveries,
            link,
            stop,
            metrics,
            running,
        }
    }

    async fn usual() -> Self {
        Self::new(16, LONG, Vec::new()).await
    }

    async fn accept(&self) -> Peer {
        let (socket, _) = timeout(LONG, self.listener.accept())
            .await
            .unwrap()
            .unwrap();
        Peer(accept_async(socket).await.unwrap())
    }

    /// Refuses one connection with these headers.
    async fn refuse(&self, status: &str, code: &str) {
        let (socket, _) = timeout(LONG, self.listener.accept())
            .await
            .unwrap()
            .unwrap();
        #[expect(
            clippy::result_large_err,
            reason = "the callback's type is tungstenite's"
        )]
        let refuse = |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = "400".parse().unwrap();
            let headers = refusal.headers_mut();
            headers.insert("Handshake-Status", status.parse().unwrap());
            headers.insert("Handshake-Autherrcode", code.parse().unwrap());
            Err(refusal)
        };
        assert!(accept_hdr_async(socket, refuse).await.is_err());
    }

    async fn delivery(&mut self) -> Delivery {
        timeout(LONG, self.deliveries.recv())
            .await
            .unwrap()
            .unwrap()
    }

    async fn until(&mut self, wanted: impl Fn(&Link) -> bool) -> Link {
        timeout(LONG, self.link.wait_for(wanted))
            .await
            .unwrap()
            .unwrap()
            .clone()
    }

    async fn outcome(self) -> Result<(), Fatal> {
        timeout(LONG, self.running).await.unwrap().unwrap()
    }
}

/// The platform's end of one connection.
struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn send(&mut self, frame: Frame) {
        self.0
            .send(Message::Binary(frame.to_bytes()))
            .await
            .unwrap();
    }

    /// The next frame that the client sends.
    async fn frame(&mut self) -> Frame {
        loop {
            let message = timeout(LONG, self.0.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            if let Message::Binary(bytes) = message {
                return Frame::read(bytes).unwrap();
            }
        }
    }

    /// The next frame that is no ping.
    async fn acknowledgement(&mut self) -> (Frame, Value) {
        loop {
            let frame = self.frame().await;
            if frame.method == DATA {
                let payload = serde_json::from_slice(frame.payload.as_ref().unwrap()).unwrap();
                return (frame, payload);
            }
        }
    }

    /// Waits for the client to close the connection, and whether it said so.
    async fn closed(mut self) -> bool {
        loop {
            match timeout(LONG, self.0.next()).await.unwrap() {
                Some(Ok(Message::Close(_))) => return true,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    }
}

fn event(message_id: &str, payload: impl Into<Bytes>) -> Frame {
    part(message_id, 1, 0, payload)
}

fn part(message_id: &str, sum: usize, seq: usize, payload: impl Into<Bytes>) -> Frame {
    let frame = Frame {
        seq_id: 5,
        log_id: 6,
        service: 7,
        method: DATA,
        payload: Some(payload.into()),
        ..Frame::default()
    };
    frame
        .with_header("type", "event")
        .with_header("message_id", message_id)
        .with_header("sum", sum)
        .with_header("seq", seq)
        .with_header("trace_id", "t")
}

fn pong(settings: &str) -> Frame {
    let frame = Frame {
        method: CONTROL,
        payload: Some(settings.to_owned().into()),
        ..Frame::default()
    };
    frame.with_header("type", "pong")
}

#[tokio::test]
async fn an_event_is_handed_over_and_acknowledged_when_it_is_answered() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    line.until(|link| *link == Link::Up).await;
    assert_eq!(line.metrics.connected.get(), 1);
    assert_eq!(
        peer.frame().await,
        Frame::ping(7),
        "the first thing it says is a ping"
    );

    let sent = event("m1", "{\"a\":1}");
    peer.send(sent.clone()).await;
    let delivery = line.delivery().await;
    assert_eq!(delivery.payload, "{\"a\":1}");
    delivery.answer.send(Answer::Done).unwrap();
    let (ack, payload) = peer.acknowledgement().await;
    assert_eq!(payload, json!({"code": 200, "headers": null, "data": null}));
    assert_eq!((ack.seq_id, ack.log_id, ack.service), (5, 6, 7));
    assert_eq!(ack.headers[..sent.headers.len()], sent.headers);
    assert!(ack.header("biz_rt").unwrap().parse::<u64>().is_ok());
}

#[tokio::test]
async fn acknowledgements_come_in_the_order_of_answers_and_not_of_events() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    for id in ["m1", "m2", "m3"] {
        peer.send(event(id, "{}")).await;
    }
    let (first, second, third) = (
        line.delivery().await,
        line.delivery().await,
        line.delivery().await,
    );
    // The first is dropped without an answer: the platform will send it again.
    drop(first);
    third
        .answer
        .send(Answer::DoneWith(json!({"toast": {}})))
        .unwrap();
    let (ack, payload) = peer.acknowledgement().await;
    assert_eq!(ack.header("message_id"), Some("m3"));
    let data = BASE64_STANDARD
        .decode(payload["data"].as_str().unwrap())
        .unwrap();
    assert_eq!(data, b"{\"toast\":{}}");
    second.answer.send(Answer::Failed).unwrap();
    let (ack, payload) = peer.acknowledgement().await;
    assert_eq!(
        (ack.header("message_id"), &payload["code"]),
        (Some("m2"), &json!(500))
    );
}

#[tokio::test]
async fn a_card_frame_is_handed_over_like_an_event() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    let mut frame = event("m1", "{}");
    frame.headers[0].value = "card".into();
    peer.send(frame).await;
    line.delivery().await.answer.send(Answer::Done).unwrap();
    assert_eq!(peer.acknowledgement().await.0.header("type"), Some("card"));
}

#[tokio::test]
async fn a_fragmented_event_is_handed_over_and_acknowledged_once() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    let text = "{\"text\":\"磁盘\"}".as_bytes();
    // The cut goes through a character.
    let (first, second) = text.split_at(10);
    peer.send(part("m1", 2, 1, second.to_vec())).await;
    peer.send(part("m1", 2, 1, second.to_vec())).await;
    peer.send(part("m1", 2, 0, first.to_vec())).await;
    peer.send(event("m2", "{}")).await;
    let delivery = line.delivery().await;
    assert_eq!(delivery.payload, text);
    delivery.answer.send(Answer::Done).unwrap();
    assert_eq!(line.delivery().await.payload, "{}", "nothing came between");
    let (ack, _) = peer.acknowledgement().await;
    assert_eq!(
        ack.header("seq"),
        Some("0"),
        "the frame that came last is echoed"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_ignored_and_the_connection_stays() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    for bytes in [&b"\xff\xff"[..], b"", b"\x0a"] {
        peer.0
            .send(Message::Binary(Bytes::from_static(bytes)))
            .await
            .unwrap();
    }
    peer.0.send(Message::Text("hello".into())).await.unwrap();
    peer.0.send(Message::Ping("x".into())).await.unwrap();
    peer.send(pong("not json")).await;
    peer.send(part("m1", 0, 0, "{}")).await;
    peer.send(Frame {
        method: 9,
        ..Frame::default()
    })
    .await;
    peer.send(event("m2", "not json either")).await;
    assert_eq!(line.delivery().await.payload, "not json either");
}

#[tokio::test]
async fn when_there_is_no_room_events_wait_at_the_platform_and_pings_go_on() {
    let mut line = Line::new(1, LONG, Vec::new()).await;
    let mut peer = line.accept().await;
    assert_eq!(peer.frame().await, Frame::ping(7));
    for id in ["m1", "m2", "m3"] {
        peer.send(event(id, "{}")).await;
    }
    // Nobody takes the events, and still the new interval is heard and kept.
    peer.send(pong("{\"PingInterval\":1}")).await;
    assert_eq!(peer.frame().await, Frame::ping(7));
    line.delivery().await.answer.send(Answer::Done).unwrap();
    assert_eq!(
        peer.acknowledgement().await.0.header("message_id"),
        Some("m1")
    );
    // There is room again: this is the next one that comes through.
    peer.send(event("m4", "{\"n\":4}")).await;
    assert_eq!(line.delivery().await.payload, "{\"n\":4}");
}

#[tokio::test]
async fn it_pings_more_often_than_the_platform_proposes() {
    let often = |config: &mut FeishuConfig| config.ping_every_max = Duration::from_millis(50);
    let line = Line::configured(16, Vec::new(), often).await;
    let mut peer = line.accept().await;
    // Ninety seconds were served with the address, and so they are with a pong.
    peer.send(pong("{\"PingInterval\":80}")).await;
    for _ in 0..3 {
        assert_eq!(peer.frame().await, Frame::ping(7));
    }
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced() {
    let mut line = Line::new(16, Duration::from_secs(1), Vec::new()).await;
    let silent = line.accept().await;
    // It stays open and says nothing, also to the first ping.
    let mut peer = line.accept().await;
    peer.send(event("m1", "{}")).await;
    line.delivery().await;
    drop(silent);
}

#[tokio::test]
async fn a_lost_connection_is_made_again_from_discovery_on() {
    let mut line = Line::usual().await;
    let mut first = line.accept().await;
    first.send(pong("")).await;
    first.0.close(None).await.unwrap();
    let second = line.accept().await;
    drop(second);
    let mut third = line.accept().await;
    third.send(event("m1", "{}")).await;
    line.delivery().await;
    assert_eq!(line.platform.seen(DISCOVERY).len(), 3);
    let asked = &line.platform.seen(DISCOVERY)[0];
    assert_eq!(
        asked.body,
        json!({"AppID": "cli_test", "AppSecret": "s3cret"})
    );
    assert_eq!(asked.authorization, None);
}

#[tokio::test]
async fn passing_trouble_is_tried_again() {
    let busy = Reply::ok(json!({"code": 1, "msg": "system busy"}));
    let line = Line::new(16, LONG, vec![Reply::cut(), Reply::refusal(502, 99), busy]).await;
    line.refuse("514", "1000040344").await;
    let _peer = line.accept().await;
    assert_eq!(line.platform.seen(DISCOVERY).len(), 5);
}

#[tokio::test]
async fn what_trying_cannot_mend_is_told_in_a_sentence() {
    for (code, words) in [
        (514, "app_secret"),
        (1000040350, "too many"),
        (1000040351, "feishu.brand"),
        (403, "forbids"),
        (1234, "refused"),
    ] {
        let refusal = Reply::ok(json!({"code": code, "msg": "no"}));
        let mut line = Line::new(16, LONG, vec![refusal]).await;
        let link = line.until(|link| matches!(link, Link::Fatal(_))).await;
        let fatal = line.outcome().await.unwrap_err().to_string();
        assert!(fatal.contains(words), "{fatal}");
        assert!(!fatal.contains("s3cret"), "{fatal}");
        assert_eq!(link, Link::Fatal(fatal));
    }
}

#[tokio::test]
async fn a_refused_upgrade_for_too_many_connections_is_final() {
    let line = Line::usual().await;
    line.refuse("514", "1000040350").await;
    assert_eq!(line.outcome().await, Err(Fatal::TooManyConnections));
}

#[tokio::test]
async fn the_platforms_number_of_attempts_is_kept() {
    let url = "ws://127.0.0.1:1/ws/v2?service_id=7";
    let once = json!({"URL": url, "ClientConfig": {"ReconnectCount": 1, "ReconnectInterval": 0}});
    let line = Line::new(16, LONG, vec![Reply::data(once.clone()), Reply::data(once)]).await;
    let fatal = line.outcome().await.unwrap_err();
    assert!(
        matches!(fatal, Fatal::GaveUp { attempts: 2, .. }),
        "{fatal}"
    );
}

#[tokio::test]
async fn a_stop_writes_the_last_acknowledgement_and_closes() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    peer.send(event("m1", "{}")).await;
    let delivery = line.delivery().await;
    line.stop.cancel();
    delivery.answer.send(Answer::Done).unwrap();
    assert_eq!(peer.acknowledgement().await.1["code"], 200);
    assert!(peer.closed().await);
    assert_eq!(line.metrics.connected.get(), 0);
    assert_eq!(line.outcome().await, Ok(()));
}

#[tokio::test]
async fn a_stop_ends_a_wait_for_the_next_attempt() {
    let refusals = (0..20).map(|_| Reply::refusal(502, 99)).collect();
    let mut line = Line::new(16, LONG, refusals).await;
    line.until(|link| *link == Link::Down).await;
    line.stop.cancel();
    assert_eq!(line.outcome().await, Ok(()));
}

#[tokio::test]
async fn when_nobody_receives_any_more_it_ends() {
    let mut line = Line::usual().await;
    let mut peer = line.accept().await;
    line.deliveries.close();
    peer.send(event("m1", "{}")).await;
    assert_eq!(line.outcome().await, Ok(()));
}

#[test]
fn waits_grow_and_stay_within_what_is_configured_and_served() {
    let settings = Settings::default();
    let longest = Duration::from_secs(10);
    for _ in 0..100 {
        assert!(wait_before(0, &settings, longest) <= longest);
        let (first, late) = (
            wait_before(1, &settings, longest),
            wait_before(40, &settings, longest),
        );
        assert!((FIRST_WAIT / 2..=FIRST_WAIT).contains(&first), "{first:?}");
        assert!((longest / 2..=longest).contains(&late), "{late:?}");
    }
    let mut settings = settings;
    settings.retry_after = Duration::from_secs(2);
    assert!(wait_before(40, &settings, longest) <= Duration::from_secs(2));
}
