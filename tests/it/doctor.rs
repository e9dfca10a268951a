//! Examinations: what the doctor says of an app that lacks something, and what it leaves alone.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use nightjar::{
    config::Config,
    doctor::{self, Outside, Place, Report, SCOPES, Verdict},
    feishu::{ChatId, Recipient},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    process::Process,
    world::{Seen, World},
};

/// How long a call may take here, where many tests share a machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(world: &World) -> Config {
    Config::parse("the test", &world.config_text(), []).unwrap()
}

async fn examine(config: &Config, chat: Option<&str>, wait: Duration) -> Report {
    let outside = Outside {
        file: None,
        place: chat.map(|chat| Place::Card(Recipient::Chat(ChatId::new(chat)))),
        wait,
        patience: PATIENCE,
        endpoints: Vec::new(),
        say: &|_| {},
    };
    doctor::examine(config, outside).await
}

/// A look without anybody's help.
async fn look(config: &Config) -> Report {
    examine(config, None, Duration::ZERO).await
}

fn verdict(report: &Report, check: &str) -> Verdict {
    let finding = report.finding(check);
    let checks = || report.findings.iter().map(|one| one.check.as_str());
    finding
        .unwrap_or_else(|| panic!("no line {check} among {:?}", checks().collect::<Vec<_>>()))
        .verdict
}

/// The lines that are missing something, by name.
fn missing(report: &Report) -> Vec<&str> {
    let missing = report.findings.iter();
    missing
        .filter(|one| one.verdict == Verdict::Missing)
        .map(|one| one.check.as_str())
        .collect()
}

/// Whoever reads a line can act on it: in both languages, with a remedy, and nothing secret in it.
fn assert_helpful(world: &World, report: &Report) {
    for finding in &report.findings {
        for text in [&finding.name, &finding.found] {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{finding:?}");
        }
        if finding.verdict == Verdict::Missing {
            assert!(finding.symptom.is_some(), "{finding:?}");
            assert!(finding.remedy.is_some(), "{finding:?}");
        }
    }
    let text = serde_json::to_string(report).unwrap();
    assert!(!text.contains(&world.secret()), "a secret in {text}");
}

#[tokio::test]
async fn a_sound_app_misses_nothing() {
    let world = World::without_bot("").await;
    let (room, _) = world.room().await;
    let report = examine(&config(&world), Some(&room), Duration::ZERO).await;
    assert_eq!(missing(&report), [""; 0]);
    assert!(report.can_work);
    assert_helpful(&world, &report);
    for check in [
        "connection",
        "connection.alone",
        "events.arrive",
        "model.streams",
        "model.tools",
        "try.history",
        "try.card",
        "try.message",
        "try.reaction",
        "try.person",
        "try.lookup",
        "try.upload",
    ] {
        assert_eq!(verdict(&report, check), Verdict::Works, "{check}");
    }
    // What it left: a card without a button, and no reaction on it.
    let left = world.messages(Some(&room)).await;
    assert_eq!(left.len(), 1);
    assert!(left[0].text.contains("There is nothing to do."));
    assert!(!left[0].text.contains("[Press me"), "{}", left[0].text);
    assert!(left[0].reactions.is_empty());
    world.finish().await;
}

/// Shown-by 3 of issue 4.
#[tokio::test]
async fn each_scope_refused_in_turn_is_named_alone_with_its_symptom() {
    assert_eq!(SCOPES.len(), 12 + 2);
    let runs = SCOPES.iter().map(async |scope| {
        let world = World::without_bot("").await;
        let (room, _) = world.room().await;
        world.faults(json!({ "refuse_scopes": [scope.name] })).await;
        let report = examine(&config(&world), Some(&room), Duration::ZERO).await;
        assert_helpful(&world, &report);
        let lacking = report.findings.iter();
        let lacking: Vec<_> = lacking
            .filter(|one| one.verdict == Verdict::Missing)
            .collect();
        let named: BTreeSet<&str> = lacking
            .iter()
            .flat_map(|one| one.scopes.iter().map(String::as_str))
            .collect();
        assert_eq!(named, BTreeSet::from([scope.name]), "{lacking:#?}");
        assert!(
            lacking.iter().all(|one| !one.scopes.is_empty()),
            "{lacking:#?}"
        );

        let line = report.finding(&format!("scope.{}", scope.name)).unwrap();
        assert_eq!(line.verdict, Verdict::Missing);
        let symptom = line.symptom.as_ref().unwrap();
        assert!(symptom.en.contains(scope.symptom.0), "{symptom:?}");
        assert!(symptom.zh.contains(scope.symptom.1), "{symptom:?}");
        assert!(line.remedy.as_ref().unwrap().en.contains(scope.name));
        let link = line.link.as_ref().unwrap();
        assert!(
            link.starts_with("https://open.feishu.cn/app/cli_"),
            "{link}"
        );
        assert!(link.contains(scope.name), "{link}");
        // A scope that another one covers keeps nobody from being answered.
        let needed = scope.need == doctor::Need::Required && scope.covered_by.is_empty();
        assert_eq!(report.can_work, !needed, "{}", scope.name);
        world.finish().await;
    });
    // Two at a time: each starts a platform of its own.
    stream::iter(runs)
        .buffer_unordered(2)
        .collect::<Vec<()>>()
        .await;
}

#[tokio::test]
async fn the_program_speaks_json_and_ends_with_what_it_found() {
    let world = World::without_bot("").await;
    world.room().await;
    let run = async |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightjar"));
        command
            .args(["doctor", "--config"])
            .arg(world.config_file());
        command
            .args(args)
            .env_remove("NO_COLOR")
            .output()
            .await
            .unwrap()
    };
    let sound = run(&["--json"]).await;
    assert_eq!(sound.status.code(), Some(0));
    assert!(sound.stderr.is_empty());
    let report: Value = serde_json::from_slice(&sound.stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["can_work"]),
        (&json!(1), &json!(true))
    );

    let refused = "im:message.p2p_msg:readonly";
    world.faults(json!({ "refuse_scopes": [refused] })).await;
    let lacking = run(&["--json"]).await;
    assert_eq!(lacking.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&lacking.stdout).unwrap();
    let lines = report["findings"].as_array().unwrap();
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line["verdict"] == "missing")
        .collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(lines[0]["scopes"], json!([refused]));
    assert_eq!(lines[0]["need"], "required");

    let text = run(&["--lang", "zh"]).await;
    assert_eq!(text.status.code(), Some(1));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains(&format!("缺失   权限 {refused}: 未授权")),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no colours but on a terminal");
    world.finish().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_a_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(
        &file,
        "[feishu]\napp_id = \"cli_a\"\napp_secret = \"hush\"\nnonsense = 1\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args(["doctor", "--json", "--config"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hush"), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["findings"][0]["check"], "config");
    assert!(text.contains("nonsense"), "{text}");
}

/// The message with the doctor's probe card.
async fn probe_card(world: &World, room: &str) -> Seen {
    world
        .until("the probe card is there", async || {
            let messages = world.messages(Some(room)).await;
            messages
                .into_iter()
                .find(|one| one.text.contains("[Press me"))
        })
        .await
}

#[tokio::test]
async fn a_bot_that_runs_loses_no_event_to_the_doctor() {
    let world = World::without_bot("").await;
    let (room, person) = world.room().await;
    let bot = Process::start_with_health(&world);
    world.connected().await;
    let mut config = config(&world);
    config.web.listen = bot.web();

    let examining = examine(&config, Some(&room), Duration::from_secs(20));
    let people = async {
        let card = probe_card(&world, &room).await;
        let question = world.asks(&room, &person, "what time is it?").await;
        world.presses(&person, &card, "Press me · 请点击").await;
        world.answer_to(&question).await;
    };
    let (report, ()) = tokio::join!(examining, people);
    assert_eq!(missing(&report), [""; 0]);
    assert_eq!(verdict(&report, "callbacks.arrive"), Verdict::Works);
    assert!(
        report
            .finding("store")
            .unwrap()
            .found
            .en
            .contains("a bot runs on")
    );
    assert!(
        report
            .finding("connection")
            .unwrap()
            .found
            .en
            .contains("bot that runs here")
    );

    let deliveries = world.get("/sandbox/deliveries?since=0").await;
    let deliveries = deliveries["deliveries"].as_array().unwrap().clone();
    let connections: BTreeSet<_> = deliveries
        .iter()
        .map(|one| one["connection"].as_str())
        .collect();
    assert_eq!(
        connections.len(),
        1,
        "only the bot was connected: {deliveries:#?}"
    );
    assert!(deliveries.iter().all(|one| one["attempt"] == json!(1)));
    bot.terminate().await;
    world.finish().await;
}

#[tokio::test]
async fn where_no_bot_runs_the_press_is_thanked_and_a_question_is_handed_back() {
    let mut world = World::without_bot("").await;
    let (room, person) = world.room().await;
    let config = config(&world);
    let examining = examine(&config, Some(&room), Duration::from_secs(20));
    let people = async {
        let card = probe_card(&world, &room).await;
        let question = world.asks(&room, &person, "is anybody there?").await;
        let toast = world.presses(&person, &card, "Press me · 请点击").await;
        assert_eq!(toast, "It arrived. Thank you.");
        question
    };
    let (report, question) = tokio::join!(examining, people);
    assert_eq!(verdict(&report, "callbacks.arrive"), Verdict::Works);
    assert_eq!(verdict(&report, "events.arrive"), Verdict::Works);
    assert!(world.replies_to(&question).await.is_empty());

    // The platform sends it again, and by then there is a bot.
    world.start_bot().await;
    world.advance(Duration::from_secs(20)).await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn somebody_connected_elsewhere_is_told_and_left_alone() {
    let mut world = World::start().await;
    let (room, _) = world.room().await;
    let mut elsewhere = config(&world);
    elsewhere.store.path = elsewhere.store.path.with_file_name("another");
    let report = examine(&elsewhere, Some(&room), Duration::ZERO).await;
    assert_eq!(verdict(&report, "connection.alone"), Verdict::Unknown);
    assert_eq!(verdict(&report, "connection"), Verdict::Works);
    let found = &report.finding("connection").unwrap().found.en;
    assert!(found.contains("none was opened"), "{found}");
    assert_eq!(
        world.calls("POST", "/callback/ws/endpoint").await,
        2,
        "one is the bot's"
    );
    world.stop_bot().await.unwrap();
    world.finish().await;
}

#[tokio::test]
async fn what_the_console_is_set_to_is_read_where_it_may_be() {
    let world = World::without_bot("").await;
    world.room().await;
    let config = config(&world);
    let console = async |settings: Value| {
        let mut console = json!({"grant_scopes": ["application:application:self_manage"]});
        for (key, value) in settings.as_object().unwrap() {
            console[key] = value.clone();
        }
        world.faults(json!({ "console": console })).await;
        look(&config).await
    };
    let report = console(json!({})).await;
    assert_eq!(missing(&report), [""; 0]);
    for check in [
        "version",
        "events.subscribed",
        "events.mode",
        "callbacks.subscribed",
    ] {
        assert_eq!(verdict(&report, check), Verdict::Works, "{check}");
    }
    for (settings, expected, can_work) in [
        (json!({"published": false}), "version", false),
        (json!({"activate_status": 1}), "bot", false),
        (json!({"events_by": "webhook"}), "events.mode", false),
        (json!({"callbacks_by": "webhook"}), "callbacks.mode", true),
        (
            json!({"unsubscribed": ["im.message.receive_v1"]}),
            "events.subscribed",
            false,
        ),
        (
            json!({"unsubscribed": ["im.chat.disbanded_v1"]}),
            "events.subscribed",
            true,
        ),
        (
            json!({"unsubscribed": ["card.action.trigger"]}),
            "callbacks.subscribed",
            true,
        ),
    ] {
        let report = console(settings.clone()).await;
        assert_eq!(missing(&report), [expected], "{settings}");
        assert_eq!(report.can_work, can_work, "{settings}");
        assert_helpful(&world, &report);
    }
    world.finish().await;
}

#[tokio::test]
async fn each_thing_that_fails_has_a_line_of_its_own() {
    let world = World::without_bot("").await;
    world.room().await;
    let sound = config(&world);
    let check = async |config: &Config, expected: &[&str]| {
        let report = look(config).await;
        assert_eq!(missing(&report), expected);
        assert!(!report.can_work);
        assert_helpful(&world, &report);
        report
    };
    let at = |base_url: &str| {
        let mut config = sound.clone();
        config.feishu.base_url = Some(base_url.to_owned());
        config
    };
    // A port that was free a moment ago: the listener goes at the end of the line.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let free = free.unwrap();
    check(&at(&format!("http://{free}")), &["reach"]).await;
    let plain = sound.feishu.base_url().replace("http://", "https://");
    let report = check(&at(&plain), &["reach"]).await;
    assert!(
        report
            .finding("reach")
            .unwrap()
            .remedy
            .as_ref()
            .unwrap()
            .en
            .contains("certificate")
    );
    assert_eq!(verdict(&report, "platform.rest"), Verdict::Unknown);
    assert_eq!(
        verdict(&report, "model"),
        Verdict::Works,
        "the rest is looked at"
    );

    let mut wrong = sound.clone();
    wrong.feishu.app_secret = "not-the-secret".to_owned().into();
    let report = check(&wrong, &["credentials"]).await;
    assert!(
        report
            .finding("credentials")
            .unwrap()
            .link
            .as_ref()
            .unwrap()
            .ends_with("/baseinfo")
    );

    let mut dumb = sound.clone();
    dumb.model.base_url = format!("http://{free}/v1");
    check(&dumb, &["model"]).await;

    world.faults(json!({"discovery_code": 1_000_040_351})).await;
    check(&sound, &["brand", "connection"]).await;
    world.faults(json!({"discovery_code": 1_000_040_350})).await;
    check(&sound, &["connection"]).await;

    for skew_ms in [-600_000, 600_000] {
        world.faults(json!({ "date_skew_ms": skew_ms })).await;
        let report = look(&sound).await;
        assert_eq!(missing(&report), ["clock"]);
        assert!(report.can_work);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_platform_that_does_not_answer_is_given_up_on_in_time() {
    let world = World::without_bot("").await;
    world.faults(json!({"latency_ms": 600_000})).await;
    let began = Instant::now();
    let outside = Outside {
        file: None,
        place: None,
        wait: Duration::ZERO,
        patience: Duration::from_secs(1),
        endpoints: Vec::new(),
        say: &|_| {},
    };
    let report = doctor::examine(&config(&world), outside).await;
    assert_eq!(verdict(&report, "reach"), Verdict::Missing);
    assert!(!report.can_work);
    // Generous, as other tests run beside this one; without a bound it would be ten minutes.
    assert!(began.elapsed() < Duration::from_secs(30));
    world.faults(json!({})).await;
    world.finish().await;
}

#[tokio::test]
async fn administrators_have_the_bot_examine_itself_in_their_language() {
    let mut world = World::without_bot("").await;
    let (room, boss) = world.room().await;
    let guest = world.user("Guest").await;
    let settings = format!("[access]\nadministrators = [\"{boss}\"]\n");
    world.configure(&settings);
    world.start_bot().await;
    world
        .faults(json!({"refuse_scopes": ["im:resource"]}))
        .await;

    let asked = world.asks(&room, &boss, "/doctor").await;
    let report = world.showing(&asked, "Permission im:resource").await;
    assert!(
        report.text.contains("The bot can do its job."),
        "{}",
        report.text
    );
    assert!(
        report.text.contains("It cannot post a picture or a file."),
        "{}",
        report.text
    );
    assert!(report.text.contains("this question did"), "{}", report.text);
    assert!(world.message(&asked).await.reactions.is_empty());
    let asked = world.asks(&room, &boss, "/诊断").await;
    world.showing(&asked, "权限 im:resource").await;
    assert_eq!(
        world.calls("POST", "/callback/ws/endpoint").await,
        1,
        "no second connection"
    );

    let asked = world.whispers(&guest, "/doctor").await;
    let answer = world
        .until("the guest is answered", async || {
            world.replies_to(&asked).await.pop()
        })
        .await;
    assert!(!answer.text.contains("Permission"), "{}", answer.text);
    world.finish().await;
}

#[test]
fn the_readme_lists_every_scope_that_is_examined() {
    let readme = include_str!("../../README.md");
    for scope in SCOPES {
        let quoted = format!("\"{}\"", scope.name);
        assert!(readme.contains(&quoted), "{quoted}");
    }
}
