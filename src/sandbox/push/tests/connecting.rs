//! How a client gets a connection, keeps it, and loses it.

use std::sync::Arc;

use super::world::{CLICK, Client, MESSAGE, World, soon};
use crate::sandbox::push::{Callback, Push, frame::CONTROL};
use crate::sandbox::{app::App, clock::Clock, faults::Faults};
use futures::SinkExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, protocol::frame::coding::CloseCode};

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
