//! What is told: to the bot, and to the page.

use super::world::World;
use serde_json::{Value, json};

#[tokio::test]
async fn events_are_made_for_what_the_scopes_allow() {
    let world = World::start().await;
    let bot =
        json!({"chat_id": world.chat, "sender": "Alice", "text": "why?", "mention_bot": true});
    let direct = json!({"sender": "Alice", "text": "a direct one"});
    let all =
        json!({"chat_id": world.chat, "sender": "Alice", "text": "@all look", "mention_all": true});
    let say_all = async || {
        let before = world.sees("/deliveries").await["deliveries"]
            .as_array()
            .unwrap()
            .len();
        world.alice_says("nobody is meant").await;
        for message in [&bot, &direct, &all] {
            world.tells("/messages", message.clone()).await;
        }
        let after = world.sees("/deliveries").await["deliveries"]
            .as_array()
            .unwrap()
            .clone();
        assert!(
            after
                .iter()
                .all(|one| one["event_type"] == "im.message.receive_v1")
        );
        after.len() - before
    };
    assert_eq!(say_all().await, 4);
    let refused = ["im:message.group_msg", "im:message.p2p_msg:readonly"];
    world
        .tells("/faults", json!({"refuse_scopes": refused}))
        .await;
    assert_eq!(say_all().await, 1, "only the mention is delivered");
    world.tells("/faults", json!({})).await;
    let seen = world.messages().await;
    assert_eq!(seen[1]["text"], "@Nightjar why?");
    assert_eq!(seen[1]["content"], "{\"text\":\"@_user_1 why?\"}");
    assert_eq!(seen[2]["content"], "{\"text\":\"@_all look\"}");
    assert_eq!(seen[2]["text"], "@all look");
}

#[tokio::test]
async fn the_page_hears_what_happens() {
    let world = World::start().await;
    let url = format!("{}/sandbox/live", world.sandbox.state().base_url);
    let mut live = world.http.get(url).send().await.unwrap();
    let message = world.alice_says("hello").await;
    let mut heard = String::new();
    while !heard.contains("\n\n") {
        heard.push_str(&String::from_utf8_lossy(
            &live.chunk().await.unwrap().unwrap(),
        ));
    }
    let news: Value = serde_json::from_str(heard.trim().trim_start_matches("data: ")).unwrap();
    assert_eq!(
        news,
        json!({"kind": "message", "chat_id": world.chat, "message_id": message})
    );
}
