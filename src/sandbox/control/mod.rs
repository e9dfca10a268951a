//! The control API: what people do, what they see, and trouble on order.
//!
//! Its shapes are a contract (design, section 9). An error is 400 or 404 with one sentence.

mod alerts;
mod chats;
mod clicks;
mod direct;
mod files;
mod forward;
mod group;
mod look;
mod marks;
mod people;
mod standing;
mod webhook;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequestParts, Query, State},
    http::{Method, StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{faults::FaultSettings, hub::Hub, refusal::Refusal, world::World};

/// How far the clock moves at once. What is longer is a mistake, such as a point in time.
const ADVANCE_MS_MAX: i64 = 366 * 24 * 60 * 60 * 1000;

/// One sentence for whoever asked wrongly.
#[derive(Debug)]
pub(super) struct Wrong(StatusCode, String);

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

/// A name finds a person only where no other has it.
fn nobody(world: &World, named: &str) -> Wrong {
    match world.users.iter().filter(|user| user.name == named).count() {
        0 => missing("user", named),
        many => bad(format!(
            "{many} users are called {named:?}, so an open_id is needed"
        )),
    }
}

/// An empty body is an empty object, so that `curl -X POST` works.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    let body: &[u8] = if body.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        body
    };
    // An array would do for serde, member by member.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body is not a JSON object"));
    }
    serde_json::from_slice(body)
        .map_err(|error| bad(format!("the body is not understood: {error}")))
}

/// The query, read strictly: a member that is misspelt would otherwise choose nothing.
pub(super) struct Ask<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Ask<T> {
    type Rejection = Wrong;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Wrong> {
        let read = Query::try_from_uri(&parts.uri);
        read.map(|Query(query)| Self(query)).map_err(|rejection| {
            let text = rejection.body_text();
            let (_, reason) = text.split_once(": ").unwrap_or(("", &text));
            bad(format!("the query is not understood: {reason}"))
        })
    }
}

async fn unknown(method: Method, uri: Uri) -> Wrong {
    let sentence = format!("there is no {method} {}", uri.path());
    Wrong(StatusCode::NOT_FOUND, sentence)
}

/// Everything under `/sandbox` except the model's and the page's.
pub(super) fn router(hub: Hub) -> Router {
    Router::new()
        .route("/sandbox/state", get(look::state))
        .route("/sandbox/users", post(people::add_user))
        .route("/sandbox/users/{user}", post(standing::change))
        .route("/sandbox/chats", post(chats::add))
        .route("/sandbox/chats/{chat_id}", get(group::get))
        .route("/sandbox/chats/{chat_id}/join", post(chats::join))
        .route("/sandbox/chats/{chat_id}/leave", post(chats::leave))
        .route(
            "/sandbox/chats/{chat_id}/members",
            post(chats::change_members),
        )
        .route("/sandbox/chats/{chat_id}/rename", post(chats::rename))
        .route("/sandbox/chats/{chat_id}/dissolve", post(chats::dissolve))
        .route("/sandbox/enter", post(direct::enter))
        .route("/sandbox/menu", post(direct::press))
        .route("/sandbox/messages", post(people::say).get(look::messages))
        .route("/sandbox/messages/forward", post(forward::forward))
        .route(
            "/sandbox/files",
            post(files::add).layer(DefaultBodyLimit::max(files::UPLOAD_BYTES_MAX)),
        )
        .route("/sandbox/files/{key}", get(files::get))
        .route("/sandbox/messages/{message_id}/edit", post(people::edit))
        .route(
            "/sandbox/messages/{message_id}/recall",
            post(people::recall),
        )
        .route(
            "/sandbox/messages/{message_id}/reactions",
            post(people::react),
        )
        .route("/sandbox/messages/{message_id}/pin", post(marks::pin))
        .route("/sandbox/messages/{message_id}/link", post(marks::link))
        .route(
            "/sandbox/messages/{message_id}/confirm",
            post(marks::confirm),
        )
        .route("/sandbox/clicks", post(clicks::click))
        .route("/sandbox/calls", get(calls))
        .route("/sandbox/deliveries", get(deliveries))
        .route("/sandbox/faults", post(faults).get(faults_now))
        .route("/sandbox/webhook", post(webhook::set).get(webhook::get))
        .route("/sandbox/alerts", post(alerts::fire).get(alerts::offered))
        .route("/sandbox/alerts/to", post(alerts::send_to))
        .route("/sandbox/clock", post(advance))
        .route("/sandbox/{*path}", any(unknown))
        .method_not_allowed_fallback(unknown)
        .with_state(hub)
}

/// `?since=`: what happened at this time or later; without it, everything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    #[serde(default)]
    pub(super) since: i64,
}

/// `GET /sandbox/calls`
async fn calls(State(hub): State<Hub>, Ask(Since { since }): Ask<Since>) -> Json<Value> {
    Json(json!({"calls": hub.calls.since(since)}))
}

/// `GET /sandbox/deliveries`
async fn deliveries(State(hub): State<Hub>, Ask(Since { since }): Ask<Since>) -> Json<Value> {
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
    if !(0..=ADVANCE_MS_MAX).contains(&advance_ms) {
        return Err(bad(format!(
            "the clock goes forward only, by {ADVANCE_MS_MAX} ms (a year) at most at once"
        )));
    }
    hub.clock.advance(advance_ms);
    Ok(Json(json!({"now_ms": hub.clock.now_ms()})))
}
