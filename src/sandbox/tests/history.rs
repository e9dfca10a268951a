//! Reading back.

use super::world::{Text, World};
use serde_json::json;

#[tokio::test]
async fn history_is_paged_in_both_directions_by_tokens_bound_to_their_question() {
    let world = World::start().await;
    for number in 0..7 {
        world.alice_says(&number.to_string()).await;
    }
    let recalled = world.messages().await[3]["message_id"].text();
    world
        .tells(
            &format!("/messages/{recalled}/recall"),
            json!({"user": "Alice"}),
        )
        .await;
    let base = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}&page_size=3",
        world.chat
    );
    let read = async |sort: &str| {
        let (mut texts, mut token) = (Vec::new(), String::new());
        loop {
            let page = world
                .get(&format!("{base}&sort_type={sort}&page_token={token}"))
                .await
                .data();
            for item in page["items"].as_array().unwrap() {
                texts.push(item["body"]["content"].text());
            }
            if page["has_more"] == json!(false) {
                return texts;
            }
            token = page["page_token"].text();
        }
    };
    let mut up = read("ByCreateTimeAsc").await;
    assert_eq!(up.len(), 7);
    assert_eq!(up[0], "{\"text\":\"0\"}");
    assert_eq!(up[3], "This message was recalled");
    up.reverse();
    assert_eq!(read("ByCreateTimeDesc").await, up);

    let token = world.get(&base).await.data()["page_token"].text();
    let other = format!("{base}&sort_type=ByCreateTimeDesc&page_token={token}");
    assert_eq!(world.get(&other).await.code(), 230_001);
    assert_eq!(
        world.get(&format!("{base}0")).await.data()["items"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(world.get(&format!("{base}00")).await.code(), 99_992_402);
    let now_ms = world.sees("/state").await["now_ms"].as_i64().unwrap();
    assert_eq!(
        world
            .get(&format!("{base}&start_time={now_ms}"))
            .await
            .code(),
        230_001
    );
    let future = format!("{base}&start_time={}", now_ms / 1000 + 60);
    assert_eq!(world.get(&future).await.data()["items"], json!([]));
    let got = world
        .get(&format!("/im/v1/messages/{recalled}"))
        .await
        .data();
    assert_eq!(got["items"][0]["deleted"], json!(true));
    assert!(got["items"][0].get("body").is_none());
}
