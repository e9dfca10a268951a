//! How long a sender of alerts waits until what it sent is flushed: a thousand alerts of one storm, spread over
//! ten seconds and as fast as they can be sent, with one report in a request.
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
    config::Config,
    incident::alert::{Batch, alertmanager},
    store::Store,
    telemetry::Metrics,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const ALERTS: usize = 1000;

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let is_measured = std::env::args().any(|arg| arg == "--bench");
    let alerts = if is_measured { ALERTS } else { 50 };
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
    let mut config = Config::default();
    config.store.path = folder.path().join("store");
    let store = Store::open(&config.store).await.unwrap();
    let opened = Incidents::open(&store, &config, Metrics::default()).await;
    let (incidents, keeper) = opened.unwrap();
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(keeper.run(stop.clone()));
    let began = Instant::now();
    let send = |at: usize| {
        let (batch, incidents) = (batch(at), incidents.clone());
        async move {
            let due = pace * u32::try_from(at).unwrap();
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            let asked = Instant::now();
            incidents.take("prom", batch).await.unwrap();
            asked.elapsed()
        }
    };
    let waits = stream::iter((0..alerts).map(send)).buffer_unordered(together);
    let waits = waits.collect().await;
    stop.cancel();
    keeping.await.unwrap();
    let open = incidents.list_open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].incident.firing.total() as usize, alerts);
    drop(incidents);
    store.close().await.unwrap();
    waits
}

/// As Alertmanager sends it.
fn batch(at: usize) -> Batch {
    let body = json!({"version": "4", "alerts": [{
        "status": "firing",
        "labels": {"alertname": "PoolFull", "service": "checkout", "severity": "critical",
            "instance": format!("checkout-{at}")},
        "annotations": {"summary": "The pool of connections has been full for five minutes."},
        "startsAt": "2026-03-01T08:00:00Z",
    }]});
    alertmanager::read(&serde_json::to_vec(&body).unwrap()).unwrap()
}
