//! The whole way from a room to a draft, with a model that lies, one that is honest, one that fails, and none.

mod honest;
mod hostile;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
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
    assert_eq!(draft.cost.calls, 0);
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
