//! What the page listens to: one line of news for everything that changes, as server-sent events.
//!
//! News carry ids and no content; the page reads the rest from `GET /sandbox/messages`. A page too
//! slow for the bounded channel is told that "everything" changed, so it reads again.

use std::convert::Infallible;

use axum::{
    Router,
    response::sse::{Event, KeepAlive, Sse},
    routing::get,
};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::sync::broadcast;

/// How many news a page may be behind before it is told to read everything again.
const NEWS_MAX: usize = 1024;

/// One thing that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct News {
    /// `message`, `reaction`, `card`, `chat`, `user`, `connection`, or `everything`.
    pub(super) kind: &'static str,
    /// The chat it happened in, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chat_id: Option<String>,
    /// The message that changed, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
}

/// Spreads the news to every page that listens.
#[derive(Debug, Clone)]
pub(super) struct Live(broadcast::Sender<News>);

impl Live {
    /// A channel that nobody listens to yet.
    pub(super) fn new() -> Self {
        Self(broadcast::channel(NEWS_MAX).0)
    }

    /// Tells every page; with no page there is nobody to tell, which is fine.
    pub(super) fn tell(&self, news: News) {
        let _ = self.0.send(news);
    }

    /// `GET /sandbox/live`.
    pub(super) fn router(&self) -> Router {
        let live = self.clone();
        Router::new().route(
            "/sandbox/live",
            get(move || {
                let news = live.0.subscribe();
                async move { Sse::new(events(news)).keep_alive(KeepAlive::default()) }
            }),
        )
    }
}

fn events(
    receiver: broadcast::Receiver<News>,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(receiver, |mut receiver| async move {
        let news = match receiver.recv().await {
            Ok(news) => news,
            Err(broadcast::error::RecvError::Lagged(_)) => News {
                kind: "everything",
                ..News::default()
            },
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        let event = Event::default()
            .json_data(news)
            .expect("news are strings, which always serialize");
        Some((Ok(event), receiver))
    })
}
