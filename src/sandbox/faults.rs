//! The trouble that `POST /sandbox/faults` makes, as plain data with a seeded source of chance.
//!
//! A new setting replaces the old one whole, so `{}` clears everything. What acts once
//! (`drop_connection`) is taken out of the settings when they are set and waits to be fetched.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use tokio::sync::watch;

use super::console::Console;

/// What `POST /sandbox/faults` takes. Every member may be left out; the default is no trouble.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FaultSettings {
    /// How often a platform call fails with an internal error, 0 to 1.
    #[serde(deserialize_with = "rate")]
    pub(super) error_rate: f64,
    /// Added to every platform call.
    pub(super) latency_ms: u64,
    /// Added to every platform call at random, from nothing up to this.
    pub(super) jitter_ms: u64,
    /// Closes every connection now. A number above one also closes as many later connections as
    /// soon as they are up, until that many times are used up. Acts once: reads back as 0.
    #[serde(deserialize_with = "times")]
    pub(super) drop_connection: u32,
    /// How often an acknowledged event is delivered once more, and a fragment sent twice, 0 to 1.
    #[serde(deserialize_with = "rate")]
    pub(super) duplicate_rate: f64,
    /// How often an event waits a moment so that later ones overtake it, 0 to 1 (`true` is 1). While
    /// it is above 0, the fragments of an event are sent out of order.
    #[serde(deserialize_with = "rate")]
    pub(super) reorder: f64,
    /// Cuts every event into pieces of at most so many bytes, wherever that falls. 0 does not cut.
    pub(super) fragment_bytes: usize,
    /// The connections that are open when this is set are dead from then on: the server keeps them,
    /// and neither sends nor answers on them again. Connections opened afterwards are healthy, as
    /// after a forgetful NAT.
    pub(super) half_open: bool,
    /// Scopes that the app lacks.
    pub(super) refuse_scopes: Vec<String>,
    /// Refuses single calls, each so many times, with a code of one's choice. The first rule that fits counts.
    pub(super) refuse: Vec<Refusing>,
    /// How many platform calls are left in the month; counts down. Absent: enough.
    pub(super) quota_left: Option<u64>,
    /// What discovery and pong tell a client about its own pace.
    pub(super) client_config: ClientConfig,
    /// The code that discovery answers with, such as 1, 403 or 1000040351.
    pub(super) discovery_code: Option<i64>,
    /// The HTTP status that discovery answers with, such as 503.
    pub(super) discovery_status: Option<u16>,
    /// The `Handshake-Status` with which every upgrade is refused, such as 403 or 514.
    pub(super) upgrade_status: Option<u16>,
    /// The `Handshake-Autherrcode` beside it. Absent: 0, which means nothing.
    pub(super) upgrade_autherrcode: Option<i64>,
    /// Sends callbacks with the header `type=card`, as some production reports have it.
    pub(super) card_frames: bool,
    /// Pongs carry no configuration.
    pub(super) empty_pong: bool,
    /// How far the `Date` of every platform answer is ahead of the sandbox's clock.
    pub(super) date_skew_ms: i64,
    /// What the developer console is set to.
    pub(super) console: Console,
    /// Sends something unreadable before every event: random bytes, a text message, a data frame
    /// with an impossible `sum`.
    pub(super) junk_frames: bool,
}

/// A refusal on order, such as `{"path_contains": "/settings", "code": 300122, "times": 2}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusing {
    /// A part of the path; empty for every call.
    pub(super) path_contains: String,
    /// A part that the path must not have.
    #[serde(default)]
    pub(super) path_lacks: Option<String>,
    /// The method, such as `PUT`. Absent: any.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// A part of the request's body, as it was sent. Absent: any body.
    #[serde(default)]
    pub(super) body_contains: Option<String>,
    /// The code, such as 200860; needed unless the answer is lost.
    #[serde(default)]
    pub(super) code: i64,
    /// Instead of being refused the call is carried out, and the connection breaks before its answer.
    #[serde(default)]
    pub(super) lose_answer: bool,
    /// The sentence, which may hide a second code, such as `ErrCode: 11310`.
    #[serde(default)]
    pub(super) msg: Option<String>,
    /// The HTTP status.
    #[serde(default = "bad_request")]
    pub(super) status: u16,
    /// How often. Absent: always.
    #[serde(default)]
    pub(super) times: Option<u32>,
}

fn bad_request() -> u16 {
    400
}

impl Refusing {
    fn fits(&self, method: &str, path: &str, body: &str) -> bool {
        let lacks = |part: &String| !path.contains(part.as_str());
        self.times != Some(0)
            && path.contains(&self.path_contains)
            && self.path_lacks.as_ref().is_none_or(lacks)
            && self.method.as_ref().is_none_or(|one| one == method)
            && self
                .body_contains
                .as_ref()
                .is_none_or(|part| body.contains(part.as_str()))
    }
}

/// `ClientConfig` of discovery and the payload of a pong. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(super) struct ClientConfig {
    /// How often to try again; -1 is for ever.
    pub(super) reconnect_count: i64,
    /// Between two attempts.
    pub(super) reconnect_interval: u64,
    /// The first attempt waits a random time up to this.
    pub(super) reconnect_nonce: u64,
    /// Between two pings.
    pub(super) ping_interval: u64,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            reconnect_count: -1,
            reconnect_interval: 120,
            reconnect_nonce: 30,
            ping_interval: 120,
        }
    }
}

/// A handle to the trouble a sandbox makes; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    state: Arc<Mutex<State>>,
    changes: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
struct State {
    settings: FaultSettings,
    random: fastrand::Rng,
    /// How many times connections are still to be dropped.
    drops: u32,
}

impl Faults {
    /// No trouble, and chance that depends on `seed` alone.
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            settings: FaultSettings::default(),
            random: fastrand::Rng::with_seed(seed ^ 0x0066_6175_6c74_7321),
            drops: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changes: Arc::new(watch::Sender::new(())),
        }
    }

    /// Replaces the trouble whole.
    pub(super) fn set(&self, mut settings: FaultSettings) {
        let drops = std::mem::take(&mut settings.drop_connection);
        {
            let mut state = self.lock();
            state.drops = drops;
            state.settings = settings;
        }
        self.changes.send_replace(());
    }

    /// The trouble as it was last set.
    pub(super) fn get(&self) -> FaultSettings {
        self.lock().settings.clone()
    }

    /// True as often as `rate` (0 to 1) says. Draws nothing when the answer is certain, so trouble
    /// that is switched off does not move the chance of trouble that is on.
    pub(super) fn chance(&self, rate: f64) -> bool {
        rate > 0.0 && (rate >= 1.0 || self.lock().random.f64() < rate)
    }

    /// How long the next platform call is to be held up: the latency and a random part of the jitter.
    pub(super) fn delay(&self) -> Duration {
        let mut state = self.lock();
        let FaultSettings {
            latency_ms,
            jitter_ms,
            ..
        } = state.settings;
        let jitter_ms = match jitter_ms {
            0 => 0,
            jitter_ms => state.random.u64(0..=jitter_ms),
        };
        Duration::from_millis(latency_ms.saturating_add(jitter_ms))
    }

    /// Counts one platform call against the month's quota; false when nothing was left of it.
    pub(super) fn take_quota(&self) -> bool {
        match &mut self.lock().settings.quota_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Whether any call is refused on order, so that bodies are worth reading.
    pub(super) fn refuses(&self) -> bool {
        !self.lock().settings.refuse.is_empty()
    }

    /// Takes one refusal on order for this call, if there is one.
    pub(super) fn take_refusal(&self, method: &str, path: &str, body: &str) -> Option<Refusing> {
        let mut state = self.lock();
        let mut rules = state.settings.refuse.iter_mut();
        let rule = rules.find(|rule| rule.fits(method, path, body))?;
        rule.times = rule.times.map(|times| times - 1);
        Some(rule.clone())
    }

    /// Takes one order to drop connections, if there is one left.
    pub(super) fn take_drop(&self) -> bool {
        let mut state = self.lock();
        let ordered = state.drops > 0;
        state.drops = state.drops.saturating_sub(1);
        ordered
    }

    /// Rings at every [`Faults::set`].
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Nothing under the lock can panic half-way, so a poisoned lock still holds good settings.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `true`, `false`, or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount<T> {
    Switch(bool),
    Number(T),
}

/// A rate from 0 to 1; `true` is 1.
fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let rate = match Amount::deserialize(deserializer) {
        Ok(Amount::Switch(on)) => f64::from(u8::from(on)),
        Ok(Amount::Number(rate)) => rate,
        Err(_) => {
            return Err(D::Error::custom(
                "expected a rate from 0 to 1, or a boolean",
            ));
        }
    };
    if (0.0..=1.0).contains(&rate) {
        Ok(rate)
    } else {
        Err(D::Error::custom("a rate lies between 0 and 1"))
    }
}

/// How many times; `true` is once.
fn times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match Amount::deserialize(deserializer) {
        Ok(Amount::Switch(on)) => Ok(u32::from(on)),
        Ok(Amount::Number(times)) => Ok(times),
        Err(_) => Err(D::Error::custom("expected a number of times, or a boolean")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(settings: serde_json::Value) -> Result<FaultSettings, serde_json::Error> {
        serde_json::from_value(settings)
    }

    #[test]
    fn nothing_given_is_no_trouble() {
        assert_eq!(read(json!({})).unwrap(), FaultSettings::default());
        let faults = Faults::new(1);
        faults.set(read(json!({"error_rate": 1, "half_open": true, "latency_ms": 5})).unwrap());
        assert_eq!(faults.delay(), Duration::from_millis(5));
        faults.set(read(json!({})).unwrap());
        assert_eq!(faults.get(), FaultSettings::default());
    }

    #[test]
    fn every_member_of_the_contract_is_understood() {
        let settings = read(json!({
            "error_rate": 0.1, "latency_ms": 10, "jitter_ms": 5, "drop_connection": true,
            "duplicate_rate": 0.5, "reorder": true, "fragment_bytes": 100, "half_open": false,
            "refuse_scopes": ["im:message"], "quota_left": 3,
            "client_config": {"PingInterval": 1},
        }))
        .unwrap();
        assert_eq!(settings.drop_connection, 1);
        assert!((settings.reorder - 1.0).abs() < f64::EPSILON);
        assert_eq!(settings.client_config.ping_interval, 1);
        assert_eq!(settings.client_config.reconnect_interval, 120);
    }

    #[test]
    fn what_is_misspelt_or_out_of_range_is_refused_by_name() {
        let error = read(json!({"eror_rate": 0.1})).unwrap_err().to_string();
        assert!(error.contains("eror_rate"), "{error}");
        for wrong in [
            json!({"error_rate": 1.5}),
            json!({"reorder": -1}),
            json!({"duplicate_rate": "often"}),
            json!({"drop_connection": -1}),
            json!({"client_config": {"pingInterval": 1}}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_drop_is_taken_as_often_as_it_was_ordered() {
        let faults = Faults::new(1);
        faults.set(read(json!({"drop_connection": 2})).unwrap());
        assert_eq!(faults.get().drop_connection, 0);
        assert!(faults.take_drop() && faults.take_drop() && !faults.take_drop());
    }

    #[test]
    fn a_call_is_refused_as_often_as_it_was_ordered() {
        let faults = Faults::new(1);
        assert!(!faults.refuses());
        faults.set(
            read(json!({"refuse": [
                {"path_contains": "/settings", "code": 300122, "times": 1},
                {"path_contains": "/cards", "path_lacks": "/settings", "method": "PUT", "body_contains": "x", "code": 1},
            ]}))
            .unwrap(),
        );
        let taken =
            |method, path, body| faults.take_refusal(method, path, body).map(|one| one.code);
        assert_eq!(taken("PATCH", "/cards/7/settings", ""), Some(300_122));
        assert_eq!(taken("PUT", "/cards/7/settings", "x"), None);
        assert_eq!(taken("PUT", "/cards/7", "axb"), Some(1));
        assert_eq!(taken("PUT", "/cards/7", "axb"), Some(1));
        assert_eq!(taken("PUT", "/cards/7", "ab"), None);
        assert_eq!(taken("POST", "/cards", "x"), None);
    }

    #[test]
    fn the_quota_counts_down_to_nothing() {
        let faults = Faults::new(1);
        assert!(faults.take_quota());
        faults.set(read(json!({"quota_left": 1})).unwrap());
        assert!(faults.take_quota() && !faults.take_quota());
    }

    #[test]
    fn the_same_seed_has_the_same_luck() {
        let luck = |seed| {
            let faults = Faults::new(seed);
            (0..64).map(|_| faults.chance(0.5)).collect::<Vec<_>>()
        };
        assert_eq!(luck(3), luck(3));
        assert_ne!(luck(3), luck(4));
    }
}
