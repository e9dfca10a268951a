//! How the platform encrypts and signs what it posts (feishu-wire 3.2, 3.3).

use std::fmt;

use aes::Aes256;
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Request;

/// The bytes of an AES block, and of the initialisation vector in front of what is encrypted.
const BLOCK: usize = 16;

/// The app's Encrypt Key, in the two forms in which it is needed.
pub(super) struct EncryptKey {
    text: SecretString,
    key: [u8; 32],
}

/// Shows nothing of the key.
impl fmt::Debug for EncryptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptKey(***)")
    }
}

impl EncryptKey {
    /// Takes the text of the developer console.
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            key: Sha256::digest(text.as_bytes()).into(),
        }
    }

    /// The signature of events and new callbacks.
    pub(super) fn sign(&self, request: &Request<'_>) -> [u8; 32] {
        hashed::<Sha256>(request, self.text.expose_secret()).into()
    }

    /// What is inside of the text of an `encrypt` member; `None` where that is nothing of ours.
    pub(super) fn decrypt(&self, encrypted: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(encrypted).ok()?;
        let (vector, blocks) = bytes.split_first_chunk::<BLOCK>()?;
        let decryptor = Decryptor::<Aes256>::new(&self.key.into(), &(*vector).into());
        decryptor.decrypt_padded_vec::<Pkcs7>(blocks).ok()
    }
}

/// The signature of the old card callback.
pub(super) fn sign_old_card(verification_token: &str, request: &Request<'_>) -> [u8; 20] {
    hashed::<Sha1>(request, verification_token).into()
}

/// Time and nonce as they were sent, a secret, and the body as it came, without anything between them.
fn hashed<D: Digest>(request: &Request<'_>, secret: &str) -> cbc::cipher::Array<u8, D::OutputSize> {
    D::new()
        .chain_update(request.timestamp)
        .chain_update(request.nonce)
        .chain_update(secret)
        .chain_update(request.body)
        .finalize()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Bytes as small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(digit.into(), 16).expect("four bits are one digit");
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request<'_> = Request {
        timestamp: "1700000000",
        nonce: "nonce123",
        signature: "",
        body: br#"{"encrypt":"abc"}"#,
    };

    #[test]
    fn the_documented_sample_is_decrypted() {
        let key = EncryptKey::new("test key");
        assert_eq!(
            hex(&key.key),
            "fa2bdca424f01f01ffb48df93acc35d439c7fd331a1a7fba6ac2fd83aa9ab31a"
        );
        let sample = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=";
        assert_eq!(key.decrypt(sample).unwrap(), b"hello world");
    }

    #[test]
    fn requests_are_signed_as_the_notes_computed() {
        assert_eq!(
            hex(&EncryptKey::new("test key").sign(&REQUEST)),
            "fa24b1676251ac6f7e77ce096f97c39d68faf9c7ce89a34ee58abf9ecad1558f"
        );
        assert_eq!(
            hex(&sign_old_card("vtoken", &REQUEST)),
            "43a9701f22f8a257b32333954e2a01cc9544408d"
        );
    }

    #[test]
    fn what_was_not_encrypted_by_us_is_nothing() {
        let key = EncryptKey::new("test key");
        for wrong in [
            "",
            "?",
            "P37w+VZImNgPEO1RBhJ6Rg==",
            "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghg=",
            "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzgg==",
        ] {
            assert_eq!(key.decrypt(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        assert!(!format!("{:?}", EncryptKey::new("hunter2")).contains("hunter2"));
    }
}
