use super::*;
use axum::body::Body;
use axum::http::Request;
use futures::StreamExt;
use tower::ServiceExt;

fn sandbox() -> Router {
    router(|| 1_770_000_000_123)
}

async fn send(router: &Router, method: &str, path: &str, body: &Value) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(if body.is_null() {
            String::new()
        } else {
            body.to_string()
        }))
        .expect("a request");
    router
        .clone()
        .oneshot(request)
        .await
        .expect("the router cannot fail")
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a whole body");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

async fn json_of(response: Response) -> Value {
    serde_json::from_str(&text(response).await).expect("JSON")
}

async fn script(router: &Router, reply: Value) {
    let answer = send(
        router,
        "POST",
        "/sandbox/model",
        &json!({"replies": [reply]}),
    )
    .await;
    assert_eq!(text(answer).await, r#"{"replies":1}"#);
}

fn ask(question: &str, stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": question}]})
}

/// The events of a stream, and whether it broke off.
async fn events(response: Response) -> (Vec<String>, bool) {
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let (mut all, mut broken) = (String::new(), false);
    let mut body = response.into_body().into_data_stream();
    while let Some(part) = body.next().await {
        match part {
            Ok(bytes) => all.push_str(std::str::from_utf8(&bytes).expect("whole characters")),
            Err(_) => broken = true,
        }
    }
    let data = |event: &str| {
        event
            .strip_prefix("data: ")
            .map(str::to_owned)
            .expect("only data events")
    };
    (
        all.split("\n\n")
            .filter(|event| !event.is_empty())
            .map(data)
            .collect(),
        broken,
    )
}

fn parsed(events: &[String]) -> Vec<Value> {
    events
        .iter()
        .filter_map(|event| serde_json::from_str(event).ok())
        .collect()
}

fn content(chunks: &[Value], field: &str) -> String {
    chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"][field].as_str())
        .collect()
}

#[tokio::test]
async fn a_stream_has_the_role_the_text_in_pieces_a_finish_reason_the_usage_and_done() {
    let router = sandbox();
    script(&router, json!({"reasoning": "hm, so", "text": "结账服务变慢了。", "tokens_per_second": 100_000, "first_token_ms": 0})).await;
    let mut request = ask("why?", true);
    request["stream_options"] = json!({"include_usage": true});
    let (events, broken) =
        events(send(&router, "POST", "/v1/chat/completions", &request).await).await;
    let chunks = parsed(&events);

    assert!(!broken);
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert_eq!(
        chunks[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": "", "refusal": null})
    );
    assert_eq!(
        (
            content(&chunks, "content"),
            content(&chunks, "reasoning_content")
        ),
        ("结账服务变慢了。".into(), "hm, so".into())
    );
    assert!(chunks.len() > 8, "small pieces: {chunks:?}");
    let (usage, finish) = (&chunks[chunks.len() - 1], &chunks[chunks.len() - 2]);
    assert_eq!(
        (&finish["choices"][0]["finish_reason"], &finish["usage"]),
        (&json!("stop"), &Value::Null)
    );
    assert_eq!(
        (&usage["choices"], &usage["usage"]["total_tokens"]),
        (&json!([]), &json!(10))
    );
    assert!(chunks.iter().all(
        |chunk| chunk["object"] == "chat.completion.chunk" && chunk["created"] == 1_770_000_000
    ));
}

#[tokio::test]
async fn tool_calls_are_streamed_in_deltas_and_given_whole_without_streaming() {
    let router = sandbox();
    let calls = json!([{"name": "look", "arguments": {"query": "错误 5xx"}}, {"name": "now"}]);
    let reply = json!({"tool_calls": calls, "tokens_per_second": 100_000, "first_token_ms": 0});
    script(&router, reply.clone()).await;
    let chunks = parsed(
        &events(send(&router, "POST", "/v1/chat/completions", &ask("x", true)).await)
            .await
            .0,
    );
    let deltas: Vec<&Value> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
        .filter(|call| call.is_object())
        .collect();
    let arguments = |index: u64| -> String {
        deltas
            .iter()
            .filter(|call| call["index"] == index)
            .filter_map(|call| call["function"]["arguments"].as_str())
            .collect()
    };
    assert_eq!(
        (arguments(0), arguments(1)),
        (r#"{"query":"错误 5xx"}"#.into(), "{}".into())
    );
    assert_eq!(
        (&deltas[0]["function"]["name"], &deltas[0]["id"]),
        (&json!("look"), &json!("call_sandbox-1_0"))
    );
    assert_eq!(
        chunks
            .last()
            .map(|chunk| &chunk["choices"][0]["finish_reason"]),
        Some(&json!("tool_calls"))
    );

    script(&router, reply).await;
    let whole =
        json_of(send(&router, "POST", "/v1/chat/completions", &ask("x", false)).await).await;
    let message = &whole["choices"][0]["message"];
    assert_eq!(
        message["tool_calls"][1]["function"],
        json!({"name": "now", "arguments": "{}"})
    );
    assert_eq!(
        (&message["content"], &whole["choices"][0]["finish_reason"]),
        (&Value::Null, &json!("tool_calls"))
    );
}

#[tokio::test]
async fn failures_are_what_the_script_says() {
    let router = sandbox();
    script(&router, json!({"fail": 429})).await;
    let refused = send(&router, "POST", "/v1/chat/completions", &ask("x", true)).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"1".parse().expect("a header"))
    );
    assert_eq!(
        json_of(refused).await["error"]["code"],
        "rate_limit_exceeded"
    );

    script(
        &router,
        json!({"text": "half an", "fail": "cut", "first_token_ms": 0}),
    )
    .await;
    let (cut, broken) =
        events(send(&router, "POST", "/v1/chat/completions", &ask("x", true)).await).await;
    assert_eq!(
        (content(&parsed(&cut), "content").as_str(), broken),
        ("half an", true)
    );
    assert!(
        cut.iter()
            .all(|event| event != "[DONE]" && !event.contains("\"stop\""))
    );

    script(
        &router,
        json!({"text": "half", "fail": "error", "first_token_ms": 0}),
    )
    .await;
    let (ended, broken) =
        events(send(&router, "POST", "/v1/chat/completions", &ask("x", true)).await).await;
    assert!(
        !broken
            && ended
                .last()
                .is_some_and(|event| event.starts_with(r#"{"error":"#)),
        "{ended:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_hangs_says_its_text_and_then_nothing() {
    let router = sandbox();
    script(&router, json!({"text": "so far", "hang": true})).await;
    let response = send(&router, "POST", "/v1/chat/completions", &ask("x", true)).await;
    let mut body = response.into_body().into_data_stream();
    let mut said = 0;
    // No socket is involved, so the paused clock jumps an hour at once.
    while let Ok(part) =
        tokio::time::timeout(std::time::Duration::from_secs(3600), body.next()).await
    {
        assert!(
            part.is_some_and(|part| part.is_ok()),
            "the stream must not end"
        );
        said += 1;
    }
    assert_eq!(said, 3, "the role and two pieces");
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_that_of_the_script() {
    let router = sandbox();
    script(
        &router,
        json!({"text": "a b c d e", "tokens_per_second": 2, "first_token_ms": 1000}),
    )
    .await;
    let start = tokio::time::Instant::now();
    events(send(&router, "POST", "/v1/chat/completions", &ask("x", true)).await).await;
    assert_eq!(
        start.elapsed().as_millis() / 10,
        300,
        "a second, then four gaps of half a second"
    );
}

#[tokio::test]
async fn an_answer_is_cut_at_the_limit_of_tokens() {
    let router = sandbox();
    script(
        &router,
        json!({"text": "one two three", "first_token_ms": 0}),
    )
    .await;
    let mut request = ask("x", false);
    request["max_tokens"] = json!(2);
    let whole = json_of(send(&router, "POST", "/v1/chat/completions", &request).await).await;
    assert_eq!(whole["choices"][0]["message"]["content"], "one two");
    assert_eq!(
        (
            &whole["choices"][0]["finish_reason"],
            &whole["usage"]["completion_tokens"]
        ),
        (&json!("length"), &json!(2))
    );
}

#[tokio::test]
async fn requests_are_kept_whole_also_those_that_were_refused() {
    let router = sandbox();
    script(&router, json!({"text": "ok", "first_token_ms": 0})).await;
    let asked = ask("from the script", false);
    send(&router, "POST", "/v1/chat/completions", &asked).await;
    let orphan =
        json!({"model": "m", "messages": [{"role": "tool", "tool_call_id": "a", "content": "x"}]});
    let refused = send(&router, "POST", "/v1/chat/completions", &orphan).await;
    assert_eq!(refused.status().as_u16(), 400);
    assert_eq!(
        json_of(refused).await["error"]["param"],
        "messages.[0].role"
    );

    let log = json_of(send(&router, "GET", "/sandbox/model/requests", &Value::Null).await).await;
    let seen: Vec<_> = log["requests"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| (&r["answered_by"], &r["body"]))
        .collect();
    assert_eq!(
        seen,
        [(&json!("script"), &asked), (&json!("refused"), &orphan)]
    );
    let later = json_of(
        send(
            &router,
            "GET",
            "/sandbox/model/requests?since=1770000000124",
            &Value::Null,
        )
        .await,
    )
    .await;
    assert_eq!(later, json!({"requests": []}));
}

#[tokio::test]
async fn the_log_forgets_the_oldest_beyond_its_bounds() {
    let mut desk = Desk::default();
    for _ in 0..LOG_ENTRIES_MAX + 5 {
        desk.log(0, "rules", json!("x"), 3);
    }
    assert_eq!(
        (desk.requests.len(), desk.requests[0].number, desk.bytes),
        (LOG_ENTRIES_MAX, 6, 3 * LOG_ENTRIES_MAX)
    );
    desk.log(0, "rules", json!("big"), LOG_BYTES_MAX);
    assert_eq!(desk.requests.len(), 1);
}

#[tokio::test]
async fn a_bad_script_is_refused_and_the_old_one_stays() {
    let router = sandbox();
    script(&router, json!({"text": "still here", "first_token_ms": 0})).await;
    let bad = send(
        &router,
        "POST",
        "/sandbox/model",
        &json!({"replies": [{"says": "x"}]}),
    )
    .await;
    assert_eq!(bad.status().as_u16(), 400);
    assert!(text(bad).await.contains("replies[0]"));
    let whole =
        json_of(send(&router, "POST", "/v1/chat/completions", &ask("x", false)).await).await;
    assert_eq!(whole["choices"][0]["message"]["content"], "still here");

    let models = json_of(send(&router, "GET", "/v1/models", &Value::Null).await).await;
    assert_eq!(models["data"][0]["id"], "nightjar-rules");
}
