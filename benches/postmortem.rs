//! What our own part of a post-mortem costs: facts, chunking, phrases, merging, writing and checking a room of
//! 1,000, 10,000 and 100,000 messages, in milliseconds and as growth from one size to the next.
//!
//! ```sh
//! cargo bench --bench postmortem
//! ```

#![expect(clippy::print_stdout, reason = "the figures are for people to read")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that fails should say where"
)]

use std::time::Instant;

use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use nightjar::{
    config::Language,
    incident::{Action, By, Incident, IncidentId, PersonId, severity::Severity},
    postmortem::{
        Order, Records, Template, Transcript,
        chunks::{Budget, Lines, split},
        draft,
        events::NothingKept,
        facts::Facts,
        merge::merge,
        phrases,
        transcript::{Message, Person, Room},
    },
};
use tokio_util::sync::CancellationToken;

const WORDS: [&str; 8] = [
    "still looking at the logs of payment-gw, nothing new",
    "maybe the pool of order-svc is exhausted",
    "错误率没有变化，继续观察",
    "restarted node-7",
    "p99 is at 1300 ms since 14:02",
    "怀疑是发布引起的",
    "ok",
    "about 1,200 orders failed",
];

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let sizes: &[usize] = match std::env::args().any(|arg| arg == "--bench") {
        true => &[1_000, 10_000, 100_000],
        false => &[200],
    };
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "messages", "read", "facts", "chunks", "phrases", "merge", "draft"
    );
    let mut last: Option<[f64; 6]> = None;
    for size in sizes {
        let figures = measure(*size);
        println!("{size:>9} {}", row(&figures, " ms"));
        if let Some(last) = last {
            let growth: Vec<f64> = figures
                .iter()
                .zip(last)
                .map(|(now, before)| now / before)
                .collect();
            println!("{:>9} {}", "growth", row(&growth, " x"));
        }
        last = Some(figures);
    }
}

fn row(figures: &[f64], unit: &str) -> String {
    let cells: Vec<String> = figures
        .iter()
        .map(|figure| format!("{:>9}", format!("{figure:.1}{unit}")))
        .collect();
    cells.join(" ")
}

fn measure(size: usize) -> [f64; 6] {
    let text = room(size).to_ndjson();
    let records = records();
    let template = Template::built_in("default", Language::En).unwrap();
    let (read, transcript) = timed(|| Transcript::from_ndjson(&text).unwrap());
    let (facts_took, facts) = timed(|| Facts::compute(&transcript, &records));
    let (chunks_took, _) = timed(|| {
        let lines = Lines::new(&transcript, &facts.alerts);
        split(
            &transcript,
            &lines,
            Budget {
                chunk_tokens: 16_000,
                all_tokens: None,
            },
        )
    });
    let (phrases_took, events) = timed(|| {
        let messages = transcript.messages.iter();
        messages
            .flat_map(|message| phrases::extract(message, &transcript))
            .collect::<Vec<_>>()
    });
    let (merge_took, _) = timed(|| merge(events, &transcript));
    // The draft holds all of the above but reading, and then writes and checks.
    let order = Order {
        transcript: &transcript,
        records: &records,
        template: &template,
        language: Language::En,
        model: None,
        parallel: 1,
        tokens_max: None,
        hosts: &[],
        human: &[],
        only: None,
        cancel: CancellationToken::new(),
    };
    let (draft_took, _) = timed(|| block_on(draft(&order, &NothingKept, &|_| {})).unwrap());
    [
        read,
        facts_took,
        chunks_took,
        phrases_took,
        merge_took,
        draft_took,
    ]
}

/// Milliseconds, and what came of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let made = work();
    (began.elapsed().as_secs_f64() * 1000.0, made)
}

fn room(size: usize) -> Transcript {
    let began: Timestamp = "2026-11-20T06:00:00Z".parse().unwrap();
    let person = |place: usize| PersonId(format!("ou_{}", place % 12));
    let people = (0..12).map(|place| Person {
        id: person(place),
        name: format!("Person {}", char::from(b'A' + place as u8)),
        role: None,
        is_bot: false,
    });
    let messages = (0..size).map(|place| {
        let at = began + SignedDuration::from_secs(place as i64 * 5);
        Message::said(
            format!("om_{place}"),
            at,
            &person(place * 7 / 3),
            WORDS[place * 5 % 8],
        )
    });
    let end = began + SignedDuration::from_secs(size as i64 * 5 + 3600);
    Transcript::freeze(
        Room::default(),
        TimeZone::UTC,
        end,
        people.collect(),
        messages.collect(),
    )
}

fn records() -> Records {
    let at: Timestamp = "2026-11-20T06:00:00Z".parse().unwrap();
    let by = By::monitor("prometheus");
    let (incident, actions) = Incident::declare(
        IncidentId("in_1".into()),
        1,
        by,
        "slow",
        Severity::Critical,
        at,
    );
    let timeline = actions.into_iter().filter_map(|action| match action {
        Action::Enter(entry) => Some(entry),
        _ => None,
    });
    Records {
        incident,
        timeline: timeline.collect(),
        confirmed: Vec::new(),
        actions: Vec::new(),
    }
}
