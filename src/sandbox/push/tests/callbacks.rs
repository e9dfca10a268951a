//! Callbacks: pushed once, and what the bot answers.

use super::world::{CLICK, World, soon};
use crate::sandbox::push::Callback;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

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
