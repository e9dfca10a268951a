//! A storm of alerts: a thousand of them are one incident with one card. `benches/alerts.rs` measures how long
//! their sender waits.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::world::{ALERTS_KEY, World};

const ALERTS: usize = 1000;

/// A world with a group that hears of everything.
async fn listening() -> (World, String) {
    let mut world = World::without_bot("").await;
    let (chat, _) = world.room().await;
    world.set(&format!("[incidents]\ncatch_all = \"{chat}\"\n"));
    world.start_bot().await;
    (world, chat)
}

/// Posts a thousand alerts of one service, each of another instance, one request each, fifty at once.
async fn post_all(world: &World) {
    let http = reqwest::Client::new();
    let url = world.web_url(&format!("/alerts/{ALERTS_KEY}/alertmanager"));
    let post = |at: usize| {
        let labels = json!({"alertname": "PoolFull", "service": "checkout", "severity": "critical",
            "instance": format!("checkout-{at}")});
        let body = json!({"version": "4", "alerts": [{"status": "firing", "labels": labels}]});
        let (http, url) = (http.clone(), url.clone());
        async move {
            let answer = http.post(&url).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 202, "{:?}", answer.text().await);
        }
    };
    stream::iter((0..ALERTS).map(post))
        .buffer_unordered(50)
        .collect::<()>()
        .await;
}

#[tokio::test]
async fn a_thousand_alerts_are_one_incident_with_one_card() {
    let (world, chat) = listening().await;
    post_all(&world).await;
    let open = world.incidents().list_open();
    assert_eq!(open.len(), 1);
    let incident = &open[0].incident;
    assert_eq!((incident.alerts, incident.firing.total()), (1000, 1000));
    let cards = world
        .until("there is a card", async || {
            let seen = world.messages(Some(&chat)).await;
            let cards = seen.into_iter().filter(|one| one.is_by_bot());
            let cards: Vec<_> = cards.collect();
            (!cards.is_empty()).then_some(cards)
        })
        .await;
    assert_eq!(cards.len(), 1, "{cards:#?}");
    // Every alert is kept by itself, too.
    let kept = world
        .incidents()
        .alerts(incident.number, 2000)
        .await
        .unwrap();
    assert_eq!(kept.len(), ALERTS);
    let calls = world.get("/sandbox/calls?since=0").await;
    let calls = calls["calls"].as_array().unwrap().iter();
    // A scope that the app lacks is no limit.
    let by_limit = |call: &&Value| !matches!(call["refused_by"].as_str(), None | Some("scope"));
    let refused: Vec<&Value> = calls.filter(by_limit).collect();
    assert!(
        refused.is_empty(),
        "the platform's limits are kept: {refused:#?}"
    );
    world.finish().await;
}
