//! The bot where events and presses are posted to it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{poster::Poster, world::World};

/// The connections over which events of a type went.
async fn ways(world: &World, event_type: &str) -> Vec<String> {
    let deliveries = world.get("/sandbox/deliveries?since=0").await;
    let all = deliveries["deliveries"].as_array().unwrap();
    all.iter()
        .filter(|one| one["event_type"] == json!(event_type))
        .map(|one| one["connection"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// A question is answered, and another one is stopped by its button.
async fn converses(webhook: Value, click_type: &str) {
    let world = World::start_posting(webhook).await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    world
        .model_says(json!([{ "text": "It all began", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "what happened?").await;
    let card = world.showing(&question, "It all began").await;
    assert_eq!(world.presses(&user, &card, "Stop").await, "Stopping.");
    assert!(world.answer_to(&question).await.text.contains("Stopped."));
    assert_eq!(
        ways(&world, "im.message.receive_v1").await,
        ["webhook", "webhook"]
    );
    assert_eq!(ways(&world, click_type).await, ["webhook"]);
    assert_eq!(world.number("nightjar_connected").await, 1.0);
    world.finish().await;
}

#[tokio::test]
async fn questions_and_presses_can_be_posted_encrypted() {
    converses(json!({}), "card.action.trigger").await;
}

#[tokio::test]
async fn without_an_encrypt_key_the_token_is_enough() {
    converses(json!({ "encrypt": false }), "card.action.trigger").await;
}

#[tokio::test]
async fn the_old_card_callback_stops_an_answer_too() {
    converses(json!({ "legacy_cards": true }), "card.action.trigger_v1").await;
}

#[tokio::test]
async fn an_answer_with_a_card_reaches_the_old_card_callback_in_its_shape() {
    let world = World::start_posting(json!({ "legacy_cards": true })).await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    let answer = world.answer_to(&question).await;
    let form_of = async || {
        let card = world.message(&answer.message_id).await;
        card.text.contains("What was wrong?")
    };
    assert!(!form_of().await);
    // The form comes in the answer to the press, and goes in the answer to the next one.
    let toast = world.presses(&user, &answer, "👎").await;
    assert!(form_of().await, "{toast}");
    let card = world.message(&answer.message_id).await;
    let form = json!({ "reasons": ["off_topic"] });
    let thanks = world.fills_in(&user, &card, form).await;
    assert!(thanks.starts_with("Thank you"), "{thanks}");
    assert!(!form_of().await);
    let calls = world.calls("POST", "/interactive/v1/card/update").await;
    assert_eq!(calls, 0, "no card came by another way");
    assert_eq!(
        ways(&world, "card.action.trigger_v1").await,
        ["webhook", "webhook"]
    );
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_found_nobody_is_posted_again() {
    let mut world = World::start_posting(json!({})).await;
    let (chat, user) = world.room().await;
    world.stop_bot().await.unwrap();
    let question = world.asks(&chat, &user, "is anybody there?").await;
    world
        .until("the first attempt has failed", async || {
            let deliveries = world.get("/sandbox/deliveries?since=0").await;
            let last = deliveries["deliveries"].as_array().unwrap().last().cloned();
            (last.unwrap()["failure"] == json!("the server was not reached")).then_some(())
        })
        .await;
    world.start_bot().await;
    world.advance(Duration::from_secs(16)).await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn a_replayed_question_is_answered_once() {
    let world = World::start_posting(json!({})).await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    // The same message under an event of its own, signed anew: only the platform could post that.
    let (token, key) = world.webhook_keys();
    let poster = Poster::new(token, key);
    let mut event = poster.event();
    event["header"]["event_type"] = json!("im.message.receive_v1");
    event["event"] = json!({
        "sender": {"sender_id": {"open_id": user}, "sender_type": "user"},
        "message": {"message_id": question, "chat_id": chat, "chat_type": "p2p", "message_type": "text",
            "create_time": "1609073151345", "content": "{\"text\":\"are we fine?\"}"},
    });
    let post = poster.post(&event);
    let url = format!("http://{}/feishu/events", world.web());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(post.send(&http, &url).await, 200);
    assert_eq!(post.send(&http, &url).await, 200);
    let next = world.asks(&chat, &user, "still fine?").await;
    world.answer_to(&next).await;
    assert_eq!(world.replies_to(&question).await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_bot_that_takes_no_posts_says_so() {
    let world = World::start().await;
    let settings = json!({ "events_url": format!("http://{}/feishu/events", world.web()) });
    let url = world.sandbox_url("/sandbox/webhook");
    let answer = reqwest::Client::new()
        .post(url)
        .json(&settings)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    let said: Value = answer.json().await.unwrap();
    assert!(
        said["error"].as_str().unwrap().contains("HTTP 404"),
        "{said}"
    );
    let refused = "nightjar_webhook_refusals_total{reason=\"not_webhook_mode\"}";
    assert_eq!(world.number(refused).await, 1.0);
    // What was set before holds.
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn both_ways_can_be_open_at_once() {
    let mut world = World::without_bot_to_post_to(json!({ "both": true })).await;
    world.start_bot().await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "over the one?").await;
    world.answer_to(&question).await;
    world.post("/sandbox/webhook", json!({})).await;
    world.connected().await;
    let question = world.asks(&chat, &user, "over the other?").await;
    world.answer_to(&question).await;
    let ways = ways(&world, "im.message.receive_v1").await;
    assert_eq!(ways[0], "webhook");
    assert_ne!(ways.last().unwrap(), "webhook");
    world.finish().await;
}

#[tokio::test]
async fn a_press_that_nobody_takes_shows_the_client_s_code() {
    let world = World::start_posting(json!({})).await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "It all began", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "what happened?").await;
    let card = world.showing(&question, "It all began").await;
    // The two addresses take the same, so this one stands for a server that fails.
    let events = format!("http://{}/feishu/events", world.web());
    let press = async |settings: Value| {
        world.post("/sandbox/webhook", settings).await;
        let click = json!({"message_id": card.message_id, "operator": user, "button": "Stop"});
        world.post("/sandbox/clicks", click).await["client_error"].clone()
    };
    // Not signed although there is a key: refused with 401.
    let unsigned = json!({"events_url": events, "cards_url": events, "sign": false});
    assert_eq!(press(unsigned).await, json!(200_671));
    // No callback address, and no long connection either.
    assert_eq!(press(json!({"events_url": events})).await, json!(200_340));
    let good = json!({"events_url": events, "cards_url": events});
    assert_eq!(press(good).await, Value::Null);
    world.answer_to(&question).await;
    world.finish().await;
}
