//! Who is let in: tokens, credentials, scopes, and what the app learns about itself.

use super::world::{DAY_MS, MINUTE_MS, Text, World};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_token_is_needed_and_ends_after_two_hours() {
    let mut world = World::start().await;
    assert_eq!(world.fresh_token().await, world.token);
    world.passes(91 * MINUTE_MS).await;
    let second = world.fresh_token().await;
    assert_ne!(second, world.token);
    assert_eq!(world.get("/bot/v3/info").await.code(), 0);
    world.passes(29 * MINUTE_MS).await;
    let refused = world.get("/bot/v3/info").await;
    assert_eq!(refused.code(), 99_991_663);
    assert_eq!(
        refused.headers["x-tt-logid"],
        refused.body["error"]["log_id"].text().as_str()
    );
    world.token = second;
    let info = world.get("/bot/v3/info").await;
    assert_eq!(
        info.body["bot"]["open_id"],
        world.sandbox.state().bot_open_id.as_str()
    );
    assert!(info.headers.contains_key("x-tt-logid"));
}

#[tokio::test]
async fn wrong_credentials_paths_and_bodies_have_their_codes() {
    let world = World::start().await;
    let access = world.sandbox.state();
    let token = "/auth/v3/tenant_access_token/internal";
    let wrong = json!({"app_id": access.app_id, "app_secret": "no"});
    assert_eq!(world.post(token, wrong).await.code(), 10_014);
    let unknown = json!({"app_id": "cli_0", "app_secret": access.app_secret});
    assert_eq!(world.post(token, unknown).await.code(), 10_003);
    let nowhere = world.get("/im/v9/nowhere").await;
    assert_eq!(
        (nowhere.code(), nowhere.http),
        (99_991_201, StatusCode::NOT_FOUND)
    );
    let method = world.call(Method::DELETE, "/bot/v3/info", json!({})).await;
    assert_eq!(
        (method.code(), method.http),
        (99_991_301, StatusCode::METHOD_NOT_ALLOWED)
    );
    let missing = world
        .post(
            "/im/v1/messages?receive_id_type=chat_id",
            json!({"receive_id": "x"}),
        )
        .await;
    assert_eq!(missing.code(), 99_992_402);
    assert_eq!(
        missing.body["error"]["field_violations"][0]["field"],
        "msg_type"
    );
    assert_eq!(
        world.post("/cardkit/v1/cards", json!([])).await.code(),
        9499
    );
}

#[tokio::test]
async fn missing_scopes_quota_and_errors_are_made_on_order() {
    let world = World::start().await;
    world.alice_says("hello").await;
    let scopes = json!({"refuse_scopes": ["cardkit:card:write", "im:message.group_msg", "contact:user.base:readonly"]});
    world.tells("/faults", scopes).await;
    let refused = world.post("/cardkit/v1/cards", json!({})).await;
    assert_eq!(refused.code(), 99_991_672);
    assert_eq!(
        refused.body["error"]["permission_violations"][0]["subject"],
        "cardkit:card:write"
    );
    let list = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}",
        world.chat
    );
    assert_eq!(world.get(&list).await.code(), 230_027);
    let user = world
        .get(&format!("/contact/v3/users/{}", world.alice))
        .await
        .data();
    assert!(user["user"].get("name").is_none());
    let granted = world.get("/application/v6/scopes").await.data();
    let entry = |name: &str| {
        let all = granted["scopes"].as_array().unwrap().clone();
        all.into_iter()
            .find(|scope| scope["scope_name"] == name)
            .unwrap()["grant_status"]
            .clone()
    };
    assert_eq!(
        (entry("im:chat"), entry("im:message.group_msg")),
        (json!(1), json!(2))
    );
    world.tells("/faults", json!({"quota_left": 1})).await;
    assert_eq!(world.get("/bot/v3/info").await.code(), 0);
    assert_eq!(world.get("/bot/v3/info").await.code(), 99_991_403);
    world.tells("/faults", json!({"error_rate": 1.0})).await;
    let (mut answered, mut broken) = (0, 0);
    for _ in 0..20 {
        let url = format!("{}/open-apis/bot/v3/info", world.sandbox.state().base_url);
        match world.http.get(url).bearer_auth(&world.token).send().await {
            Ok(response) => answered += i32::from(response.status() == 500),
            Err(_) => broken += 1,
        }
    }
    assert!(
        answered > 0 && broken > 0 && answered + broken == 20,
        "{answered} {broken}"
    );
    world.tells("/faults", json!({})).await;
    assert_eq!(world.get("/bot/v3/info").await.code(), 0);
}

#[tokio::test]
async fn the_app_learns_about_itself_as_far_as_its_scopes_go() {
    let world = World::start().await;
    let app = format!(
        "/application/v6/applications/{}",
        world.sandbox.state().app_id
    );
    assert_eq!(world.get(&app).await.code(), 99_991_672);
    assert_eq!(
        world.get("/tenant/v2/tenant/query").await.code(),
        99_991_672
    );
    let console = json!({
        "grant_scopes": ["application:application:self_manage", "tenant:tenant:readonly"],
        "unsubscribed": ["im.chat.updated_v1"], "events_by": "webhook", "activate_status": 1,
    });
    let faults = json!({"console": console, "date_skew_ms": -DAY_MS});
    world.tells("/faults", faults).await;
    let event = world.get(&app).await.data()["app"]["event"].clone();
    assert_eq!(event["subscription_type"], "webhook");
    assert!(!event.to_string().contains("im.chat.updated_v1"));
    let versions = world.get(&format!("{app}/app_versions?lang=en_us")).await;
    assert_eq!(versions.data()["items"][0]["status"], 1);
    let another = "/application/v6/applications/cli_another";
    assert_eq!(world.get(another).await.code(), 210_504);
    let tenant = world.get("/tenant/v2/tenant/query").await.data();
    assert!(tenant["tenant"]["tenant_key"].is_string());
    let addresses = world.get("/event/v1/outbound_ip").await.data();
    assert_eq!(addresses["ip_list"], json!(["127.0.0.1"]));
    let connections = world.get("/event/v1/connection").await;
    let date = connections.headers["date"].to_str().unwrap();
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ago = date.duration_until(jiff::Timestamp::now());
    assert!((ago.as_secs() - 24 * 3600).abs() < 600, "{ago}");
    assert_eq!(connections.data()["online_instance_cnt"], 0);
    let bot = world.get("/bot/v3/info").await.body["bot"].clone();
    assert_eq!(bot["activate_status"], 1);
}
