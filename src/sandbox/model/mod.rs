//! The OpenAI-compatible model endpoint, whose replies come from a script or from rules.
//!
//! Any key is accepted and any model name is served, so that nothing has to be set up. A scripted
//! reply is used once; without one that fits, the rules answer, and say that they are rules.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};

mod request;
mod rules;
mod script;
mod wire;

use request::{Asked, Refusal};
use script::{Reply, Script};

use super::control::{Ask, Since};

/// How large a request may be.
const BODY_BYTES_MAX: usize = 16 << 20;
/// How many requests are remembered, and how many bytes they may have together.
const LOG_ENTRIES_MAX: usize = 1_000;
const LOG_BYTES_MAX: usize = 32 << 20;

/// Serves `/v1/chat/completions`, `/v1/models`, `POST /sandbox/model` and
/// `GET /sandbox/model/requests`. `now_ms` is the sandbox's clock, in milliseconds.
pub(super) fn router(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Router {
    let model = Model {
        now_ms: Box::new(now_ms),
        desk: Mutex::default(),
    };
    Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/v1/models", get(models))
        .route("/sandbox/model", post(set_script))
        .route("/sandbox/model/requests", get(requests))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(model))
}

struct Model {
    now_ms: Box<dyn Fn() -> i64 + Send + Sync>,
    desk: Mutex<Desk>,
}

/// What changes: the script that is left, and what was asked.
#[derive(Default)]
struct Desk {
    script: Option<Script>,
    requests: VecDeque<Logged>,
    bytes: usize,
    count: u64,
}

/// One request as `GET /sandbox/model/requests` tells it.
#[derive(Clone, Serialize)]
struct Logged {
    /// Counted from 1.
    number: u64,
    at_ms: i64,
    /// `script`, `rules`, or `refused` when the request itself was wrong.
    answered_by: &'static str,
    /// The whole body; a string when it was not JSON.
    body: Arc<Value>,
    #[serde(skip)]
    size_bytes: usize,
}

impl Model {
    /// Held only for a moment and never across an await; what it guards is whole at any time.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Remembers a request and forgets the oldest beyond the bounds; gives its number.
    fn log(
        &mut self,
        at_ms: i64,
        answered_by: &'static str,
        body: Value,
        size_bytes: usize,
    ) -> u64 {
        self.count += 1;
        self.bytes += size_bytes;
        let body = Arc::new(body);
        self.requests.push_back(Logged {
            number: self.count,
            at_ms,
            answered_by,
            body,
            size_bytes,
        });
        while self.requests.len() > LOG_ENTRIES_MAX
            || (self.bytes > LOG_BYTES_MAX && self.requests.len() > 1)
        {
            self.bytes -= self
                .requests
                .pop_front()
                .map_or(0, |oldest| oldest.size_bytes);
        }
        self.count
    }

    /// The reply to a request, and who gave it.
    fn reply(&mut self, asked: &Asked) -> (Reply, &'static str) {
        match self
            .script
            .as_mut()
            .and_then(|script| script.take(&asked.last_user))
        {
            Some(reply) => (reply, "script"),
            None => (rules::reply(asked), "rules"),
        }
    }
}

/// `POST /v1/chat/completions`.
async fn complete(State(model): State<Arc<Model>>, bytes: Bytes) -> Response {
    let now_ms = (model.now_ms)();
    let (body, asked) = read(&bytes);
    let (reply, asked, number) = {
        let mut desk = model.desk();
        match asked {
            Ok(asked) => {
                let (reply, answered_by) = desk.reply(&asked);
                let number = desk.log(now_ms, answered_by, body, bytes.len());
                (reply, asked, number)
            }
            Err(refusal) => {
                desk.log(now_ms, "refused", body, bytes.len());
                return wire::refuse_request(&refusal);
            }
        }
    };
    let head = wire::Head::new(number, now_ms, &asked);
    wire::answer(reply, head, &asked).await
}

/// The body as JSON, or as a string when it is none, with what it asks for.
fn read(bytes: &[u8]) -> (Value, Result<Asked, Refusal>) {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(body) => {
            let asked = Asked::read(&body);
            (body, asked)
        }
        Err(error) => {
            let message = format!("We could not parse the JSON body of your request: {error}.");
            (
                json!(String::from_utf8_lossy(bytes)),
                Err(Refusal {
                    message,
                    param: None,
                }),
            )
        }
    }
}

/// `GET /v1/models`: one name, though any is served.
async fn models() -> Json<Value> {
    let model = json!({"id": "nightjar-rules", "object": "model", "created": 1_767_225_600, "owned_by": "nightjar-sandbox"});
    Json(json!({"object": "list", "data": [model]}))
}

/// `POST /sandbox/model`.
async fn set_script(State(model): State<Arc<Model>>, body: Bytes) -> Response {
    match Script::read(&body) {
        Ok(script) => {
            let replies = script.replies.len();
            model.desk().script = Some(script);
            Json(json!({"replies": replies})).into_response()
        }
        Err(problem) => {
            let error = format!("cannot use this script: {problem}");
            (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
        }
    }
}

/// `GET /sandbox/model/requests?since=`, oldest first.
async fn requests(
    State(model): State<Arc<Model>>,
    Ask(Since { since }): Ask<Since>,
) -> Json<Value> {
    let requests: Vec<Logged> = model
        .desk()
        .requests
        .iter()
        .filter(|request| request.at_ms >= since)
        .cloned()
        .collect();
    Json(json!({"requests": requests}))
}

#[cfg(test)]
mod tests;
