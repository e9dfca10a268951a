//! Rate limits.

use super::world::{Reply, World};
use crate::sandbox::Options;
use reqwest::StatusCode;
use serde_json::json;

/// All at once, because limits count within a real second.
async fn storm<F: Future<Output = Reply>>(calls: impl Iterator<Item = F>) -> Vec<Reply> {
    futures::future::join_all(calls).await
}

#[tokio::test]
async fn limits_refuse_with_their_codes_headers_and_names() {
    let world = World::start().await;
    let card = world.create_card().await;
    let replies = storm((1..=40).map(|sequence| world.stream(&card, "x", sequence, ""))).await;
    let is_refused = |reply: &&Reply| reply.code() == 99_991_400;
    let refused = replies
        .iter()
        .find(is_refused)
        .expect("forty in a second are too many");
    assert_eq!(refused.http, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["x-ogw-ratelimit-limit"], "10");
    assert_eq!(refused.headers["x-ogw-ratelimit-reset"], "1");
    world.passes(2000).await;
    let replies = storm((0..20).map(|_| world.send("text", json!({"text": "x"}), ""))).await;
    let is_refused = |reply: &&Reply| reply.code() == 230_020;
    let refused = replies
        .iter()
        .find(is_refused)
        .expect("twenty in a second are too many");
    assert_eq!(refused.http, StatusCode::BAD_REQUEST);
    let sent = replies.iter().filter(|reply| reply.code() == 0).count();
    assert_eq!(world.messages().await.len(), sent);
    let calls = world.sees("/calls").await["calls"]
        .as_array()
        .unwrap()
        .clone();
    let names = calls.iter().filter_map(|call| call["refused_by"].as_str());
    let names: std::collections::BTreeSet<_> = names.collect();
    assert_eq!(Vec::from_iter(names), ["card", "chat"]);
    assert_eq!(
        calls[0]["path"],
        "/open-apis/auth/v3/tenant_access_token/internal"
    );
}

#[tokio::test]
async fn one_api_takes_fifty_a_second_unless_limits_are_off() {
    let refused = async |limits: bool| {
        let world = World::with(Options {
            limits,
            scene: false,
            ..Options::default()
        })
        .await;
        let replies = storm((0..150).map(|_| world.get("/bot/v3/info"))).await;
        replies
            .iter()
            .filter(|reply| reply.code() == 99_991_400)
            .count()
    };
    assert!(refused(true).await > 0);
    assert_eq!(refused(false).await, 0);
}
