//! The long connection as a client sees it: a raw WebSocket, and frames written by hand.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
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

use super::{
    super::{app::App, clock::Clock, faults::Faults, server},
    Callback, DeliveryRecord, Push,
    frame::{CONTROL, DATA, Frame, Header},
};

/// Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);
const MESSAGE: &str = "im.message.receive_v1";
const CLICK: &str = "card.action.trigger";

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it takes too long")
}

/// A sandbox with nothing but the long connection.
struct World {
    address: String,
    app: Arc<App>,
    clock: Clock,
    faults: Faults,
    push: Push,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl World {
    async fn start() -> Self {
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

    fn trouble(&self, settings: Value) {
        self.faults.set(serde_json::from_value(settings).unwrap());
    }

    /// `POST /callback/ws/endpoint`: the HTTP status and the body.
    async fn discover(&self, body: &str) -> (u16, Value) {
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

    async fn url(&self) -> String {
        let body = json!({"AppID": self.app.app_id, "AppSecret": self.app.app_secret});
        let (_, answer) = self.discover(&body.to_string()).await;
        answer["data"]["URL"].as_str().unwrap().to_owned()
    }

    /// A client whose connection has come up.
    async fn connect(&self) -> Client {
        let mut connections = self.push.connections();
        let before = *connections.borrow();
        let client = Client::open(&self.url().await).await.unwrap();
        soon(connections.wait_for(|up| *up > before)).await.unwrap();
        client
    }

    async fn connections(&self, wanted: usize) {
        let mut connections = self.push.connections();
        soon(connections.wait_for(|up| *up == wanted))
            .await
            .unwrap();
    }

    fn says(&self, text: &str) -> String {
        self.push.event(MESSAGE, json!({"text": text}))
    }

    /// The records of an event, once `done` holds of them.
    async fn records(
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

    async fn acked(&self, event_id: &str) -> Vec<DeliveryRecord> {
        let last_is_acked = |records: &[DeliveryRecord]| {
            records
                .last()
                .is_some_and(|record| record.acked_ms.is_some())
        };
        self.records(event_id, last_is_acked).await
    }

    async fn failed(&self, event_id: &str) -> Vec<DeliveryRecord> {
        let last_has_failed = |records: &[DeliveryRecord]| {
            records
                .last()
                .is_some_and(|record| record.failure.is_some())
        };
        self.records(event_id, last_has_failed).await
    }

    async fn finish(self) {
        soon(self.push.stop()).await;
        self.stop.cancel();
        soon(self.server).await.unwrap();
    }
}

/// A bot's end of a connection, with nothing automatic about it.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    service: i32,
}

/// An event as a client puts it together.
struct Event {
    /// The frame that came last, which is the one to acknowledge with.
    frame: Frame,
    body: Value,
}

impl Event {
    fn id(&self) -> &str {
        self.body["header"]["event_id"].as_str().unwrap()
    }

    fn message_id(&self) -> &str {
        self.frame.header("message_id").unwrap()
    }
}

impl Client {
    async fn open(url: &str) -> Result<Self, Error> {
        let (socket, _) = soon(connect_async(url)).await?;
        let service = url.split("service_id=").nth(1).unwrap();
        let service = service.split('&').next().unwrap().parse().unwrap();
        Ok(Self { socket, service })
    }

    async fn send(&mut self, frame: &Frame) {
        let bytes = frame.encode_to_vec();
        self.socket
            .send(Message::Binary(bytes.into()))
            .await
            .unwrap();
    }

    async fn ping(&mut self) {
        let headers = vec![Header::new("type", "ping")];
        self.send(&Frame::from_server(CONTROL, self.service, headers))
            .await;
    }

    async fn frame(&mut self) -> Frame {
        match soon(self.socket.next()).await {
            Some(Ok(Message::Binary(bytes))) => Frame::read(&bytes).unwrap(),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    /// The next event, put together from its pieces.
    async fn event(&mut self) -> Event {
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

    async fn ack_with(&mut self, event: &Event, payload: Value) {
        let mut frame = event.frame.clone();
        frame.headers.push(Header::new("biz_rt", "1"));
        frame.payload = Some(payload.to_string().into());
        self.send(&frame).await;
    }

    async fn ack(&mut self, event: &Event) {
        self.ack_with(event, json!({"code": 200, "headers": null, "data": null}))
            .await;
    }

    /// Waits for the end of the connection; fails when a frame comes first. Answers the close code.
    async fn ends(&mut self) -> Option<CloseCode> {
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

#[tokio::test]
async fn discovery_hands_out_a_url_and_the_settings() {
    let world = World::start().await;
    let body = json!({"AppID": world.app.app_id, "AppSecret": world.app.app_secret}).to_string();
    let (status, answer) = world.discover(&body).await;
    assert_eq!((status, &answer["code"]), (200, &json!(0)));
    let url = answer["data"]["URL"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("ws://{}/ws/v2?device_id=", world.address)),
        "{url}"
    );
    assert_eq!(
        answer["data"]["ClientConfig"],
        json!({"ReconnectCount": -1, "ReconnectInterval": 120, "ReconnectNonce": 30, "PingInterval": 120})
    );
    world.finish().await;
}

#[tokio::test]
async fn discovery_refuses_a_wrong_secret_and_what_the_faults_say() {
    let world = World::start().await;
    let wrong = json!({"AppID": world.app.app_id, "AppSecret": "wrong"}).to_string();
    let (status, answer) = world.discover(&wrong).await;
    assert_eq!((status, &answer["code"]), (200, &json!(514)));
    assert_eq!(world.discover("{").await.0, 400);
    world.trouble(json!({"discovery_code": 1_000_040_351}));
    assert_eq!(
        world.discover(&wrong).await.1["msg"],
        "Incorrect domain name"
    );
    world.trouble(json!({"discovery_status": 503}));
    assert_eq!(world.discover(&wrong).await.0, 503);
    world.finish().await;
}

/// The three headers of a refused upgrade.
fn refusal(outcome: Result<Client, Error>) -> [String; 3] {
    match outcome {
        Err(Error::Http(response)) => ["status", "msg", "autherrcode"].map(|name| {
            let value = &response.headers()[format!("handshake-{name}")];
            value.to_str().unwrap().to_owned()
        }),
        Err(other) => panic!("expected a refusal, got {other}"),
        Ok(_) => panic!("expected a refusal, got a connection"),
    }
}

#[tokio::test]
async fn a_url_is_good_for_one_connection() {
    let world = World::start().await;
    let url = world.url().await;
    let _client = Client::open(&url).await.unwrap();
    let [status, msg, autherrcode] = refusal(Client::open(&url).await);
    assert_eq!((status.as_str(), msg.as_str()), ("514", "auth failed"));
    assert_ne!(autherrcode, "1000040350");
    let without = format!("ws://{}/ws/v2?service_id=1", world.address);
    assert_eq!(refusal(Client::open(&without).await)[0], "514");
    world.trouble(json!({"upgrade_status": 403}));
    assert_eq!(refusal(Client::open(&world.url().await).await)[0], "403");
    world.finish().await;
}

#[tokio::test]
async fn the_fifty_first_connection_is_refused() {
    let world = World::start().await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(world.connect().await);
    }
    let [status, _, autherrcode] = refusal(Client::open(&world.url().await).await);
    assert_eq!(
        (status.as_str(), autherrcode.as_str()),
        ("514", "1000040350")
    );
    clients.pop();
    world.connections(49).await;
    clients.push(world.connect().await);
    world.finish().await;
}

#[tokio::test]
async fn a_ping_is_answered_with_the_settings_of_the_moment() {
    let world = World::start().await;
    let mut client = world.connect().await;
    world.trouble(json!({"client_config": {"PingInterval": 7}}));
    client.ping().await;
    let pong = client.frame().await;
    assert_eq!(
        (pong.method, pong.header("type")),
        (Some(CONTROL), Some("pong"))
    );
    let settings: Value = serde_json::from_slice(&pong.payload.unwrap()).unwrap();
    let all_four = json!({
        "ReconnectCount": -1, "ReconnectInterval": 120, "ReconnectNonce": 30, "PingInterval": 7
    });
    assert_eq!(settings, all_four);
    world.trouble(json!({"empty_pong": true}));
    client.ping().await;
    assert_eq!(client.frame().await.payload, None);
    world.finish().await;
}

#[tokio::test]
async fn an_event_arrives_whole_and_its_acknowledgement_is_recorded() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let event_id = world.says("checkout is slow");
    let event = client.event().await;
    assert_eq!(event.frame.header("type"), Some("event"));
    assert_eq!(
        (event.frame.header("sum"), event.frame.header("seq")),
        (Some("1"), Some("0"))
    );
    assert_eq!(event.id(), event_id);
    assert_eq!(event.body["schema"], "2.0");
    assert_eq!(event.body["header"]["event_type"], MESSAGE);
    assert_eq!(event.body["header"]["token"], world.app.verification_token);
    assert_eq!(
        event.body["header"]["create_time"].as_str().unwrap().len(),
        13
    );
    assert_eq!(event.body["event"], json!({"text": "checkout is slow"}));
    client.ack(&event).await;
    let records = world.acked(&event_id).await;
    assert_eq!((records.len(), records[0].attempt), (1, 1));
    assert!(records[0].connection.is_some() && records[0].failure.is_none());
    assert!(records[0].acked_ms.unwrap() >= records[0].at_ms);
    assert!(world.push.deliveries(records[0].at_ms + 1).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn an_event_without_acknowledgement_comes_again_until_it_is_acknowledged() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let event_id = world.says("first");
    let first = client.event().await;
    let mut message_ids = vec![first.message_id().to_owned()];
    for advance_ms in [15_000, 300_000, 3_600_000, 21_600_000] {
        world.clock.advance(advance_ms);
        let again = client.event().await;
        assert_eq!(again.id(), event_id);
        message_ids.push(again.message_id().to_owned());
        if advance_ms == 21_600_000 {
            client.ack(&again).await;
        }
    }
    message_ids.sort_unstable();
    message_ids.dedup();
    assert_eq!(
        message_ids.len(),
        5,
        "each attempt has a message id of its own"
    );
    let records = world.acked(&event_id).await;
    let attempts: Vec<u32> = records.iter().map(|record| record.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5]);
    assert_eq!(
        records[0].failure.as_deref(),
        Some("not acknowledged within 3 s")
    );
    // What is acknowledged does not come again: the next to come is the next event.
    world.clock.advance(100_000_000);
    let second_id = world.says("second");
    assert_eq!(client.event().await.id(), second_id);
    world.finish().await;
}

#[tokio::test]
async fn an_acknowledgement_that_is_late_does_not_count() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let event_id = world.says("slow");
    let event = client.event().await;
    world.clock.advance(3_000);
    world.failed(&event_id).await;
    client.ack(&event).await;
    world.clock.advance(12_000);
    assert_eq!(client.event().await.id(), event_id);
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_was_refused_or_badly_acknowledged_comes_again() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let event_id = world.says("refused");
    let event = client.event().await;
    client.ack_with(&event, json!({"code": 500})).await;
    let records = world.failed(&event_id).await;
    assert_eq!(
        records[0].failure.as_deref(),
        Some("acknowledged with code 500")
    );
    world.clock.advance(15_000);
    let mut again = client.event().await;
    assert_eq!(again.id(), event_id);
    again
        .frame
        .headers
        .retain(|header| header.key.as_deref() != Some("trace_id"));
    client.ack(&again).await;
    let records = world.failed(&event_id).await;
    let failure = records[1].failure.as_deref();
    assert_eq!(failure, Some("the ack does not echo the header trace_id"));
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_finds_nobody_waits_for_its_next_attempt() {
    let world = World::start().await;
    let event_id = world.says("anyone there?");
    let records = world.failed(&event_id).await;
    assert_eq!(records[0].connection, None);
    let mut client = world.connect().await;
    world.clock.advance(15_000);
    let event = client.event().await;
    assert_eq!(event.id(), event_id);
    client.ack(&event).await;
    assert_eq!(world.acked(&event_id).await[1].attempt, 2);
    world.finish().await;
}

#[tokio::test]
async fn an_event_on_a_connection_that_closes_comes_again_over_another() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let event_id = world.says("lost on the way");
    client.event().await;
    client.socket.close(None).await.unwrap();
    let records = world.failed(&event_id).await;
    assert_eq!(records[0].failure.as_deref(), Some("the connection closed"));
    let mut other = world.connect().await;
    world.clock.advance(15_000);
    assert_eq!(other.event().await.id(), event_id);
    world.finish().await;
}

#[tokio::test]
async fn two_connections_get_each_event_once_in_total() {
    const EVENTS: usize = 60;
    let world = World::start().await;
    let (heard, mut hearing) = tokio::sync::mpsc::channel(EVENTS * 2);
    for number in 0..2 {
        let mut client = world.connect().await;
        let heard = heard.clone();
        tokio::spawn(async move {
            // Ends with the panic of a failed test or with the sandbox.
            while let Some(Ok(Message::Binary(bytes))) = client.socket.next().await {
                let frame = Frame::read(&bytes).unwrap();
                let body = serde_json::from_slice(frame.payload.as_deref().unwrap()).unwrap();
                let event = Event { frame, body };
                client.ack(&event).await;
                heard.send((number, event.id().to_owned())).await.unwrap();
            }
        });
    }
    drop(heard);
    let mut said: Vec<String> = (0..EVENTS).map(|it| world.says(&it.to_string())).collect();
    for event_id in &said {
        assert_eq!(world.acked(event_id).await.len(), 1);
    }
    world.finish().await;
    // Both clients have ended with the sandbox, so this is all that was heard.
    let mut by_client = [0; 2];
    let mut event_ids = Vec::new();
    while let Some((number, event_id)) = soon(hearing.recv()).await {
        by_client[number] += 1;
        event_ids.push(event_id);
    }
    said.sort_unstable();
    event_ids.sort_unstable();
    assert_eq!(event_ids, said);
    assert!(
        by_client.iter().all(|count| *count > EVENTS / 5),
        "{by_client:?}"
    );
}

#[tokio::test]
async fn fragments_come_in_any_order_and_twice_and_still_make_the_event() {
    let world = World::start().await;
    let mut client = world.connect().await;
    for settings in [
        json!({"fragment_bytes": 7}),
        json!({"fragment_bytes": 100, "reorder": true}),
        json!({"fragment_bytes": 1, "reorder": true, "duplicate_rate": 0.3}),
    ] {
        world.trouble(settings);
        let event_id = world.says("结账服务很慢，谁来看看？");
        // A held back event is due within its bound.
        world.clock.advance(300);
        let event = client.event().await;
        assert_ne!(event.frame.header("sum"), Some("1"));
        assert_eq!(event.body["event"]["text"], "结账服务很慢，谁来看看？");
        world.trouble(json!({}));
        client.ack(&event).await;
        assert_eq!(world.acked(&event_id).await.len(), 1);
    }
    world.finish().await;
}

#[tokio::test]
async fn reordered_pieces_are_never_in_order() {
    let world = World::start().await;
    let mut client = world.connect().await;
    world.trouble(json!({"fragment_bytes": 150, "reorder": true}));
    world.says("out of order");
    world.clock.advance(300);
    let first = client.frame().await;
    let sum: usize = first.header("sum").unwrap().parse().unwrap();
    let mut order = vec![first.header("seq").unwrap().to_owned()];
    for _ in 1..sum {
        order.push(client.frame().await.header("seq").unwrap().to_owned());
    }
    assert!(!order.is_sorted(), "{order:?}");
    world.finish().await;
}

#[tokio::test]
async fn held_back_events_are_overtaken() {
    let world = World::start().await;
    let mut client = world.connect().await;
    world.trouble(json!({"reorder": true}));
    let said: Vec<String> = (0..20).map(|it| world.says(&it.to_string())).collect();
    let mut heard = Vec::new();
    for _ in &said {
        let event = client.event().await;
        client.ack(&event).await;
        heard.push(event.id().to_owned());
    }
    assert_ne!(heard, said);
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard.len(), said.len());
    world.finish().await;
}

#[tokio::test]
async fn an_acknowledged_event_is_delivered_once_more_when_the_faults_say_so() {
    let world = World::start().await;
    let mut client = world.connect().await;
    world.trouble(json!({"duplicate_rate": 1}));
    let first_id = world.says("first");
    let event = client.event().await;
    client.ack(&event).await;
    let again = client.event().await;
    assert_eq!(again.id(), first_id);
    assert_ne!(again.message_id(), event.message_id());
    client.ack(&again).await;
    let records = world.records(&first_id, |records| {
        records.len() == 2 && records.iter().all(|record| record.acked_ms.is_some())
    });
    assert_eq!(records.await[1].attempt, 2);
    // A duplicate of the duplicate would come before this.
    let second_id = world.says("second");
    assert_eq!(client.event().await.id(), second_id);
    world.finish().await;
}

#[tokio::test]
async fn a_half_open_connection_stays_and_says_nothing_and_a_new_one_is_healthy() {
    let world = World::start().await;
    let mut dead = world.connect().await;
    world.trouble(json!({"half_open": true}));
    world.connections(0).await;
    assert!(!world.push.connected());
    dead.ping().await;
    let event_id = world.says("into the void");
    let sent = world
        .records(&event_id, |records| !records.is_empty())
        .await;
    assert!(
        sent[0].connection.is_some(),
        "the server cannot tell that it is dead"
    );
    world.clock.advance(3_000);
    world.failed(&event_id).await;
    let mut healthy = world.connect().await;
    healthy.ping().await;
    assert_eq!(healthy.frame().await.header("type"), Some("pong"));
    // Clearing the fault does not bring it back to life; all it ever sees is the end.
    world.trouble(json!({}));
    assert!(world.push.connected());
    world.trouble(json!({"drop_connection": true}));
    assert_eq!(dead.ends().await, None);
    healthy.ends().await;
    world.finish().await;
}

#[tokio::test]
async fn the_client_may_give_up_a_half_open_connection() {
    let world = World::start().await;
    let dead = world.connect().await;
    world.trouble(json!({"half_open": true}));
    world.connections(0).await;
    let event_id = world.says("into the void");
    world
        .records(&event_id, |records| !records.is_empty())
        .await;
    drop(dead);
    let records = world.failed(&event_id).await;
    assert_eq!(records[0].failure.as_deref(), Some("the connection closed"));
    let mut healthy = world.connect().await;
    world.clock.advance(15_000);
    assert_eq!(healthy.event().await.id(), event_id);
    world.finish().await;
}

#[tokio::test]
async fn dropping_connections_acts_as_often_as_ordered() {
    let world = World::start().await;
    let (mut one, mut two) = (world.connect().await, world.connect().await);
    world.trouble(json!({"drop_connection": 2}));
    one.ends().await;
    two.ends().await;
    world.connections(0).await;
    let mut third = Client::open(&world.url().await).await.unwrap();
    third.ends().await;
    let mut fourth = world.connect().await;
    let event_id = world.says("up again");
    assert_eq!(fourth.event().await.id(), event_id);
    world.finish().await;
}

#[tokio::test]
async fn a_callback_brings_back_what_the_bot_answers() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let toast = json!({"toast": {"type": "success", "content": "ok"}});
    let data = |bytes: &[u8]| json!({"code": 200, "data": STANDARD.encode(bytes)});
    for (payload, expected) in [
        (
            data(toast.to_string().as_bytes()),
            Callback::Answer(Some(toast)),
        ),
        (json!({"code": 200}), Callback::Answer(None)),
        (json!({"code": 500}), Callback::Refused { code: 500 }),
        (data(b"not json"), Callback::Unreadable),
    ] {
        let push = world.push.clone();
        let click = tokio::spawn(async move { push.callback(CLICK, json!({})).await });
        let event = client.event().await;
        assert_eq!(event.frame.header("type"), Some("event"));
        assert_eq!(event.body["header"]["event_type"], CLICK);
        assert_eq!(
            event.body["header"]["create_time"].as_str().unwrap().len(),
            16
        );
        client.ack_with(&event, payload).await;
        assert_eq!(soon(click).await.unwrap(), expected);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_callback_is_tried_once_and_waits_three_seconds() {
    let world = World::start().await;
    let nobody = world.push.callback(CLICK, json!({})).await;
    assert_eq!(nobody, Callback::NotConnected);
    let mut client = world.connect().await;
    world.trouble(json!({"card_frames": true}));
    let push = world.push.clone();
    let click = tokio::spawn(async move { push.callback(CLICK, json!({})).await });
    assert_eq!(client.event().await.frame.header("type"), Some("card"));
    world.clock.advance(3_000);
    assert_eq!(soon(click).await.unwrap(), Callback::Late);
    world.clock.advance(100_000_000);
    let event_id = world.says("not the click again");
    assert_eq!(client.event().await.id(), event_id);
    world.finish().await;
}

#[tokio::test]
async fn junk_comes_before_the_event_when_the_faults_say_so() {
    let world = World::start().await;
    let mut client = world.connect().await;
    world.trouble(json!({"junk_frames": true}));
    let event_id = world.says("after the noise");
    let mut junk = Vec::new();
    for _ in 0..3 {
        junk.push(soon(client.socket.next()).await.unwrap().unwrap());
    }
    assert!(junk[0].is_binary() && Frame::read(&junk[0].clone().into_data()).is_err());
    assert!(junk[1].is_text());
    let impossible = Frame::read(&junk[2].clone().into_data()).unwrap();
    assert_eq!(impossible.header("sum"), Some("0"));
    let event = client.event().await;
    client.ack(&event).await;
    assert_eq!(world.acked(&event_id).await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_sends_no_frame_is_shown_out() {
    let world = World::start().await;
    let mut client = world.connect().await;
    client.socket.send(Message::text("ignored")).await.unwrap();
    client.ping().await;
    assert_eq!(client.frame().await.header("type"), Some("pong"));
    let junk = Message::Binary(b"no frame".as_slice().into());
    client.socket.send(junk).await.unwrap();
    assert_eq!(client.ends().await, Some(CloseCode::Protocol));
    world.finish().await;
}

#[tokio::test]
async fn stopping_closes_every_connection_and_refuses_what_comes_later() {
    let world = World::start().await;
    let mut client = world.connect().await;
    let (push, url) = (world.push.clone(), world.url().await);
    let stopping = tokio::spawn(async move { push.stop().await });
    assert_eq!(client.ends().await, Some(CloseCode::Away));
    soon(stopping).await.unwrap();
    assert!(Client::open(&url).await.is_err());
    assert_eq!(
        world.push.callback(CLICK, json!({})).await,
        Callback::NotConnected
    );
    let event_id = world.says("too late");
    assert_eq!(world.failed(&event_id).await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn the_owner_ends_when_every_handle_is_gone() {
    let (app, clock, faults) = (Arc::new(App::seeded(1)), Clock::new(), Faults::new(1));
    let push = Push::new(app, clock, faults, 1);
    let mut connections = push.connections();
    push.event(MESSAGE, json!({}));
    drop(push);
    // The sender lives in the owner.
    soon(connections.changed()).await.unwrap_err();
}

#[tokio::test]
async fn the_same_seed_makes_the_same_event_ids() {
    let event_ids = |seed| {
        let push = Push::new(Arc::new(App::seeded(1)), Clock::new(), Faults::new(1), seed);
        [(); 3].map(|()| push.event(MESSAGE, json!({})))
    };
    assert_eq!(event_ids(7), event_ids(7));
    assert_ne!(event_ids(7), event_ids(8));
}
