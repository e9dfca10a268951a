//! async-openai, held to what we want of it.
//!
//! Left alone it reads OPENAI_* variables, panics on a key with a line break, obeys any Retry-After,
//! loses the status of an error that it cannot parse, takes a body that is not a stream for an empty
//! answer, and buffers without a bound (`dependencies.md`, section 5). So it gets our configuration, our
//! chunks, and a service of ours under it that lets only streams pass.

use std::{error::Error as _, time::Duration};

use async_openai::{Client, error::OpenAIError, middleware::HttpRequestFactory};
use bytes::Bytes;
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use reqwest::{
    Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Error, SetupError, chunk::Chunk, error};
use crate::config::ModelConfig;

/// How many bytes of a refusal are read.
const REFUSAL_BYTES_MAX: usize = 4 * 1024;
/// How many bytes an answer may have on the wire, whether streamed or not. The reader's queue inside
/// async-openai has no bound of its own.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The chunks of an answer. Dropping it closes the connection.
pub(super) type Chunks = BoxStream<'static, Result<Chunk, Error>>;

/// Why an answer could not be opened.
pub(super) enum NotOpened {
    /// The server said no, in these words. They may be of use before they are dropped.
    Refused { body: String, error: Error },
    /// Anything else.
    Failed(Error),
}

/// A connection to the server of a model.
#[derive(Clone)]
pub(super) struct Provider {
    client: Client<Address>,
}

impl Provider {
    pub(super) fn new(config: &ModelConfig) -> Result<Self, SetupError> {
        let address = Address::new(config)?;
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("nightjar/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            // A redirect turns POST into GET, and a model's address has no business elsewhere.
            .redirect(reqwest::redirect::Policy::none());
        if address.is_on_this_machine() {
            http = http.no_proxy();
        }
        let http = http
            .build()
            .map_err(|error| SetupError(root_cause(&error)))?;
        let service = {
            let http = http.clone();
            tower::service_fn(move |factory| ask(http.clone(), factory))
        };
        let client = Client::build(http, address).with_http_service(service);
        Ok(Self { client })
    }

    /// Sends a request whose body asks for a stream.
    pub(super) async fn open(&self, body: &Value) -> Result<Chunks, NotOpened> {
        let opened = self
            .client
            .chat()
            .create_stream_byot::<_, Chunk>(body)
            .await;
        match opened {
            Ok(chunks) => Ok(chunks.map_err(broken).boxed()),
            Err(OpenAIError::Boxed(other)) => match other.downcast::<NotAStream>() {
                Ok(answer) => answer.read(),
                Err(_) => Err(NotOpened::Failed(Error::Garbled(
                    "an unknown failure".into(),
                ))),
            },
            Err(OpenAIError::Reqwest(error)) => {
                Err(NotOpened::Failed(Error::Unreachable(root_cause(&error))))
            }
            // What the others would say quotes the server.
            Err(_) => Err(NotOpened::Failed(Error::Garbled("not a stream".into()))),
        }
    }
}

/// Where the server is and what it wants to see.
#[derive(Clone)]
struct Address {
    base: String,
    key: SecretString,
    headers: HeaderMap,
}

impl Address {
    fn new(config: &ModelConfig) -> Result<Self, SetupError> {
        let base = config.base_url.trim().trim_end_matches('/');
        // People copy the whole address of the call.
        let base = base.trim_end_matches("/chat/completions").to_owned();
        if reqwest::Url::parse(&base).is_err() {
            return Err(SetupError("model.base_url is not an address".into()));
        }
        let key = config.api_key.expose_secret().trim();
        let mut headers = HeaderMap::new();
        if !key.is_empty() {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| {
                SetupError("model.api_key has characters that a key cannot have".into())
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self {
            base,
            key: key.into(),
            headers,
        })
    }

    fn is_on_this_machine(&self) -> bool {
        let url = reqwest::Url::parse(&self.base).ok();
        let host = url
            .as_ref()
            .and_then(|url| url.host_str())
            .unwrap_or_default();
        host == "localhost" || host == "[::1]" || host.starts_with("127.")
    }
}

impl async_openai::config::Config for Address {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// An answer that async-openai must not see.
#[derive(Debug, thiserror::Error)]
#[error("HTTP {status}")]
struct NotAStream {
    status: u16,
    wait: Option<Duration>,
    body: Vec<u8>,
}

impl NotAStream {
    /// A success is a whole answer at once, from a server that does not stream; the rest are refusals.
    fn read(self) -> Result<Chunks, NotOpened> {
        if (200..300).contains(&self.status) {
            let chunk = serde_json::from_slice::<Chunk>(&self.body).map_err(|_| {
                NotOpened::Failed(Error::Garbled("neither a stream nor JSON".into()))
            })?;
            return Ok(stream::iter([Ok(chunk)]).boxed());
        }
        Err(NotOpened::Refused {
            body: String::from_utf8_lossy(&self.body).into_owned(),
            error: error::said_by_http(self.status, self.wait, &self.body),
        })
    }
}

/// Sends one request, once, and lets a response pass only if it is a stream of events.
async fn ask(http: reqwest::Client, factory: HttpRequestFactory) -> Result<Response, OpenAIError> {
    let response = http.execute(factory.build().await?).await?;
    let ok = response.status().is_success();
    if ok && is_event_stream(&response) {
        return Ok(bounded(response));
    }
    let status = response.status().as_u16();
    let wait = asked_to_wait(response.headers(), Timestamp::now());
    let bytes_max = if ok {
        ANSWER_BYTES_MAX
    } else {
        REFUSAL_BYTES_MAX
    };
    let body = read_at_most(response, bytes_max).await?;
    Err(OpenAIError::Boxed(Box::new(NotAStream {
        status,
        wait,
        body,
    })))
}

fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("text/event-stream")
}

/// The same response, whose body breaks off when it is longer than any answer.
fn bounded(response: Response) -> Response {
    let status = response.status();
    let headers = response.headers().clone();
    let body = reqwest::Body::wrap_stream(at_most(response.bytes_stream(), ANSWER_BYTES_MAX));
    let mut bounded = hyper::Response::new(body);
    *bounded.status_mut() = status;
    *bounded.headers_mut() = headers;
    bounded.into()
}

fn at_most<E: std::error::Error + Send + Sync + 'static>(
    bytes: impl Stream<Item = Result<Bytes, E>>,
    bytes_max: usize,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let mut seen = 0;
    bytes.map_err(std::io::Error::other).and_then(move |bytes| {
        seen += bytes.len();
        let fits = seen <= bytes_max;
        async move {
            fits.then_some(bytes)
                .ok_or_else(|| std::io::Error::other("the answer is too long"))
        }
    })
}

async fn read_at_most(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < bytes_max {
        match response.chunk().await? {
            Some(bytes) => {
                body.extend_from_slice(&bytes[..bytes.len().min(bytes_max - body.len())])
            }
            None => break,
        }
    }
    Ok(body)
}

/// How long the server asks us to wait: in milliseconds (OpenAI), in seconds, or until a date.
fn asked_to_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let wait = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = wait.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = jiff::fmt::rfc2822::parse(wait).ok()?.timestamp();
    // A date that has passed means now.
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// What went wrong in the middle of a stream, without what the server wrote.
fn broken(error: OpenAIError) -> Error {
    match error {
        OpenAIError::JSONDeserialize(..) => Error::Garbled("a chunk that is not JSON".into()),
        _ => Error::BrokenOff,
    }
}

/// The innermost cause, which is the one that helps: `Connection refused`, `invalid peer certificate`.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer".into();
    }
    let mut cause: Option<&dyn std::error::Error> = error.source();
    while let Some(inner) = cause.and_then(|cause| cause.source()) {
        cause = Some(inner);
    }
    // The outermost text would hold the address, which may hold more than an address.
    cause.map_or_else(|| "the request failed".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_every_form() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let check = |name: &'static str, value: &'static str, expected: Option<u64>| {
            let headers = HeaderMap::from_iter([(
                name.parse::<reqwest::header::HeaderName>().unwrap(),
                HeaderValue::from_static(value),
            )]);
            let wait = asked_to_wait(&headers, now).map(|wait| wait.as_millis() as u64);
            assert_eq!(wait, expected, "{name}: {value}");
        };
        check("retry-after", "3", Some(3000));
        check("retry-after", "Fri, 20 Nov 2026 10:00:09 GMT", Some(9000));
        check("retry-after", "Fri, 20 Nov 2026 09:00:00 GMT", Some(0));
        check("retry-after", "soon", None);
        check("retry-after", "-1", None);
        check("retry-after-ms", "1250", Some(1250));
        check("x-other", "3", None);
    }

    #[tokio::test]
    async fn a_stream_without_an_end_is_cut() {
        let endless =
            stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"12345678")));
        let seen: Vec<_> = at_most(endless, 20).take(3).collect().await;
        assert!(seen[0].is_ok() && seen[1].is_ok() && seen[2].is_err());
    }

    #[test]
    fn a_key_shows_nowhere_and_never_panics() {
        let config = |key: &str| ModelConfig {
            api_key: key.to_owned().into(),
            base_url: "http://localhost:1/v1/chat/completions/".into(),
            ..ModelConfig::default()
        };
        let address = Address::new(&config(" s3cret\r\n")).ok().unwrap();
        assert_eq!(address.headers[AUTHORIZATION], "Bearer s3cret");
        assert!(!format!("{:?}", address.headers).contains("s3cret"));
        assert_eq!(
            async_openai::config::Config::url(&address, "/chat/completions"),
            "http://localhost:1/v1/chat/completions"
        );
        let error = Address::new(&config("s3\ncret")).err().unwrap();
        assert!(!error.to_string().contains("cret"), "{error}");
        assert!(Address::new(&config("")).ok().unwrap().headers.is_empty());
    }
}
