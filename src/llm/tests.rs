//! The client against a server that behaves as servers do: the table of `dependencies.md`, section 5.

use std::time::Duration;

use futures::StreamExt;
use serde_json::json;

use super::{
    fake::{FakeModel, Reply, piece},
    *,
};

fn ask() -> Request {
    Request {
        messages: vec![ChatMessage::User("为什么结账慢？".into())],
        tools: Vec::new(),
    }
}

/// Reads an answer to its end, and writes down what came, texts joined.
async fn read(model: &Model) -> String {
    let mut answer = match model.stream(&ask()).await {
        Ok(answer) => answer,
        Err(error) => return format!("({error})"),
    };
    let mut seen = String::new();
    while let Some(event) = answer.next().await {
        match event {
            Ok(StreamEvent::Text(text)) => seen += &text,
            Ok(StreamEvent::Reasoning(text)) => seen += &format!("[{text}]"),
            Ok(StreamEvent::ToolCall(call)) => {
                seen += &format!("<{} {}>", call.name, call.arguments)
            }
            Ok(StreamEvent::Finished { reason, .. }) => seen += &format!(" ({reason:?})"),
            Err(error) => seen += &format!(" ({error})"),
        }
    }
    seen
}

/// What comes of these replies, and how many of them were asked for.
async fn check(replies: Vec<Reply>, expected: &str, asked: usize) {
    let server = FakeModel::start(replies).await;
    let model = Model::new(&server.config(), Metrics::default()).unwrap();
    assert_eq!(read(&model).await, expected);
    assert_eq!(server.requests().len(), asked, "times asked");
}

#[tokio::test]
async fn an_answer_cut_inside_characters_and_json_is_put_together() {
    check(
        vec![Reply::says(&["结账", "慢", "了。"])],
        "结账慢了。 (Stop)",
        1,
    )
    .await;
    let calls = Reply::calls(
        "看。",
        &[("a", "logs", r#"{"服务":"结账"}"#), ("b", "metrics", "{}")],
    );
    check(
        vec![calls],
        r#"看。<logs {"服务":"结账"}><metrics {}> (ToolCalls)"#,
        1,
    )
    .await;
    let chunks = vec![
        piece(json!({"reasoning_content": "嗯"})),
        piece(json!({"content": "好"})),
    ];
    check(
        vec![Reply::ending(chunks, "insufficient_system_resource")],
        r#"[嗯]好 (Other("insufficient_system_resource"))"#,
        1,
    )
    .await;
}

#[tokio::test]
async fn comments_carriage_returns_and_a_missing_done_do_not_matter() {
    let lines = ": keep-alive\r\n\r\nevent: message\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Yes.\"}}]}\r\n\r\n\
                 : keep-alive\n\ndata:{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    check(vec![Reply::lines(lines)], "Yes. (Stop)", 1).await;
}

#[tokio::test]
async fn a_whole_answer_instead_of_a_stream_is_read() {
    let body = json!({"choices": [{"message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}]});
    check(
        vec![Reply::raw(200, "application/json", &body.to_string())],
        "Yes. (Stop)",
        1,
    )
    .await;
    check(
        vec![Reply::raw(200, "text/html", "<html>Sign in</html>")],
        "(the model's server sent something that is not an answer: neither a stream nor JSON)",
        1,
    )
    .await;
    // JSON that is something else altogether has no end, so it is taken for an answer that broke off.
    let ok = || Reply::raw(200, "application/json", r#"{"ok":true}"#);
    check(vec![ok(), ok()], "(the model's answer broke off)", 2).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_is_not_asked_for_again() {
    let begun = || Reply::chunks(&[piece(json!({"content": "The ca"}))]);
    let expected = "The ca (the model's answer broke off)";
    check(vec![begun()], expected, 1).await;
    check(vec![begun().then_aborts()], expected, 1).await;
    let inside_json =
        Reply::lines("data: {\"choices\":[{\"delta\":{\"content\":\"The ca\"}}]}\n\ndata: {\"choi");
    check(vec![inside_json], expected, 1).await;
    let done = Reply::lines(
        "data: {\"choices\":[{\"delta\":{\"content\":\"The ca\"}}]}\n\ndata: [DONE]\n\n",
    );
    check(vec![done], expected, 1).await;
}

#[tokio::test]
async fn what_fails_before_the_first_word_is_tried_once_more() {
    let fine = || Reply::says(&["Yes."]);
    let busy = || Reply::raw(503, "text/html", "<html>busy</html>");
    check(vec![busy(), fine()], "Yes. (Stop)", 2).await;
    check(
        vec![busy(), busy(), fine()],
        "(the model's server is not available: HTTP 503)",
        2,
    )
    .await;
    check(
        vec![Reply::chunks(&[]).then_aborts(), fine()],
        "Yes. (Stop)",
        2,
    )
    .await;
    let overloaded = json!({"error": {"message": "overloaded", "type": "overloaded_error"}});
    check(vec![Reply::chunks(&[overloaded]), fine()], "Yes. (Stop)", 2).await;
    let spoken_for = piece(json!({"role": "assistant", "content": ""}));
    check(vec![Reply::chunks(&[spoken_for]), fine()], "Yes. (Stop)", 2).await;
}

#[tokio::test]
async fn a_short_wait_is_kept_and_a_long_one_is_told() {
    let slow = |wait| {
        Reply::raw(429, "application/json", r#"{"error":{"code":1302}}"#)
            .header("retry-after", wait)
    };
    check(vec![slow("0"), Reply::says(&["Yes."])], "Yes. (Stop)", 2).await;
    check(
        vec![slow("3600"), Reply::says(&["Yes."])],
        "(the model's server asks us to slow down)",
        1,
    )
    .await;
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let body =
        r#"{"error":{"message":"Incorrect API key provided: s3cret","code":"invalid_api_key"}}"#;
    check(
        vec![Reply::raw(401, "application/json", body)],
        "(the model's server does not accept our key (HTTP 401, invalid_api_key): check model.api_key)",
        1,
    )
    .await;
    check(
        vec![Reply::raw(404, "text/plain", "404 page not found")],
        "(the model's server refused the request (HTTP 404))",
        1,
    )
    .await;
    check(
        vec![Reply::raw(307, "text/plain", "").header("location", "http://127.0.0.1:1/")],
        "(the model's server refused the request (HTTP 307))",
        1,
    )
    .await;
}

#[tokio::test]
async fn an_error_inside_a_stream_ends_the_answer() {
    let begun = piece(json!({"content": "The "}));
    let failed = json!({"error": {"message": "out of memory", "code": 500}});
    let garbled = "data: {\"choices\":[{\"delta\":{\"content\":\"The \"}}]}\n\ndata: {oops}\n\n";
    check(
        vec![Reply::chunks(&[begun, failed])],
        "The  (the model's server is not available: HTTP 500)",
        1,
    )
    .await;
    check(
        vec![Reply::lines(garbled)],
        "The  (the model's server sent something that is not an answer: a chunk that is not JSON)",
        1,
    )
    .await;
}

#[tokio::test]
async fn silence_is_told_from_an_answer_that_stands_still() {
    let short = Duration::from_millis(50);
    for (reply, expected) in [
        (Reply::silence(), "(the model said nothing for 50ms)"),
        (
            Reply::lines(": keep-alive\n\n").then_hangs(),
            "(the model said nothing for 50ms)",
        ),
    ] {
        let server = FakeModel::start([reply]).await;
        let mut config = server.config();
        config.first_token_timeout = short;
        assert_eq!(
            read(&Model::new(&config, Metrics::default()).unwrap()).await,
            expected
        );
        server.is_let_go().await;
    }

    let server =
        FakeModel::start([Reply::chunks(&[piece(json!({"content": "The "}))]).then_hangs()]).await;
    let mut config = server.config();
    config.stall_timeout = short;
    let expected = "The  (the model's answer stood still for 50ms)";
    assert_eq!(
        read(&Model::new(&config, Metrics::default()).unwrap()).await,
        expected
    );
    server.is_let_go().await;
}

#[tokio::test]
async fn a_finished_answer_does_not_wait_for_a_connection_that_stays_open() {
    let finished = json!({"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]});
    check(
        vec![Reply::chunks(std::slice::from_ref(&finished)).then_hangs()],
        "Yes. (Stop)",
        1,
    )
    .await;
    check(
        vec![Reply::chunks(&[finished]).then_aborts()],
        "Yes. (Stop)",
        1,
    )
    .await;
}

#[tokio::test]
async fn dropping_an_answer_ends_its_request() {
    let server = FakeModel::start([
        Reply::chunks(&[piece(json!({"content": "The "}))]).then_hangs(),
        Reply::silence(),
    ])
    .await;
    let model = Model::new(&server.config(), Metrics::default()).unwrap();
    let mut answer = model.stream(&ask()).await.unwrap();
    assert!(answer.next().await.is_some());
    drop(answer);
    server.is_let_go().await;
    server.is_asked().await;

    // And while it is still waited for.
    let waiting = tokio::spawn(async move { model.stream(&ask()).await.map(drop) });
    server.is_asked().await;
    waiting.abort();
    server.is_let_go().await;
}

#[tokio::test]
async fn a_server_that_cannot_count_tokens_is_asked_without() {
    let no = |word: &str| {
        Reply::raw(
            400,
            "application/json",
            &json!({"error": {"message": word}}).to_string(),
        )
    };
    let server = FakeModel::start([
        no("Unrecognized request argument supplied: stream_options"),
        no("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        Reply::says(&["Yes."]),
        Reply::says(&["Again."]),
    ])
    .await;
    let mut config = server.config();
    config.answer_tokens_max = 100;
    let model = Model::new(&config, Metrics::default()).unwrap();
    assert_eq!(read(&model).await, "Yes. (Stop)");
    assert_eq!(read(&model).await, "Again. (Stop)");

    let requests = server.requests();
    assert_eq!(requests.len(), 4, "what was learnt is kept");
    assert_eq!(
        requests[0]["stream_options"],
        json!({"include_usage": true})
    );
    assert_eq!(requests[0]["max_tokens"], 100);
    assert!(requests[3].get("stream_options").is_none() && requests[3].get("max_tokens").is_none());
    assert_eq!(requests[3]["max_completion_tokens"], 100);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_its_cause() {
    let server = FakeModel::start([]).await;
    let config = server.config();
    drop(server);
    let error = read(&Model::new(&config, Metrics::default()).unwrap()).await;
    assert!(error.contains("refused"), "{error}");
    assert!(!error.contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn tokens_are_counted_and_the_key_is_sent() {
    let server = FakeModel::start([Reply::says(&["Yes."]), Reply::says(&["Yes."])]).await;
    let metrics = Metrics::default();
    let model = Model::new(&server.config(), metrics.clone()).unwrap();
    read(&model).await;
    read(&model).await;
    let numbers = metrics.render();
    assert!(
        numbers.contains(r#"nightjar_model_tokens_total{kind="prompt"} 20"#),
        "{numbers}"
    );
    assert!(
        numbers.contains(r#"nightjar_model_tokens_total{kind="completion"} 10"#),
        "{numbers}"
    );
    assert_eq!(server.headers()[0]["authorization"], "Bearer s3cret");
    let request = &server.requests()[0];
    assert_eq!(request["model"], "fake");
    assert!(
        request.get("tools").is_none(),
        "an empty list is refused by some"
    );
}

#[test]
fn a_configuration_that_cannot_work_is_told_at_once() {
    for (base_url, key, word) in [
        ("not an address", "k", "base_url"),
        ("http://localhost", "a\nb", "api_key"),
    ] {
        let config = ModelConfig {
            base_url: base_url.into(),
            api_key: key.into(),
            ..ModelConfig::default()
        };
        let error = Model::new(&config, Metrics::default()).err().unwrap();
        assert!(error.to_string().contains(word), "{error}");
    }
}
