//! The chat page: one HTML file, one stylesheet, one script, compiled in and served as they are.
//!
//! There is no build step and nothing is fetched from elsewhere, so the page works on a machine
//! without internet, and under a content security policy that allows nothing inline.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// What the page may do: its own files and its own server, nothing else and nothing inline.
///
/// `img-src data:` is for the icon; there are no other pictures.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves `GET /`, `GET /page.css` and `GET /page.js`.
pub(super) fn router() -> Router {
    Router::new()
        .route(
            "/",
            get(async || file("text/html; charset=utf-8", include_str!("page.html"))),
        )
        .route(
            "/page.css",
            get(async || file("text/css; charset=utf-8", include_str!("page.css"))),
        )
        .route(
            "/page.js",
            get(async || file("text/javascript; charset=utf-8", include_str!("page.js"))),
        )
}

/// One compiled-in file with its headers.
fn file(content_type: &'static str, body: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A new binary serves new files under the same names.
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, body)
}
