//! Where to connect to, and how: asked anew before every connection, since an address serves once.
//!
//! The address holds a ticket, so it is never logged.

use std::time::Duration;

use reqwest::Url;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::Fatal;
use crate::{
    config::FeishuConfig,
    feishu::http::{exchange, with_causes},
};

/// Our name for the call, in errors.
const API: &str = "ws.discovery";

/// How the platform wants a connection to be kept. It can change them in any pong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// How many failed attempts in a row before giving up; `None` is never.
    pub(super) attempts_max: Option<u32>,
    /// The wait between two failed attempts.
    pub(super) retry_after: Duration,
    /// The first attempt after a loss comes at a random time within this.
    pub(super) spread: Duration,
    /// The time between two pings.
    pub(super) ping_every: Duration,
}

impl Default for Settings {
    /// What the vendor's SDKs use when they are told nothing.
    fn default() -> Self {
        Self {
            attempts_max: None,
            retry_after: Duration::from_secs(120),
            spread: Duration::from_secs(30),
            ping_every: Duration::from_secs(120),
        }
    }
}

/// Settings as the platform writes them, in seconds; any may be missing.
#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ClientConfig {
    reconnect_count: Option<i64>,
    reconnect_interval: Option<i64>,
    reconnect_nonce: Option<i64>,
    ping_interval: Option<i64>,
}

impl Settings {
    /// These settings, with those that were served in place of the old ones.
    pub(super) fn changed_by(mut self, served: &ClientConfig) -> Self {
        // An hour is longer than any sensible value, and zero would be a busy loop.
        let seconds = |served: i64, least| Duration::from_secs(served.clamp(least, 3600) as u64);
        if let Some(count) = served.reconnect_count {
            self.attempts_max = u32::try_from(count).ok();
        }
        if let Some(interval) = served.reconnect_interval {
            self.retry_after = seconds(interval, 0);
        }
        if let Some(nonce) = served.reconnect_nonce {
            self.spread = seconds(nonce, 0);
        }
        if let Some(interval) = served.ping_interval.filter(|interval| *interval > 0) {
            self.ping_every = seconds(interval, 1);
        }
        self
    }
}

/// Where to connect to.
pub(super) struct Endpoint {
    /// The address, with its ticket.
    pub(super) url: String,
    /// Echoed in pings.
    pub(super) service_id: i32,
    /// The connection's name at the platform, for logs.
    pub(super) device_id: String,
    pub(super) settings: Option<ClientConfig>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another attempt may succeed.
    Passing(String),
    /// None will.
    Fatal(Fatal),
}

#[derive(Deserialize)]
struct Answer {
    code: i64,
    #[serde(default)]
    msg: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "URL", default)]
    url: String,
    #[serde(rename = "ClientConfig", default)]
    client_config: Option<ClientConfig>,
}

/// Asks where to connect to.
pub(super) async fn discover(
    http: &reqwest::Client,
    config: &FeishuConfig,
) -> Result<Endpoint, Trouble> {
    let request = http
        .post(format!("{}/callback/ws/endpoint", config.base_url()))
        .header("locale", "zh")
        .json(&json!({
            "AppID": config.app_id,
            "AppSecret": config.app_secret.expose_secret(),
        }));
    let answer = exchange(API, request)
        .await
        .map_err(|error| Trouble::Passing(with_causes(&error)))?;
    read(answer.status, &answer.body, config)
}

fn read(status: u16, body: &[u8], config: &FeishuConfig) -> Result<Endpoint, Trouble> {
    let unreadable = || Trouble::Passing(format!("unreadable answer to {API} (HTTP {status})"));
    let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let message = || answer.msg.clone().unwrap_or_default();
    match answer.code {
        0 => {}
        514 => return Err(Trouble::Fatal(Fatal::WrongCredentials)),
        1000040350 => return Err(Trouble::Fatal(Fatal::TooManyConnections)),
        1000040351 => return Err(Trouble::Fatal(Fatal::wrong_brand(config))),
        403 => return Err(Trouble::Fatal(Fatal::Forbidden)),
        // "System busy" and "internal error", and whatever comes with a status that is not 200.
        code if matches!(code, 1 | 1000040343) || status != 200 => {
            return Err(Trouble::Passing(format!("{} (code {code})", message())));
        }
        code => {
            return Err(Trouble::Fatal(Fatal::Refused {
                code,
                message: message(),
            }));
        }
    }
    endpoint(answer.data.ok_or_else(unreadable)?).ok_or_else(unreadable)
}

fn endpoint(data: Data) -> Option<Endpoint> {
    let url = Url::parse(&data.url).ok()?;
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    Some(Endpoint {
        service_id: parameter("service_id")
            .and_then(|id| id.parse().ok())
            .unwrap_or(0),
        device_id: parameter("device_id").unwrap_or_default().into_owned(),
        url: data.url,
        settings: data.client_config,
    })
}

/// What a refused upgrade means, by the headers that came with it.
pub(super) fn refused_upgrade(status: u16, header: impl Fn(&str) -> Option<String>) -> Trouble {
    let handshake = header("handshake-status");
    let code = header("handshake-autherrcode");
    match (handshake.as_deref(), code.as_deref()) {
        (Some("514"), Some("1000040350")) => Trouble::Fatal(Fatal::TooManyConnections),
        (Some("403"), _) => Trouble::Fatal(Fatal::Forbidden),
        // Also 514 with another code: the ticket did not hold, and the next address has a new one.
        _ => Trouble::Passing(format!(
            "the connection was refused: {} (HTTP {status}, handshake {}, code {})",
            header("handshake-msg").unwrap_or_default(),
            handshake.as_deref().unwrap_or("none"),
            code.as_deref().unwrap_or("none"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn config() -> FeishuConfig {
        FeishuConfig::default()
    }

    fn answered(status: u16, body: Value) -> Result<Endpoint, Trouble> {
        read(status, body.to_string().as_bytes(), &config())
    }

    #[test]
    fn an_endpoint_is_read_with_its_ids_and_settings() {
        let url = "wss://example.test/ws/v2?device_id=d1&access_key=k&service_id=33554678&ticket=t";
        let served = json!({"ReconnectCount": 5, "ReconnectInterval": 20, "ReconnectNonce": 3, "PingInterval": 90});
        let endpoint = answered(
            200,
            json!({"code": 0, "msg": "ok", "data": {"URL": url, "ClientConfig": served}}),
        );
        let endpoint = endpoint.ok().unwrap();
        assert_eq!(
            (endpoint.url.as_str(), endpoint.device_id.as_str()),
            (url, "d1")
        );
        assert_eq!(endpoint.service_id, 33554678);
        let expected = Settings {
            attempts_max: Some(5),
            retry_after: Duration::from_secs(20),
            spread: Duration::from_secs(3),
            ping_every: Duration::from_secs(90),
        };
        assert_eq!(
            Settings::default().changed_by(&endpoint.settings.unwrap()),
            expected
        );
    }

    #[test]
    fn settings_that_are_missing_or_senseless_leave_what_was() {
        let served = |json: Value| {
            let served: ClientConfig = serde_json::from_value(json).unwrap();
            Settings::default().changed_by(&served)
        };
        assert_eq!(served(json!({})), Settings::default());
        assert_eq!(
            served(json!({"PingInterval": 0, "ReconnectCount": -1})),
            Settings::default()
        );
        assert_eq!(served(json!({"ReconnectNonce": -5})).spread, Duration::ZERO);
        let huge = served(json!({"ReconnectInterval": i64::MAX})).retry_after;
        assert_eq!(huge, Duration::from_secs(3600));
    }

    #[test]
    fn codes_say_whether_to_try_again() {
        for code in [1, 1000040343] {
            let trouble = answered(200, json!({"code": code, "msg": "busy"}))
                .err()
                .unwrap();
            assert!(matches!(trouble, Trouble::Passing(_)), "{code}");
        }
        for (code, expected) in [
            (514, Fatal::WrongCredentials),
            (403, Fatal::Forbidden),
            (1000040350, Fatal::TooManyConnections),
            (1000040351, Fatal::wrong_brand(&config())),
            (
                77,
                Fatal::Refused {
                    code: 77,
                    message: "no".into(),
                },
            ),
        ] {
            let trouble = answered(200, json!({"code": code, "msg": "no"}))
                .err()
                .unwrap();
            assert!(
                matches!(trouble, Trouble::Fatal(fatal) if fatal == expected),
                "{code}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_and_what_is_no_200_is_tried_again() {
        for trouble in [
            read(502, b"<html>", &config()),
            answered(500, json!({"code": 77, "msg": "no"})),
            answered(200, json!({"code": 0})),
            answered(200, json!({"code": 0, "data": {"URL": "nowhere"}})),
        ] {
            assert!(matches!(trouble, Err(Trouble::Passing(_))));
        }
    }

    #[test]
    fn a_refused_upgrade_is_read_from_its_headers() {
        let refused = |status: &'static str, code: &'static str| {
            refused_upgrade(400, |name| match name {
                "handshake-status" => Some(status.to_owned()),
                "handshake-autherrcode" => Some(code.to_owned()),
                _ => None,
            })
        };
        assert!(matches!(
            refused("514", "1000040350"),
            Trouble::Fatal(Fatal::TooManyConnections)
        ));
        assert!(matches!(refused("514", "1000040344"), Trouble::Passing(_)));
        assert!(matches!(
            refused("403", ""),
            Trouble::Fatal(Fatal::Forbidden)
        ));
        assert!(matches!(
            refused_upgrade(502, |_| None),
            Trouble::Passing(_)
        ));
    }
}
