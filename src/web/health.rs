//! Whether the bot lives, whether it can work, and its numbers.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::json;
use tokio::sync::watch;

use crate::{config::Intake, feishu::ws::Link, store::Store, telemetry::Metrics};

/// What the answers are made from.
#[derive(Clone)]
pub struct Health {
    /// How events come.
    pub intake: Intake,
    /// How the long connection is doing, where there is one.
    pub link: watch::Receiver<Link>,
    /// Whether events can be kept.
    pub store: Store,
    /// The numbers of `/metrics`.
    pub metrics: Metrics,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub(super) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// 200 when a question would be received and kept, 503 with the reason when not. Whoever takes posts can be
/// reached as soon as this is answered, as far as can be known from here.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let connected = health.intake.is_posted_to() || matches!(*health.link.borrow(), Link::Up);
    let writable = health.store.is_writable();
    let status = if connected && writable {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(
            json!({ "connected": connected, "store_writable": writable, "events": health.intake }),
        ),
    )
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([("content-type", kind)], health.metrics.render())
}
