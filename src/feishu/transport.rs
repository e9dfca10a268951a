//! The one way by which calls reach the platform: limits, token, retries and counting are here.
//!
//! Callers name what they do (an [`Api`](super::api::Api), its target, a [`Class`]) and nothing else.
//! This is also the one place that retries, and it does so only where a thing cannot happen twice.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::{
    RequestBuilder, Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE},
    multipart,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use tracing::{Instrument, Span, field, info_span, warn};

use super::{
    Class, Error,
    api::{Body, Call},
    auth::{Token, Tokens},
    envelope,
    http::{self, exchange},
    scheduler::{Meter, Permit, Scheduler},
};
use crate::{config::FeishuConfig, telemetry::Metrics};

/// A call is made at most one time more than this.
const RETRIES_MAX: usize = 4;
/// A longer wait than this is the caller's to decide about.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Everything that calls of one app share.
pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    tokens: Tokens,
    scheduler: Scheduler,
    metrics: Metrics,
}

/// What is made of the platform's answer to a call.
pub(super) trait Reading: Sized {
    /// Sends the request, and reads as much of the answer as there is to read.
    async fn read(call: &Call<'_>, request: RequestBuilder) -> Result<Self, Error>;
}

/// A result in the platform's envelope.
struct Enveloped<T>(T);

impl<T: DeserializeOwned> Reading for Enveloped<T> {
    async fn read(call: &Call<'_>, request: RequestBuilder) -> Result<Self, Error> {
        let answer = exchange(call.api.name, request).await?;
        envelope::open(call.api.name, call.api.flat, call.target_limit(), &answer).map(Self)
    }
}

/// An answer whose success is no envelope but bytes, of which none is read yet.
impl Reading for Response {
    async fn read(call: &Call<'_>, request: RequestBuilder) -> Result<Self, Error> {
        let name = call.api.name;
        let sent = request.send().await;
        let response = sent.map_err(|error| Error::unreachable(name, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let answer = http::read(name, response).await?;
        let refused = envelope::open::<IgnoredAny>(name, false, call.target_limit(), &answer);
        // A success inside of a failure is neither.
        Err(refused.err().unwrap_or_else(|| Error::unreadable(call.api)))
    }
}

impl Transport {
    pub(super) fn new(config: &FeishuConfig, metrics: Metrics) -> Result<Self, Error> {
        let http = http::client(config)?;
        let base = http::base_url(config)?;
        let meter = Meter::new(config.monthly_quota);
        Ok(Self {
            tokens: Tokens::new(config, http.clone(), metrics.clone()),
            http,
            base,
            scheduler: Scheduler::new(meter, metrics.clone()),
            metrics,
        })
    }

    /// Makes a call and reads its result, within the limits and with a bounded number of retries.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        class: Class,
        call: &Call<'_>,
    ) -> Result<T, Error> {
        let made = self.make::<Enveloped<T>>(class, call).await;
        made.map(|Enveloped(result)| result)
    }

    /// Makes a call whose answer is bytes, and gives it as soon as its head is here.
    pub(super) async fn open(&self, class: Class, call: &Call<'_>) -> Result<Response, Error> {
        self.make(class, call).await
    }

    async fn make<T: Reading>(&self, class: Class, call: &Call<'_>) -> Result<T, Error> {
        let span = info_span!(
            "request",
            api = call.api.name,
            code = field::Empty,
            tries = field::Empty
        );
        self.call_until_settled(class, call).instrument(span).await
    }

    /// Makes a call that has its permit already, once. What is written next replaces it, so it is not tried
    /// again here.
    pub(super) async fn call_once_with<T: DeserializeOwned>(
        &self,
        permit: Permit,
        call: &Call<'_>,
    ) -> Result<T, Error> {
        let span = info_span!(
            "request",
            api = call.api.name,
            code = field::Empty,
            tries = 1
        );
        let made = async {
            let token = self.tokens.get().await?;
            let outcome: Result<Enveloped<T>, Error> =
                self.call_permitted(permit, call, &token).await;
            if let Err(error) = &outcome {
                if error.is_stale_token() {
                    self.tokens.forget(&token);
                }
                let code = error.refusal().map(|refusal| refusal.code);
                Span::current().record("code", code);
            }
            outcome.map(|Enveloped(result)| result)
        };
        made.instrument(span).await
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(super) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    async fn call_until_settled<T: Reading>(
        &self,
        class: Class,
        call: &Call<'_>,
    ) -> Result<T, Error> {
        let mut waits = waits();
        let mut tries = 0_u64;
        loop {
            tries += 1;
            Span::current().record("tries", tries);
            let error = match self.call_with_fresh_token(class, call).await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            if let Some(refusal) = error.refusal() {
                Span::current().record("code", refusal.code);
            }
            let wait = waits.next().filter(|_| may_repeat(&error, class, call));
            let Some(wait) = wait else {
                return Err(error);
            };
            warn!(error = http::with_causes(&error), "asking feishu again");
            // After "too fast" the scheduler has closed, and it is there that the next try waits.
            if !matches!(error, Error::TooFast { .. }) {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// One call, and once more if the platform does not know our token any longer.
    async fn call_with_fresh_token<T: Reading>(
        &self,
        class: Class,
        call: &Call<'_>,
    ) -> Result<T, Error> {
        let token = self.tokens.get().await?;
        match self.call_once(class, call, &token).await {
            Err(error) if error.is_stale_token() => {
                self.tokens.forget(&token);
                let token = self.tokens.get().await?;
                self.call_once(class, call, &token).await
            }
            outcome => outcome,
        }
    }

    async fn call_once<T: Reading>(
        &self,
        class: Class,
        call: &Call<'_>,
        token: &Token,
    ) -> Result<T, Error> {
        let permit = self.scheduler.admit(call, class).await?;
        self.call_permitted(permit, call, token).await
    }

    async fn call_permitted<T: Reading>(
        &self,
        mut permit: Permit,
        call: &Call<'_>,
        token: &Token,
    ) -> Result<T, Error> {
        let mut request = self
            .http
            .request(call.api.method.clone(), self.address(call))
            .header(AUTHORIZATION, token.bearer());
        request = match &call.body {
            Some(Body::Json(body)) => request
                .header(CONTENT_TYPE, "application/json; charset=utf-8")
                .body(body.clone()),
            Some(Body::Form(form)) => {
                let length = form.bytes.len() as u64;
                let file = multipart::Part::stream_with_length(form.bytes.clone(), length)
                    .file_name(form.file_name.clone());
                let fields = form.fields.iter().cloned();
                let written = fields.fold(multipart::Form::new(), |written, (name, value)| {
                    written.text(name, value)
                });
                request.multipart(written.part(form.part, file))
            }
            None => request,
        };
        if let Some(within) = call.within {
            request = request.timeout(within);
        }
        permit.leave();
        let outcome = T::read(call, request).await;
        http::count(&self.metrics, call.api.name, &outcome);
        permit.learn(&outcome);
        outcome
    }

    fn address(&self, call: &Call<'_>) -> Url {
        let mut address = self.base.clone();
        let mut args = call.args.iter();
        address
            .path_segments_mut()
            .expect("the base address is http or https, which have paths")
            .pop_if_empty()
            .extend(call.api.path.split('/').skip(1).map(
                |segment| match segment.starts_with(':') {
                    true => args.next().copied().unwrap_or_default(),
                    false => segment,
                },
            ));
        if !call.query.is_empty() {
            address.query_pairs_mut().extend_pairs(&call.query);
        }
        address
    }
}

/// Half a second, doubling, with chance in it so that many do not come back together.
fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(10))
        .with_max_times(RETRIES_MAX)
        .with_jitter()
        .build()
}

fn may_repeat(error: &Error, class: Class, call: &Call<'_>) -> bool {
    // The next progress replaces this one, and carries everything it did.
    if class == Class::Progress || !error.is_transient() {
        return false;
    }
    match error {
        // Without the platform's word it was our own scheduler, which has thought of waiting already.
        Error::TooFast { refusal: None, .. } => false,
        Error::TooFast { wait, .. } => *wait <= WAIT_MAX,
        _ => call.api.repeatable || error.was_not_carried_out(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        feishu::{
            ChatId,
            api::{Api, Target},
            testing::{Platform, Reply},
        },
        telemetry::CallLabels,
    };

    static READ: Api = Api::get("test.read", "/open-apis/test/:id/read");
    static SEND: Api = Api::new("test.send", reqwest::Method::POST, "/open-apis/test/send");
    static ONCE: Api = Api::new("test.once", reqwest::Method::POST, "/open-apis/test/send").once();
    const SEND_PATH: &str = "POST /open-apis/test/send";
    const READ_PATH: &str = "GET /open-apis/test/a/read";
    const TOKEN_PATH: &str = "POST /open-apis/auth/v3/tenant_access_token/internal";

    fn transport(platform: &Platform) -> Transport {
        Transport::new(&platform.config(), Metrics::default()).unwrap()
    }

    fn send() -> Call<'static> {
        Call::of(&SEND)
            .body(&json!({"a": 1}))
            .about(Target::Chat(ChatId::new("oc_a")))
    }

    async fn make(transport: &Transport, call: Call<'_>) -> Result<Value, Error> {
        transport.call(Class::Sign, &call).await
    }

    #[tokio::test]
    async fn a_call_carries_token_path_query_and_body() {
        let platform = Platform::start().await;
        platform.will(
            "GET /open-apis/test/a%2Fb%3F/read",
            [Reply::data(json!({"x": 1}))],
        );
        let call = Call::of(&READ)
            .arg("a/b?")
            .query("ids", "1")
            .query("ids", "2&3");
        let result = make(&transport(&platform), call).await.unwrap();
        assert_eq!(result, json!({"x": 1}));
        let seen = &platform.seen("GET /open-apis/test/a%2Fb%3F/read")[0];
        assert_eq!(seen.query, "ids=1&ids=2%263");
        assert_eq!(seen.authorization.as_deref(), Some("Bearer t-test"));
    }

    #[tokio::test]
    async fn a_base_address_may_have_a_path() {
        let platform = Platform::start().await;
        platform.will("GET /proxy/open-apis/test/a/read", [Reply::data(json!({}))]);
        platform.will(
            "POST /proxy/open-apis/auth/v3/tenant_access_token/internal",
            [Platform::token()],
        );
        let mut config = platform.config();
        config.base_url = Some(format!("{}/proxy/", config.base_url()));
        let transport = Transport::new(&config, Metrics::default()).unwrap();
        make(&transport, Call::of(&READ).arg("a")).await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_for_speed_is_waited_out_and_counted() {
        let platform = Platform::start().await;
        platform.will(
            SEND_PATH,
            [Reply::refusal(400, 230020), Reply::data(json!({}))],
        );
        let transport = transport(&platform);
        let start = std::time::Instant::now();
        make(&transport, send()).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1));
        let refusals = transport
            .metrics
            .platform_refusals
            .get_or_create(&crate::telemetry::LimitLabels { limit: "chat" })
            .get();
        assert_eq!(refusals, 1);
        for code in [0, 230020] {
            let labels = CallLabels {
                api: "test.send",
                code,
            };
            assert_eq!(
                transport
                    .metrics
                    .platform_calls
                    .get_or_create(&labels)
                    .get(),
                1
            );
        }
    }

    #[tokio::test]
    async fn a_wait_too_long_is_handed_to_the_caller() {
        let platform = Platform::start().await;
        let slow = Reply::refusal(429, 99991400).header("x-ogw-ratelimit-reset", "45");
        platform.will(SEND_PATH, [slow]);
        let error = make(&transport(&platform), send()).await.unwrap_err();
        assert!(
            matches!(error, Error::TooFast { wait, .. } if wait.as_secs() == 45),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_token_called_invalid_is_fetched_anew_once() {
        let platform = Platform::start().await;
        platform.will(
            SEND_PATH,
            [Reply::refusal(400, 99991663), Reply::data(json!({}))],
        );
        let transport = transport(&platform);
        make(&transport, send()).await.unwrap();
        assert_eq!(platform.seen(TOKEN_PATH).len(), 2);

        platform.will(
            SEND_PATH,
            [Reply::refusal(400, 99991663), Reply::refusal(400, 99991663)],
        );
        let error = make(&transport, send()).await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized(_)), "{error}");
        assert_eq!(platform.seen(SEND_PATH).len(), 4);
    }

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_again_only_if_that_is_harmless() {
        let platform = Platform::start().await;
        let transport = transport(&platform);
        platform.will(SEND_PATH, [Reply::cut(), Reply::data(json!({}))]);
        make(&transport, send()).await.unwrap();
        assert_eq!(platform.seen(SEND_PATH).len(), 2);

        platform.will(SEND_PATH, [Reply::cut()]);
        let error = make(&transport, Call::of(&ONCE)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        assert_eq!(platform.seen(SEND_PATH).len(), 3);
    }

    #[tokio::test]
    async fn progress_is_never_repeated() {
        let platform = Platform::start().await;
        platform.will(READ_PATH, [Reply::refusal(503, 2200)]);
        let call = Call::of(&READ).arg("a");
        let error = transport(&platform)
            .call::<Value>(Class::Progress, &call)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{error}");
        assert_eq!(platform.seen(READ_PATH).len(), 1);
    }

    #[test]
    fn tries_are_few_and_apart() {
        let waits: Vec<_> = waits().collect();
        assert_eq!(waits.len(), RETRIES_MAX);
        assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(500)));
        assert!(waits.iter().sum::<Duration>() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn a_plain_no_is_not_repeated() {
        let platform = Platform::start().await;
        platform.will(SEND_PATH, [Reply::refusal(400, 230001)]);
        let error = make(&transport(&platform), send()).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert_eq!(platform.seen(SEND_PATH).len(), 1);
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_times_out() {
        let platform = Platform::start().await;
        platform.will(SEND_PATH, [Reply::hang()]);
        let mut config = platform.config();
        config.request_timeout = Duration::from_millis(200);
        let transport = Transport::new(&config, Metrics::default()).unwrap();
        let error = make(&transport, Call::of(&ONCE)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_not_read_to_its_end() {
        let platform = Platform::start().await;
        let endless = Reply::data(json!("x".repeat(17 << 20)));
        platform.will(READ_PATH, [endless]);
        let error = make(&transport(&platform), Call::of(&READ).arg("a"))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let platform = Platform::start().await;
        let elsewhere = Reply::refusal(307, 0).header("location", "/elsewhere");
        platform.will(READ_PATH, [elsewhere]);
        let error = make(&transport(&platform), Call::of(&READ).arg("a"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Unreadable { status: 307, .. }),
            "{error}"
        );
        assert!(platform.seen("GET /elsewhere").is_empty());
    }

    #[tokio::test]
    async fn a_platform_that_is_not_there_is_unreachable() {
        let mut config = Platform::start().await.config();
        // A port that nobody listens on: one that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        config.base_url = Some(format!("http://{free}"));
        let transport = Transport::new(&config, Metrics::default()).unwrap();
        let call = Call::of(&READ).arg("a");
        let error = transport
            .call::<Value>(Class::Progress, &call)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        // The host may be told, what was asked there not.
        assert!(!format!("{error:?}").contains("open-apis"), "{error:?}");
    }
}
