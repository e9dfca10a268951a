//! What our own part of a post-mortem costs: reading the file, facts, chunks, phrases, merging, writing,
//! checking, and the whole of a draft without a model, for rooms of 1,000, 10,000 and 100,000 messages.
//!
//! ```sh
//! cargo bench --bench postmortem
//! ```
//!
//! Prints milliseconds and their growth from one size to the next. Each size runs in a process of its own, so
//! that the memory it prints is its own (Linux only): the file's size, what is resident when it is read, and
//! the most that is while a draft is made of it.

#![expect(clippy::print_stdout, reason = "the figures are for people to read")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that fails should say where"
)]

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use nightjar::{
    config::Language,
    incident::{Action, By, Incident, IncidentId, PersonId, severity::Severity},
    postmortem::{
        Document, Order, Records, Template, Transcript,
        check::{Sources, Subject, resolve},
        chunks::{Budget, Lines, split},
        draft,
        events::NothingKept,
        facts::Facts,
        merge::merge,
        phrases,
        transcript::{Message, Person, Room},
        write::{Material, key_facts, plain, render},
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

const COLUMNS: [&str; 8] = [
    "read", "facts", "chunks", "phrases", "merge", "write", "checks", "draft",
];

/// What one size costs: milliseconds by column, and the memory in MiB.
struct Figures {
    took: Vec<f64>,
    text: f64,
    held: f64,
    peak: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, file, ..] = arguments.as_slice()
        && flag == "--file"
    {
        println!("{}", measure(file).line());
        return;
    }
    // `cargo test --benches` only wants to know that it runs.
    let sizes: &[usize] = match arguments.iter().any(|argument| argument == "--bench") {
        true => &[1_000, 10_000, 100_000],
        false => &[200],
    };
    println!("{:>9} {}", "messages", row(&COLUMNS.map(str::to_owned)));
    let mut last: Option<Figures> = None;
    for size in sizes {
        let figures = in_a_child(*size);
        let took = figures.took.iter().map(|took| format!("{took:.1} ms"));
        println!("{size:>9} {}", row(&took.collect::<Vec<_>>()));
        println!(
            "{:>9} file {:.1} MiB, read {}, peak {}",
            "memory",
            figures.text,
            mebibytes(figures.held),
            mebibytes(figures.peak)
        );
        if let Some(last) = last {
            println!("{:>9} {}", "growth", row(&figures.growth_since(&last)));
        }
        last = Some(figures);
    }
}

/// Measures one size in a process of its own, whose memory nothing else has used.
fn in_a_child(size: usize) -> Figures {
    let program = std::env::current_exe().unwrap();
    let file = std::env::temp_dir().join(format!("nightjar-bench-{}.ndjson", std::process::id()));
    std::fs::write(&file, room(size).to_ndjson()).unwrap();
    let output = Command::new(program)
        .arg("--file")
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut numbers: Vec<f64> = said
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let peak = numbers.pop().unwrap();
    let held = numbers.pop().unwrap();
    let text = numbers.pop().unwrap();
    Figures {
        took: numbers,
        text,
        held,
        peak,
    }
}

impl Figures {
    /// As one line for the parent process.
    fn line(&self) -> String {
        let numbers = self.took.iter().chain([&self.text, &self.held, &self.peak]);
        let numbers: Vec<String> = numbers.map(f64::to_string).collect();
        numbers.join(" ")
    }

    fn growth_since(&self, last: &Self) -> Vec<String> {
        let pairs = self.took.iter().zip(&last.took);
        let mut growth: Vec<String> = pairs
            .map(|(now, before)| format!("{:.1} x", now / before))
            .collect();
        growth.push(format!("memory {:.1} x", self.peak / last.peak));
        growth
    }
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>10}")).collect();
    cells.join(" ")
}

/// Nothing is known of it where it is no number.
fn mebibytes(size: f64) -> String {
    match size.is_nan() {
        true => "-".to_owned(),
        false => format!("{size:.1} MiB"),
    }
}

fn measure(file: &str) -> Figures {
    let text = std::fs::read_to_string(file).unwrap();
    let text_size = text.len() as f64 / 1024.0 / 1024.0;
    let records = records();
    let template = Template::built_in("default", Language::En).unwrap();
    let (read_took, transcript) = timed(|| Transcript::from_ndjson(&text).unwrap());
    drop(text);
    let held = resident_mebibytes("VmRSS:");
    // The draft comes first, so that the peak is its own and not that of the parts below, which are all held.
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
        patience: Duration::ZERO,
        cancel: CancellationToken::new(),
    };
    let (draft_took, _) = timed(|| block_on(draft(&order, &NothingKept, &|_| {})).unwrap());
    let peak = resident_mebibytes("VmHWM:");
    let (facts_took, facts) = timed(|| Facts::compute(&transcript, &records));
    let (chunks_took, _) = timed(|| {
        let lines = Lines::new(&transcript, &facts.alerts);
        let budget = Budget {
            chunk_tokens: 16_000,
            all_tokens: None,
        };
        split(&transcript, &lines, budget)
    });
    let (phrases_took, events) = timed(|| {
        let messages = transcript.messages.iter();
        messages
            .flat_map(|message| phrases::extract(message, &transcript))
            .collect::<Vec<_>>()
    });
    let (merge_took, merged) = timed(|| merge(events, &transcript));
    let material = Material {
        transcript: &transcript,
        records: &records,
        facts: &facts,
        merged: &merged,
        language: Language::En,
    };
    let (write_took, document) = timed(|| {
        let sections = template.sections.iter();
        let document = Document {
            title: String::new(),
            sections: std::iter::once(key_facts(&material))
                .chain(sections.map(|section| plain(section, &material)))
                .collect(),
        };
        render(&document, &transcript, &records, Language::En);
        document
    });
    let (checks_took, _) = timed(|| {
        let sources = Sources::of_phrases(&material);
        resolve(&Subject {
            material: &material,
            sources: &sources,
            document: &document,
            template: &template,
            hosts: &[],
            human: &[],
        })
    });
    Figures {
        took: vec![
            read_took,
            facts_took,
            chunks_took,
            phrases_took,
            merge_took,
            write_took,
            checks_took,
            draft_took,
        ],
        text: text_size,
        held,
        peak,
    }
}

/// The memory that is resident, or was at most, where the system tells.
fn resident_mebibytes(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    number.map_or(f64::NAN, |kibibytes| kibibytes / 1024.0)
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
        is_us: false,
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
