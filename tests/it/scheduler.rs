//! The platform's limits, held against the sandbox, which counts for itself and refuses what is too much.

use std::time::{Duration, Instant};

use futures::future::join_all;
use nightjar::{
    config::Config,
    feishu::{CardStream, ChatId, Class, Client, Outgoing, Recipient, scheduler::Supply},
    telemetry::Metrics,
};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::world::World;

/// The calls that were refused for a limit, and how many there were in all.
async fn refused(world: &World) -> (Vec<Value>, usize) {
    let calls = world.get("/sandbox/calls?since=0").await["calls"].take();
    let Value::Array(calls) = calls else {
        panic!("calls are a list: {calls}");
    };
    let all = calls.len();
    let refused = calls.into_iter().filter(|call| {
        let by = call["refused_by"].as_str();
        by.is_some_and(|by| ["app", "api", "chat", "message", "card"].contains(&by))
    });
    (refused.collect(), all)
}

fn client(world: &World) -> Client {
    let config = Config::parse("the test", &world.config_text(), []).unwrap();
    Client::new(&config.feishu, Metrics::default()).unwrap()
}

/// A card that streams, with nobody looking at it.
async fn card(feishu: &Client) -> CardStream {
    let json = json!({
        "schema": "2.0",
        "config": {"streaming_mode": true, "update_multi": true},
        "body": {"elements": [{"tag": "markdown", "element_id": "answer", "content": ""}]},
    });
    feishu.card_stream(feishu.create_card(&json).await.unwrap(), 0)
}

/// More with `NIGHTJAR_PEOPLE=100 cargo test --test it pass_no_limit`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_conversations_at_once_pass_no_limit() {
    let people = std::env::var("NIGHTJAR_PEOPLE").ok();
    let people: usize = people.map_or(25, |number| number.parse().unwrap());
    let world = World::start().await;
    let said = |number: usize| format!("{}and that was all of {number}.", "word ".repeat(150));
    let replies: Vec<Value> = (0..people)
        .map(|number| {
            let text = said(number);
            json!({"match": format!("question {number}?"), "text": text, "tokens_per_second": 40})
        })
        .collect();
    world.model_says(json!(replies)).await;
    let user = world.user("Li Lei").await;
    let rooms = join_all((0..people).map(|number| {
        let (world, user) = (&world, &user);
        async move { world.group(&format!("room {number}"), &[user]).await }
    }));
    let rooms = rooms.await;
    let questions = join_all(rooms.iter().enumerate().map(|(number, room)| {
        let (world, user) = (&world, &user);
        async move { world.asks(room, user, &format!("question {number}?")).await }
    }));
    let questions = questions.await;

    world
        .until("every question has its whole answer", async || {
            let all = world.messages(None).await;
            let is_answered = |(number, question): (usize, &String)| {
                all.iter().any(|one| {
                    one.parent_id.as_ref() == Some(question)
                        && one.text.contains(&format!("all of {number}."))
                        && !one.is_streaming()
                })
            };
            questions.iter().enumerate().all(is_answered).then_some(())
        })
        .await;
    let (refused, calls) = refused(&world).await;
    assert!(refused.is_empty(), "of {calls} calls: {refused:#?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_leaves_at_once_while_everything_streams() {
    const STREAMS: usize = 100;
    let world = World::without_bot("").await;
    let (chat, _) = world.room().await;
    let feishu = client(&world);
    let cards = join_all((0..STREAMS).map(|_| card(&feishu))).await;
    let page = feishu.at(Class::Page);
    let to = Recipient::Chat(ChatId::new(chat));
    let mut waits = Vec::new();
    let start = Instant::now();
    let mut text = String::new();
    let mut pace = interval(Duration::from_millis(50));
    while start.elapsed() < Duration::from_secs(4) {
        text.push_str("more and ");
        for card in &cards {
            card.show("answer", &text);
        }
        if waits.len() < start.elapsed().as_secs() as usize {
            let sent = Instant::now();
            let uuid = format!("page-{}", waits.len());
            let what = Outgoing::Text("checkout is down".into());
            page.send(&to, &what, &uuid).await.unwrap();
            waits.push(sent.elapsed());
        }
        pace.tick().await;
    }
    // In line with the text, it would have waited for seconds.
    assert!(waits.len() >= 3, "{waits:?}");
    assert!(
        waits.iter().all(|wait| *wait < Duration::from_millis(500)),
        "{waits:?}"
    );

    // What is due goes on being sent until every card shows its last text, each in its turn.
    text.push_str("no more");
    for card in &cards {
        card.show("answer", &text);
    }
    let shown = join_all(cards.into_iter().map(|mut card| async move {
        card.written().await.unwrap();
        card
    }));
    drop(shown.await);
    let (refused, calls) = refused(&world).await;
    assert!(refused.is_empty(), "of {calls} calls: {refused:#?}");
    world.finish().await;
}

#[tokio::test]
async fn when_the_month_is_used_up_pages_still_go_out() {
    let world = World::without_bot("").await;
    let (chat, _) = world.room().await;
    let feishu = client(&world);
    feishu.bot_info().await.unwrap();
    world.faults(json!({"quota_left": 0})).await;
    let to = Recipient::Chat(ChatId::new(chat));
    let text = Outgoing::Text("checkout is down".into());
    feishu.send(&to, &text, "one").await.unwrap_err();
    let (_, before) = refused(&world).await;
    feishu.send(&to, &text, "two").await.unwrap_err();
    assert_eq!(refused(&world).await.1, before, "it was not even tried");

    // The plan was changed: a page finds out.
    world.faults(json!({})).await;
    let page = feishu.at(Class::Page);
    page.send(&to, &text, "three").await.unwrap();
    feishu.send(&to, &text, "four").await.unwrap();
    world.finish().await;
}

#[tokio::test]
async fn when_calls_run_short_text_thins_out() {
    let world = World::without_bot("").await;
    let mut config = Config::parse("the test", &world.config_text(), []).unwrap();
    config.feishu.monthly_quota = 40;
    let metrics = Metrics::default();
    let feishu = Client::new(&config.feishu, metrics.clone()).unwrap();
    let mut card = card(&feishu).await;
    for _ in 0..31 {
        feishu.bot_info().await.unwrap();
    }
    assert!(feishu.meter().now() >= Supply::Low);
    card.show("answer", "first");
    card.written().await.unwrap();
    card.show("answer", "first and more");
    let more = timeout(Duration::from_secs(1), card.written()).await;
    more.expect_err("nothing more for the next ten seconds");
    card.configure(&json!({"streaming_mode": false}))
        .await
        .unwrap();
    for _ in 0..4 {
        feishu.bot_info().await.unwrap();
    }
    assert_eq!(feishu.meter().now(), Supply::Scarce);
    assert_eq!(feishu.meter().tally().used, 38);
    let text = metrics.render();
    assert!(text.contains("nightjar_quota_used_ratio"), "{text}");
    assert!(
        text.contains("nightjar_stream_staleness_seconds_count 1"),
        "{text}"
    );
    world.finish().await;
}
