//! How long a sender of alerts waits for its answer over HTTP, which comes after the flush: a thousand alerts of
//! one storm, one in each request, spread over ten seconds and as fast as they can be sent.
//!
//! ```sh
//! cargo bench --bench alerts
//! ```

#![expect(clippy::print_stdout, reason = "the figures are for people to read")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that fails should say where"
)]

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use nightjar::{
    bot::incidents::Incidents,
    config::{Config, Intake},
    feishu::ws::Link,
    store::Store,
    telemetry::Metrics,
    web::{Alerts, Health, Posts, Server},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const ALERTS: usize = 1000;
const KEY: &str = "0123456789abcdef";

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let is_measured = std::env::args().any(|arg| arg == "--bench");
    let alerts = if is_measured { ALERTS } else { 50 };
    nightjar::feishu::install_crypto();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>22} {:>10} {:>9} {:>9} {:>9}",
        "", "alerts/s", "p50 ms", "p99 ms", "max ms"
    );
    let paced = Duration::from_secs(10) / u32::try_from(ALERTS).unwrap();
    for (name, pace, together) in [
        ("over ten seconds", paced, ALERTS),
        ("one after the other", Duration::ZERO, 1),
        ("fifty at once", Duration::ZERO, 50),
    ] {
        let began = Instant::now();
        let mut waits = runtime.block_on(send(alerts, pace, together));
        let took = began.elapsed();
        waits.sort();
        let at = |share: f64| {
            let index = (waits.len() as f64 * share) as usize;
            waits[index.min(waits.len() - 1)].as_secs_f64() * 1000.0
        };
        println!(
            "{name:>22} {:>10.0} {:>9.2} {:>9.2} {:>9.2}",
            waits.len() as f64 / took.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(1.0),
        );
    }
}

/// Has them kept, and gives how long each took.
async fn send(alerts: usize, pace: Duration, together: usize) -> Vec<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[feishu]\napp_id = \"cli_a\"\napp_secret = \"s\"\n\
         [alerts]\nintegrations = [{{ name = \"prom\", key = \"{KEY}\", requests_per_minute = 1000000 }}]\n\
         [store]\npath = {:?}\n[web]\nlisten = \"127.0.0.1:0\"\n",
        folder.path().join("store")
    );
    let config = Config::parse("the benchmark", &text, []).unwrap();
    let (store, metrics) = (
        Store::open(&config.store).await.unwrap(),
        Metrics::default(),
    );
    let opened = Incidents::open(&store, &config, metrics.clone()).await;
    let (incidents, keeper) = opened.unwrap();
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(keeper.run(stop.clone()));
    let (deliver, _deliveries) = mpsc::channel(1);
    let posts = Posts::new(None, deliver.downgrade(), metrics.clone());
    let health = Health {
        intake: Intake::LongConnection,
        link: watch::channel(Link::Up).1,
        store: store.clone(),
        metrics: metrics.clone(),
    };
    let alerts_in = Alerts::new(&config.alerts, incidents.clone(), metrics);
    let server = Server::bind(config.web.listen, health, posts, alerts_in).await;
    let server = server.unwrap();
    let url = format!("http://{}/alerts/{KEY}/alertmanager", server.address());
    let until = stop.clone();
    let serving = tokio::spawn(server.serve(async move { until.cancelled().await }));
    let http = reqwest::Client::new();
    let began = Instant::now();
    let send = |at: usize| {
        let post = http.post(&url).json(&body(at));
        async move {
            let due = pace * u32::try_from(at).unwrap();
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            let asked = Instant::now();
            assert_eq!(post.send().await.unwrap().status(), 202);
            asked.elapsed()
        }
    };
    let waits = stream::iter((0..alerts).map(send)).buffer_unordered(together);
    let waits = waits.collect().await;
    stop.cancel();
    serving.await.unwrap().unwrap();
    keeping.await.unwrap();
    let open = incidents.list_open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].incident.firing.total() as usize, alerts);
    drop(incidents);
    store.close().await.unwrap();
    waits
}

/// As Alertmanager sends it.
fn body(at: usize) -> Value {
    json!({"version": "4", "alerts": [{
        "status": "firing",
        "labels": {"alertname": "PoolFull", "service": "checkout", "severity": "critical",
            "instance": format!("checkout-{at}")},
        "annotations": {"summary": "The pool of connections has been full for five minutes."},
        "startsAt": "2026-03-01T08:00:00Z",
    }]})
}
