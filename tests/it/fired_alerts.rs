//! The alerts that the sandbox fires, as the bot reads them: two that were written apart agree.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use nightjar::incident::alert::{
    Alert, Status, alertmanager, cloudevents, feishu_bot, flashduty,
    generic::{self, Mapping},
    grafana, nightingale, pagerduty,
};
use serde_json::{Value, json};

use crate::world::World;

const KEY: &str = "key-of-the-listener-00";
/// As `nightjar sandbox` configures its bot.
const MAPPING: &str = "key = [\"id\"]\ntitle = \"title\"\ndescription = \"description\"\nseverity = \"severity\"\n\
    status = \"status\"\nlabels_from = [\"labels\"]\nlink = \"url\"";
const FORMATS: [&str; 8] = [
    "alertmanager",
    "grafana",
    "nightingale",
    "pagerduty",
    "flashduty",
    "cloudevents",
    "feishu-bot",
    "generic",
];

/// What was posted: where, with what type, and the body.
type Posted = Arc<Mutex<Vec<(String, String, Bytes)>>>;

async fn take(
    State(posted): State<Posted>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let kind = headers["content-type"].to_str().unwrap().to_owned();
    posted
        .lock()
        .unwrap()
        .push((uri.path().to_owned(), kind, body));
    StatusCode::ACCEPTED
}

/// A world without a bot, and somebody who listens in its place.
async fn listening() -> (World, Posted) {
    let world = World::without_bot("").await;
    let posted = Posted::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(posted.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let to = json!({"base_url": base_url, "integration_key": KEY});
    world.post("/sandbox/alerts/to", to).await;
    (world, posted)
}

fn read(format: &str, kind: &str, body: &[u8]) -> Vec<Alert> {
    let batch = match format {
        "alertmanager" => alertmanager::read(body),
        "grafana" => grafana::read(body),
        "nightingale" => nightingale::read(body),
        "pagerduty" => pagerduty::read(body),
        "flashduty" => flashduty::read(body),
        "cloudevents" => cloudevents::read(body, &[("content-type", kind)], None),
        "feishu-bot" => feishu_bot::read(body),
        _ => {
            let mapping: Mapping = toml::from_str(MAPPING).unwrap();
            generic::read(body, &mapping)
        }
    };
    batch
        .unwrap_or_else(|error| panic!("{format}: {error}: {}", String::from_utf8_lossy(body)))
        .alerts
}

/// Fires, and reads what arrived.
async fn fired(world: &World, posted: &Posted, order: Value) -> Vec<Alert> {
    let format = order["format"].as_str().unwrap().to_owned();
    let answer = world.post("/sandbox/alerts", order).await;
    assert_eq!(answer["refused"], 0, "{answer}");
    let posts = std::mem::take(&mut *posted.lock().unwrap());
    assert_eq!(answer["posts"], posts.len());
    let path = match format.as_str() {
        "pagerduty" => "/v2/enqueue".to_owned(),
        _ => format!("/alerts/{KEY}/{format}"),
    };
    let alerts = posts.iter().flat_map(|(at, kind, body)| {
        assert_eq!(*at, path);
        read(&format, kind, body)
    });
    alerts.collect()
}

#[tokio::test]
async fn every_scenario_is_understood_in_every_format_and_ends_as_the_alert_that_began() {
    let (world, posted) = listening().await;
    let offered = world.get("/sandbox/alerts").await;
    assert_eq!(offered["formats"], json!(FORMATS));
    for scenario in offered["scenarios"].as_array().unwrap() {
        for format in FORMATS {
            let order = |status: &str| json!({"format": format, "scenario": scenario["id"], "status": status, "count": 2});
            let firing = fired(&world, &posted, order("firing")).await;
            let resolved = fired(&world, &posted, order("resolved")).await;
            let (first, last) = (&firing[0], resolved.last().unwrap());
            let about = format!("{format}: {first:#?}");
            assert!(!first.title.is_empty() && first.notes.is_empty(), "{about}");
            assert_eq!(
                (first.status, last.status),
                (Status::Firing, Status::Resolved),
                "{about}"
            );
            if scenario["id"] == "flapping-probe" {
                let statuses: Vec<Status> = firing.iter().map(|one| one.status).collect();
                assert_eq!(
                    statuses,
                    [Status::Firing, Status::Resolved, Status::Firing],
                    "{about}"
                );
                assert_eq!(first.key, last.key, "{about}");
            } else {
                let keys =
                    |alerts: &[Alert]| alerts.iter().map(|one| one.key.clone()).collect::<Vec<_>>();
                assert_eq!(keys(&firing), keys(&resolved), "{about}");
                assert_ne!(firing[0].key, firing[1].key, "{about}");
            }
        }
    }
    world.finish().await;
}

#[tokio::test]
async fn a_storm_of_pods_comes_in_a_few_bodies_where_the_format_allows_it() {
    let (world, posted) = listening().await;
    for (format, bodies) in [("alertmanager", 3), ("nightingale", 3), ("pagerduty", 250)] {
        let order = json!({"format": format, "scenario": "pod-storm", "count": 250});
        let answer = world.post("/sandbox/alerts", order).await;
        assert_eq!(
            (&answer["alerts"], &answer["posts"]),
            (&json!(250), &json!(bodies))
        );
        assert_eq!(posted.lock().unwrap().drain(..).count(), bodies);
    }
    world.finish().await;
}

#[tokio::test]
async fn nobody_to_send_to_and_nobody_there_are_told_apart() {
    let world = World::without_bot("").await;
    let order = json!({"format": "grafana"});
    let url = world.sandbox_url("/sandbox/alerts");
    let refused = reqwest::Client::new().post(url).json(&order).send().await;
    let refused = refused.unwrap().text().await.unwrap();
    assert!(refused.contains("POST /sandbox/alerts/to"), "{refused}");
    let nobody = json!({"format": "grafana", "url": "http://127.0.0.1:9/alerts"});
    let answer = world.post("/sandbox/alerts", nobody).await;
    assert_eq!(
        (&answer["refused"], &answer["answers"][0]["status"]),
        (&json!(1), &Value::Null)
    );
    world.finish().await;
}
