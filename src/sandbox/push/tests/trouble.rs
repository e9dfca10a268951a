//! Trouble on order: pieces, disorder, repeats, connections that die.

use super::world::{Client, World, soon};
use crate::sandbox::push::frame::Frame;
use futures::StreamExt as _;
use serde_json::json;

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
