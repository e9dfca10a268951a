//! The whole way from a room to a draft, with a model that lies, one that is honest, one that fails, and none.

mod honest;
mod hostile;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    check::{
        Verdict,
        testing::{Scene, talk},
    },
    events::{ChunkEvents, KeptChunks, NothingKept},
    testing::{Story, at, freeze, person, room},
    transcript::{Mark, MarkKind, Message},
    write::{Author, Content, Line, Section},
    *,
};
use crate::{
    config::{Language, ModelConfig},
    incident::Deed,
    llm::{
        Model,
        fake::{FakeModel, Reply},
    },
    telemetry::Metrics,
};

fn records() -> Records {
    Story::opened()
        .deed("14:06:00", "han", Deed::Acknowledge)
        .deed("14:40:00", "han", Deed::Resolve)
        .records()
}

fn model(server: &FakeModel, config: ModelConfig) -> Model {
    Model::new(
        &ModelConfig {
            base_url: server.config().base_url,
            ..config
        },
        Metrics::default(),
    )
    .unwrap()
}

/// One request at a time, so that a script's answers come in its order.
fn order<'a>(
    transcript: &'a Transcript,
    records: &'a Records,
    template: &'a Template,
    model: Option<&'a Model>,
) -> Order<'a> {
    Order {
        transcript,
        records,
        template,
        language: Language::En,
        model,
        parallel: 1,
        tokens_max: None,
        hosts: &[],
        human: &[],
        only: None,
        patience: Duration::from_millis(15),
        cancel: CancellationToken::new(),
    }
}

fn events(items: &[Value]) -> Reply {
    Reply::says(&[&json!({"events": items}).to_string()])
}

fn item(kind: &str, text: &str, messages: &[&str]) -> Value {
    json!({"kind": kind, "text": text, "messages": messages, "certainty": "stated"})
}

/// Kept in memory, as the store will keep them.
#[derive(Default)]
struct KeptInMemory(Mutex<HashMap<String, ChunkEvents>>);

impl KeptChunks for KeptInMemory {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<ChunkEvents>> {
        Box::pin(std::future::ready(self.0.lock().unwrap().get(key).cloned()))
    }

    fn keep<'a>(&'a self, key: &'a str, found: &'a ChunkEvents) -> BoxFuture<'a, ()> {
        self.0.lock().unwrap().insert(key.to_owned(), found.clone());
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_is_not_taken_and_its_chunk_is_read_in_halves() {
    let talk = room(&[
        ("14:05:00", "li", "rolled back a-1"),
        ("14:06:00", "li", "rolled back b-2"),
    ]);
    let records = records();
    let template = Template::parse("t", "## Timeline").unwrap();
    let cut = Reply::ending(
        vec![crate::llm::fake::piece(
            json!({"content": "{\"events\": [{\"kind\""}),
        )],
        "length",
    );
    let halves = [
        cut,
        events(&[item("action", "a-1 was rolled back", &["m1"])]),
        events(&[item("action", "b-2 was rolled back", &["m2"])]),
    ];
    let server = FakeModel::start(halves).await;
    let model = model(&server, server.config());
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    let texts: Vec<&str> = draft
        .events
        .merged
        .events
        .iter()
        .map(|event| event.text.as_str())
        .collect();
    assert_eq!(texts, ["a-1 was rolled back", "b-2 was rolled back"]);
}

#[tokio::test]
async fn a_room_of_ten_windows_is_read_whole_within_the_window_and_resumes_where_it_was() {
    let mut messages: Vec<Message> = (0..1200)
        .map(|place| {
            let at = at("08:00:00") + SignedDuration::from_secs(place * 20);
            Message::said(
                format!("om_{}", place + 1),
                at,
                &person("li"),
                format!("still looking at part {place} of the logs, nothing new there"),
            )
        })
        .collect();
    messages[600].text = "we saw the first errors go away".into();
    messages[600].marks.push(Mark {
        kind: MarkKind::Important,
        by: None,
    });
    messages[1199].text = "all clear, checkout is back to normal".into();
    let (talk, records) = (freeze(messages), records());
    let template = Template::parse("t", "## Timeline").unwrap();
    let window = ModelConfig {
        context_tokens: 4000,
        name: "fake".into(),
        ..ModelConfig::default()
    };
    let kept = KeptInMemory::default();
    // It dies after eight answers.
    let server = FakeModel::start((0..8).map(|_| events(&[]))).await;
    let first = model(&server, window.clone());
    let halted = order(&talk, &records, &template, Some(&first));
    let (cancel, reads) = (halted.cancel.clone(), Arc::new(Mutex::new(0)));
    let stop = |progress: Progress| {
        if let Progress::Reading { done, of } = progress {
            *reads.lock().unwrap() = of;
            if done == 8 {
                cancel.cancel();
            }
        }
    };
    let error = draft(&halted, &kept, &stop).await.unwrap_err();
    assert!(matches!(error, DraftError::Cancelled), "{error}");
    let of = *reads.lock().unwrap();
    assert!(of > 10, "{of} chunks");
    assert_eq!(kept.0.lock().unwrap().len(), 8);
    for request in server.requests() {
        let text = request["messages"].to_string();
        let answer = request["max_tokens"].as_u64().unwrap() as usize;
        assert!(
            crate::llm::estimate_tokens(&text) + answer <= 4000,
            "a request exceeds the window"
        );
    }

    let last = item("resolution", "checkout is back to normal", &["m1200"]);
    let rest = (8..of).map(|place| {
        if place + 1 == of {
            events(std::slice::from_ref(&last))
        } else {
            events(&[])
        }
    });
    let server = FakeModel::start(rest).await;
    let second = model(&server, window);
    let draft = draft(
        &order(&talk, &records, &template, Some(&second)),
        &kept,
        &|_| {},
    )
    .await
    .unwrap();
    assert_eq!(
        server.requests().len(),
        of - 8,
        "finished chunks are not asked for again"
    );
    let timeline = &draft.document.sections[1];
    let has = |words: &str| timeline.lines.iter().any(|line| line.text.contains(words));
    assert!(has("first errors go away"), "the marked message");
    assert!(has("checkout is back to normal"), "the resolution");
}

#[tokio::test]
async fn a_model_that_is_away_leaves_a_draft_of_phrases_that_says_so() {
    let (talk, records) = (talk(), records());
    let template = Template::built_in("default", Language::En).unwrap();
    let server = FakeModel::start([]).await;
    let model = model(&server, server.config());
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    assert!(
        draft
            .markdown
            .contains("so that only phrases were looked for in them: 1."),
        "{}",
        draft.markdown
    );
    assert!(draft.markdown.contains("The root cause was the pool size"));
}

#[tokio::test]
async fn without_a_model_the_draft_passes_its_own_checks() {
    let (talk, records) = (talk(), records());
    let template = Template::built_in("full", Language::En).unwrap();
    let draft = draft(
        &order(&talk, &records, &template, None),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    let failed: Vec<_> = draft
        .checks
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}\n{}", draft.markdown);
    assert_eq!(draft.checks.removed, []);
    assert_eq!(draft.cost.calls(), 0);
}

#[tokio::test]
async fn what_people_wrote_stays_and_one_section_can_be_written_anew() {
    let (talk, records) = (talk(), records());
    let template = Template::parse("t", "## Summary\n## Root Cause\n## Timeline").unwrap();
    let last = draft(
        &order(&talk, &records, &template, None),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    let mut edited = last.document.clone();
    edited.sections[1].lines = vec![Line::paragraph("We know what we know.")];
    edited.sections[1].author = Author::Person;
    let human = vec![edited.sections[1].clone()];
    let server = FakeModel::start([
        events(&[item(
            "cause",
            "The root cause was the pool size of payment-gw",
            &["m7"],
        )]),
        Reply::says(&["- The root cause was the pool size of payment-gw [m7]"]),
    ])
    .await;
    let model = model(&server, server.config());
    let mut again = order(&talk, &records, &template, Some(&model));
    again.human = &human;
    again.only = Some(Only {
        heading: "Root Cause",
        remark: Some("name the service"),
        last: &edited,
    });
    let draft = draft(&again, &NothingKept, &|_| {}).await.unwrap();
    assert_eq!(draft.document.sections[1].lines, human[0].lines);
    assert_eq!(draft.document.sections[2].author, Author::Model);
    assert_eq!(draft.document.sections[3], edited.sections[3]);
    assert!(
        server.requests()[1]["messages"]
            .to_string()
            .contains("name the service")
    );
    assert_eq!(draft.human_sections(), human);
}

/// A model that makes a fault in every part it reads, whatever it is shown.
fn with_a_fault() -> Reply {
    let alias = "m1";
    events(&[
        item("observation", "The logs were looked at", &[alias]),
        item("action", "node-77 was restarted", &[alias]),
    ])
}

/// What reading a room of so many messages costs, with a fault in every part: requests, and percent of its tokens.
async fn read_percent(messages: i64, window: ModelConfig) -> (usize, u64) {
    let talk = freeze(
        (0..messages)
            .map(|place| {
                let at = at("08:00:00") + SignedDuration::from_secs(place * 2);
                let text = format!("still looking at part {place} of the logs, nothing new there");
                Message::said(format!("om_{}", place + 1), at, &person("li"), text)
            })
            .collect(),
    );
    let records = records();
    let template = Template::parse("t", "## Timeline").unwrap();
    let server = FakeModel::start((0..2000).map(|_| with_a_fault())).await;
    let model = model(&server, window);
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    let requests = server.requests();
    assert_eq!(draft.cost.calls() as usize, requests.len());
    let repairs = requests.iter().filter(|request| {
        request
            .to_string()
            .contains("Each is shown with what is wrong")
    });
    assert_eq!(
        repairs.count() * 2,
        requests.len(),
        "every part is repaired"
    );
    // As the server would count them: of the requests as they were sent, and not as we planned them.
    let sent: usize = requests
        .iter()
        .flat_map(|request| request["messages"].as_array().unwrap())
        .map(|message| crate::llm::estimate_tokens(message["content"].as_str().unwrap()))
        .sum();
    let counted = draft.cost.reading.estimated_tokens;
    assert!(counted.abs_diff(sent as u64) <= 20 * requests.len() as u64);
    (requests.len(), draft.cost.read_percent().unwrap())
}

#[tokio::test]
async fn a_large_room_is_read_once_repairs_included_and_in_a_small_one_the_prompts_tell() {
    let (requests, percent) = read_percent(12_000, ModelConfig::default()).await;
    assert!(requests >= 20, "{requests} requests are no large room");
    assert!((100..=130).contains(&percent), "{percent} percent");
    let narrow = ModelConfig {
        context_tokens: 16_000,
        ..ModelConfig::default()
    };
    let (_, percent) = read_percent(6_000, narrow).await;
    assert!((100..=140).contains(&percent), "{percent} percent");
    // Two prompts for a room that is hardly longer than they are.
    let (_, percent) = read_percent(100, ModelConfig::default()).await;
    assert!((130..=250).contains(&percent), "{percent} percent");
}

#[tokio::test]
async fn a_cut_answer_in_order_is_taken_and_read_on_after_it() {
    let said: Vec<Message> = (0..12)
        .map(|place| {
            let at = at("14:05:00") + SignedDuration::from_secs(place * 60);
            let text = format!("restarted node-{place}");
            Message::said(format!("om_{}", place + 1), at, &person("li"), text)
        })
        .collect();
    let (talk, records) = (freeze(said), records());
    let template = Template::parse("t", "## Timeline").unwrap();
    let restarted = |place: usize| {
        let alias = format!("m{}", place + 1);
        item("action", &format!("node-{place} was restarted"), &[&alias])
    };
    let first: Vec<String> = (0..9).map(|place| restarted(place).to_string()).collect();
    let cut = format!("{{\"events\": [{}, {{\"kind\": \"act", first.join(", "));
    let rest: Vec<Value> = (8..12).map(restarted).collect();
    let server = FakeModel::start([
        Reply::ending(
            vec![crate::llm::fake::piece(json!({"content": cut}))],
            "length",
        ),
        events(&rest),
    ])
    .await;
    let model = model(&server, server.config());
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    assert_eq!(draft.events.merged.events.len(), 12, "each once");
    assert_eq!(draft.cost.reading.cut, 1);
    let second = server.requests()[1]["messages"][1]["content"].to_string();
    let read = second.split("The lines to read").nth(1).unwrap();
    assert!(read.contains("[m9]") && !read.contains("[m8]"), "{read}");
}

#[tokio::test]
async fn an_answer_without_json_is_asked_for_as_json_without_the_lines() {
    let talk = room(&[("14:05:00", "li", "rolled back payment-gw")]);
    let records = records();
    let template = Template::parse("t", "## Timeline").unwrap();
    let server = FakeModel::start([
        Reply::says(&["At 14:05 Li Lei rolled something back [m1]."]),
        events(&[item("action", "payment-gw was rolled back", &["m1"])]),
    ])
    .await;
    let model = model(&server, server.config());
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    assert_eq!(draft.events.merged.events.len(), 1);
    let second = server.requests()[1]["messages"].to_string();
    assert!(second.contains("rolled something back"), "{second}");
    assert!(!second.contains("rolled back payment-gw"), "{second}");
}

#[tokio::test]
async fn a_model_that_is_away_for_a_moment_is_waited_for() {
    let talk = room(&[("14:05:00", "li", "rolled back payment-gw")]);
    let records = records();
    let template = Template::parse("t", "## Timeline").unwrap();
    let busy = || Reply::raw(429, "text/plain", "slow down").header("retry-after", "0");
    let server = FakeModel::start([
        busy(),
        busy(),
        Reply::raw(503, "text/plain", "away"),
        events(&[item("action", "payment-gw was rolled back", &["m1"])]),
    ])
    .await;
    let model = model(&server, server.config());
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &NothingKept,
        &|_| {},
    )
    .await
    .unwrap();
    assert_eq!(server.requests().len(), 4);
    assert_eq!(
        draft.events.merged.events[0].text,
        "payment-gw was rolled back"
    );
    assert!(!draft.markdown.contains("only phrases were looked for"));
}

#[tokio::test]
async fn a_model_that_fails_in_the_middle_leaves_what_it_read() {
    let talk = room(&[
        ("14:05:00", "li", "rolled back a-1"),
        ("14:06:00", "li", "rolled back b-2"),
    ]);
    let records = records();
    let template = Template::parse("t", "## Timeline").unwrap();
    let cut = Reply::ending(
        vec![crate::llm::fake::piece(json!({"content": "{"}))],
        "length",
    );
    // The first half is read, and then nobody answers any more.
    let server = FakeModel::start([
        cut,
        events(&[item("action", "a-1 was rolled back", &["m1"])]),
    ])
    .await;
    let model = model(&server, server.config());
    let kept = KeptInMemory::default();
    let draft = draft(
        &order(&talk, &records, &template, Some(&model)),
        &kept,
        &|_| {},
    )
    .await
    .unwrap();
    let events = draft.events.merged.events.iter();
    let texts: Vec<&str> = events.map(|event| event.text.as_str()).collect();
    assert_eq!(texts, ["a-1 was rolled back", "rolled back b-2"]);
    assert!(
        draft
            .markdown
            .contains("so that only phrases were looked for in them: 1.")
    );
    assert!(
        kept.0.lock().unwrap().is_empty(),
        "the next draft asks for it once more"
    );
}

#[tokio::test]
async fn a_draft_that_is_cancelled_ends_before_the_next_stage() {
    let (talk, records) = (talk(), records());
    let template = Template::built_in("default", Language::En).unwrap();
    for stage in ["Facts", "Writing", "Checking"] {
        let order = order(&talk, &records, &template, None);
        let told = Mutex::new(Vec::new());
        let tell = |progress: Progress| {
            let progress = format!("{progress:?}");
            if progress.starts_with(stage) {
                order.cancel.cancel();
            }
            told.lock().unwrap().push(progress);
        };
        let error = draft(&order, &NothingKept, &tell).await.unwrap_err();
        assert!(matches!(error, DraftError::Cancelled), "{error}");
        let told = told.into_inner().unwrap();
        assert!(told.last().unwrap().starts_with(stage), "{told:?}");
    }
}
