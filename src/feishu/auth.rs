//! The tenant token, which every call carries.
//!
//! The platform gives the *same* token again while that has 30 minutes left, and a new one, beside the
//! old, once it has less. So fetching earlier is useless, and between 30 minutes and the end there is
//! time to fetch ahead while calls go on with the old one.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Error,
    api::Api,
    envelope,
    error::Limit,
    http::{self, exchange},
};
use crate::{config::FeishuConfig, telemetry::Metrics};

/// With less than this left, a new token is fetched while the old one serves. It is a minute less than
/// the platform's own rule, so that its clock is sure to be past the point where it makes a new one.
const AHEAD: Duration = Duration::from_secs(29 * 60);
/// With less than this left, calls wait for the new token. A call may be retried for a minute or two.
const MANDATORY: Duration = Duration::from_secs(5 * 60);
/// The least time between two fetches ahead, for when the platform gives no better token, or none.
const AHEAD_PAUSE: Duration = Duration::from_secs(30);

static TOKEN: Api = Api::new(
    "auth.token",
    reqwest::Method::POST,
    "/open-apis/auth/v3/tenant_access_token/internal",
)
.flat();

/// A token as a header value. It is never shown, not even by `Debug`.
#[derive(Clone)]
pub(super) struct Token {
    bearer: HeaderValue,
    /// By the monotonic clock: the wall clock may be set. (It does not count a suspended machine's
    /// time; then the platform says that the token is invalid, and it is fetched anew.)
    expires_at: Instant,
}

impl Token {
    /// The value of the `Authorization` header.
    pub(super) fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }

    fn left(&self) -> Duration {
        self.expires_at.saturating_duration_since(Instant::now())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(valid for {:?})", self.left())
    }
}

type Fetch = Shared<BoxFuture<'static, Result<Token, Error>>>;

/// Where calls get their token.
pub(super) struct Tokens {
    source: Arc<Source>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The one fetch under way, which everybody who needs it waits for. It is a task, so it ends even if
    /// they all leave, and it is aborted when this is dropped.
    fetch: Option<Fetch>,
    last_ahead: Option<Instant>,
}

struct Source {
    http: reqwest::Client,
    url: String,
    app_id: String,
    app_secret: SecretString,
    metrics: Metrics,
}

impl Tokens {
    pub(super) fn new(config: &FeishuConfig, http: reqwest::Client, metrics: Metrics) -> Self {
        let source = Source {
            http,
            url: format!("{}{}", config.base_url(), TOKEN.path),
            app_id: config.app_id.clone(),
            app_secret: config.app_secret.clone(),
            metrics,
        };
        Self {
            source: Arc::new(source),
            state: Mutex::default(),
        }
    }

    /// A token that is good for a while yet; waits only if there is none.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] if the platform does not take our id and secret, or whatever kept the
    /// platform from answering.
    pub(super) async fn get(&self) -> Result<Token, Error> {
        let fetch = {
            let mut state = self.lock();
            state.collect();
            if let Some(token) = state.token.clone().filter(|token| token.left() > MANDATORY) {
                if token.left() < AHEAD {
                    self.fetch_ahead(&mut state);
                }
                return Ok(token);
            }
            self.join_fetch(&mut state)
        };
        fetch.await
    }

    /// Forgets a token that the platform called invalid. Of many calls that were told so with the same
    /// token, the first makes it forgotten, and the others find the next one.
    pub(super) fn forget(&self, refused: &Token) {
        let mut state = self.lock();
        state.collect();
        state.token.take_if(|token| token.bearer == refused.bearer);
    }

    fn fetch_ahead(&self, state: &mut State) {
        let now = Instant::now();
        if state.last_ahead.is_none_or(|last| now - last > AHEAD_PAUSE) {
            state.last_ahead = Some(now);
            // Nobody waits for it: whoever comes after its end takes in the result.
            drop(self.join_fetch(state));
        }
    }

    fn join_fetch(&self, state: &mut State) -> Fetch {
        let start = || {
            let source = self.source.clone();
            let task = AbortOnDropHandle::new(tokio::spawn(async move { source.fetch().await }));
            task.map(|ended| ended.expect("a fetch neither panics nor is aborted while awaited"))
                .boxed()
                .shared()
        };
        state.fetch.get_or_insert_with(start).clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under this lock is one assignment, so a poisoned lock holds a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes in the result of a fetch that has ended.
    fn collect(&mut self) {
        let Some(ended) = self.fetch.clone().and_then(FutureExt::now_or_never) else {
            return;
        };
        self.fetch = None;
        if let Ok(token) = ended {
            self.token = Some(token);
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    tenant_access_token: String,
    /// Seconds.
    expire: u64,
}

impl Source {
    async fn fetch(&self) -> Result<Token, Error> {
        let asked_at = Instant::now();
        let granted = self.ask().await;
        http::count(&self.metrics, TOKEN.name, &granted);
        let granted = granted?;
        let bearer = format!("Bearer {}", granted.tenant_access_token);
        let mut bearer = HeaderValue::try_from(bearer).map_err(|_| Error::unreadable(&TOKEN))?;
        bearer.set_sensitive(true);
        // Counted from before the question, and never so far that adding it could overflow.
        let expires_at = asked_at + Duration::from_secs(granted.expire.min(24 * 3600));
        Ok(Token { bearer, expires_at })
    }

    async fn ask(&self) -> Result<Granted, Error> {
        let request = self.http.post(&self.url).json(&serde_json::json!({
            "app_id": self.app_id,
            "app_secret": self.app_secret.expose_secret(),
        }));
        let answer = exchange(TOKEN.name, request).await?;
        envelope::open(TOKEN.name, TOKEN.flat, Limit::Api, &answer)
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use serde_json::json;

    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    const PATH: &str = "POST /open-apis/auth/v3/tenant_access_token/internal";

    fn token(name: &str, expire: u64) -> Reply {
        Reply::ok(json!({"code": 0, "msg": "ok", "tenant_access_token": name, "expire": expire}))
    }

    fn tokens(platform: &Platform) -> Tokens {
        let config = platform.config();
        let http = http::client(&config).unwrap();
        Tokens::new(&config, http, Metrics::default())
    }

    fn name(token: &Token) -> String {
        token.bearer.to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn many_who_need_a_token_make_one_fetch() {
        let platform = Platform::start().await;
        platform.will(PATH, [token("t-1", 7200)]);
        let tokens = tokens(&platform);
        let got = join_all((0..50).map(|_| tokens.get())).await;
        assert!(
            got.iter()
                .all(|got| name(got.as_ref().unwrap()) == "Bearer t-1")
        );
        assert_eq!(platform.seen(PATH).len(), 1);
        let body = &platform.seen(PATH)[0].body;
        assert_eq!(body["app_id"], "cli_test");
    }

    #[tokio::test]
    async fn a_token_near_its_end_serves_while_the_next_is_fetched() {
        let platform = Platform::start().await;
        platform.will(PATH, [token("t-1", 1500), token("t-2", 7200)]);
        let tokens = tokens(&platform);
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-1");
        // This one starts the fetch and does not wait for it.
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-1");
        let fetch = tokens.lock().fetch.clone().expect("a fetch is under way");
        fetch.await.unwrap();
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-2");
        assert_eq!(platform.seen(PATH).len(), 2);
    }

    #[tokio::test]
    async fn a_failed_fetch_ahead_neither_hurts_nor_is_repeated_at_once() {
        let platform = Platform::start().await;
        platform.will(PATH, [token("t-1", 1500), Reply::refusal(500, 2200)]);
        let tokens = tokens(&platform);
        tokens.get().await.unwrap();
        tokens.get().await.unwrap();
        let fetch = tokens.lock().fetch.clone().expect("a fetch is under way");
        assert!(fetch.await.is_err());
        for _ in 0..5 {
            assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-1");
        }
        assert_eq!(platform.seen(PATH).len(), 2);
    }

    #[tokio::test]
    async fn a_token_at_its_end_is_waited_for() {
        let platform = Platform::start().await;
        platform.will(PATH, [token("t-1", 299), token("t-2", 7200)]);
        let tokens = tokens(&platform);
        tokens.get().await.unwrap();
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-2");
    }

    #[tokio::test]
    async fn a_token_is_forgotten_once_however_many_say_that_it_is_invalid() {
        let platform = Platform::start().await;
        platform.will(PATH, [token("t-1", 7200), token("t-2", 7200)]);
        let tokens = tokens(&platform);
        let first = tokens.get().await.unwrap();
        tokens.forget(&first);
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-2");
        tokens.forget(&first);
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-2");
    }

    #[tokio::test]
    async fn a_wrong_secret_is_told_and_the_next_call_asks_again() {
        let platform = Platform::start().await;
        platform.will(PATH, [Reply::refusal(200, 10014), token("t-1", 7200)]);
        let tokens = tokens(&platform);
        let error = tokens.get().await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized(_)), "{error}");
        assert_eq!(name(&tokens.get().await.unwrap()), "Bearer t-1");
    }

    #[tokio::test]
    async fn nothing_printed_shows_the_token_or_the_secret() {
        let platform = Platform::start().await;
        platform.will(PATH, [token("t-hush", 7200)]);
        let token = tokens(&platform).get().await.unwrap();
        let printed = format!("{token:?} {:?}", token.bearer());
        assert!(!printed.contains("hush"), "{printed}");
    }
}
