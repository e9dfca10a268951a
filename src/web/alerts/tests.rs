//! The addresses over a real keeper: nothing that is posted breaks them, and what cannot be kept comes again.

use std::{fs, path::Path as FilePath};

use axum::body::to_bytes;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower::ServiceExt;

use super::*;
use crate::{bot::incidents::Keeper, config::Config, store::Store};

const KEY: &str = "0123456789abcdef";

/// The addresses, with what is behind them.
struct Office {
    router: Router,
    store: Store,
    keeper: Keeper,
    metrics: Metrics,
}

impl Office {
    async fn at(folder: &FilePath) -> Self {
        let text = format!(
            "[feishu]\napp_id = \"cli_a\"\napp_secret = \"s\"\n[store]\npath = {folder:?}\n\
             [alerts]\nintegrations = [{{ name = \"all\", key = \"{KEY}\", requests_per_minute = 1000000, mapping = {{ title = \"title\" }} }}]\n"
        );
        let config = Config::parse("test", &text, []).unwrap();
        let metrics = Metrics::default();
        let store = Store::open(&config.store).await.unwrap();
        let opened = Incidents::open(&store, &config, metrics.clone()).await;
        let (incidents, keeper) = opened.unwrap();
        Self {
            router: router(Alerts::new(&config.alerts, incidents, metrics.clone())),
            store,
            keeper,
            metrics,
        }
    }
}

/// Status, when to come again, and the words.
async fn posted(router: &Router, request: Request) -> (u16, Option<String>, String) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let again = answer.headers().get("retry-after");
    let again = again.map(|seconds| seconds.to_str().unwrap().to_owned());
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, again, String::from_utf8(body.into()).unwrap())
}

fn firing(format: &str) -> Request {
    let body = r#"{"alerts": [{"status": "firing", "labels": {"alertname": "a"}}]}"#;
    let address = format!("/alerts/{KEY}/{format}");
    Request::post(address).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn what_the_store_does_not_keep_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::at(folder.path()).await;
    let keeper = AbortOnDropHandle::new(tokio::spawn(office.keeper.run(CancellationToken::new())));
    assert_eq!(posted(&office.router, firing("alertmanager")).await.0, 202);
    office.store.close().await.unwrap();
    let (status, again, words) = posted(&office.router, firing("alertmanager")).await;
    assert_eq!((status, again.as_deref()), (503, Some("5")), "{words}");
    assert!(words.contains("send it again"), "{words}");
    let numbers = office.metrics.render();
    assert!(numbers.contains("outcome=\"accepted\"} 1"), "{numbers}");
    assert!(numbers.contains("outcome=\"told\"} 1"), "{numbers}");
    drop(keeper);
}

#[tokio::test]
async fn a_keeper_who_is_gone_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::at(folder.path()).await;
    drop(office.keeper);
    let (status, again, words) = posted(&office.router, firing("grafana")).await;
    assert_eq!((status, again.as_deref()), (503, Some("5")), "{words}");
    assert!(words.contains("too much waits already"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_keeper_who_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::at(folder.path()).await;
    let (status, again, _) = posted(&office.router, firing("alertmanager")).await;
    assert_eq!((status, again.as_deref()), (503, Some("5")));
    // A body that never ends.
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let address = format!("/alerts/{KEY}/alertmanager");
    let request = Request::post(address).body(body).unwrap();
    assert_eq!(posted(&office.router, request).await.0, 408);
    drop(office.keeper);
}

#[tokio::test]
async fn whoever_sends_cloudevents_may_ask_first() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::at(folder.path()).await;
    let request = Request::options("/alerts/nobody/cloudevents")
        .header("webhook-request-origin", "events.example");
    let answer = office
        .router
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["webhook-allowed-origin"], "*");
}

/// The golden payloads as they are.
fn payloads() -> Vec<Vec<u8>> {
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/alerts");
    let folders = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = folders
        .filter(|path| path.is_dir())
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let all: Vec<Vec<u8>> = json.map(|path| fs::read(path).unwrap()).collect();
    assert!(all.len() > 70);
    all
}

fn addresses() -> Vec<String> {
    let of_format = |format: Format| {
        let name = format.as_str();
        [
            format!("/alerts/{KEY}/{name}"),
            format!("/alerts/{KEY}/{name}/change"),
        ]
    };
    let mut all: Vec<String> = Format::ALL.into_iter().flat_map(of_format).collect();
    all.extend(["/v2/enqueue", "/v2/change/enqueue"].map(str::to_owned));
    all
}

/// A payload with some of its bytes replaced, or anything at all.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        proptest::sample::select(payloads()),
        proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
        any::<proptest::sample::Index>(),
    );
    let damaged = damaged.prop_map(|(mut body, changes, end)| {
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let end = end.index(body.len() * 4);
        body.truncate(end.max(1));
        body
    });
    prop_oneof![
        9 => damaged,
        1 => proptest::collection::vec(any::<u8>(), 0..200),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    proptest::sample::subsequence(
        vec![
            ("content-encoding", "gzip"),
            ("content-type", "application/cloudevents-batch+json"),
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-type", "com.example.%zz"),
            ("ce-source", "\"/a%C3"),
            ("ce-id", "1"),
        ],
        0..5,
    )
}

#[test]
fn nothing_that_is_posted_is_our_fault() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let office = runtime.block_on(Office::at(folder.path()));
    let stop = CancellationToken::new();
    let keeper = runtime.spawn(office.keeper.run(stop.clone()));
    let router = office.router;
    let cases = ProptestConfig::with_cases(300);
    proptest!(cases, |(address in proptest::sample::select(addresses()), headers in headers(), body in body())| {
        let mut request = Request::post(&address);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let (status, _, words) = runtime.block_on(posted(&router, request));
        prop_assert!(status < 500, "{address}: {status} {words}");
        prop_assert!(!words.contains(KEY), "{address}: {words}");
    });
    stop.cancel();
    runtime.block_on(keeper).unwrap();
}
