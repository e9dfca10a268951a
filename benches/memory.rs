//! What the bot takes up in memory: with an empty store, with many sessions in it, and while many answers
//! stream. The bot is the program in a process of its own; the sandbox, with the platform's limits, is here.
//!
//! ```sh
//! cargo bench --bench memory                10 000 sessions, 100 answers at once
//! cargo bench --bench memory -- 1000 25     others
//! ```
//!
//! `NIGHTJAR_BINARY=FILE` measures another build of the bot than the one that was made for this.
//!
//! Linux only, since it is read from `/proc`. What an idle bot takes up depends on the build: 13.6 MiB by the
//! profile `release`, 38 by `ci-release` and more by `dev`, much of it sled's. What comes on top hardly does.

#![expect(clippy::print_stdout, reason = "the figures are for people to read")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that fails should say where"
)]

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use nightjar::{
    config::StoreConfig,
    sandbox::{Access, Options, Sandbox},
    store::{Record, Store},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// How many exchanges each stored session remembers, and how long an answer is.
const EXCHANGES: usize = 4;
const ANSWER_BYTES: usize = 1500;

/// Longer than anything here may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// The shape in which `bot::memory` keeps what was said.
#[derive(Serialize, Deserialize)]
struct Exchange {
    question_id: String,
    answer_ids: Vec<String>,
    asked_by: String,
    asked_at: jiff::Timestamp,
    question: String,
    answer: String,
}

impl Record for Exchange {
    const COLLECTION: &'static str = "exchange";
    const VERSION: u8 = 1;
}

/// The shape in which it counts what a session let go.
#[derive(Serialize, Deserialize)]
struct Session {
    forgotten: usize,
}

impl Record for Session {
    const COLLECTION: &'static str = "session";
    const VERSION: u8 = 1;
}

/// Resident memory in MiB: now, and the most there was.
struct Resident {
    now: f64,
    most: f64,
}

fn main() {
    if !Path::new("/proc/self/status").exists() {
        println!("there is no /proc here to read memory from");
        return;
    }
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let (sessions, streams) = match numbers[..] {
        [sessions, streams] => (sessions, streams),
        // `cargo test --benches` only wants to know that it runs.
        _ if !is_bench => (50, 3),
        _ => (10_000, 100),
    };
    nightjar::feishu::install_crypto();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure(sessions, streams));
}

async fn measure(sessions: usize, streams: usize) {
    let options = Options {
        scene: false,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let place = Place {
        http: reqwest::Client::new(),
        access: sandbox.state(),
        folder: tempfile::tempdir().unwrap(),
    };

    let bot = place.start_bot().await;
    let empty = resident(&bot);
    stop(bot).await;

    place.store_sessions(sessions).await;
    let bot = place.start_bot().await;
    let stored = resident(&bot);

    let text = "It waits for its database, and the database waits for a disk. ".repeat(1000);
    place.ask(streams, &text).await;
    place.streaming(streams).await;
    let live = resident(&bot);
    // They go on for longer than anybody wants to wait.
    stop(bot).await;
    sandbox.stop();

    let stored_mib = (sessions * EXCHANGES * ANSWER_BYTES) as f64 / f64::from(1 << 20);
    println!("resident memory                      MiB    most     more than before");
    println!(
        "idle, empty store               {:>8.1} {:>7.1}",
        empty.now, empty.most
    );
    println!(
        "idle, {sessions:>6} sessions           {:>8.1} {:>7.1}     {:.2} of the {stored_mib:.1} MiB of answers",
        stored.now,
        stored.most,
        (stored.now - empty.now) / stored_mib,
    );
    println!(
        "{streams:>4} answers streaming           {:>8.1} {:>7.1}     {:.0} KiB for each",
        live.now,
        live.most,
        (live.now - stored.now) * 1024.0 / streams as f64,
    );
}

/// Where it all happens.
struct Place {
    http: reqwest::Client,
    access: Access,
    folder: tempfile::TempDir,
}

impl Place {
    fn store(&self) -> std::path::PathBuf {
        self.folder.path().join("store")
    }

    async fn start_bot(&self) -> Child {
        let Access {
            base_url,
            model_url,
            app_id,
            app_secret,
            ..
        } = &self.access;
        let config = format!(
            "[feishu]\nbase_url = \"{base_url}\"\napp_id = \"{app_id}\"\napp_secret = \"{app_secret}\"\n\
             [model]\nbase_url = \"{model_url}\"\nname = \"rules\"\n[store]\npath = {:?}\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[shutdown]\ndrain = \"100ms\"\n",
            self.store()
        );
        let file = self.folder.path().join("config.toml");
        std::fs::write(&file, config).unwrap();
        let built = env!("CARGO_BIN_EXE_nightjar").to_owned();
        let bot = Command::new(std::env::var("NIGHTJAR_BINARY").unwrap_or(built))
            .args(["run", "--config"])
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.until("a bot is connected", async || {
            self.get("/sandbox/state").await["bot_connected"] == json!(true)
        })
        .await;
        // One answer, so that all that is made at the first use is there.
        let before = self.saying("All is well.").await;
        self.ask(1, "All is well.").await;
        self.until("it answers", async || {
            self.saying("All is well.").await > before
        })
        .await;
        bot
    }

    /// Writes sessions as they are after some talk.
    async fn store_sessions(&self, sessions: usize) {
        let config = StoreConfig {
            path: self.store(),
            ..StoreConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        let asked_at = jiff::Timestamp::now();
        for some in (0..sessions).collect::<Vec<_>>().chunks(200) {
            let mut batch = store.batch();
            for number in some {
                let session = format!("cli_bench/tenant/oc_{number:032}/-");
                batch.put(&session, &Session { forgotten: 0 });
                for turn in 0..EXCHANGES {
                    let exchange = Exchange {
                        question_id: format!("om_{number:028}{turn:04}"),
                        answer_ids: vec![format!("om_a{number:027}{turn:04}")],
                        asked_by: "Li Lei".into(),
                        asked_at,
                        question: format!("Why is service {number} slow?"),
                        answer: "It waits for its database. ".repeat(ANSWER_BYTES / 27),
                    };
                    batch.put(&format!("{session}/{turn:04}"), &exchange);
                }
            }
            store.commit(batch).await.unwrap();
        }
        store.close().await.unwrap();
    }

    /// Asks in direct messages of as many people, each of whom is answered by `text`.
    async fn ask(&self, streams: usize, text: &str) {
        let answer = json!({ "text": text, "tokens_per_second": 20 });
        let replies = vec![answer; streams];
        self.post("/sandbox/model", json!({ "replies": replies }))
            .await;
        for number in 0..streams {
            let user = self
                .post(
                    "/sandbox/users",
                    json!({ "name": format!("Person {number}") }),
                )
                .await;
            let asked = json!({ "sender": user["open_id"], "text": "Why is it slow?" });
            self.post("/sandbox/messages", asked).await;
        }
    }

    /// Waits until so many cards show text, and for some updates of each after that.
    async fn streaming(&self, streams: usize) {
        let shown = async || self.saying("It waits").await >= streams;
        self.until("every card shows text", shown).await;
        let goal = self.updates().await + 5 * streams;
        let updated = async || self.updates().await >= goal;
        self.until("every card was updated", updated).await;
    }

    /// How many of the bot's messages say this.
    async fn saying(&self, text: &str) -> usize {
        let all = self.get("/sandbox/messages").await;
        let says_it = |one: &&Value| {
            let shown = one["text"].as_str().unwrap_or_default();
            one["sender"]["type"] == json!("bot") && shown.contains(text)
        };
        all["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(says_it)
            .count()
    }

    async fn updates(&self) -> usize {
        let calls = self.get("/sandbox/calls?since=0").await;
        let is_update = |one: &&Value| one["path"].as_str().unwrap().ends_with("/content");
        calls["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_update)
            .count()
    }

    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !is_so().await {
            assert!(began.elapsed() < DEADLINE, "waited in vain until {what}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.access.base_url);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.access.base_url);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "POST {path}: {answer:?}");
        answer.json().await.unwrap_or_default()
    }
}

async fn stop(mut bot: Child) {
    bot.kill().await.unwrap();
}

fn resident(bot: &Child) -> Resident {
    let id = bot.id().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let mib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    };
    Resident {
        now: mib("VmRSS:"),
        most: mib("VmHWM:"),
    }
}
