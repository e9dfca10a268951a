//! A model's server for tests: says what it was told to, in pieces of seven bytes, so that cuts fall
//! inside of characters and of JSON. Refuses a conversation that is not well formed, as real ones do.

use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
    routing::post,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use crate::config::ModelConfig;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// The body ends in good order.
    Close,
    /// The connection is cut.
    Abort,
    /// Nothing more comes, and the connection stays.
    Hang,
    /// Not even a head comes.
    Silence,
}

impl Reply {
    /// A body that is no stream.
    pub(crate) fn raw(status: u16, kind: &str, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body: body.into(),
            end: End::Close,
        }
    }

    /// A stream of these lines, as they are.
    pub(crate) fn lines(lines: &str) -> Self {
        Self::raw(200, "text/event-stream; charset=utf-8", lines)
    }

    /// A stream of these chunks, without an end.
    pub(crate) fn chunks(chunks: &[Value]) -> Self {
        let lines: String = chunks
            .iter()
            .map(|chunk| format!("data: {chunk}\n\n"))
            .collect();
        Self::lines(&lines)
    }

    /// A complete answer in words.
    pub(crate) fn says(words: &[&str]) -> Self {
        let mut chunks: Vec<Value> = vec![piece(json!({"role": "assistant", "content": ""}))];
        chunks.extend(words.iter().map(|word| piece(json!({"content": word}))));
        Self::ending(chunks, "stop")
    }

    /// A complete answer of words and then calls, each an id, a name, and arguments.
    pub(crate) fn calls(words: &str, calls: &[(&str, &str, &str)]) -> Self {
        let mut chunks = vec![piece(json!({"content": words}))];
        for (index, (id, name, arguments)) in calls.iter().enumerate() {
            let call = json!({"index": index, "id": id, "function": {"name": name, "arguments": arguments}});
            chunks.push(piece(json!({"tool_calls": [call]})));
        }
        Self::ending(chunks, "tool_calls")
    }

    /// These chunks, and then an end with this reason, and 10 + 5 tokens.
    pub(crate) fn ending(mut chunks: Vec<Value>, reason: &str) -> Self {
        chunks.push(json!({"choices": [{"delta": {}, "finish_reason": reason}]}));
        chunks.push(json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}));
        let mut reply = Self::chunks(&chunks);
        reply.body.extend_from_slice(b"data: [DONE]\n\n");
        reply
    }

    /// No answer at all.
    pub(crate) fn silence() -> Self {
        let mut reply = Self::lines("");
        reply.end = End::Silence;
        reply
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same, but nothing comes after it.
    pub(crate) fn then_hangs(mut self) -> Self {
        self.end = End::Hang;
        self
    }

    /// The same, and then the connection is cut.
    pub(crate) fn then_aborts(mut self) -> Self {
        self.end = End::Abort;
        self
    }
}

/// A chunk with this delta.
pub(crate) fn piece(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

/// The server. It ends with this value.
pub(crate) struct FakeModel {
    url: String,
    script: Arc<Script>,
    server: JoinHandle<()>,
}

struct Script {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<(HeaderMap, Value)>>,
    /// A permit for each request that was taken in.
    asked: Semaphore,
    /// A permit for each reply that hung and was let go of by the client.
    let_go: Semaphore,
}

impl FakeModel {
    /// A server that gives these replies in turn, and then HTTP 599.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Arc::new(Script {
            replies: Mutex::new(replies.into_iter().collect()),
            requests: Mutex::default(),
            asked: Semaphore::new(0),
            let_go: Semaphore::new(0),
        });
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .with_state(script.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            script,
            server,
        }
    }

    /// A configuration whose timeouts are out of the way.
    pub(crate) fn config(&self) -> ModelConfig {
        ModelConfig {
            base_url: self.url.clone(),
            api_key: "s3cret".into(),
            name: "fake".into(),
            ..ModelConfig::default()
        }
    }

    /// The bodies of all requests.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let requests = self.script.requests.lock().unwrap();
        requests.iter().map(|(_, body)| body.clone()).collect()
    }

    /// The heads of all requests.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        let requests = self.script.requests.lock().unwrap();
        requests.iter().map(|(head, _)| head.clone()).collect()
    }

    /// Waits for a request.
    pub(crate) async fn is_asked(&self) {
        self.script.asked.acquire().await.unwrap().forget();
    }

    /// Waits until the client has let go of a reply that hung.
    pub(crate) async fn is_let_go(&self) {
        self.script.let_go.acquire().await.unwrap().forget();
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(script): State<Arc<Script>>,
    head: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Infallible> {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let complaint = what_is_wrong(&body);
    script.requests.lock().unwrap().push((head, body));
    script.asked.add_permits(1);
    let reply = match complaint {
        Some(complaint) => Reply::raw(400, "text/plain", &complaint),
        None => {
            let next = script.replies.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Reply::raw(599, "text/plain", "the script is at its end"))
        }
    };

    let guard = LetGo(script.clone());
    if reply.end == End::Silence {
        let () = std::future::pending().await;
    }
    let bytes: Vec<io::Result<Bytes>> = reply
        .body
        .chunks(7)
        .map(|bytes| Ok(Bytes::copy_from_slice(bytes)))
        .collect();
    let end = stream::once(async move {
        match reply.end {
            End::Close => {
                std::mem::forget(guard);
                Ok(Bytes::new())
            }
            End::Abort => Err(io::Error::other("cut")),
            End::Hang | End::Silence => std::future::pending().await,
        }
    });
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    // A yield between the pieces, so that they leave one by one.
    let body = stream::iter(bytes).chain(end).then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    Ok(response.body(Body::from_stream(body)).unwrap())
}

/// Tells that the client has gone.
struct LetGo(Arc<Script>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.let_go.add_permits(1);
    }
}

/// Every call needs one result right after it, every result a call, and arguments have to be JSON.
fn what_is_wrong(body: &Value) -> Option<String> {
    let mut open: HashSet<String> = HashSet::new();
    for message in body["messages"].as_array()? {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            if !open.remove(id) {
                return Some(format!("a result for {id}, which is not called"));
            }
            continue;
        }
        if !open.is_empty() {
            return Some(format!("no result for {open:?}"));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            if !serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object()) {
                return Some(format!("arguments that are not an object: {arguments}"));
            }
            if !open.insert(call["id"].as_str().unwrap_or_default().to_owned()) {
                return Some("two calls with one id".into());
            }
        }
    }
    (!open.is_empty()).then(|| format!("no result for {open:?}"))
}
