//! Values that no output of ours may show.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::Problems;

/// The keys whose values stay text in the environment, also where they happen to be digits.
pub(super) const KEYS: &[&str] = &[
    "app_id",
    "app_secret",
    "verification_token",
    "encrypt_key",
    "api_key",
];

/// Replaces a secret by what its file holds, if a file is named.
pub(super) fn read(
    key: &str,
    file: &Option<PathBuf>,
    secret: &mut SecretString,
    problems: &mut Problems,
) {
    let Some(file) = file else { return };
    match std::fs::read_to_string(file) {
        Ok(text) => *secret = SecretString::from(text.trim()),
        Err(error) => problems.add(format!("`{key}`: cannot read {}: {error}", file.display())),
    }
}

/// Whether every character is one that a secret can have.
pub(super) fn is_printable(secret: &SecretString) -> bool {
    secret.expose_secret().chars().all(|c| c.is_ascii_graphic())
}

/// Whether there is none.
pub(super) fn is_empty(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}

/// Writes a secret as `***`, or as nothing when there is none.
pub(super) fn masked<S: serde::Serializer>(
    secret: &SecretString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if is_empty(secret) { "" } else { "***" })
}
