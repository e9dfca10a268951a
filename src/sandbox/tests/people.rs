//! People and chats as the bot reads them.

use super::world::{Text, World};
use serde_json::json;

#[tokio::test]
async fn people_and_chats_are_read_as_the_contact_api_shows_them() {
    let world = World::start().await;
    let bob = json!({"name": "Bob", "email": "bob@example.com"});
    let bob = world.tells("/users", bob).await["open_id"].text();
    let chat = world
        .get(&format!("/im/v1/chats/{}", world.chat))
        .await
        .data();
    assert_eq!(
        (&chat["chat_mode"], &chat["user_count"]),
        (&json!("group"), &json!("1"))
    );
    let members = world
        .get(&format!("/im/v1/chats/{}/members", world.chat))
        .await
        .data();
    assert_eq!(members["items"][0]["name"], "Alice");
    assert_eq!(members["member_total"], json!(1));
    let path = format!("/im/v1/chats/{}/members/is_in_chat", world.chat);
    assert_eq!(world.get(&path).await.data()["is_in_chat"], json!(true));
    assert_eq!(
        world.get("/im/v1/chats").await.data()["items"][0]["name"],
        "ops"
    );
    let path = format!(
        "/contact/v3/users/batch?user_ids={bob}&user_ids=ou_none&user_ids={}",
        world.alice
    );
    let batch = world.get(&path).await.data();
    let names: Vec<_> = batch["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].text())
        .collect();
    assert_eq!(names, ["Bob", "Alice"]);
    let wanted = json!({"emails": ["bob@example.com", "x@example.com"]});
    let found = world
        .post("/contact/v3/users/batch_get_id", wanted)
        .await
        .data();
    assert_eq!(found["user_list"][0]["user_id"], bob.as_str());
    assert!(found["user_list"][1].get("user_id").is_none());
}
