//! A scripted platform on a local port, for this folder's tests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::Client;
use crate::{config::FeishuConfig, telemetry::Metrics};

/// What to answer to one request.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Answer,
}

enum Answer {
    Text(String),
    Cut,
    Hang,
}

impl Reply {
    fn new(status: u16, body: Answer) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// A whole body.
    pub(super) fn ok(body: Value) -> Self {
        Self::new(200, Answer::Text(body.to_string()))
    }

    /// A whole body, as it was recorded.
    pub(super) fn with_status(status: u16, body: &Value) -> Self {
        Self::new(status, Answer::Text(body.to_string()))
    }

    /// Success with this result.
    pub(super) fn data(data: Value) -> Self {
        Self::ok(json!({"code": 0, "msg": "success", "data": data}))
    }

    /// A refusal.
    pub(super) fn refusal(status: u16, code: i64) -> Self {
        let body = json!({"code": code, "msg": "refused"});
        Self::new(status, Answer::Text(body.to_string()))
    }

    /// The connection ends in the middle of the answer.
    pub(super) fn cut() -> Self {
        Self::new(200, Answer::Cut)
    }

    /// No answer, ever.
    pub(super) fn hang() -> Self {
        Self::new(200, Answer::Hang)
    }

    /// The same with a header.
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    async fn send(self) -> Response {
        let body = match self.body {
            Answer::Text(text) => Body::from(text),
            Answer::Cut => Body::from_stream(futures::stream::iter([
                Ok("{"),
                Err(std::io::Error::other("cut by the test")),
            ])),
            Answer::Hang => futures::future::pending().await,
        };
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body).unwrap()
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Method and path.
    pub(super) what: String,
    pub(super) query: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Value,
    /// The body as text, whatever it is.
    pub(super) raw: String,
}

#[derive(Default)]
struct Script {
    replies: HashMap<String, Vec<Reply>>,
    seen: Vec<Seen>,
}

/// The platform, which answers what it was told to and remembers what it was asked.
pub(super) struct Platform {
    base_url: String,
    script: Arc<Mutex<Script>>,
    _server: AbortOnDropHandle<()>,
}

impl Platform {
    /// Listens on a free port. Tokens are given without being told; anything else is answered 404.
    pub(super) async fn start() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let router = Router::new().fallback(answer).with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            base_url,
            script,
            _server: AbortOnDropHandle::new(server),
        }
    }

    /// A configuration that leads here.
    pub(super) fn config(&self) -> FeishuConfig {
        FeishuConfig {
            base_url: Some(self.base_url.clone()),
            app_id: "cli_test".into(),
            app_secret: "s3cret".into(),
            ..FeishuConfig::default()
        }
    }

    /// A client that calls here.
    pub(super) fn client(&self) -> Client {
        Client::new(&self.config(), Metrics::default()).unwrap()
    }

    /// Adds answers for requests to `what` ("GET /path"), to be given in order.
    pub(super) fn will(&self, what: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut script = self.script.lock().unwrap();
        script
            .replies
            .entry(what.into())
            .or_default()
            .extend(replies);
    }

    /// The requests to `what` so far.
    pub(super) fn seen(&self, what: &str) -> Vec<Seen> {
        let script = self.script.lock().unwrap();
        script
            .seen
            .iter()
            .filter(|seen| seen.what == what)
            .cloned()
            .collect()
    }

    /// The usual token.
    pub(super) fn token() -> Reply {
        Reply::ok(json!({"code": 0, "msg": "ok", "tenant_access_token": "t-test", "expire": 7200}))
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let what = format!("{} {}", head.method, head.uri.path());
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let authorization = head.headers.get("authorization");
    let seen = Seen {
        what: what.clone(),
        query: head.uri.query().unwrap_or_default().into(),
        authorization: authorization.map(|value| value.to_str().unwrap().into()),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        raw: String::from_utf8_lossy(&body).into_owned(),
    };
    let reply = {
        let mut script = script.lock().unwrap();
        script.seen.push(seen);
        let replies = script.replies.entry(what.clone()).or_default();
        match replies.is_empty() {
            false => replies.remove(0),
            true if what.ends_with("/tenant_access_token/internal") => Platform::token(),
            true => Reply::refusal(404, 99991201),
        }
    };
    reply.send().await
}
