//! `[feishu]`: the platform and our app on it.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{duration, problems::Problems, secret};

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
}

impl FeishuConfig {
    pub(super) fn read_secrets(&mut self, problems: &mut Problems) {
        let file = &self.app_secret_file;
        secret::read(
            "feishu.app_secret_file",
            file,
            &mut self.app_secret,
            problems,
        );
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
    }
}
