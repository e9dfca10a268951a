//! The one app that lives in the sandbox: its credentials, and the names by which its bot is known.
//!
//! Everything comes from the seed, so a configuration written yesterday still fits a sandbox
//! started today with the same seed.

/// The credentials of the sandbox's app, and the identity of its bot.
#[derive(Debug, Clone)]
pub(super) struct App {
    /// `cli_` and 16 hex digits, the shape that the vendor's SDKs check.
    pub(super) app_id: String,
    /// What `POST /open-apis/auth/v3/tenant_access_token/internal` asks for.
    pub(super) app_secret: String,
    /// Stands in `header.token` of every event.
    pub(super) verification_token: String,
    /// For webhooks, which encrypt; the long connection does not.
    pub(super) encrypt_key: String,
    /// The one tenant of the sandbox.
    pub(super) tenant_key: String,
    /// The bot's own `ou_…`, as mentions name it.
    pub(super) open_id: String,
    /// The bot's name in chats.
    pub(super) name: String,
}

impl App {
    /// The app that belongs to `seed`, always the same one.
    pub(super) fn seeded(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x6170_705f_6964);
        Self {
            app_id: format!("cli_{}", hex(&mut random, 16)),
            app_secret: alphanumeric(&mut random, 32),
            verification_token: alphanumeric(&mut random, 32),
            encrypt_key: alphanumeric(&mut random, 32),
            tenant_key: hex(&mut random, 16),
            open_id: format!("ou_{}", hex(&mut random, 32)),
            name: "Nightjar".to_owned(),
        }
    }
}

/// `length` random hex digits.
pub(super) fn hex(random: &mut fastrand::Rng, length: usize) -> String {
    (0..length)
        .map(|_| char::from_digit(random.u32(0..16), 16).expect("a number below 16 is a hex digit"))
        .collect()
}

/// `length` random letters and digits.
pub(super) fn alphanumeric(random: &mut fastrand::Rng, length: usize) -> String {
    (0..length).map(|_| random.alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_app() {
        let (one, two) = (App::seeded(7), App::seeded(7));
        assert_eq!(one.app_id, two.app_id);
        assert_eq!(one.app_secret, two.app_secret);
        assert_ne!(one.app_secret, App::seeded(8).app_secret);
        assert_eq!(one.app_id.len(), 20);
    }
}
