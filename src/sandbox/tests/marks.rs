//! What is put on messages: pins, buzzes, and cards for one pair of eyes.

use reqwest::Method;
use serde_json::json;

use super::world::{Text, World};

const BUZZ: &str = "im:message.urgent:app_send";

impl World {
    async fn unpins(&self, message: &str) -> i64 {
        let path = format!("/im/v1/pins/{message}");
        self.call(Method::DELETE, &path, json!({})).await.code()
    }

    async fn buzzes(&self, message: &str, people: &[&str]) -> super::world::Reply {
        let path = format!("/im/v1/messages/{message}/urgent_app?user_id_type=open_id");
        self.call(Method::PATCH, &path, json!({ "user_id_list": people }))
            .await
    }
}

#[tokio::test]
async fn messages_are_pinned_by_the_bot_and_by_people_and_listed_newest_first() {
    let world = World::start().await;
    let one = world.alice_says("the plan").await;
    let two = world
        .send("text", json!({"text": "the card"}), "")
        .await
        .data()["message_id"]
        .text();
    let pin = world
        .post("/im/v1/pins", json!({"message_id": two}))
        .await
        .data();
    assert_eq!(pin["pin"]["operator_id_type"], "app_id");
    world.passes(1000).await;
    let again = world
        .post("/im/v1/pins", json!({"message_id": two}))
        .await
        .data();
    assert_eq!(pin, again, "pinning again changes nothing");
    world
        .tells(&format!("/messages/{one}/pin"), json!({"user": "Alice"}))
        .await;
    let listed = async || {
        let path = format!("/im/v1/pins?chat_id={}&page_size=50", world.chat);
        let items = world.get(&path).await.data()["items"].clone();
        let items = items.as_array().unwrap().iter();
        items
            .map(|pin| pin["message_id"].text())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [one.clone(), two.clone()]);
    let seen = world.messages().await;
    assert_eq!(seen[0]["pinned"]["name"], "Alice");
    let group = world.sees(&format!("/chats/{}", world.chat)).await;
    assert_eq!(group["pins"][0]["text"], "the plan");
    let unpin = json!({"user": "Alice", "remove": true});
    world.tells(&format!("/messages/{one}/pin"), unpin).await;
    assert_eq!([world.unpins(&two).await, world.unpins(&two).await], [0, 0]);
    assert_eq!(listed().await, Vec::<String>::new());
    assert_eq!(
        world.get("/im/v1/pins?chat_id=oc_none").await.code(),
        230_045
    );
    assert_eq!(world.unpins("om_none").await, 99_992_354);
}

#[tokio::test]
async fn the_sixth_pin_of_one_message_in_a_second_is_refused() {
    let world = World::start().await;
    let message = world.alice_says("x").await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        let answer = world
            .post("/im/v1/pins", json!({"message_id": message}))
            .await;
        codes.push(answer.code());
    }
    assert_eq!(codes, [0, 0, 0, 0, 0, 230_047]);
}

#[tokio::test]
async fn people_are_buzzed_for_what_the_bot_said_and_confirm_it() {
    let world = World::start().await;
    let said = world.send("text", json!({"text": "page"}), "").await.data()["message_id"].text();
    assert_eq!(
        world.buzzes(&said, &[&world.alice]).await.code(),
        99_991_672
    );
    world
        .tells("/faults", json!({"console": {"grant_scopes": [BUZZ]}}))
        .await;
    let buzzed = world
        .buzzes(&said, &[&world.alice, "ou_nobody"])
        .await
        .data();
    assert_eq!(buzzed["invalid_user_id_list"], json!(["ou_nobody"]));
    let urgent = async || world.messages().await[0]["urgent"].clone();
    assert_eq!(
        urgent().await,
        json!([{"open_id": world.alice, "name": "Alice", "confirmed": false}])
    );
    world
        .tells(
            &format!("/messages/{said}/confirm"),
            json!({"user": "Alice"}),
        )
        .await;
    assert_eq!(urgent().await[0]["confirmed"], true);
    let hers = world.alice_says("mine").await;
    assert_eq!(world.buzzes(&hers, &[&world.alice]).await.code(), 230_012);
}

#[tokio::test]
async fn two_hundred_unconfirmed_buzzes_are_enough_for_one_person() {
    let world = World::start().await;
    world
        .tells("/faults", json!({"console": {"grant_scopes": [BUZZ]}}))
        .await;
    let mut codes = Vec::new();
    for number in 0..201 {
        if number % 5 == 0 {
            world.passes(1000).await;
        }
        let text = json!({"text": number.to_string()});
        let said = world.send("text", text, "").await.data()["message_id"].text();
        codes.push(world.buzzes(&said, &[&world.alice]).await.code());
    }
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 200);
    assert_eq!(codes[200], 230_023);
}

#[tokio::test]
async fn a_card_for_one_member_is_in_no_history_and_goes_without_a_trace() {
    let world = World::start().await;
    let card = json!({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "what you missed"}]}});
    let whisper = async |open_id: &str| {
        let body = json!({"chat_id": world.chat, "open_id": open_id, "msg_type": "interactive", "card": card});
        world.post("/ephemeral/v1/send", body).await
    };
    assert_eq!(whisper("ou_nobody").await.code(), 99_992_351);
    let message = whisper(&world.alice).await.data()["message_id"].text();
    let seen = world.messages().await;
    assert_eq!(
        (&seen[0]["only_for"], &seen[0]["text"]),
        (&json!(world.alice), &json!("what you missed"))
    );
    let history = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}",
        world.chat
    );
    assert_eq!(world.get(&history).await.data()["items"], json!([]));
    let patch = json!({"content": card.to_string()});
    let path = format!("/im/v1/messages/{message}");
    assert_eq!(
        world.call(Method::PATCH, &path, patch).await.code(),
        230_001
    );
    let delete = json!({"message_id": message});
    world
        .post("/ephemeral/v1/delete", delete.clone())
        .await
        .data();
    assert_eq!(world.messages().await[0]["deleted"], true);
    assert_eq!(
        world.post("/ephemeral/v1/delete", delete).await.code(),
        99_992_354
    );
}
