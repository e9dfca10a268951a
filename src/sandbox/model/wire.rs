//! An answer in OpenAI's shapes: one JSON object, or chunks over time as server-sent events.
//!
//! The pace is real time, not the sandbox's clock: advancing the clock must not make a model
//! that is speaking skip ahead. Each piece has its moment counted from the start, so a slow
//! reader makes the pieces bunch up but never makes the whole later.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::request::{Asked, Refusal};
use super::script::{Fail, Reply};

const TOKENS_PER_SECOND: f64 = 100.0;
const FIRST_TOKEN_MS: u64 = 200;
/// How long what was said has before a connection is cut.
const SETTLE: Duration = Duration::from_millis(20);

/// What stands in every chunk of one answer.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// `chatcmpl-…`
    pub(super) id: String,
    /// Seconds since 1970.
    pub(super) created: i64,
    /// As the client named it.
    pub(super) model: String,
    include_usage: bool,
}

impl Head {
    /// The head of the answer with this number.
    pub(super) fn new(number: u64, now_ms: i64, asked: &Asked) -> Self {
        Self {
            id: format!("chatcmpl-sandbox-{number}"),
            created: now_ms / 1000,
            model: asked.model.clone(),
            include_usage: asked.include_usage,
        }
    }

    fn chunk(&self, choices: Value, usage: Value) -> String {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": self.model, "system_fingerprint": "fp_nightjar_sandbox", "choices": choices,
        });
        // OpenAI puts `usage: null` into every chunk but the last, and only when usage was asked for.
        if self.include_usage {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n")
    }

    fn delta(&self, delta: &Value, finish_reason: Option<&str>) -> String {
        let choice =
            json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]);
        self.chunk(choice, Value::Null)
    }
}

/// A reply cut into what is sent at one time, in order.
struct Plan {
    deltas: Vec<Value>,
    finish_reason: String,
    usage: Value,
    text: String,
    reasoning: String,
    first: Duration,
    between: Duration,
}

impl Plan {
    fn new(reply: &Reply, head: &Head, asked: &Asked) -> Self {
        let mut left = asked.tokens_max.unwrap_or(usize::MAX);
        let mut take = |text: &Option<String>| -> Vec<String> {
            let taken: Vec<_> = pieces(text.as_deref().unwrap_or_default())
                .take(left)
                .map(str::to_owned)
                .collect();
            left -= taken.len();
            taken
        };
        let reasoning = take(&reply.reasoning);
        let text = take(&reply.text);
        let cut = left == 0;
        let mut deltas: Vec<Value> = Vec::new();
        deltas.extend(
            reasoning
                .iter()
                .map(|piece| json!({"reasoning_content": piece})),
        );
        deltas.extend(text.iter().map(|piece| json!({"content": piece})));
        if !cut {
            deltas.extend(call_deltas(reply, head));
        }
        let natural = if reply.tool_calls.is_empty() {
            "stop"
        } else {
            "tool_calls"
        };
        let completion = deltas.len();
        Self {
            finish_reason: match (&reply.finish_reason, cut) {
                (_, true) => "length".to_owned(),
                (Some(reason), _) => reason.clone(),
                (None, _) => natural.to_owned(),
            },
            usage: json!({
                "prompt_tokens": asked.prompt_tokens, "completion_tokens": completion,
                "total_tokens": asked.prompt_tokens + completion,
                "completion_tokens_details": {"reasoning_tokens": reasoning.len()},
            }),
            deltas,
            text: text.concat(),
            reasoning: reasoning.concat(),
            first: Duration::from_millis(reply.first_token_ms.unwrap_or(FIRST_TOKEN_MS)),
            between: Duration::from_secs_f64(
                1.0 / reply.tokens_per_second.unwrap_or(TOKENS_PER_SECOND),
            ),
        }
    }

    /// When piece `index` is due, counted from the start.
    fn due(&self, index: usize) -> Duration {
        self.first + self.between.mul_f64(index as f64)
    }
}

/// The id of a call, which depends on nothing but the answer's number and the call's place.
fn call_id(head: &Head, index: usize) -> String {
    format!("call_{}_{index}", head.id.trim_start_matches("chatcmpl-"))
}

/// Per call first its name with empty arguments, then the arguments in pieces.
fn call_deltas(reply: &Reply, head: &Head) -> Vec<Value> {
    let mut deltas = Vec::new();
    for (index, call) in reply.tool_calls.iter().enumerate() {
        let function = json!({"name": call.name, "arguments": ""});
        let id = call_id(head, index);
        deltas.push(json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}));
        for piece in pieces(&call.arguments_text()) {
            deltas
                .push(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}));
        }
    }
    deltas
}

/// Answers a request with a reply, in the form that it asked for.
pub(super) async fn answer(reply: Reply, head: Head, asked: &Asked) -> Response {
    if let Some(Fail::Status(status)) = reply.fail {
        return refuse(status, &reply);
    }
    let plan = Plan::new(&reply, &head, asked);
    if asked.stream {
        let events = events(plan, reply, head);
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        return (headers, Body::from_stream(events)).into_response();
    }
    tokio::time::sleep(plan.due(plan.deltas.len())).await;
    whole(&plan, &reply, &head).await
}

/// How far a stream has come.
enum Stage {
    Role,
    Delta(usize),
    Usage,
    Done,
    End,
}

/// The answer as server-sent events. Dropping it, as happens when the client goes away, ends it.
fn events(plan: Plan, reply: Reply, head: Head) -> impl Stream<Item = io::Result<String>> + Send {
    let start = Instant::now();
    let state = (plan, reply, head, Stage::Role);
    stream::unfold(state, move |(plan, reply, head, stage)| async move {
        let (event, next) = match stage {
            Stage::Role => {
                let delta = json!({"role": "assistant", "content": "", "refusal": null});
                (Ok(head.delta(&delta, None)), Stage::Delta(0))
            }
            Stage::Delta(index) if index < plan.deltas.len() => {
                tokio::time::sleep_until(start + plan.due(index)).await;
                (
                    Ok(head.delta(&plan.deltas[index], None)),
                    Stage::Delta(index + 1),
                )
            }
            Stage::Delta(_) => match trouble(&reply).await {
                Some(event) => (event, Stage::End),
                None => {
                    let next = if head.include_usage {
                        Stage::Usage
                    } else {
                        Stage::Done
                    };
                    (Ok(head.delta(&json!({}), Some(&plan.finish_reason))), next)
                }
            },
            Stage::Usage => (Ok(head.chunk(json!([]), plan.usage.clone())), Stage::Done),
            Stage::Done => (Ok("data: [DONE]\n\n".to_owned()), Stage::End),
            Stage::End => return None,
        };
        Some((event, (plan, reply, head, next)))
    })
}

/// What comes in place of the finish reason when the reply is to go wrong; waits for ever for a
/// reply that hangs.
async fn trouble(reply: &Reply) -> Option<io::Result<String>> {
    if reply.hang {
        std::future::pending::<()>().await;
    }
    if reply.fail == Some(Fail::Cut) {
        tokio::time::sleep(SETTLE).await;
    }
    match reply.fail? {
        // An error makes the server break the connection off in the middle of the body. What it has
        // not sent by then is lost, so what was said gets a moment to go out.
        Fail::Cut => Some(Err(io::Error::other("the script cuts this answer off"))),
        Fail::Error => Some(Ok(format!(
            "data: {}\n\n",
            error_body(500, "The script ends this answer with an error.", None)
        ))),
        Fail::Status(_) => None,
    }
}

/// The answer as one object.
async fn whole(plan: &Plan, reply: &Reply, head: &Head) -> Response {
    let calls: Vec<Value> = reply
        .tool_calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            json!({
                "id": call_id(head, index), "type": "function",
                "function": {"name": call.name, "arguments": call.arguments_text()},
            })
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": plan.text, "refusal": null});
    if !plan.reasoning.is_empty() {
        message["reasoning_content"] = json!(plan.reasoning);
    }
    if !calls.is_empty() && plan.finish_reason != "length" {
        message["tool_calls"] = json!(calls);
        if plan.text.is_empty() {
            message["content"] = Value::Null;
        }
    }
    let body = json!({
        "id": head.id, "object": "chat.completion", "created": head.created, "model": head.model,
        "system_fingerprint": "fp_nightjar_sandbox", "usage": plan.usage,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": plan.finish_reason}],
    })
    .to_string();
    match trouble(reply).await {
        None => json_response(StatusCode::OK, body),
        Some(Ok(_)) => refuse(500, reply),
        Some(Err(error)) => {
            let half: String = body.chars().take(body.chars().count() / 2).collect();
            let cut = stream::iter([Ok(half), Err(error)]);
            (
                [(header::CONTENT_TYPE, "application/json")],
                Body::from_stream(cut),
            )
                .into_response()
        }
    }
}

/// An answer with an error status, as the script wants it.
fn refuse(status: u16, reply: &Reply) -> Response {
    let message = reply.text.as_deref().unwrap_or(match status {
        401 => "Incorrect API key provided: the sandbox's script refuses it.",
        429 => "Rate limit reached: the sandbox's script says so.",
        _ => "The sandbox's script makes this request fail.",
    });
    let status_code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_response(status_code, error_body(status, message, None));
    if matches!(status, 429 | 503) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}

/// The answer to a request that is itself wrong: HTTP 400.
pub(super) fn refuse_request(refusal: &Refusal) -> Response {
    json_response(
        StatusCode::BAD_REQUEST,
        error_body(400, &refusal.message, refusal.param.as_deref()),
    )
}

/// OpenAI's error object for an HTTP status.
fn error_body(status: u16, message: &str, param: Option<&str>) -> String {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        403 => ("permission_error", None),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        400..=499 => ("invalid_request_error", None),
        _ => ("server_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}}).to_string()
}

fn json_response(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Cuts a text into pieces the size of tokens, which put together are the text again.
///
/// A word goes with the space before it and long words are cut; Chinese and the like go by two
/// characters at most; anything else goes by itself.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let word = rest.strip_prefix(' ').unwrap_or(rest);
        let letters = word
            .chars()
            .take(6)
            .take_while(char::is_ascii_alphanumeric)
            .count();
        let size = if letters > 0 {
            rest.len() - word.len() + letters
        } else {
            let wide = |c: &char| c.is_alphanumeric() && !c.is_ascii();
            let size = rest
                .chars()
                .take(2)
                .take_while(wide)
                .map(char::len_utf8)
                .sum::<usize>();
            size.max(first.len_utf8())
        };
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_and_together_the_text() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(pieces(text).collect::<Vec<_>>(), expected);
        };
        check("", &[]);
        check("Reading the logs.", &["Readin", "g", " the", " logs", "."]);
        check("结账服务5xx升高", &["结账", "服务", "5xx", "升高"]);
        check("  é🦉\n", &[" ", " ", "é", "🦉", "\n"]);
        let long = "一 mix, of 各种 things 🙂 — end".repeat(40);
        assert_eq!(pieces(&long).collect::<String>(), long);
        assert!(pieces(&long).all(|piece| piece.chars().count() <= 7));
    }
}
