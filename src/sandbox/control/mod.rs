//! The control API: what people do, what they see, and trouble on order.
//!
//! Its shapes are a contract (design, section 9). An error is 400 or 404 with one sentence.

mod chats;
mod clicks;
mod look;
mod people;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{faults::FaultSettings, hub::Hub, refusal::Refusal};

/// One sentence for whoever asked wrongly.
#[derive(Debug)]
struct Wrong(StatusCode, String);

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

/// What the platform refuses, people cannot do either.
impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        bad(format!("{} ({})", refusal.msg, refusal.code))
    }
}

type Told = Result<Json<Value>, Wrong>;

fn bad(sentence: impl Into<String>) -> Wrong {
    Wrong(StatusCode::BAD_REQUEST, sentence.into())
}

fn missing(what: &str, id: &str) -> Wrong {
    Wrong(StatusCode::NOT_FOUND, format!("there is no {what} {id:?}"))
}

/// An empty body is an empty object, so that `curl -X POST` works.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    let body: &[u8] = if body.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        body
    };
    serde_json::from_slice(body)
        .map_err(|error| bad(format!("the body is not understood: {error}")))
}

/// Everything under `/sandbox` except the model's and the page's.
pub(super) fn router(hub: Hub) -> Router {
    Router::new()
        .route("/sandbox/state", get(look::state))
        .route("/sandbox/users", post(people::add_user))
        .route("/sandbox/chats", post(chats::add))
        .route(
            "/sandbox/chats/{chat_id}/members",
            post(chats::change_members),
        )
        .route("/sandbox/chats/{chat_id}/dissolve", post(chats::dissolve))
        .route("/sandbox/messages", post(people::say).get(look::messages))
        .route("/sandbox/messages/{message_id}/edit", post(people::edit))
        .route(
            "/sandbox/messages/{message_id}/recall",
            post(people::recall),
        )
        .route(
            "/sandbox/messages/{message_id}/reactions",
            post(people::react),
        )
        .route("/sandbox/clicks", post(clicks::click))
        .route("/sandbox/calls", get(calls))
        .route("/sandbox/deliveries", get(deliveries))
        .route("/sandbox/faults", post(faults).get(faults_now))
        .route("/sandbox/clock", post(advance))
        .with_state(hub)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: i64,
}

/// `GET /sandbox/calls`
async fn calls(State(hub): State<Hub>, Query(Since { since }): Query<Since>) -> Json<Value> {
    Json(json!({"calls": hub.calls.since(since)}))
}

/// `GET /sandbox/deliveries`
async fn deliveries(State(hub): State<Hub>, Query(Since { since }): Query<Since>) -> Json<Value> {
    Json(json!({"deliveries": hub.push.deliveries(since)}))
}

/// `POST /sandbox/faults`: replaces the trouble whole, so `{}` clears it.
async fn faults(State(hub): State<Hub>, body: Bytes) -> Told {
    hub.faults.set(read::<FaultSettings>(&body)?);
    Ok(Json(json!(hub.faults.get())))
}

/// `GET /sandbox/faults`
async fn faults_now(State(hub): State<Hub>) -> Json<Value> {
    Json(json!(hub.faults.get()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

/// `POST /sandbox/clock`
async fn advance(State(hub): State<Hub>, body: Bytes) -> Told {
    let Advance { advance_ms } = read(&body)?;
    if advance_ms < 0 {
        return Err(bad("the clock goes forward only"));
    }
    hub.clock.advance(advance_ms);
    Ok(Json(json!({"now_ms": hub.clock.now_ms()})))
}
