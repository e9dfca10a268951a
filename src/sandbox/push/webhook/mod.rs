//! Webhook mode, the platform's side: events and callbacks as HTTP posts to the developer's server.
//!
//! The schedule is the outbox's, as over the long connection: three seconds for an answer, and an event
//! that is not answered 200 comes again after 15 s, 5 min, 1 h and 6 h. Every attempt is encrypted and
//! signed anew; whether the platform does that is not documented. The time in the signature is the real
//! one and not the sandbox's clock, because the receiver compares it with a clock that nobody can move.

mod old_card;
mod seal;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    super::app::{self, App},
    Callback,
    failure::Failure,
};
use seal::Seal;

/// How long the platform waits for an answer, and how much of it for the connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long it waits when it asks whether an address is the developer's.
const CHALLENGE_WITHIN: Duration = Duration::from_secs(1);
/// Posts under way at once.
const AT_ONCE: usize = 64;
/// The most that is read of an answer: a card has 30 KB.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What the console has set, as `POST /sandbox/webhook` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sandbox) struct WebhookSettings {
    /// Where events are posted. Absent: they go over the long connection.
    pub(in crate::sandbox) events_url: Option<String>,
    /// Where callbacks are posted. Absent: they go over the long connection.
    pub(in crate::sandbox) cards_url: Option<String>,
    /// Whether there is an Encrypt Key.
    pub(in crate::sandbox) encrypt: bool,
    /// Whether requests carry their signature.
    pub(in crate::sandbox) sign: bool,
    /// Whether presses of buttons come as the old `card.action.trigger_v1`.
    pub(in crate::sandbox) legacy_cards: bool,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            events_url: None,
            cards_url: None,
            encrypt: true,
            sign: true,
            legacy_cards: false,
        }
    }
}

/// Posts what happens. Clones share the settings.
#[derive(Debug, Clone)]
pub(super) struct Webhook(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    app: Arc<App>,
    settings: Mutex<WebhookSettings>,
    random: Mutex<fastrand::Rng>,
    http: reqwest::Client,
    room: Semaphore,
}

/// Where one thing is to be posted, and as what.
#[derive(Debug, Clone)]
pub(super) struct Address {
    url: String,
    settings: WebhookSettings,
    is_old_card: bool,
}

impl Address {
    /// The name under which `GET /sandbox/deliveries` shows it, where it is not the event's own.
    pub(super) fn event_type(&self) -> Option<&'static str> {
        self.is_old_card.then_some("card.action.trigger_v1")
    }

    /// What a good answer to a callback says, in the shape of the new one.
    pub(super) fn read_answer(&self, body: &[u8]) -> Callback {
        if body.trim_ascii().is_empty() {
            return Callback::Answer(None);
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(answer) if self.is_old_card => Callback::Answer(Some(old_card::as_new(answer))),
            Ok(answer) => Callback::Answer(Some(answer)),
            Err(_) => Callback::Unreadable,
        }
    }
}

impl Webhook {
    pub(super) fn new(app: Arc<App>, seed: u64) -> Self {
        // reqwest panics where no provider is installed; an error says that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            // A proxy that the environment names would look for the bot on its own machine.
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            // The platform takes a redirect for a failure.
            .redirect(reqwest::redirect::Policy::none())
            // As the platform writes them: the vendor's SDK looks for `X-Lark-Signature` exactly so.
            .http1_title_case_headers()
            .user_agent("nightjar-sandbox")
            .build()
            .expect("a client with plain settings can always be made");
        Self(Arc::new(Parts {
            app,
            settings: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed ^ 0x0077_6562_686f_6f6b)),
            http,
            room: Semaphore::new(AT_ONCE),
        }))
    }

    /// What is set.
    pub(super) fn settings(&self) -> WebhookSettings {
        locked(&self.0.settings).clone()
    }

    /// Asks each address whether it is the developer's, and sets them if they are.
    ///
    /// # Errors
    /// What the console would say.
    pub(super) async fn set(&self, settings: WebhookSettings) -> Result<(), String> {
        for url in [&settings.events_url, &settings.cards_url]
            .into_iter()
            .flatten()
        {
            self.verify(url, &settings).await?;
        }
        *locked(&self.0.settings) = settings;
        Ok(())
    }

    /// Where something is to be posted; none where it goes over the long connection.
    pub(super) fn address(&self, is_callback: bool) -> Option<Address> {
        let settings = self.settings();
        let url = match is_callback {
            true => settings.cards_url.clone(),
            false => settings.events_url.clone(),
        };
        Some(Address {
            url: url?,
            is_old_card: is_callback && settings.legacy_cards,
            settings,
        })
    }

    /// Posts an event in the envelope of schema 2.0, and gives the body of the answer 200.
    pub(super) async fn post(&self, address: &Address, payload: &[u8]) -> Result<Bytes, Failure> {
        let flat = match address.is_old_card {
            true => old_card::from_new(payload),
            false => None,
        };
        let payload = flat.as_deref().unwrap_or(payload);
        let (body, headers) = {
            let mut random = locked(&self.0.random);
            let seal = Seal::new(&self.0.app, &mut random, Timestamp::now().as_second());
            let settings = &address.settings;
            let body = match settings.encrypt {
                true => seal.encrypted(payload),
                false => payload.to_vec(),
            };
            let signature = match (settings.sign, address.is_old_card, settings.encrypt) {
                (true, true, _) => Some(seal.old_card_signature(&body)),
                // Without an Encrypt Key there is nothing to sign with.
                (true, false, true) => Some(seal.signature(&body)),
                _ => None,
            };
            (body, seal.headers(signature))
        };
        let posting = async {
            let _place = self.0.room.acquire().await;
            self.send(&address.url, body, &headers).await
        };
        timeout(ANSWER_WITHIN, posting)
            .await
            .unwrap_or(Err(Failure::Late))
    }

    async fn send(
        &self,
        url: &str,
        body: Vec<u8>,
        headers: &[(&'static str, String)],
    ) -> Result<Bytes, Failure> {
        let request = self.0.http.post(url);
        let request = request.header("Content-Type", "application/json; charset=utf-8");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        let mut answer = request.body(body).send().await.map_err(broken)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(Failure::Status(status));
        }
        let mut whole = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(broken)? {
            if whole.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(Failure::TooLong);
            }
            whole.extend_from_slice(&part);
        }
        Ok(whole.freeze())
    }

    /// `url_verification`. It is not signed, so that a receiver who demands that is found out.
    async fn verify(&self, url: &str, settings: &WebhookSettings) -> Result<(), String> {
        let (body, challenge) = {
            let mut random = locked(&self.0.random);
            let challenge = app::hex(&mut random, 32);
            let question = json!({
                "challenge": challenge,
                "token": self.0.app.verification_token,
                "type": "url_verification",
            });
            let question = question.to_string().into_bytes();
            let seal = Seal::new(&self.0.app, &mut random, 0);
            let body = match settings.encrypt {
                true => seal.encrypted(&question),
                false => question,
            };
            (body, challenge)
        };
        let answer = timeout(CHALLENGE_WITHIN, self.send(url, body, &[])).await;
        let answer = answer
            .map_err(|_| format!("{url} did not answer the challenge within 1 s"))?
            .map_err(|failure| format!("{url} did not answer the challenge: {failure}"))?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if answer["challenge"] != json!(challenge) {
            return Err(format!("{url} did not give the challenge back"));
        }
        Ok(())
    }
}

/// Why no answer came, as the platform tells clients apart.
fn broken(error: reqwest::Error) -> Failure {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        text.push_str(&error.to_string());
        cause = error.source();
    }
    match text.contains("dns error") {
        true => Failure::NoSuchHost,
        false => Failure::NotReached,
    }
}

/// What is under these locks is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
