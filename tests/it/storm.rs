//! A storm: people ask, recall, edit and stop while the platform and the process fail, and at the end
//! everything adds up all the same.
//!
//! Everything is drawn from a seed, which is printed when it fails. `NIGHTJAR_STORM_SEED` plays one
//! again, `NIGHTJAR_STORM_SEEDS` and `NIGHTJAR_STORM_DEEDS` make more and longer storms:
//!
//! ```sh
//! NIGHTJAR_STORM_SEEDS=20 NIGHTJAR_STORM_DEEDS=200 cargo test --release --test it storm -- --nocapture
//! ```

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    process::Process,
    world::{Seen, World},
};

/// A short storm, for every run of the tests.
const SEEDS: u64 = 2;
const DEEDS: usize = 40;

/// For so long after its start a bot may be refused for what the one before it spent: the limits that a storm
/// reaches count seconds, and a call that was under way when its bot was killed is counted when it arrives.
const BLIND_MS: i64 = 1_500;

/// How the platform behaves for a while.
const WEATHERS: &[&str] = &[
    r#"{}"#,
    r#"{"error_rate": 0.15}"#,
    r#"{"latency_ms": 40, "jitter_ms": 80}"#,
    r#"{"duplicate_rate": 0.5, "reorder": true}"#,
    r#"{"fragment_bytes": 61, "reorder": true}"#,
    r#"{"drop_connection": true}"#,
    r#"{"half_open": true}"#,
    r#"{"error_rate": 0.05, "duplicate_rate": 0.3, "latency_ms": 20}"#,
];

#[tokio::test]
async fn after_a_storm_every_question_has_one_answer() {
    let number = |name: &str, default| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let deeds = number("NIGHTJAR_STORM_DEEDS", DEEDS as u64) as usize;
    match env::var("NIGHTJAR_STORM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => Storm::play(seed, deeds).await,
        None => {
            for seed in 1..=number("NIGHTJAR_STORM_SEEDS", SEEDS) {
                Storm::play(seed, deeds).await;
            }
        }
    }
}

struct Storm {
    seed: u64,
    chance: fastrand::Rng,
    world: World,
    bot: Option<Process>,
    people: Vec<String>,
    groups: Vec<String>,
    /// Every question, and whether it was recalled.
    questions: BTreeMap<String, bool>,
    /// When a bot was started, on the sandbox's clock.
    starts: Vec<i64>,
    began: Instant,
}

impl Storm {
    async fn play(seed: u64, deeds: usize) {
        let world = World::without_bot("[access]\nrequests_per_minute = 0\nrequests_per_hour = 0\n[shutdown]\ndrain = \"1s\"\n").await;
        let mut people = Vec::new();
        for name in ["Li Lei", "Han Meimei", "Anna", "Tom"] {
            people.push(world.user(name).await);
        }
        let everyone: Vec<&str> = people.iter().map(String::as_str).collect();
        let mut groups = Vec::new();
        for name in ["checkout", "payments", "search"] {
            groups.push(world.group(name, &everyone).await);
        }
        let mut storm = Self {
            seed,
            chance: fastrand::Rng::with_seed(seed),
            bot: None,
            world,
            people,
            groups,
            questions: BTreeMap::new(),
            starts: Vec::new(),
            began: Instant::now(),
        };
        storm.weather("{}").await;
        storm.bot = Some(Process::start(&storm.world));
        storm.world.connected().await;
        for _ in 0..deeds {
            storm.do_something().await;
        }
        storm.calm_down().await;
        storm.add_up().await;
    }

    async fn do_something(&mut self) {
        match self.chance.u32(0..100) {
            0..45 => self.ask().await,
            45..52 => self.command("/help").await,
            52..58 => self.command("/stop").await,
            58..63 => self.recall().await,
            63..66 => self.edit().await,
            66..80 => {
                let weather = WEATHERS[self.chance.usize(0..WEATHERS.len())];
                self.weather(weather).await;
            }
            80..88 => self.restart().await,
            // What was not delivered comes again.
            _ => self.world.advance(Duration::from_secs(16)).await,
        }
        // So that deeds fall into the middle of what the bot does, at places the seed decides.
        let news = self.chance.usize(0..12);
        self.world.changes(news).await;
    }

    async fn weather(&self, weather: &str) {
        self.world
            .faults(serde_json::from_str(weather).unwrap())
            .await;
    }

    async fn ask(&mut self) {
        let text = format!("question {} of storm {}", self.questions.len(), self.seed);
        let person = self.chance.choice(&self.people).unwrap().clone();
        let id = match self.chance.u32(0..4) {
            0 => self.world.whispers(&person, &text).await,
            1 if !self.questions.is_empty() => {
                let group = self.chance.choice(&self.groups).unwrap().clone();
                let root = self
                    .world
                    .says(json!({ "chat_id": group, "sender": person, "text": "a topic" }))
                    .await;
                let asked = json!({
                    "chat_id": group, "sender": person, "text": text, "mention_bot": true,
                    "reply_to": root, "thread": true,
                });
                self.world.says(asked).await
            }
            _ => {
                let group = self.chance.choice(&self.groups).unwrap().clone();
                self.world.asks(&group, &person, &text).await
            }
        };
        self.questions.insert(id, false);
    }

    async fn command(&mut self, command: &str) {
        let person = self.chance.choice(&self.people).unwrap().clone();
        let group = self.chance.choice(&self.groups).unwrap().clone();
        self.world.asks(&group, &person, command).await;
    }

    /// One that was not recalled.
    fn a_question(&mut self) -> Option<String> {
        let standing = self.questions.iter().filter(|one| !*one.1);
        self.chance
            .choice(standing.map(|one| one.0.clone()).collect::<Vec<_>>())
    }

    async fn recall(&mut self) {
        if let Some(id) = self.a_question() {
            self.world
                .post(&format!("/sandbox/messages/{id}/recall"), json!({}))
                .await;
            self.questions.insert(id, true);
        }
    }

    async fn edit(&mut self) {
        if let Some(id) = self.a_question() {
            let body = json!({ "text": "an edited question" });
            self.world
                .post(&format!("/sandbox/messages/{id}/edit"), body)
                .await;
        }
    }

    /// As when memory runs out, or as an operator does it.
    async fn restart(&mut self) {
        let bot = self.bot.take().expect("a bot runs");
        match self.chance.bool() {
            true => bot.kill().await,
            false => bot.terminate().await,
        }
        self.bot = Some(Process::start(&self.world));
        let state = self.world.get("/sandbox/state").await;
        self.starts.push(state["now_ms"].as_i64().unwrap());
    }

    /// Good weather, and time for everything that was not delivered to come again.
    async fn calm_down(&mut self) {
        self.weather("{}").await;
        self.world.connected().await;
        // The platform's own schedule, and something more for what was tried at its end.
        for step in [16, 301, 3_601, 6 * 3_600 + 1, 16] {
            // An hour in which the bot gets no time to do anything would cost it the platform's memory of what
            // it sent, and is no weather that there is.
            self.nothing_is_under_way().await;
            self.world.advance(Duration::from_secs(step)).await;
            self.world.connected().await;
        }
        let seed = self.seed;
        self.world
            .until(
                &format!("everything is settled (seed {seed})"),
                async || {
                    let all = self.world.messages(None).await;
                    self.questions
                        .iter()
                        .all(|(id, recalled)| self.is_settled(&all, id, *recalled))
                        .then_some(())
                },
            )
            .await;
    }

    /// Waits until whatever the bot has begun has come to its end.
    async fn nothing_is_under_way(&self) {
        let what = format!("nothing is under way (seed {})", self.seed);
        self.world
            .until(&what, async || {
                let all = self.world.messages(None).await;
                // A recalled message keeps the signs it had.
                let is_begun = |one: &Seen| {
                    one.is_streaming() || !one.deleted && one.signs().contains(&"OnIt")
                };
                (!all.iter().any(is_begun)).then_some(())
            })
            .await;
    }

    fn is_settled(&self, all: &[Seen], id: &str, recalled: bool) -> bool {
        let replies = || {
            all.iter()
                .filter(|one| one.is_by_bot() && one.parent_id.as_deref() == Some(id))
        };
        let closed = !replies().any(Seen::is_streaming);
        let question = all.iter().find(|one| one.message_id == id).unwrap();
        let signs = question.signs();
        closed && (recalled || replies().count() > 0 && signs.len() == 1 && signs[0] != "OnIt")
    }

    /// Whether a call was refused for a limit that the bot could know of. One that has just begun does not
    /// know what the one before it spent.
    fn is_over(&self, call: &Value) -> bool {
        let limits = ["app", "api", "chat", "message", "card"];
        let by = call["refused_by"].as_str();
        let refused = by.is_some_and(|by| limits.contains(&by));
        let at = call["at_ms"].as_i64().unwrap();
        refused
            && !self
                .starts
                .iter()
                .any(|start| (*start..start + BLIND_MS).contains(&at))
    }

    /// Each chat and each thread was answered in the order in which its questions were accepted.
    ///
    /// Which of two was accepted first is certain only where the one was acknowledged before the other was
    /// delivered for the first time: an acknowledgement may be lost, and what is delivered together is kept
    /// together. Answers begin with their messages, one after the other, since a turn begins when the one before
    /// it has said its last word; the reactions follow beside the next turn, so they have no order. A stopped
    /// answer has its place like any other. A recalled question has none, since what is left of its turn depends
    /// on when it was recalled, and neither has one that was turned away, which was said at once.
    async fn are_in_order(&self, all: &[Seen]) {
        let deliveries = self.world.get("/sandbox/deliveries?since=0").await;
        let deliveries = deliveries["deliveries"].as_array().unwrap();
        let times = |id: &str, what: &str| {
            let mine = deliveries
                .iter()
                .filter(|one| one["message_id"] == json!(id));
            mine.filter_map(|one| one[what].as_i64()).min()
        };
        let answer = |id: &str| {
            let mut replies = all
                .iter()
                .filter(|one| one.parent_id.as_deref() == Some(id));
            let answer = replies.find(|one| one.is_by_bot())?;
            (!answer.text.contains("I did not take this one")).then_some(answer.create_time_ms)
        };
        let mut sessions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in all {
            let id = &*one.message_id;
            if self.questions.get(id) == Some(&false)
                && let (Some(delivered), Some(accepted)) =
                    (times(id, "at_ms"), times(id, "acked_ms"))
                && let Some(answered) = answer(id)
            {
                let session = sessions.entry((&one.chat_id, &one.thread_id)).or_default();
                session.push((delivered, accepted, answered, id));
            }
        }
        for session in sessions.values() {
            for (_, accepted, answered, first) in session {
                let later = session.iter().filter(|other| other.0 > *accepted);
                for (_, _, after, second) in later {
                    assert!(
                        answered <= after,
                        "seed {}: {second} was answered before {first}, which was accepted before it",
                        self.seed
                    );
                }
            }
        }
    }

    #[expect(
        clippy::print_stdout,
        reason = "for who plays a long storm and wants to know what it was"
    )]
    fn tell(&self, calls: &[Value]) {
        let by = |what: &str| {
            let fits = |call: &&Value| call["refused_by"] == json!(what);
            calls.iter().filter(fits).count()
        };
        println!(
            "seed {}: {} questions, {} of them recalled, {} restarts; {} calls, {} of them failed on purpose; {} s",
            self.seed,
            self.questions.len(),
            self.questions
                .values()
                .filter(|recalled| **recalled)
                .count(),
            self.starts.len(),
            calls.len(),
            by("fault"),
            self.began.elapsed().as_secs(),
        );
    }

    async fn add_up(mut self) {
        let seed = self.seed;
        self.bot.take().unwrap().terminate().await;
        let all = self.world.messages(None).await;
        for (id, recalled) in &self.questions {
            let replies: Vec<&Seen> = all
                .iter()
                .filter(|one| one.is_by_bot() && one.parent_id.as_deref() == Some(id))
                .collect();
            assert!(
                replies.len() <= 1,
                "seed {seed}: {id} is answered twice: {replies:#?}"
            );
            assert!(
                *recalled || replies.len() == 1,
                "seed {seed}: {id} is not answered"
            );
        }
        self.are_in_order(&all).await;
        let calls = self.world.get("/sandbox/calls?since=0").await;
        let calls = calls["calls"].as_array().unwrap();
        self.tell(calls);
        let over: Vec<&Value> = calls.iter().filter(|call| self.is_over(call)).collect();
        assert!(over.is_empty(), "seed {seed}: over a limit: {over:#?}");
        // What it kept can be read by the next one, which finds nothing left to do.
        self.world.start_bot().await;
        self.world.finish().await;
    }
}
