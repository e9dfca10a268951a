//! `[feishu]`: the platform and our app on it.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::duration;

use super::{problems::Problems, secret};

/// A signed request that is older could be one that was forgotten, and one second is less than clocks differ.
const WEBHOOK_CLOCK_SKEW: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(8 * 3600);

/// The two public editions of the platform. They share nothing but their shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Brand {
    /// feishu.cn, in mainland China.
    #[default]
    Feishu,
    /// larksuite.com, everywhere else.
    Lark,
}

impl Brand {
    /// Where this edition serves its API.
    pub fn base_url(self) -> &'static str {
        match self {
            Brand::Feishu => "https://open.feishu.cn",
            Brand::Lark => "https://open.larksuite.com",
        }
    }

    /// The edition that this one is not.
    pub fn other(self) -> Self {
        match self {
            Brand::Feishu => Brand::Lark,
            Brand::Lark => Brand::Feishu,
        }
    }
}

/// How events and presses of buttons come to us. The developer console has the same choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intake {
    /// Over a connection that we make. Needs no public address.
    #[default]
    LongConnection,
    /// Posted to `/feishu/events` and `/feishu/cards` of `[web]`.
    Webhook,
    /// In either way, for the time in which an app is moved from the one to the other.
    Both,
}

impl Intake {
    /// Whether the long connection is made.
    pub fn connects(self) -> bool {
        self != Intake::Webhook
    }

    /// Whether what is posted is taken.
    pub fn is_posted_to(self) -> bool {
        self != Intake::LongConnection
    }
}

/// `[feishu]`: the platform and our app on it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeishuConfig {
    /// Which edition the app was made on.
    pub brand: Brand,
    /// Replaces the brand's address, for private deployments and for the sandbox.
    pub base_url: Option<String>,
    /// The app's id, `cli_…`.
    pub app_id: String,
    /// The app's secret.
    #[serde(serialize_with = "secret::masked")]
    pub app_secret: SecretString,
    /// A file that holds the secret, read at start instead of `app_secret`.
    pub app_secret_file: Option<PathBuf>,
    /// How events come to us.
    pub events: Intake,
    /// The Verification Token, which stands in every event and signs the old card callback.
    #[serde(serialize_with = "secret::masked")]
    pub verification_token: SecretString,
    /// A file that holds the Verification Token, read at start instead of `verification_token`.
    pub verification_token_file: Option<PathBuf>,
    /// The Encrypt Key, with which posted events are encrypted and signed; empty where the console has none.
    #[serde(serialize_with = "secret::masked")]
    pub encrypt_key: SecretString,
    /// A file that holds the Encrypt Key, read at start instead of `encrypt_key`.
    pub encrypt_key_file: Option<PathBuf>,
    /// How far the time of a signed request may be from ours, in both directions.
    #[serde(with = "duration")]
    pub webhook_clock_skew_max: Duration,
    /// How long one call may take, from the first byte sent to the last one read.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long a connection may take to be made.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// The longest time between two pings of the long connection. The platform proposes two minutes, and what
    /// is shorter is kept to.
    #[serde(with = "duration")]
    pub ping_every_max: Duration,
    /// How long after a ping the long connection may stay silent before it is taken for dead.
    #[serde(with = "duration")]
    pub pong_timeout: Duration,
    /// The longest wait before connecting again. The platform proposes two minutes, which is long for a chat.
    #[serde(with = "duration")]
    pub reconnect_wait_max: Duration,
    /// How many calls a month the organisation's plan has; 0 where they are not counted.
    pub monthly_quota: u64,
}

impl Default for FeishuConfig {
    fn default() -> Self {
        Self {
            brand: Brand::Feishu,
            base_url: None,
            app_id: String::new(),
            app_secret: SecretString::default(),
            app_secret_file: None,
            events: Intake::LongConnection,
            verification_token: SecretString::default(),
            verification_token_file: None,
            encrypt_key: SecretString::default(),
            encrypt_key_file: None,
            webhook_clock_skew_max: Duration::from_secs(300),
            request_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            ping_every_max: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(20),
            reconnect_wait_max: Duration::from_secs(10),
            monthly_quota: 0,
        }
    }
}

impl FeishuConfig {
    /// The address all calls start with, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base_url
            .as_deref()
            .unwrap_or(self.brand.base_url())
            .trim_end_matches('/')
    }

    /// Where people sign in. A private deployment has it beside its API, as the public editions do:
    /// `open.chat.example.com` and `accounts.chat.example.com`.
    pub fn accounts_url(&self) -> String {
        self.beside("accounts")
    }

    /// What links begin with that open a chat in the client.
    pub fn applink_url(&self) -> String {
        self.beside("applink")
    }

    /// Where the developer console is. The sandbox has none, so its apps are sent to the brand's.
    pub fn console_url(&self) -> &str {
        match self.is_on_this_machine() {
            true => self.brand.base_url(),
            false => self.base_url(),
        }
    }

    /// Whether the platform is served by this machine, as the sandbox is.
    pub fn is_on_this_machine(&self) -> bool {
        is_this_machine(self.base_url())
    }

    fn beside(&self, name: &str) -> String {
        self.console_url()
            .replacen("://open.", &format!("://{name}."), 1)
    }
}

/// Whether an address is one of this machine.
pub fn is_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest[..end].rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl FeishuConfig {
    pub(super) fn read_secrets(&mut self, problems: &mut Problems) {
        for (key, file, value) in [
            (
                "feishu.app_secret_file",
                &self.app_secret_file,
                &mut self.app_secret,
            ),
            (
                "feishu.verification_token_file",
                &self.verification_token_file,
                &mut self.verification_token,
            ),
            (
                "feishu.encrypt_key_file",
                &self.encrypt_key_file,
                &mut self.encrypt_key,
            ),
        ] {
            secret::read(key, file, value, problems);
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            !self.app_id.is_empty(),
            "`feishu.app_id` is empty: copy the App ID from the developer console, under Credentials & Basic Info",
        );
        problems.demand(
            !secret::is_empty(&self.app_secret),
            "`feishu.app_secret` is empty: set it, or `feishu.app_secret_file`, or NIGHTJAR__FEISHU__APP_SECRET",
        );
        problems.demand(
            secret::is_printable(&self.app_secret),
            "`feishu.app_secret` has characters that a secret cannot have: was it copied whole, without spaces?",
        );
        problems.demand(
            !self.ping_every_max.is_zero(),
            "`feishu.ping_every_max` is nothing: pings would follow each other without end",
        );
        problems.demand_url(
            self.base_url(),
            "`feishu.base_url` is not an address: it begins with http:// or https://",
        );
        self.check_webhook(problems);
    }

    fn check_webhook(&self, problems: &mut Problems) {
        let can_tell_who_posts =
            !secret::is_empty(&self.verification_token) || !secret::is_empty(&self.encrypt_key);
        problems.demand(
            can_tell_who_posts || !self.events.is_posted_to(),
            "`feishu.events` asks for webhooks, and without `feishu.verification_token` or `feishu.encrypt_key` anybody \
             could post them: copy both from the developer console, under Events & Callbacks, Encryption Strategy",
        );
        problems.demand(
            secret::is_printable(&self.verification_token),
            "`feishu.verification_token` has characters that it cannot have: was it copied whole, without spaces?",
        );
        problems.demand(
            WEBHOOK_CLOCK_SKEW.contains(&self.webhook_clock_skew_max),
            "`feishu.webhook_clock_skew_max` is outside of 10s to 8h: eight hours is how long events are remembered",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(brand: Brand, base_url: Option<&str>) -> FeishuConfig {
        FeishuConfig {
            brand,
            base_url: base_url.map(str::to_owned),
            ..FeishuConfig::default()
        }
    }

    #[test]
    fn every_host_follows_from_the_brand_or_from_the_base_address() {
        for (config, accounts, applink) in [
            (
                at(Brand::Feishu, None),
                "https://accounts.feishu.cn",
                "https://applink.feishu.cn",
            ),
            (
                at(Brand::Lark, None),
                "https://accounts.larksuite.com",
                "https://applink.larksuite.com",
            ),
            (
                at(Brand::Lark, Some("https://open.chat.example.com/")),
                "https://accounts.chat.example.com",
                "https://applink.chat.example.com",
            ),
            (
                at(Brand::Feishu, Some("https://gateway.example.com")),
                "https://gateway.example.com",
                "https://gateway.example.com",
            ),
            (
                at(Brand::Lark, Some("http://127.0.0.1:7700")),
                "https://accounts.larksuite.com",
                "https://applink.larksuite.com",
            ),
        ] {
            assert_eq!(config.accounts_url(), accounts);
            assert_eq!(config.applink_url(), applink);
        }
    }

    #[test]
    fn this_machine_is_known_by_its_addresses() {
        for (url, expected) in [
            ("http://127.0.0.1:7700/v1", true),
            ("http://localhost", true),
            ("http://[::1]:7700", true),
            ("https://open.feishu.cn", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1@example.com/", false),
            ("", false),
        ] {
            assert_eq!(is_this_machine(url), expected, "{url}");
        }
    }
}
