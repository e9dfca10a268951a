//! What it costs to keep an event before it is acknowledged: events a second and the wait of each, with one
//! flush for many against no flush at all, which is what a bot does that may lose a question.
//!
//! ```sh
//! cargo bench --bench journal
//! ```

#![expect(clippy::print_stdout, reason = "the figures are for people to read")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that fails should say where"
)]

use std::time::{Duration, Instant};

use nightjar::{
    config::StoreConfig,
    store::{Record, Store},
};
use serde::{Deserialize, Serialize};

/// About as long as an event of the platform.
#[derive(Serialize, Deserialize)]
struct Event {
    payload: String,
}

impl Record for Event {
    const COLLECTION: &'static str = "bench";
    const VERSION: u8 = 1;
}

const EVENTS: usize = 20_000;

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let events = if std::env::args().any(|arg| arg == "--bench") {
        EVENTS
    } else {
        200
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>6} {:>14} {:>11} {:>9} {:>9}",
        "tasks", "", "events/s", "p50 ms", "p99 ms"
    );
    for tasks in [1, 8, 64, 256] {
        for is_flushed in [true, false] {
            let mut waits = Vec::new();
            let took = runtime.block_on(keep(events, tasks, is_flushed, &mut waits));
            waits.sort();
            let at = |share: f64| {
                let index = (waits.len() as f64 * share) as usize;
                waits[index.min(waits.len() - 1)].as_secs_f64() * 1000.0
            };
            println!(
                "{tasks:>6} {:>14} {:>11.0} {:>9.3} {:>9.3}",
                if is_flushed { "flushed" } else { "not flushed" },
                waits.len() as f64 / took.as_secs_f64(),
                at(0.5),
                at(0.99),
            );
        }
    }
}

/// Keeps so many events from so many tasks at once, and notes how long each took.
async fn keep(
    events: usize,
    tasks: usize,
    is_flushed: bool,
    waits: &mut Vec<Duration>,
) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        path: folder.path().join("store"),
        ..StoreConfig::default()
    };
    let store = Store::open(&config).await.unwrap();
    let began = Instant::now();
    let keepers: Vec<_> = (0..tasks)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut waits = Vec::new();
                for number in 0..(events / tasks).max(1) {
                    let (key, event) = (
                        format!("{task}-{number}"),
                        Event {
                            payload: "x".repeat(1024),
                        },
                    );
                    let began = Instant::now();
                    if is_flushed {
                        let mut batch = store.batch();
                        batch.put(&key, &event);
                        store.commit(batch).await.unwrap();
                    } else {
                        store.collection::<Event>().put(&key, &event).await.unwrap();
                    }
                    waits.push(began.elapsed());
                }
                waits
            })
        })
        .collect();
    for keeper in keepers {
        waits.extend(keeper.await.unwrap());
    }
    let took = began.elapsed();
    store.close().await.unwrap();
    took
}
