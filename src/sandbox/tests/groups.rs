//! Groups that the bot makes, and who is in them.

use reqwest::Method;
use serde_json::{Value, json};

use super::world::{Reply, Text, World};

impl World {
    async fn made(&self, query: &str, body: Value) -> Value {
        self.post(&format!("/im/v1/chats?{query}"), body)
            .await
            .data()
    }

    async fn person(&self, name: &str) -> String {
        self.tells("/users", json!({"name": name})).await["open_id"].text()
    }

    async fn group(&self, chat: &str) -> Value {
        self.sees(&format!("/chats/{chat}")).await
    }

    async fn adds(&self, chat: &str, query: &str, ids: &[&str]) -> Reply {
        let path = format!("/im/v1/chats/{chat}/members?{query}");
        self.post(&path, json!({ "id_list": ids })).await
    }

    async fn puts(&self, chat: &str, body: Value) -> Reply {
        self.call(Method::PUT, &format!("/im/v1/chats/{chat}"), body)
            .await
    }

    async fn deletes(&self, path: &str, body: Value) -> Reply {
        self.call(Method::DELETE, path, body).await
    }

    /// The types of the events that were to be delivered, in order.
    async fn told(&self) -> Vec<String> {
        let deliveries = self.sees("/deliveries").await;
        let deliveries = deliveries["deliveries"].as_array().unwrap().iter();
        deliveries.map(|one| one["event_type"].text()).collect()
    }
}

#[tokio::test]
async fn a_group_is_made_once_for_one_uuid_and_one_owner() {
    let world = World::start().await;
    let body = json!({"name": "INC-7 checkout", "user_id_list": [world.alice]});
    let first = world.made("uuid=inc-7", body.clone()).await;
    let again = world.made("uuid=inc-7", body.clone()).await;
    assert_eq!(first["chat_id"], again["chat_id"]);
    assert_eq!(first.get("owner_id"), None, "the bot owns it");
    assert_eq!(first["edit_permission"], "all members");
    let mut owned = body.clone();
    owned["owner_id"] = json!(world.alice);
    let other = world.made("uuid=inc-7&set_bot_manager=true", owned).await;
    assert_ne!(first["chat_id"], other["chat_id"]);
    assert_eq!(other["owner_id"], world.alice.as_str());
    assert_eq!(
        other["bot_manager_id_list"][0],
        world.sandbox.state().app_id.as_str()
    );
    world.passes(11 * 60 * super::world::MINUTE_MS).await;
    let mut world = world;
    world.token = world.fresh_token().await;
    let later = world.made("uuid=inc-7", body).await;
    assert_ne!(first["chat_id"], later["chat_id"]);

    let seen = world.group(&first["chat_id"].text()).await;
    assert_eq!(
        (
            &seen["name"],
            &seen["bot_role"],
            &seen["members"][0]["role"]
        ),
        (&json!("INC-7 checkout"), &json!("owner"), &json!("member"))
    );
    // A group that the bot makes itself is no news to it.
    assert_eq!(world.told().await, Vec::<String>::new());
    let listed = world.get("/im/v1/chats?page_size=2").await.data();
    assert_eq!(
        (
            listed["items"].as_array().unwrap().len(),
            &listed["has_more"]
        ),
        (2, &json!(true))
    );
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_whole() {
    let world = World::start().await;
    let makes = async |body: Value| world.post("/im/v1/chats", body).await.code();
    assert_eq!(makes(json!({"name": "x".repeat(61)})).await, 232_001);
    assert_eq!(
        makes(json!({"description": "x".repeat(101)})).await,
        232_001
    );
    assert_eq!(makes(json!({"edit_permission": "nobody"})).await, 232_001);
    assert_eq!(
        makes(json!({"user_id_list": ["ou_nobody"]})).await,
        99_992_351
    );
    let many = vec![world.alice.clone(); 51];
    assert_eq!(makes(json!({ "user_id_list": many })).await, 99_992_402);
    assert_eq!(makes(json!({"bot_id_list": ["cli_nobody"]})).await, 232_021);
    assert_eq!(
        makes(json!({"chat_type": "public", "name": "x"})).await,
        232_020
    );
    assert_eq!(
        makes(json!({"chat_type": "public", "name": "ops all"})).await,
        0
    );
    assert_eq!(
        makes(json!({"chat_type": "public", "name": "ops all"})).await,
        232_026
    );
    for (flag, code) in [("refuses_groups", 232_024), ("left", 232_022)] {
        let bob = world.person(flag).await;
        world
            .tells(&format!("/users/{bob}"), json!({ flag: true }))
            .await;
        assert_eq!(
            makes(json!({"user_id_list": [world.alice, bob]})).await,
            code
        );
    }
    world
        .tells("/faults", json!({"refuse_scopes": ["im:chat"]}))
        .await;
    let refused = world.post("/im/v1/chats", json!({})).await;
    assert_eq!(refused.code(), 99_991_672);
    let wanted = &refused.body["error"]["permission_violations"][1]["subject"];
    assert_eq!(wanted, "im:chat:create");
}

#[tokio::test]
async fn members_are_added_as_the_succeed_type_says_and_the_rest_is_listed() {
    let world = World::start().await;
    let chat = world.made("", json!({"name": "room"})).await["chat_id"].text();
    let [bob, gone, shy] = [
        world.person("Bob").await,
        world.person("Gone").await,
        world.person("Shy").await,
    ];
    world
        .tells(&format!("/users/{gone}"), json!({"left": true}))
        .await;
    world
        .tells(&format!("/users/{shy}"), json!({"refuses_groups": true}))
        .await;
    let all = [bob.as_str(), &gone, &shy, "ou_nobody"];
    assert_eq!(
        world.adds(&chat, "succeed_type=2", &all).await.code(),
        232_043
    );
    assert_eq!(world.adds(&chat, "", &all).await.code(), 99_992_351);
    assert_eq!(world.adds(&chat, "", &[&bob, &shy]).await.code(), 232_024);
    assert_eq!(world.adds(&chat, "", &[&gone]).await.code(), 232_027);
    assert_eq!(world.group(&chat).await["members"], json!([]));
    let some = world.adds(&chat, "succeed_type=1", &all).await.data();
    assert_eq!(
        some,
        json!({"invalid_id_list": [gone, shy], "not_existed_id_list": ["ou_nobody"], "pending_approval_id_list": []})
    );
    let passed_over = world.adds(&chat, "", &[&world.alice, &gone]).await.data();
    assert_eq!(passed_over["invalid_id_list"], json!([gone]));
    let listed = world
        .get(&format!("/im/v1/chats/{chat}/members"))
        .await
        .data();
    assert_eq!(listed["member_total"], 2);
    // Who is there already does not come again.
    world.adds(&chat, "", &[&bob]).await.data();
    let added = "im.chat.member.user.added_v1";
    assert_eq!(world.told().await, [added, added]);
    let members = format!("/im/v1/chats/{chat}/members");
    let out = world
        .deletes(&members, json!({"id_list": [bob, gone]}))
        .await
        .data();
    assert_eq!(out["invalid_id_list"], json!([gone]));
    assert_eq!(world.told().await[2], "im.chat.member.user.deleted_v1");
}

#[tokio::test]
async fn two_changes_of_members_at_once_are_one_too_many() {
    let world = World::start().await;
    let chat = world.made("", json!({})).await["chat_id"].text();
    let people = [world.person("Bob").await, world.person("Eve").await];
    let both = people.each_ref().map(|one| [one.as_str()]);
    // So that no connection has to be opened first.
    tokio::join!(world.group(&chat), world.group(&chat));
    let (one, two) = tokio::join!(
        world.adds(&chat, "", &both[0]),
        world.adds(&chat, "", &both[1])
    );
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, [0, 232_019]);
    assert_eq!(
        world.group(&chat).await["members"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn who_does_not_run_a_group_may_rename_it_and_little_else() {
    let world = World::start().await;
    let bob = world.person("Bob").await;
    world.adds(&world.chat, "", &[&bob]).await.data();
    let chat = &world.chat;
    world.puts(chat, json!({"name": "renamed"})).await.data();
    assert_eq!(
        world
            .puts(chat, json!({"urgent_setting": "only_owner"}))
            .await
            .code(),
        232_016
    );
    assert_eq!(
        world.puts(chat, json!({"owner_id": bob})).await.code(),
        232_017
    );
    let members = format!("/im/v1/chats/{chat}/members");
    let out = json!({"id_list": [bob]});
    assert_eq!(world.deletes(&members, out.clone()).await.code(), 232_017);
    let whole = format!("/im/v1/chats/{chat}");
    assert_eq!(world.deletes(&whole, json!({})).await.code(), 232_017);

    // One that the bot made for somebody else, without managing it.
    let body =
        json!({"owner_id": world.alice, "user_id_list": [bob], "edit_permission": "only_owner"});
    let theirs = world.made("", body).await["chat_id"].text();
    assert_eq!(
        world.puts(&theirs, json!({"name": "x"})).await.code(),
        232_017
    );
    let grant = json!({"console": {"grant_scopes": ["im:chat:operate_as_owner"]}});
    world.tells("/faults", grant).await;
    world
        .puts(&theirs, json!({"name": "x", "owner_id": bob}))
        .await
        .data();
    let path = format!("/im/v1/chats/{theirs}/members");
    assert_eq!(world.deletes(&path, out).await.code(), 232_076);
    assert_eq!(world.group(&theirs).await["members"][0]["role"], "owner");
    world
        .deletes(&format!("/im/v1/chats/{theirs}"), json!({}))
        .await
        .data();
    let gone = world.get(&format!("/im/v1/chats/{theirs}")).await;
    assert_eq!(gone.code(), 232_009);
    assert_eq!(world.group(&theirs).await["dissolved"], true);
    assert_eq!(world.told().await.last().unwrap(), "im.chat.disbanded_v1");
}

#[tokio::test]
async fn a_group_that_wants_approval_lets_people_wait_unless_its_owner_adds_them() {
    let world = World::start().await;
    let bob = world.person("Bob").await;
    let approval = json!({"owner_id": world.alice, "membership_approval": "approval_required"});
    let theirs = world.made("", approval).await["chat_id"].text();
    let waits = world.adds(&theirs, "", &[&bob]).await.data();
    assert_eq!(waits["pending_approval_id_list"], json!([bob]));
    assert_eq!(
        world.group(&theirs).await["members"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let ours = json!({"membership_approval": "approval_required"});
    let ours = world.made("", ours).await["chat_id"].text();
    let comes = world.adds(&ours, "", &[&bob]).await.data();
    assert_eq!(comes["pending_approval_id_list"], json!([]));
}

#[tokio::test]
async fn people_join_leave_and_leave_the_company() {
    let world = World::start().await;
    let bob = world.person("Bob").await;
    let chat = &world.chat;
    world
        .tells(&format!("/chats/{chat}/join"), json!({"user": "Bob"}))
        .await;
    world
        .tells(&format!("/chats/{chat}/leave"), json!({"user": "Bob"}))
        .await;
    world
        .tells(&format!("/chats/{chat}/join"), json!({"user": "Bob"}))
        .await;
    world.tells("/users/Bob", json!({"left": true})).await;
    assert_eq!(
        world.group(chat).await["members"].as_array().unwrap().len(),
        1
    );
    let [added, deleted] =
        ["added", "deleted"].map(|what| format!("im.chat.member.user.{what}_v1"));
    assert_eq!(
        world.told().await,
        [&added, &deleted, &added, &deleted].map(String::clone)
    );
    let path = "/im/v1/messages?receive_id_type=open_id";
    let body = json!({"receive_id": bob, "msg_type": "text", "content": "{\"text\":\"x\"}"});
    assert_eq!(world.post(path, body).await.code(), 230_029);
}

#[tokio::test]
async fn a_person_is_found_by_mail_and_mobile_unless_hidden_or_gone() {
    let world = World::start().await;
    let add = async |name: &str, mobile: &str| {
        let user = json!({"name": name, "email": format!("{name}@example.com"), "mobile": mobile});
        world.tells("/users", user).await["open_id"].text()
    };
    let bob = add("bob", "+8613800000001").await;
    let eve = add("eve", "+14155550100").await;
    let find = async |body: Value| {
        let found = world
            .post("/contact/v3/users/batch_get_id", body)
            .await
            .data();
        found["user_list"].as_array().unwrap().clone()
    };
    let found = find(json!({"emails": ["bob@example.com", "x@example.com"], "mobiles": ["13800000001", "4155550100"]})).await;
    let ids: Vec<&Value> = found.iter().map(|one| &one["user_id"]).collect();
    assert_eq!(ids, [&json!(bob), &Value::Null, &json!(bob), &Value::Null]);
    assert_eq!(found[0]["status"]["is_activated"], true);
    world
        .tells(&format!("/users/{eve}"), json!({"hidden": true}))
        .await;
    world
        .tells(&format!("/users/{bob}"), json!({"left": true}))
        .await;
    let both = json!({"emails": ["bob@example.com", "eve@example.com"]});
    assert!(
        find(both.clone())
            .await
            .iter()
            .all(|one| one.get("user_id").is_none())
    );
    let mut with_resigned = both;
    with_resigned["include_resigned"] = json!(true);
    let found = find(with_resigned).await;
    assert_eq!(
        (&found[0]["user_id"], &found[0]["status"]["is_resigned"]),
        (&json!(bob), &json!(true))
    );
    assert_eq!(
        world.get(&format!("/contact/v3/users/{eve}")).await.code(),
        41_050
    );
    let too_many = json!({"emails": vec!["x@example.com"; 51]});
    assert_eq!(
        world
            .post("/contact/v3/users/batch_get_id", too_many)
            .await
            .code(),
        99_992_402
    );
}
