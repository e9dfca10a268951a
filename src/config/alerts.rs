//! `[alerts]`: who may send alerts, and as what.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    duration,
    incident::alert::{Format, generic::Mapping},
};

use super::{problems::Problems, secret};

/// The shortest key: it stands in an address and is all that keeps others out.
const KEY_CHARS_MIN: usize = 16;

/// `[alerts]`: who may send alerts, and as what.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsConfig {
    /// The senders. With none, no alert is taken.
    pub integrations: Vec<IntegrationConfig>,
}

/// One sender of alerts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntegrationConfig {
    /// What people call it. Stands in cards and rules, so it should not be changed later.
    pub name: String,
    /// What stands in its address, and in PagerDuty's `routing_key`.
    #[serde(serialize_with = "secret::masked")]
    pub key: SecretString,
    /// A file that holds the key, read at start instead of `key`.
    pub key_file: Option<PathBuf>,
    /// The only formats it may send; all if there are none.
    pub formats: Vec<Format>,
    /// With it every request must be signed: `X-Nightjar-Signature: sha256=<hex of HMAC-SHA256 of the body>`.
    #[serde(serialize_with = "secret::masked")]
    pub signature_secret: SecretString,
    /// A file that holds it, read at start instead of `signature_secret`.
    pub signature_secret_file: Option<PathBuf>,
    /// With it, what is sent as to a custom robot must be signed as custom robots want it.
    #[serde(serialize_with = "secret::masked")]
    pub robot_secret: SecretString,
    /// A file that holds it, read at start instead of `robot_secret`.
    pub robot_secret_file: Option<PathBuf>,
    /// How many requests it may make in a minute. What is more is refused, and senders try again.
    pub requests_per_minute: u32,
    /// The largest body, in KiB.
    pub body_kib_max: usize,
    /// After how long without a report an alert that fires is taken for recovered. Zero: never, which is right
    /// for senders that tell only once.
    #[serde(with = "duration")]
    pub stale_after: Duration,
    /// Where things are in JSON of its own kind.
    pub mapping: Option<Mapping>,
}

impl Default for IntegrationConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            key: SecretString::default(),
            key_file: None,
            formats: Vec::new(),
            signature_secret: SecretString::default(),
            signature_secret_file: None,
            robot_secret: SecretString::default(),
            robot_secret_file: None,
            requests_per_minute: 6000,
            body_kib_max: 1024,
            stale_after: Duration::ZERO,
            mapping: None,
        }
    }
}

impl AlertsConfig {
    pub(super) fn read_secrets(&mut self, problems: &mut Problems) {
        for (at, one) in self.integrations.iter_mut().enumerate() {
            let files = [
                ("key_file", &one.key_file, &mut one.key),
                (
                    "signature_secret_file",
                    &one.signature_secret_file,
                    &mut one.signature_secret,
                ),
                (
                    "robot_secret_file",
                    &one.robot_secret_file,
                    &mut one.robot_secret,
                ),
            ];
            for (key, file, value) in files {
                let key = format!("alerts.integrations[{at}].{key}");
                secret::read(&key, file, value, problems);
            }
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let (mut names, mut keys) = (HashSet::new(), HashSet::new());
        for (at, one) in self.integrations.iter().enumerate() {
            let place = format!("alerts.integrations[{at}]");
            let is_name = !one.name.is_empty()
                && one.name.len() <= 64
                && one
                    .name
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-_.".contains(c));
            problems.demand(
                is_name,
                &format!(
                    "`{place}.name` must have 1 to 64 bytes of letters, digits, `-`, `_` or `.`"
                ),
            );
            let key = one.key.expose_secret();
            let fits_an_address = key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
            problems.demand(
                key.len() >= KEY_CHARS_MIN && fits_an_address,
                &format!("`{place}.key` must have {KEY_CHARS_MIN} or more of the characters that an address can have: letters, digits, `-`, `_`, `.`, `~`. Make one with: openssl rand -hex 16"),
            );
            problems.demand(
                names.insert(&one.name),
                &format!("`{place}.name` is another integration's already"),
            );
            problems.demand(
                keys.insert(key),
                &format!("`{place}.key` is another integration's already"),
            );
            problems.demand(
                one.requests_per_minute > 0,
                &format!("`{place}.requests_per_minute` is 0: remove the integration instead"),
            );
            problems.demand(
                (1..=16 * 1024).contains(&one.body_kib_max),
                &format!("`{place}.body_kib_max` must be between 1 and 16384"),
            );
            let wrong = one.mapping.iter().flat_map(Mapping::problems);
            for problem in wrong {
                problems.add(format!("`{place}.mapping`: {problem}"));
            }
            problems.demand(
                !one.formats.contains(&Format::Generic) || one.mapping.is_some(),
                &format!("`{place}.formats` has \"generic\", which needs `{place}.mapping`"),
            );
        }
    }
}
