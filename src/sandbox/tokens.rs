//! Tenant tokens with the platform's reuse rule.
//!
//! While the newest token has 30 minutes or more to live it is handed out again; below that a new
//! one is made, and the old one stays good until its own end. [doc: tenant_access_token]

use super::{app, refusal::Refusal};

/// A token lives two hours.
const LIFE_MS: i64 = 2 * 60 * 60 * 1000;
/// From here on a new one is handed out.
const REUSED_ABOVE_MS: i64 = 30 * 60 * 1000;

/// The tokens that have been handed out and may still be good.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Oldest first, each with the time of its end. At most a handful: the ended ones are cleared.
    issued: Vec<(String, i64)>,
}

impl Tokens {
    /// The token to hand out now, and the seconds it has left.
    pub(super) fn issue(&mut self, random: &mut fastrand::Rng, now_ms: i64) -> (String, i64) {
        self.issued.retain(|(_, ends_ms)| *ends_ms > now_ms);
        if let Some((token, ends_ms)) = self.issued.last()
            && ends_ms - now_ms >= REUSED_ABOVE_MS
        {
            return (token.clone(), (ends_ms - now_ms) / 1000);
        }
        let token = format!("t-g1044{}", app::hex(random, 36));
        self.issued.push((token.clone(), now_ms + LIFE_MS));
        (token, LIFE_MS / 1000)
    }

    /// Checks the `Authorization` header of a platform call.
    pub(super) fn check(&self, authorization: Option<&str>, now_ms: i64) -> Result<(), Refusal> {
        let token = authorization
            .and_then(|header| header.strip_prefix("Bearer "))
            .map(str::trim)
            .filter(|token| !token.is_empty());
        let Some(token) = token else {
            return Err(Refusal::new(
                99_991_661,
                "Missing access token for authorization. Please make a request with token attached.",
            ));
        };
        if !token.starts_with("t-") && !token.starts_with("u-") {
            return Err(Refusal::new(
                99_991_671,
                "Invalid access token for authorization. Token should start with 't-' or 'u-'.",
            ));
        }
        let is_good = |(issued, ends_ms): &(String, i64)| issued == token && *ends_ms > now_ms;
        if self.issued.iter().any(is_good) {
            return Ok(());
        }
        Err(Refusal::new(
            99_991_663,
            "Invalid access token for authorization. Please make a request with token attached.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn bearer(token: &str) -> String {
        format!("Bearer {token}")
    }

    #[test]
    fn a_token_is_handed_out_again_while_half_an_hour_is_left_and_the_old_one_stays_good() {
        let (mut tokens, mut random) = (Tokens::default(), fastrand::Rng::with_seed(1));
        let (first, expire) = tokens.issue(&mut random, 0);
        assert_eq!(expire, 7200);
        let (again, expire) = tokens.issue(&mut random, 90 * MINUTE_MS);
        assert_eq!((again.as_str(), expire), (first.as_str(), 1800));
        let (second, expire) = tokens.issue(&mut random, 90 * MINUTE_MS + 1);
        assert_ne!(second, first);
        assert_eq!(expire, 7200);
        assert!(tokens.check(Some(&bearer(&first)), 119 * MINUTE_MS).is_ok());
        assert!(
            tokens
                .check(Some(&bearer(&second)), 119 * MINUTE_MS)
                .is_ok()
        );
        let refusal = tokens
            .check(Some(&bearer(&first)), 120 * MINUTE_MS)
            .unwrap_err();
        assert_eq!(refusal.code, 99_991_663);
        assert!(
            tokens
                .check(Some(&bearer(&second)), 120 * MINUTE_MS)
                .is_ok()
        );
    }

    #[test]
    fn a_missing_or_misshapen_token_has_its_own_code() {
        let tokens = Tokens::default();
        assert_eq!(tokens.check(None, 0).unwrap_err().code, 99_991_661);
        assert_eq!(
            tokens.check(Some("Bearer "), 0).unwrap_err().code,
            99_991_661
        );
        assert_eq!(
            tokens.check(Some("Bearer x-1"), 0).unwrap_err().code,
            99_991_671
        );
        assert_eq!(
            tokens.check(Some("Bearer t-1"), 0).unwrap_err().code,
            99_991_663
        );
    }
}
