//! An event reaches the client, however often that takes.

use std::sync::Arc;

use super::world::{Event, MESSAGE, World, soon};
use crate::sandbox::push::{Push, frame::Frame};
use crate::sandbox::{app::App, clock::Clock, faults::Faults};
use futures::StreamExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

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
async fn the_same_seed_makes_the_same_event_ids() {
    let event_ids = |seed| {
        let push = Push::new(Arc::new(App::seeded(1)), Clock::new(), Faults::new(1), seed);
        [(); 3].map(|()| push.event(MESSAGE, json!({})))
    };
    assert_eq!(event_ids(7), event_ids(7));
    assert_ne!(event_ids(7), event_ids(8));
}
