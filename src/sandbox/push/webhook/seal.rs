//! Encryption and signature of one request (encrypt key case and event security in the vendor's
//! documentation). The block chaining is done by hand, so that a library that is used wrongly on the
//! receiving side does not meet itself here.

use aes::{
    Aes256,
    cipher::{Array, BlockCipherEncrypt, KeyInit},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::sandbox::app::{self, App};

const BLOCK: usize = 16;

/// What makes one request different from every other.
#[derive(Debug)]
pub(super) struct Seal<'a> {
    encrypt_key: &'a str,
    verification_token: &'a str,
    timestamp: String,
    nonce: String,
    vector: [u8; BLOCK],
}

impl<'a> Seal<'a> {
    /// For a request that is sent at this second.
    pub(super) fn new(app: &'a App, random: &mut fastrand::Rng, now_s: i64) -> Self {
        let mut vector = [0; BLOCK];
        random.fill(&mut vector);
        Self {
            encrypt_key: &app.encrypt_key,
            verification_token: &app.verification_token,
            timestamp: now_s.to_string(),
            nonce: app::alphanumeric(random, 10),
            vector,
        }
    }

    /// `{"encrypt": "…"}`: the vector and AES-256-CBC of the text, under the SHA-256 of the key.
    pub(super) fn encrypted(&self, text: &[u8]) -> Vec<u8> {
        let key: [u8; 32] = Sha256::digest(self.encrypt_key.as_bytes()).into();
        let cipher = Aes256::new(&Array::from(key));
        // PKCS#7: as many bytes as are missing, each of that value; a whole block where none is.
        let missing = BLOCK - text.len() % BLOCK;
        let padding = vec![u8::try_from(missing).unwrap_or(16); missing];
        let mut sealed = self.vector.to_vec();
        let mut before = self.vector;
        for plain in [text, &padding].concat().chunks(BLOCK) {
            for (byte, plain) in before.iter_mut().zip(plain) {
                *byte ^= plain;
            }
            let mut block = Array::from(before);
            cipher.encrypt_block(&mut block);
            before = block.into();
            sealed.extend_from_slice(&before);
        }
        json!({"encrypt": STANDARD.encode(sealed)})
            .to_string()
            .into_bytes()
    }

    /// The signature of events and of the new callbacks.
    pub(super) fn signature(&self, body: &[u8]) -> String {
        let signed = self.signed(self.encrypt_key, body);
        digits(&Sha256::digest(signed))
    }

    /// The signature of the old card callback.
    pub(super) fn old_card_signature(&self, body: &[u8]) -> String {
        let signed = self.signed(self.verification_token, body);
        digits(&Sha1::digest(signed))
    }

    /// The headers of a request with this signature, or of one that has none.
    pub(super) fn headers(&self, signature: Option<String>) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("X-Lark-Request-Timestamp", self.timestamp.clone()),
            ("X-Lark-Request-Nonce", self.nonce.clone()),
        ];
        headers.extend(signature.map(|signature| ("X-Lark-Signature", signature)));
        headers
    }

    fn signed(&self, secret: &str, body: &[u8]) -> Vec<u8> {
        let start = format!("{}{}{secret}", self.timestamp, self.nonce);
        [start.as_bytes(), body].concat()
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal<'static> {
        Seal {
            encrypt_key: "test key",
            verification_token: "vtoken",
            timestamp: "1700000000".into(),
            nonce: "nonce123".into(),
            // 3f7ef0f9564898d80f10ed5106127a46
            vector: [
                0x3f, 0x7e, 0xf0, 0xf9, 0x56, 0x48, 0x98, 0xd8, 0x0f, 0x10, 0xed, 0x51, 0x06, 0x12,
                0x7a, 0x46,
            ],
        }
    }

    #[test]
    fn the_documented_sample_comes_out() {
        let sealed = seal().encrypted(b"hello world");
        let expected = r#"{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}"#;
        assert_eq!(String::from_utf8(sealed).unwrap(), expected);
    }

    #[test]
    fn a_text_of_whole_blocks_gets_a_block_of_padding() {
        let length = |text: &[u8]| {
            let sealed: serde_json::Value =
                serde_json::from_slice(&seal().encrypted(text)).unwrap();
            STANDARD
                .decode(sealed["encrypt"].as_str().unwrap())
                .unwrap()
                .len()
        };
        assert_eq!(
            (length(&[0; 15]), length(&[0; 16]), length(&[0; 17])),
            (32, 48, 48)
        );
    }

    #[test]
    fn the_signatures_are_those_of_the_notes() {
        let body = br#"{"encrypt":"abc"}"#;
        assert_eq!(
            seal().signature(body),
            "fa24b1676251ac6f7e77ce096f97c39d68faf9c7ce89a34ee58abf9ecad1558f"
        );
        assert_eq!(
            seal().old_card_signature(body),
            "43a9701f22f8a257b32333954e2a01cc9544408d"
        );
    }
}
