//! The signature of a custom robot's messages.
//!
//! A curious one: the timestamp and the secret together are the key, and what is signed is nothing.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::incident::alert::{AlertError, fields};

/// For how long a signature is good, into the past and the future.
pub const VALID_FOR: Duration = Duration::from_secs(3600);

/// Checks `timestamp` and `sign` of a body against the robot's secret.
pub fn check_sign(body: &[u8], secret: &str, now: Timestamp) -> Result<(), AlertError> {
    let unsigned = |problem: &str| Err(AlertError::Unsigned(problem.to_owned()));
    let mut robot = fields::object(body, super::REMEDY)?;
    let (Some(timestamp), Some(sign)) = (robot.text("timestamp"), robot.text("sign")) else {
        return unsigned("this address wants messages signed: send `timestamp` and `sign` too");
    };
    let Some(at) = timestamp
        .trim()
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
    else {
        return unsigned("`timestamp` is not a number of seconds");
    };
    if now.duration_since(at).unsigned_abs() > VALID_FOR {
        return unsigned(
            "`timestamp` is more than an hour away from our clock: check the sender's",
        );
    }
    let key = format!("{timestamp}\n{secret}");
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return unsigned("`sign` does not fit `timestamp` and the secret");
    };
    let given = decode(sign.trim());
    // Compares in constant time.
    match given.is_some_and(|given| mac.verify_slice(&given).is_ok()) {
        true => Ok(()),
        false => unsigned("`sign` does not fit `timestamp` and the secret"),
    }
}

fn decode(sign: &str) -> Option<Vec<u8>> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.decode(sign).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Made with Python: `base64(hmac(b"1772352000\ndemo-secret", b"", sha256))`.
    const SIGN: &str = "rJ7XCjxhqWP6nD7nZqkRbxALJGMBb7itqBJTrB1cDyA=";

    #[test]
    fn a_signature_is_good_for_an_hour_and_for_its_secret_only() {
        let body = |timestamp: serde_json::Value, sign: &str| {
            json!({"timestamp": timestamp, "sign": sign, "msg_type": "text"}).to_string()
        };
        let check = |body: &str, secret: &str, at: i64, expected: Result<(), &str>| {
            let now = Timestamp::from_second(at).unwrap();
            let checked = check_sign(body.as_bytes(), secret, now);
            let checked = checked.map_err(|error| error.to_string());
            assert_eq!(checked, expected.map_err(str::to_owned));
        };
        let (good, at) = (body(json!("1772352000"), SIGN), 1772352000);
        check(&good, "demo-secret", at, Ok(()));
        check(&good, "demo-secret", at + 3600, Ok(()));
        check(&body(json!(1772352000), SIGN), "demo-secret", at, Ok(()));
        let away = Err("`timestamp` is more than an hour away from our clock: check the sender's");
        check(&good, "demo-secret", at + 3601, away);
        check(&good, "demo-secret", at - 3601, away);
        let wrong = Err("`sign` does not fit `timestamp` and the secret");
        check(&good, "another", at, wrong);
        check(&body(json!("1772352001"), SIGN), "demo-secret", at, wrong);
        check(&body(json!("1772352000"), "%%"), "demo-secret", at, wrong);
        check(
            "{}",
            "demo-secret",
            at,
            Err("this address wants messages signed: send `timestamp` and `sign` too"),
        );
        check(
            &body(json!("soon"), SIGN),
            "demo-secret",
            at,
            Err("`timestamp` is not a number of seconds"),
        );
    }
}
