//! Messages: sent, replied to, changed, reacted to.

use super::world::{MINUTE_MS, Text, World};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_sent_text_comes_back_in_the_rest_shape_and_once_for_one_uuid() {
    let world = World::start().await;
    let text = format!("hi <at user_id=\"{}\">Alice</at>", world.alice);
    let sent = world
        .send("text", json!({"text": text}), "one")
        .await
        .data();
    assert_eq!(sent["sender"]["sender_type"], "app");
    assert_eq!(sent["sender"]["id"], world.sandbox.state().app_id.as_str());
    assert_eq!(
        sent["body"]["content"],
        json!({"text": "hi @_user_1"}).to_string()
    );
    assert_eq!(sent["mentions"][0]["id"], world.alice.as_str());
    assert!(sent["create_time"].text().len() == 13 && sent.get("root_id").is_none());
    let again = world
        .send("text", json!({"text": "another"}), "one")
        .await
        .data();
    assert_eq!(again["message_id"], sent["message_id"]);
    let seen = world.messages().await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["text"], "hi @Alice");
    assert_eq!(seen[0]["sender"]["type"], "bot");
    world.passes(61 * MINUTE_MS).await;
    let later = world
        .send("text", json!({"text": "another"}), "one")
        .await
        .data();
    assert_ne!(later["message_id"], sent["message_id"]);
}

#[tokio::test]
async fn recipients_sizes_and_types_are_checked() {
    let world = World::start().await;
    let to = async |id_type: &str, id: &str| {
        let path = format!("/im/v1/messages?receive_id_type={id_type}");
        let body = json!({"receive_id": id, "msg_type": "text", "content": "{\"text\":\"x\"}"});
        world.post(&path, body).await.code()
    };
    assert_eq!(to("chat_id", "oc_none").await, 99_992_356);
    assert_eq!(to("chat_id", "nonsense").await, 230_034);
    assert_eq!(to("open_id", "ou_none").await, 99_992_351);
    assert_eq!(to("room", "x").await, 99_992_402);
    assert_eq!(to("open_id", &world.alice).await, 0);
    let outside = world
        .tells("/chats", json!({"name": "x", "bot": false}))
        .await["chat_id"]
        .text();
    assert_eq!(to("chat_id", &outside).await, 230_002);
    world
        .tells(&format!("/chats/{}/dissolve", outside), json!({}))
        .await;
    assert_eq!(to("chat_id", &outside).await, 232_009);

    let long = |length: usize| json!({"text": "x".repeat(length)});
    assert_eq!(world.send("text", long(160_000), "").await.code(), 230_025);
    assert_eq!(world.send("text", long(140_000), "").await.code(), 0);
    let post = json!({"en_us": {"content": [[{"tag": "text", "text": "x".repeat(31_000)}]]}});
    assert_eq!(world.send("post", post, "").await.code(), 230_025);
    assert_eq!(
        world.send("text", json!({"words": "x"}), "").await.code(),
        230_001
    );
    assert_eq!(
        world.send("carrier_pigeon", json!({}), "").await.code(),
        230_001
    );
    world.passes(2000).await;
    let bare = world.send("interactive", json!({"card_id": "7"}), "").await;
    assert_eq!(bare.code(), 230_099);
    assert!(
        bare.body["msg"].text().contains("ErrCode: 200621"),
        "{}",
        bare.body
    );
    let template = json!({"type": "template", "data": {"template_id": "AAq"}});
    assert!(
        world.send("interactive", template, "").await.body["msg"]
            .text()
            .contains("200380")
    );
}

#[tokio::test]
async fn threads_are_started_stayed_in_and_hidden_from_the_chat() {
    let world = World::start().await;
    let root = world.alice_says("root").await;
    let quoted = world.reply(&root, "a quote", false).await.data();
    assert_eq!(
        (quoted["root_id"].text(), quoted["parent_id"].text()),
        (root.clone(), root.clone())
    );
    assert!(quoted.get("thread_id").is_none());
    let first = world.reply(&root, "in thread", true).await.data();
    let thread = first["thread_id"].text();
    let second = world
        .reply(&first["message_id"].text(), "stays", false)
        .await
        .data();
    assert_eq!(second["thread_id"].text(), thread);
    assert_eq!(second["root_id"].text(), root);
    let said = json!({"sender": "Alice", "text": "me too", "thread": thread});
    assert_eq!(
        world.tells("/messages", said).await["thread_id"].text(),
        thread
    );

    let list = async |kind: &str, id: &str| {
        let path = format!("/im/v1/messages?container_id_type={kind}&container_id={id}");
        let items = world.get(&path).await.data()["items"].clone();
        items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["message_id"].text())
            .collect::<Vec<_>>()
    };
    let in_chat = list("chat", &world.chat).await;
    assert_eq!(in_chat, [root.clone(), quoted["message_id"].text()]);
    let said = json!({"sender": "Alice", "text": "by its root", "thread": root});
    assert_eq!(
        world.tells("/messages", said).await["thread_id"].text(),
        thread
    );
    let in_thread = list("thread", &thread).await;
    assert_eq!(in_thread.len(), 5);
    assert_eq!(in_thread[0], root);

    world
        .tells(&format!("/messages/{root}/recall"), json!({}))
        .await;
    assert_eq!(world.reply(&root, "too late", false).await.code(), 230_011);
    assert_eq!(world.reply("om_none", "x", false).await.code(), 99_992_354);
    assert_eq!(world.reply(&thread, "x", false).await.code(), 99_992_354);
}

#[tokio::test]
async fn a_message_card_is_patched_and_a_text_edited_and_recalled() {
    let world = World::start().await;
    let card = |text: &str| json!({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": text}]}});
    let sent = world.send("interactive", card("one"), "").await.data();
    assert!(sent["body"]["content"].text().contains("\"elements\":[[{"));
    let path = format!("/im/v1/messages/{}", sent["message_id"].text());
    let patch = async |content: Value| {
        let body = json!({"content": content.to_string()});
        world.call(Method::PATCH, &path, body).await.code()
    };
    assert_eq!(patch(card("two")).await, 0);
    assert_eq!(patch(json!({"elements": []})).await, 230_001);
    assert_eq!(
        patch(json!({"config": {"update_multi": true}, "elements": []})).await,
        230_099
    );
    let put = json!({"msg_type": "interactive", "content": card("x").to_string()});
    assert_eq!(world.call(Method::PUT, &path, put).await.code(), 230_001);
    let text = world.send("text", json!({"text": "a"}), "").await.data()["message_id"].text();
    let path = format!("/im/v1/messages/{text}");
    let put = json!({"msg_type": "text", "content": "{\"text\":\"b\"}"});
    assert_eq!(
        world.call(Method::PUT, &path, put).await.data()["updated"],
        json!(true)
    );
    let seen = world.messages().await;
    assert_eq!(
        (seen[0]["text"].text(), seen[1]["text"].text()),
        ("two".to_owned(), "b".to_owned())
    );
    assert_eq!(
        (&seen[0]["edited"], &seen[1]["edited"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(world.call(Method::DELETE, &path, json!({})).await.code(), 0);
    assert_eq!(world.messages().await[1]["deleted"], json!(true));
    let theirs = world.alice_says("mine").await;
    let path = format!("/im/v1/messages/{theirs}");
    assert_eq!(
        world.call(Method::DELETE, &path, json!({})).await.code(),
        230_026
    );
}

#[tokio::test]
async fn reactions_are_named_owned_and_found_again() {
    let world = World::start().await;
    let message = world.alice_says("hello").await;
    let path = format!("/im/v1/messages/{message}/reactions");
    let add = async |emoji: &str| {
        world
            .post(&path, json!({"reaction_type": {"emoji_type": emoji}}))
            .await
    };
    assert_eq!(add("EYES").await.code(), 231_001);
    let first = add("OnIt").await.data();
    assert_eq!(first["operator"]["operator_type"], "app");
    assert_eq!(
        add("OnIt").await.data()["reaction_id"],
        first["reaction_id"]
    );
    let theirs = json!({"user": "Alice", "emoji_type": "OnIt"});
    let theirs = world
        .tells(&format!("/messages/{message}/reactions"), theirs)
        .await["reaction_id"]
        .text();
    let listed = world
        .get(&format!("{path}?reaction_type=OnIt&page_size=1"))
        .await
        .data();
    assert_eq!(
        (
            listed["items"].as_array().unwrap().len(),
            &listed["has_more"]
        ),
        (1, &json!(true))
    );
    let delete = async |path: String| world.call(Method::DELETE, &path, json!({})).await.code();
    assert_eq!(delete(format!("{path}/{theirs}")).await, 231_007);
    assert_eq!(delete(format!("{path}/nonsense")).await, 231_011);
    let other = world.alice_says("other").await;
    let mine = first["reaction_id"].text();
    assert_eq!(
        delete(format!("/im/v1/messages/{other}/reactions/{mine}")).await,
        231_010
    );
    assert_eq!(delete(format!("{path}/{mine}")).await, 0);
    let seen = world.messages().await[0]["reactions"].clone();
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!(
        (&seen[0]["by"], &seen[0]["name"]),
        (&json!("user"), &json!("Alice"))
    );
}
