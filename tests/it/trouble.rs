//! Trouble that is not the platform's weather: objections, panics, a month that is used up, a folder that
//! cannot be written, an answer that takes too long. Each ends in one honest last word.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use nightjar::{
    agent::{Scene, Tool, ToolError, ToolSpec, Toolbox},
    config::{Config, Language},
    feishu::{
        ChatId, Class, Client, Outgoing, Recipient,
        scheduler::{Supply, Tally},
    },
    telemetry::Metrics,
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    process::Process,
    world::{Seen, World},
};

#[tokio::test]
async fn an_answer_that_the_platform_censors_ends_in_a_sentence_that_says_so_once() {
    for code in [230_022, 230_028] {
        let world = World::start().await;
        let (chat, user) = world.room().await;
        world
            .model_says(json!([{ "text": "The plan is called Nightfall." }, { "text": "Fine." }]))
            .await;
        // Wherever it is written, it is refused.
        let objection = json!({ "path_contains": "", "body_contains": "Nightfall", "code": code });
        world.faults(json!({ "refuse": [objection] })).await;
        let question = world.asks(&chat, &user, "what is the plan?").await;
        let answer = world.answer_to(&question).await;
        assert!(answer.text.contains("content check"), "{}", answer.text);
        assert!(!answer.text.contains("Nightfall"), "{}", answer.text);
        assert_eq!(world.message(&question).await.signs(), ["ERROR"]);

        // Nobody read it, so it is not what was said before.
        let next = world.asks(&chat, &user, "and are we fine?").await;
        assert!(world.answer_to(&next).await.text.contains("Fine."));
        let asked = world.model_requests().await[1]["body"].to_string();
        assert!(!asked.contains("Nightfall"), "{asked}");
        world.finish().await;
    }
}

/// Where a tool panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the call, which is made beside others.
    Call,
    /// Outside of the call, in the task that thinks.
    Title,
    /// Before there is such a task, in the one that serves the session.
    Spec,
}

/// A tool that panics once.
struct Panics {
    at: At,
    specs: AtomicUsize,
}

impl Tool for Panics {
    fn spec(&self) -> ToolSpec {
        // The first time is when it is put into its box.
        let is_now = self.specs.fetch_add(1, Ordering::Relaxed) == 1;
        assert!(!is_now || self.at != At::Spec, "on purpose");
        ToolSpec {
            name: "stumble".into(),
            description: "Stumbles.".into(),
            parameters: json!({ "type": "object", "properties": {} }),
        }
    }

    fn title(&self, _: Language, _: &Value) -> String {
        assert!(self.at != At::Title, "on purpose");
        "Stumble".into()
    }

    fn call<'a>(&'a self, _: Value, _: &'a Scene) -> BoxFuture<'a, Result<String, ToolError>> {
        panic!("on purpose");
    }
}

#[tokio::test]
async fn a_panic_ends_its_turn_in_a_sentence_and_the_next_question_is_answered() {
    for at in [At::Call, At::Title, At::Spec] {
        let mut world = World::without_bot("").await;
        let specs = AtomicUsize::new(0);
        let toolbox = Toolbox::new([Arc::new(Panics { at, specs }) as Arc<dyn Tool>]);
        world.start_bot_with(|app| app.with_tools(toolbox)).await;
        let (chat, user) = world.room().await;
        let stumbles = json!({ "text": "Let me look.", "tool_calls": [{ "name": "stumble", "arguments": "{}" }] });
        let fine = json!({ "text": "All is well." });
        let replies = match at {
            At::Spec => json!([fine]),
            _ => json!([stumbles, fine]),
        };
        world.model_says(replies).await;
        let question = world.asks(&chat, &user, "are we fine?").await;
        let next = world.asks(&chat, &user, "and now?").await;
        let answer = world.answer_to(&question).await;
        let says_so = ["broke on my side", "failed in a way it should not"];
        assert!(
            says_so.iter().any(|one| answer.text.contains(one)),
            "{at:?}: {}",
            answer.text
        );
        assert_eq!(world.message(&question).await.signs(), ["ERROR"], "{at:?}");
        let answer = world.answer_to(&next).await;
        assert!(
            answer.text.contains("All is well."),
            "{at:?}: {}",
            answer.text
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_ends_the_start_with_a_sentence() {
    let mut world = World::start().await;
    world.stop_bot().await.unwrap();
    let script = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77; exec "$2" run --config "$3""#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(world.config_file().parent().unwrap().join("store"))
        .arg(env!("CARGO_BIN_EXE_nightjar"))
        .arg(world.config_file())
        .output()
        .await;
    let Ok(output) = output else {
        return; // No unshare here (it is of util-linux).
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || said.contains("unshare") {
        return; // Not allowed here.
    }
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot open the store"), "{said}");
    assert!(
        said.contains("Read-only") || said.contains("read-only"),
        "{said}"
    );
    // Nothing is worse for it.
    world.start_bot().await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn an_answer_in_whose_middle_the_month_is_used_up_is_finished_when_there_are_calls_again() {
    let mut world = World::start_with("[shutdown]\ndrain = \"200ms\"\n").await;
    let (chat, user) = world.room().await;
    let text = words(0..80);
    world
        .model_says(json!([{ "text": text, "tokens_per_second": 40 }, { "text": "Never said." }]))
        .await;
    let question = world.asks(&chat, &user, "what is it?").await;
    world.showing(&question, "word3 ").await;
    world.faults(json!({ "quota_left": 0 })).await;
    world
        .until("the platform has refused", async || {
            let calls = world.get("/sandbox/calls?since=0").await;
            let calls = calls["calls"].as_array().unwrap();
            calls
                .iter()
                .any(|one| one["refused_by"] == json!("quota"))
                .then_some(())
        })
        .await;
    let tried = world.calls("", "").await;
    // What people have is the half of it; nothing is sent instead, which would be refused as well.
    assert!(!world.replies_to(&question).await[0].text.contains("word79"));
    world
        .until(
            "the answer is kept, so that it is not thought of anew",
            async || {
                let waits = "nightjar_turns_total{outcome=\"answered\"}";
                let asked = world.model_requests().await.len();
                (asked == 1 && world.number(waits).await < 0.5).then_some(())
            },
        )
        .await;
    world.changes(200).await;
    assert!(
        world.calls("", "").await <= tried + 10,
        "a quota that is used up is not asked for again and again"
    );
    world.stop_bot().await.unwrap();

    world.faults(json!({})).await;
    world.start_bot().await;
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("word79"), "{}", answer.text);
    assert_eq!(world.model_requests().await.len(), 1);
    assert_eq!(world.message(&question).await.signs(), ["DONE"]);
    world.finish().await;
}

#[tokio::test]
async fn an_answer_of_eleven_minutes_is_shown_whole_and_then_streams_no_more() {
    const MINUTES: usize = 11;
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let text = words(0..MINUTES * 4 + 8);
    world
        .model_says(json!([{ "text": text, "tokens_per_second": 25 }]))
        .await;
    let question = world.asks(&chat, &user, "tell me everything").await;
    for minute in 1..=MINUTES {
        world.showing(&question, &format!("word{minute} ")).await;
        world.advance(Duration::from_secs(60)).await;
    }
    let answer = world.answer_to(&question).await;
    let missing: Vec<&str> = text
        .split(' ')
        .filter(|word| !answer.text.contains(word))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!answer.is_streaming());
    world.finish().await;
}

#[tokio::test]
async fn as_the_month_runs_out_answers_are_economical_and_pages_still_go_out() {
    let world = World::start_with("[feishu]\nmonthly_quota = 200\n").await;
    world.faults(json!({ "quota_left": 200 })).await;
    let (chat, user) = world.room().await;
    let said = json!({ "text": words(0..60), "tokens_per_second": 40 });
    world.model_says(json!(vec![said; 40])).await;
    let mut updates = Vec::new();
    // Until no more answers are begun, which the platform was never asked to refuse.
    while world.number("nightjar_quota_used_ratio ").await < 0.93 {
        let before = world.calls("PUT", "/content").await;
        let question = world.asks(&chat, &user, "what is it?").await;
        let answer = world.answer_to(&question).await;
        assert!(answer.text.contains("word59"), "{}", answer.text);
        let ratio = world.number("nightjar_quota_used_ratio ").await;
        updates.push((ratio, world.calls("PUT", "/content").await - before));
    }
    let economical = updates.iter().filter(|(ratio, _)| *ratio > 0.9);
    assert!(
        updates[0].1 > 2,
        "it streams while there is enough: {updates:?}"
    );
    assert!(
        economical.clone().count() > 0 && economical.clone().all(|one| one.1 <= 2),
        "{updates:?}"
    );

    // The last hundredth is for pages, and whoever writes one has counted the same.
    let config = Config::parse("the test", &world.config_text(), []).unwrap();
    let feishu = Client::new(&config.feishu, Metrics::default()).unwrap();
    feishu.meter().restore(&Tally::default());
    let month = feishu.meter().tally().month;
    feishu.meter().restore(&Tally { month, used: 199 });
    assert_eq!(feishu.meter().now(), Supply::PagesOnly);
    let to = Recipient::Chat(ChatId::new(chat));
    let down = Outgoing::Text("checkout is down".into());
    feishu.send(&to, &down, "chatter").await.unwrap_err();
    let page = feishu.at(Class::Page);
    page.send(&to, &down, "page").await.unwrap();
    world.finish().await;
}

fn words(range: std::ops::Range<usize>) -> String {
    let words: Vec<String> = range.map(|n| format!("word{n}")).collect();
    words.join(" ") + " "
}

/// The bot loses the platform's answer to a message, and later its card would take the words as well.
#[tokio::test]
async fn a_message_whose_answer_was_lost_is_the_answer_also_when_the_card_could_take_it() {
    let mut world = World::start_with("[shutdown]\ndrain = \"200ms\"\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "It is the cache." }]))
        .await;
    // The card takes nothing, and the message in its place is sent, but the bot is never told.
    let card =
        json!({ "path_contains": "/cardkit/v1/cards/", "path_lacks": "/content", "code": 300121 });
    let lost = json!({ "path_contains": "/reply", "body_contains": "schema", "lose_answer": true });
    world.faults(json!({ "refuse": [card, lost] })).await;
    let question = world.asks(&chat, &user, "what is it?").await;
    let says_it = |one: &Seen| one.text.contains("It is the cache.") && !one.is_streaming();
    world
        .until("the message stands in the chat", async || {
            world
                .replies_to(&question)
                .await
                .iter()
                .any(says_it)
                .then_some(())
        })
        .await;
    world.stop_bot().await.unwrap();
    world.faults(json!({})).await;
    world.start_bot().await;
    world
        .until("all is closed", async || {
            let replies = world.replies_to(&question).await;
            let is_closed = !replies.iter().any(Seen::is_streaming);
            (is_closed && world.message(&question).await.signs() == ["DONE"]).then_some(())
        })
        .await;
    let replies = world.replies_to(&question).await;
    let with_answer = replies.iter().filter(|one| says_it(one)).count();
    assert_eq!(with_answer, 1, "{replies:#?}");
    assert_eq!(world.model_requests().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn an_interruption_is_said_in_the_card_or_not_at_all() {
    let mut world = World::start_with("[shutdown]\ndrain = \"200ms\"\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Half an", "hang": true }, { "text": "All of it." }]))
        .await;
    let question = world.asks(&chat, &user, "what is it?").await;
    let card = world.showing(&question, "Half an").await;
    let refused = json!({ "path_contains": "/cardkit/v1/cards/", "code": 300121 });
    world.faults(json!({ "refuse": [refused] })).await;
    world.stop_bot().await.unwrap();
    assert_eq!(world.replies_to(&question).await.len(), 1);
    world.faults(json!({})).await;
    world.start_bot().await;
    let answer = world.answer_to(&question).await;
    assert_eq!(answer.message_id, card.message_id);
    assert!(answer.text.contains("All of it."), "{}", answer.text);
    world.finish().await;
}

#[tokio::test]
async fn a_card_that_could_not_be_opened_is_opened_while_the_model_talks() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Reading the logs", "hang": true }]))
        .await;
    // More often than one call is repeated.
    let refused = json!({ "path_contains": "/cardkit/v1/cards", "method": "POST", "code": 300120, "status": 500, "times": 6 });
    world.faults(json!({ "refuse": [refused] })).await;
    let question = world.asks(&chat, &user, "why is it slow?").await;
    let card = world.showing(&question, "Reading the logs").await;
    assert!(card.is_streaming());
    world.asks(&chat, &user, "/stop").await;
    assert_eq!(world.answer_to(&question).await.message_id, card.message_id);
    world.finish().await;
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_not_forgotten_again_after_a_crash() {
    let world = World::without_bot("").await;
    let bot = Process::start(&world);
    world.connected().await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    let unsent = json!({ "path_contains": "/reply", "code": 2200, "status": 500 });
    world.faults(json!({ "refuse": [unsent] })).await;
    let new = world.asks(&chat, &user, "/new").await;
    world
        .until("it tries to answer", async || {
            let tries = world.calls("POST", &format!("{new}/reply")).await;
            (tries > 0).then_some(())
        })
        .await;
    bot.kill().await;
    world.faults(json!({})).await;
    let bot = Process::start(&world);
    let said = world.showing(&new, "conversation").await;
    assert!(!said.text.contains("nothing to forget"), "{}", said.text);
    bot.terminate().await;
    world.finish().await;
}
