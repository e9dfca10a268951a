//! The senders of alerts: who has which key, and what each of them may do.

use std::sync::Arc;

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::{bucket::Bucket, refusal::Refusal};
use crate::{
    config::{AlertsConfig, IntegrationConfig},
    incident::alert::{Format, generic::Mapping},
    web::{body::header, throttle::Throttle},
};

/// Carries the signature of those who have to sign.
const SIGNATURE: &str = "x-nightjar-signature";

/// All senders.
pub(super) struct Integrations {
    all: Vec<Arc<Integration>>,
    /// The largest body of any of them.
    pub(super) bytes_max: usize,
}

/// One sender.
pub(super) struct Integration {
    pub(super) name: String,
    /// A digest, so that keys of different lengths take equally long to compare.
    key: [u8; 32],
    formats: Vec<Format>,
    signature_secret: SecretString,
    robot_secret: SecretString,
    pub(super) bytes_max: usize,
    pub(super) mapping: Option<Mapping>,
    bucket: Bucket,
    /// What the log was told about it.
    pub(super) said: Throttle,
}

impl Integrations {
    pub(super) fn new(config: &AlertsConfig) -> Self {
        let all: Vec<_> = config.integrations.iter().map(Integration::new).collect();
        let bytes_max = all.iter().map(|one| one.bytes_max).max();
        Self {
            bytes_max: bytes_max.unwrap_or_default(),
            all: all.into_iter().map(Arc::new).collect(),
        }
    }

    /// Whose key this is.
    pub(super) fn find(&self, key: &str) -> Option<&Arc<Integration>> {
        let given = digest(key);
        let mut found = None;
        // Always all of them: how long it takes says nothing about any key.
        for integration in &self.all {
            if integration.key.ct_eq(&given).into() {
                found = Some(integration);
            }
        }
        found
    }
}

impl Integration {
    fn new(config: &IntegrationConfig) -> Self {
        Self {
            name: config.name.clone(),
            key: digest(config.key.expose_secret()),
            formats: config.formats.clone(),
            signature_secret: config.signature_secret.clone(),
            robot_secret: config.robot_secret.clone(),
            bytes_max: config.body_kib_max * 1024,
            mapping: config.mapping.clone(),
            bucket: Bucket::new(config.requests_per_minute, Instant::now()),
            said: Throttle::default(),
        }
    }

    /// Whether it may send this, and now.
    pub(super) fn admit(&self, format: Format) -> Result<(), Refusal> {
        // First, so that nobody learns by trying what else would be allowed.
        self.bucket.take(Instant::now()).map_err(Refusal::TooFast)?;
        match self.formats.is_empty() || self.formats.contains(&format) {
            true => Ok(()),
            false => Err(Refusal::NotAllowed),
        }
    }

    /// Checks the signature of the bytes as they came, where there has to be one.
    pub(super) fn check_signature(&self, headers: &HeaderMap, raw: &[u8]) -> Result<(), Refusal> {
        let secret = self.signature_secret.expose_secret();
        if secret.is_empty() {
            return Ok(());
        }
        let given = header(headers, SIGNATURE).trim();
        let given = given.strip_prefix("sha256=").and_then(from_hex);
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
        let (Some(given), Ok(mac)) = (given, mac) else {
            return Err(Refusal::Unsigned);
        };
        // Compares in constant time.
        mac.chain_update(raw)
            .verify_slice(&given)
            .map_err(|_| Refusal::Unsigned)
    }

    /// What messages to its custom robot must be signed with, if they must.
    pub(super) fn robot_secret(&self) -> Option<&str> {
        let secret = self.robot_secret.expose_secret();
        (!secret.is_empty()).then_some(secret)
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integrations(text: &str) -> Integrations {
        Integrations::new(&toml::from_str(text).unwrap())
    }

    #[test]
    fn a_key_is_found_whole_and_exactly() {
        let all = integrations(
            "[[integrations]]\nname = \"a\"\nkey = \"0123456789abcdef\"\n\
             [[integrations]]\nname = \"b\"\nkey = \"0123456789abcdefg\"\n",
        );
        let check = |key: &str, expected: Option<&str>| {
            assert_eq!(
                all.find(key).map(|one| one.name.as_str()),
                expected,
                "{key}"
            );
        };
        check("0123456789abcdef", Some("a"));
        check("0123456789abcdefg", Some("b"));
        check("0123456789ABCDEF", None);
        check("0123456789abcde", None);
        check("", None);
    }

    #[test]
    fn a_signature_is_of_the_body_and_the_secret() {
        let all = integrations(
            "[[integrations]]\nname = \"a\"\nkey = \"k\"\nsignature_secret = \"demo-secret\"\n",
        );
        let check = |signature: &str, body: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(SIGNATURE, signature.parse().unwrap());
            let checked = all.all[0].check_signature(&headers, body.as_bytes());
            assert_eq!(checked.is_ok(), expected, "{signature}");
        };
        // Made with: printf '{}' | openssl dgst -sha256 -hmac demo-secret
        const HEX: &str = "e404a1be4fd80006d10b40fe3ba6549b6ce3ab4f3dc3bc2352226d4b5e311f68";
        check(&format!("sha256={HEX}"), "{}", true);
        check(&format!("sha256={}", HEX.to_uppercase()), "{}", true);
        check(&format!("sha256={HEX}"), "{} ", false);
        check(&format!("sha256={}", &HEX[2..]), "{}", false);
        check(&format!("sha256={HEX}0"), "{}", false);
        check(HEX, "{}", false);
        check("sha256=", "{}", false);
        check("sha256=zz", "{}", false);
        check("", "{}", false);
        assert!(
            all.all[0]
                .check_signature(&HeaderMap::new(), b"{}")
                .is_err()
        );
    }
}
