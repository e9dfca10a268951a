//! The chat page: plain HTML, CSS and JavaScript modules, compiled in and served as they are.
//!
//! There is no build step and nothing is fetched from elsewhere, so the page works on a machine
//! without internet, and under a content security policy that allows nothing inline.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// What the page may do: its own files and its own server, nothing else and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Every file of the page: its path, its type, its text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("page.html")),
    ("/page.css", CSS, include_str!("page.css")),
    ("/page.js", SCRIPT, include_str!("page.js")),
    ("/page/alerts.js", SCRIPT, include_str!("alerts.js")),
    ("/page/api.js", SCRIPT, include_str!("api.js")),
    ("/page/card.js", SCRIPT, include_str!("card.js")),
    ("/page/composer.js", SCRIPT, include_str!("composer.js")),
    ("/page/dom.js", SCRIPT, include_str!("dom.js")),
    ("/page/files.js", SCRIPT, include_str!("files.js")),
    ("/page/emoji.js", SCRIPT, include_str!("emoji.js")),
    ("/page/group.js", SCRIPT, include_str!("group.js")),
    ("/page/markdown.js", SCRIPT, include_str!("markdown.js")),
    ("/page/marks.js", SCRIPT, include_str!("marks.js")),
    ("/page/messages.js", SCRIPT, include_str!("messages.js")),
    ("/page/post.js", SCRIPT, include_str!("post.js")),
    ("/page/typing.js", SCRIPT, include_str!("typing.js")),
    ("/page/words.js", SCRIPT, include_str!("words.js")),
    ("/page/world.js", SCRIPT, include_str!("world.js")),
    ("/page/icon.svg", SVG, include_str!("icon.svg")),
];

/// Serves `GET /` and everything that the page loads, at `/page.css`, `/page.js` and `/page/…`.
pub(super) fn router() -> Router {
    FILES
        .iter()
        .fold(Router::new(), |router, &(path, content_type, body)| {
            router.route(path, get(async move || file(content_type, body)))
        })
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

#[cfg(test)]
mod tests;
