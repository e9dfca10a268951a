//! Each question gets one answer, whatever happens to the connection, the process and the platform.

use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use crate::{process::Process, world::World};

#[tokio::test]
async fn an_event_that_is_delivered_again_is_answered_once() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world.faults(json!({ "duplicate_rate": 1.0 })).await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    world
        .until("it was delivered more than once", async || {
            let deliveries = world.get("/sandbox/deliveries?since=0").await;
            let all = deliveries["deliveries"].as_array().unwrap().clone();
            let acked = all.iter().filter(|one| !one["acked_ms"].is_null()).count();
            (acked >= 2).then_some(())
        })
        .await;
    world.faults(json!({})).await;
    let next = world.asks(&chat, &user, "still fine?").await;
    world.answer_to(&next).await;
    assert_eq!(world.replies_to(&question).await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_dropped_connection_is_made_again_and_nothing_is_lost() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Still here, and talking slowly.", "tokens_per_second": 20 }]))
        .await;
    let question = world.asks(&chat, &user, "are you there?").await;
    world.showing(&question, "Still").await;
    world.faults(json!({ "drop_connection": true })).await;
    let during = world.asks(&chat, &user, "and now?").await;
    world.faults(json!({})).await;
    world.connected().await;
    // What could not be delivered comes again a quarter of a minute later.
    world.advance(Duration::from_secs(16)).await;
    world.answer_to(&question).await;
    world.answer_to(&during).await;
    world.finish().await;
}

#[tokio::test]
async fn a_connection_that_is_half_open_is_noticed() {
    // The platform proposes a ping every two minutes. The bot pings every second here, and two seconds of
    // silence after one are too many.
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let before = world.calls("POST", "/callback/ws/endpoint").await;
    world.faults(json!({ "half_open": true })).await;
    let question = world.asks(&chat, &user, "are you there?").await;
    world
        .until("the bot connects anew", async || {
            (world.calls("POST", "/callback/ws/endpoint").await > before).then_some(())
        })
        .await;
    world.faults(json!({})).await;
    world.connected().await;
    world.advance(Duration::from_secs(16)).await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn fragments_in_any_order_make_one_question() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .faults(json!({ "fragment_bytes": 37, "reorder": true }))
        .await;
    let question = world.asks(&chat, &user, "支付服务为什么超时？").await;
    world.answer_to(&question).await;
    let asked = world.model_requests().await[0]["body"].to_string();
    assert!(asked.contains("支付服务为什么超时"), "{asked}");
    world.finish().await;
}

#[tokio::test]
async fn a_platform_that_fails_now_and_then_does_not_cost_the_answer() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world.faults(json!({ "error_rate": 0.2 })).await;
    for n in 0..5 {
        let question = world.asks(&chat, &user, &format!("question {n}")).await;
        let replies = world
            .until("it is answered in full", async || {
                let replies = world.replies_to(&question).await;
                let done = replies
                    .iter()
                    .any(|one| !one.is_streaming() && one.text.contains("rules"));
                done.then_some(replies)
            })
            .await;
        assert!(!replies.is_empty());
    }
    world.faults(json!({})).await;
}

#[tokio::test]
async fn a_bot_that_is_killed_before_it_answers_answers_after_its_restart_once() {
    let world = World::without_bot("").await;
    let bot = Process::start(&world);
    world.connected().await;
    let (chat, user) = world.room().await;
    world
        .model_says(
            json!([{ "text": "I was about to", "hang": true }, { "text": "Checkout is fine." }]),
        )
        .await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.showing(&question, "I was about to").await;
    bot.kill().await;

    let bot = Process::start(&world);
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("Checkout is fine."), "{}", answer.text);
    assert!(!answer.text.contains("I was about to"), "{}", answer.text);
    drop(bot);
    world.finish().await;
}

#[tokio::test]
async fn a_second_bot_on_the_same_store_is_refused_with_a_sentence() {
    let world = World::start().await;
    let second = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args(["run", "--config"])
        .arg(world.config_file())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another nightjar process is using"), "{said}");
    world.finish().await;
}

#[tokio::test]
async fn a_wrong_secret_ends_the_process_with_a_sentence_and_without_the_secret() {
    let world = World::without_bot("").await;
    let output = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args(["run", "--config"])
        .arg(world.config_file())
        .env("NIGHTJAR__FEISHU__APP_SECRET", "hunter2hunter2")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("app_secret"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    world.finish().await;
}

#[tokio::test]
async fn a_clean_stop_lets_a_turn_end() {
    let mut world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(
            json!([{ "text": "A few slow words before the end.", "tokens_per_second": 20 }]),
        )
        .await;
    let question = world.asks(&chat, &user, "last words?").await;
    world.showing(&question, "A few").await;
    world.stop_bot().await.unwrap();
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("before the end."), "{}", answer.text);
    world.finish().await;
}

#[tokio::test]
async fn a_turn_that_a_stop_cut_short_is_taken_up_in_the_same_card() {
    let mut world = World::start_with("[shutdown]\ndrain = \"200ms\"\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(
            json!([{ "text": "I would say", "hang": true }, { "text": "It is the cache." }]),
        )
        .await;
    let question = world.asks(&chat, &user, "what is it?").await;
    let card = world.showing(&question, "I would say").await;
    world.stop_bot().await.unwrap();
    assert!(
        !world.message(&card.message_id).await.is_streaming(),
        "nothing is left generating"
    );
    world.start_bot().await;
    let answer = world.answer_to(&question).await;
    assert_eq!(answer.message_id, card.message_id);
    assert!(answer.text.contains("It is the cache."), "{}", answer.text);
    world.finish().await;
}
