//! Card entities: streamed into, changed, closed.

use super::world::{DAY_MS, MINUTE_MS, Text, World};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_card_streams_under_a_rising_sequence_and_ends() {
    let world = World::start().await;
    let card = world.create_card().await;
    let content = json!({"type": "card", "data": {"card_id": card}});
    world.send("interactive", content.clone(), "a").await.data();
    assert_eq!(
        world.send("interactive", content.clone(), "a").await.code(),
        0
    );
    assert_eq!(
        world.send("interactive", content, "b").await.code(),
        230_099
    );
    assert_eq!(world.stream(&card, "Reading", 0, "").await.code(), 300_317);
    assert_eq!(world.stream(&card, "Reading", 2, "u").await.code(), 0);
    assert_eq!(world.stream(&card, "Reading", 2, "u").await.code(), 0);
    assert_eq!(world.stream(&card, "Another", 3, "u").await.code(), 200_770);
    assert_eq!(
        world.stream(&card, "Reading on", 2, "").await.code(),
        300_317
    );
    assert_eq!(world.stream(&card, "Reading on", 7, "").await.code(), 0);
    let seen = &world.messages().await[0];
    assert_eq!(seen["text"], "Reading on\n---");
    assert_eq!(
        (&seen["card"]["streaming"], &seen["card"]["sequence"]),
        (&json!(true), &json!(7))
    );

    world.passes(2000).await;
    let off = json!({"streaming_mode": false});
    assert_eq!(world.settings(&card, off.clone(), 8).await.code(), 0);
    assert_eq!(world.messages().await[0]["card"]["streaming"], json!(true));
    let off = json!({"config": {"streaming_mode": false, "summary": {"content": "done"}}});
    assert_eq!(world.settings(&card, off, 9).await.code(), 0);
    assert_eq!(world.stream(&card, "more", 10, "").await.code(), 300_309);
    let seen = &world.messages().await[0];
    assert_eq!(
        (&seen["card"]["streaming"], &seen["card"]["summary"]),
        (&json!(false), &json!("done"))
    );

    let list = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}",
        world.chat
    );
    for suffix in ["", "&card_msg_content_type=user_card_content"] {
        let items = world.get(&format!("{list}{suffix}")).await.data();
        assert!(
            items["items"][0]["body"]["content"]
                .text()
                .contains("请升级至最新版本客户端")
        );
    }
}

#[tokio::test]
async fn streaming_closes_itself_after_ten_minutes() {
    let world = World::start().await;
    let card = world.create_card().await;
    world.passes(9 * MINUTE_MS).await;
    assert_eq!(world.stream(&card, "a", 1, "").await.code(), 0);
    world.passes(MINUTE_MS).await;
    assert_eq!(world.stream(&card, "ab", 2, "").await.code(), 200_850);
    assert_eq!(world.stream(&card, "ab", 2, "").await.code(), 300_309);
    let on = json!({"config": {"streaming_mode": true}});
    assert_eq!(world.settings(&card, on, 2).await.code(), 0);
    assert_eq!(world.stream(&card, "ab", 3, "").await.code(), 0);
    world.passes(14 * DAY_MS).await;
    let mut world = world;
    world.token = world.fresh_token().await;
    assert_eq!(world.stream(&card, "abc", 4, "").await.code(), 200_750);
    assert_eq!(world.stream("7000", "abc", 4, "").await.code(), 200_740);
}

#[tokio::test]
async fn elements_are_changed_one_by_one_or_all_at_once() {
    let world = World::start().await;
    let card = world.create_card().await;
    let path = format!("/cardkit/v1/cards/{card}/elements");
    let note = json!([{"tag": "markdown", "element_id": "n", "content": "new"}]).to_string();
    let add = json!({"type": "insert_after", "target_element_id": "answer", "elements": note, "sequence": 1});
    assert_eq!(world.post(&path, add.clone()).await.code(), 0);
    let mut again = add;
    again["sequence"] = json!(2);
    assert_eq!(world.post(&path, again).await.code(), 300_301);
    let wrong = json!({"content": "x", "sequence": 2});
    let on_line = world
        .call(Method::PUT, &format!("{path}/line/content"), wrong.clone())
        .await;
    assert_eq!(on_line.code(), 300_310);
    let missing = world
        .call(Method::PUT, &format!("{path}/nobody/content"), wrong)
        .await;
    assert_eq!(missing.code(), 300_313);
    let partial = json!({"partial_element": "{\"content\":\"newer\"}", "sequence": 2});
    assert_eq!(
        world
            .call(Method::PATCH, &format!("{path}/n"), partial)
            .await
            .code(),
        0
    );
    let actions = json!([
        {"action": "delete_elements", "params": {"element_ids": ["line"]}},
        {"action": "partial_update_setting", "params": {"settings": {"config": {"streaming_mode": false}}}},
        {"action": "delete_elements", "params": {"element_ids": ["nobody"]}},
    ]);
    let batch = format!("/cardkit/v1/cards/{card}/batch_update");
    let all = json!({"actions": actions.to_string(), "sequence": 3});
    assert_eq!(world.post(&batch, all).await.code(), 300_314);
    world.passes(2000).await;
    assert_eq!(
        world
            .stream(&card, "still on, the batch was refused whole", 4, "")
            .await
            .code(),
        0
    );
    let delete = json!({"sequence": 5});
    assert_eq!(
        world
            .call(Method::DELETE, &format!("{path}/line"), delete)
            .await
            .code(),
        0
    );
    world
        .send(
            "interactive",
            json!({"type": "card", "data": {"card_id": card}}),
            "",
        )
        .await
        .data();
    assert_eq!(
        world.messages().await[0]["text"],
        "still on, the batch was refused whole\nnewer"
    );
}

#[tokio::test]
async fn clicks_without_a_bot_show_the_clients_own_error() {
    let world = World::start().await;
    let button = |text: &str, disabled: bool| {
        json!({"tag": "button", "text": {"tag": "plain_text", "content": text}, "disabled": disabled,
               "behaviors": [{"type": "callback", "value": {"do": text}}]})
    };
    let card = json!({"schema": "2.0", "body": {"elements": [button("Stop", false), button("Old", true)]}});
    let message = world.send("interactive", card, "").await.data()["message_id"].text();
    let click =
        |button: &str| json!({"message_id": message, "operator": "Alice", "button": button});
    let answer = world.tells("/clicks", click("Stop")).await;
    assert_eq!(answer, json!({"toast": null, "client_error": 200_340}));
    for wrong in ["Old", "Nothing"] {
        let (status, answer) = world.tries("/clicks", click(wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["error"].is_string());
    }
    let buttons = world.messages().await[0]["card"]["buttons"].clone();
    assert_eq!(buttons[1]["disabled"], json!(true));
    assert_eq!(buttons[0]["value"], json!({"do": "Stop"}));
}
