//! The control API: what it refuses, and what people see through it.

use super::world::{Text, World};
use crate::sandbox::Options;
use serde_json::{Value, json};

#[tokio::test]
async fn the_control_api_says_what_is_wrong() {
    let world = World::start().await;
    let alice = |body: Value| {
        let mut body = body;
        body["sender"] = json!("Alice");
        body
    };
    for (path, body, status, sentence) in [
        (
            "/messages",
            json!({"sender": "Nobody", "text": "x"}),
            404,
            "no user",
        ),
        (
            "/messages",
            alice(json!({"chat_id": "oc_none", "text": "x"})),
            404,
            "no chat",
        ),
        ("/messages", alice(json!({})), 400, "text or content"),
        (
            "/messages",
            alice(json!({"text": " "})),
            400,
            "text is empty",
        ),
        ("/messages", alice(json!({"txt": "x"})), 400, "`txt`"),
        (
            "/messages",
            alice(json!({"text": "x", "thread": 5})),
            400,
            "thread is true, false",
        ),
        (
            "/messages",
            alice(json!({"msg_type": "blah", "content": {}})),
            400,
            "no msg_type",
        ),
        ("/messages/om_none/recall", json!({}), 404, "no message"),
        ("/users", json!({}), 400, "`name`"),
        (
            "/users",
            json!(["Sam", null, null]),
            400,
            "not a JSON object",
        ),
        ("/clock", json!({"advance_ms": -1}), 400, "forward only"),
        ("/clock", json!({"advance_ms": i64::MAX}), 400, "a year"),
        ("/faults", json!({"error_rate": 2}), 400, "between 0 and 1"),
        ("/nothing", json!({}), 404, "no POST /sandbox/nothing"),
        ("/state", json!({}), 404, "no POST /sandbox/state"),
    ] {
        let (got, answer) = world.tries(path, body).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert_eq!(got.as_u16(), status, "{path} {answer}");
        assert!(error.contains(sentence), "{path} {answer}");
    }
    world.tells("/users", json!({"name": "Alice"})).await;
    let (_, answer) = world.tries("/messages", alice(json!({"text": "x"}))).await;
    assert_eq!(
        answer["error"],
        "2 users are called \"Alice\", so an open_id is needed"
    );
    for (query, sentence) in [
        ("/messages?since=noon", "since: invalid digit"),
        ("/calls?sinse=5", "`sinse`"),
        ("/model/requests?since=x", "since: invalid digit"),
    ] {
        let answer = world.sees(query).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(sentence), "{query} {answer}");
    }
}

#[tokio::test]
async fn another_bot_speaks_by_its_name_and_shows_its_buttons() {
    let world = World::with(Options::default()).await;
    let state = world.sees("/state").await;
    let alert = json!({"schema": "2.0", "body": {"elements": [
        {"tag": "markdown", "content": "**disk** is full"},
        {"tag": "button", "text": {"tag": "plain_text", "content": "Ack"},
         "behaviors": [{"type": "callback", "value": {"do": "ack"}}]},
    ]}});
    let said = json!({"chat_id": state["chats"][0]["chat_id"], "sender": "Alertmanager",
        "msg_type": "interactive", "content": alert});
    let message_id = world.tells("/messages", said).await["message_id"].text();
    let seen = world.sees("/messages").await;
    let messages = seen["messages"].as_array().unwrap();
    let shown = messages
        .iter()
        .find(|message| message["message_id"] == message_id.as_str())
        .unwrap();
    assert_eq!(shown["text"], "**disk** is full\n[Ack]");
    assert_eq!(shown["sender"]["type"], "bot");
    let button = &shown["card"]["buttons"][0];
    assert_eq!(
        (&button["text"], &button["value"]["do"]),
        (&json!("Ack"), &json!("ack"))
    );
}

#[tokio::test]
async fn a_seeded_scene_is_there_at_once_and_the_same_each_time() {
    let one = World::with(Options::default()).await;
    let two = World::with(Options::default()).await;
    let (state, other) = (one.sees("/state").await, two.sees("/state").await);
    assert_eq!(state["app"], other["app"]);
    assert_eq!(state["users"], other["users"]);
    assert_eq!(state["chats"], other["chats"]);
    let incident = state["chats"][0]["chat_id"].text();
    let seen = one.sees(&format!("/messages?chat_id={incident}")).await;
    let seen = seen["messages"].as_array().unwrap();
    assert!(seen.len() >= 15);
    assert!(seen.iter().any(|message| message["thread_id"].is_string()));
    assert!(
        seen.iter()
            .any(|message| message["text"].text().contains("[FIRING]"))
    );
    let times: Vec<_> = seen
        .iter()
        .map(|message| message["create_time_ms"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted());
    assert_eq!(one.sees("/deliveries").await["deliveries"], json!([]));
}

#[tokio::test]
async fn a_stopped_sandbox_lets_go_of_its_address() {
    let world = World::start().await;
    let url = world.sandbox.state().base_url;
    world.sandbox.stop();
    world.sandbox.stopped().await;
    assert!(world.http.get(url).send().await.is_err());
}
