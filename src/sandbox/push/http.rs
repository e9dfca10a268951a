//! Discovery and the upgrade: how a client gets a connection, or is told why not.
//!
//! Discovery always answers HTTP 200 with a code of its own; a refused upgrade speaks through the
//! headers `Handshake-Status`, `Handshake-Msg` and `Handshake-Autherrcode`.

use axum::{
    Json, Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::info;

use super::{Push, owner::Command, ticket::Ticket};

/// Wrong credentials, and what an upgrade without a good ticket is told.
const AUTH_FAILED: i64 = 514;
/// Beside `Handshake-Status: 514`: too many connections.
const TOO_MANY_CONNECTIONS: i64 = 1_000_040_350;
/// Beside `Handshake-Status: 514` for a ticket that is not good; the real number is not documented,
/// only that it is another than [`TOO_MANY_CONNECTIONS`]. The python SDK needs one to be there.
const BAD_TICKET: i64 = 514;

/// Why an upgrade is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The ticket was never handed out, or has been used.
    BadTicket,
    /// The app has as many connections as it may have.
    TooManyConnections,
}

/// The two routes with their state.
pub(super) fn router(push: Push) -> Router {
    Router::new()
        .route("/callback/ws/endpoint", post(discover))
        .route("/ws/v2", get(upgrade))
        .with_state(push)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    #[serde(rename = "AppID")]
    app_id: String,
    app_secret: String,
}

/// `POST /callback/ws/endpoint`.
async fn discover(State(push): State<Push>, headers: HeaderMap, body: Bytes) -> Response {
    let faults = push.faults.get();
    if let Some(status) = faults.discovery_status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, "upstream error").into_response();
    }
    if let Some(code) = faults.discovery_code {
        return refused(code).into_response();
    }
    let Ok(credentials) = serde_json::from_slice::<Credentials>(&body) else {
        return (StatusCode::BAD_REQUEST, refused(9499)).into_response();
    };
    // The client comes back by the name under which it found us, whatever port that was.
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let Some(host) = host else {
        return (StatusCode::BAD_REQUEST, refused(9499)).into_response();
    };
    if credentials.app_id != push.app.app_id || credentials.app_secret != push.app.app_secret {
        info!("discovery refused an app id or a secret that is not this sandbox's");
        return refused(AUTH_FAILED).into_response();
    }
    let (reply, ticket) = oneshot::channel();
    // When the owner is gone, `reply` is dropped with the order.
    let _ = push.inbox.send(Command::IssueTicket(reply)).await;
    let Ok(ticket) = ticket.await else {
        return refused(1).into_response();
    };
    Json(json!({
        "code": 0,
        "msg": "ok",
        "data": {
            "URL": format!("ws://{host}/ws/v2?{}", ticket.query()),
            "ClientConfig": faults.client_config,
        },
    }))
    .into_response()
}

/// The envelope of a refusal, with the words the SDKs know for its code.
fn refused(code: i64) -> Json<Value> {
    let msg = match code {
        1 => "system busy",
        403 => "forbidden",
        AUTH_FAILED => "auth failed",
        9499 => "bad request",
        1_000_040_343 => "internal error",
        TOO_MANY_CONNECTIONS => "the number of connections exceeded the limit",
        1_000_040_351 => "Incorrect domain name",
        _ => "refused",
    };
    Json(json!({"code": code, "msg": msg}))
}

/// `GET /ws/v2`.
async fn upgrade(State(push): State<Push>, mut request: Request) -> Response {
    let accept = match accept_key(request.method(), request.headers()) {
        Ok(accept) => accept,
        Err(response) => return *response,
    };
    let faults = push.faults.get();
    if let Some(status) = faults.upgrade_status {
        let autherrcode = faults.upgrade_autherrcode.unwrap_or(0);
        return shown_out(i64::from(status), "refused by the faults", autherrcode);
    }
    let (reply, answer) = oneshot::channel();
    let open = Command::Open {
        // A query that cannot be read is a ticket that was never handed out.
        ticket: Query::try_from_uri(request.uri()).map_or_else(|_| Ticket::default(), |it| it.0),
        upgrade: hyper::upgrade::on(&mut request),
        reply,
    };
    // When the owner is gone, `reply` is dropped with the order.
    let _ = push.inbox.send(open).await;
    match answer.await {
        Ok(Ok(())) => Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, accept)
            .body(Body::empty())
            .expect("the accept key is base64, and so a header value"),
        Ok(Err(Refusal::BadTicket)) => shown_out(AUTH_FAILED, "auth failed", BAD_TICKET),
        Ok(Err(Refusal::TooManyConnections)) => {
            shown_out(AUTH_FAILED, "too many connections", TOO_MANY_CONNECTIONS)
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What the server answers to the client's key, when this is a WebSocket handshake of version 13.
fn accept_key(method: &Method, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let has = |name: header::HeaderName, word: &str| {
        let values = headers.get_all(name).into_iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    match key {
        Some(key)
            if method == Method::GET
                && has(header::CONNECTION, "upgrade")
                && has(header::UPGRADE, "websocket")
                && has(header::SEC_WEBSOCKET_VERSION, "13") =>
        {
            Ok(derive_accept_key(key.as_bytes()))
        }
        _ => {
            let headers = [
                (header::UPGRADE, "websocket"),
                (header::SEC_WEBSOCKET_VERSION, "13"),
            ];
            let response = (
                StatusCode::UPGRADE_REQUIRED,
                headers,
                "not a WebSocket handshake",
            );
            Err(Box::new(response.into_response()))
        }
    }
}

/// A refused upgrade. The HTTP status is not documented; clients read the headers.
fn shown_out(status: i64, msg: &'static str, autherrcode: i64) -> Response {
    let http = match status {
        403 => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let headers = [
        ("Handshake-Status", status.to_string()),
        ("Handshake-Msg", msg.to_owned()),
        ("Handshake-Autherrcode", autherrcode.to_string()),
    ];
    (http, headers, msg).into_response()
}
