//! Someone who posts to the webhook: as the platform does, or as somebody who would like to be it.

use std::sync::atomic::{AtomicU64, Ordering};

use aes::Aes256;
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A request, ready to be sent any number of times.
#[derive(Clone)]
pub struct Post {
    pub timestamp: i64,
    pub nonce: String,
    pub signature: String,
    pub body: Vec<u8>,
}

/// Knows the keys, or what it takes for them.
pub struct Poster {
    token: String,
    key: String,
}

impl Poster {
    pub fn new(token: &str, key: &str) -> Self {
        let (token, key) = (token.to_owned(), key.to_owned());
        Self { token, key }
    }

    /// An event that the bot takes and that changes nothing: the recall of a message that never was. The sandbox
    /// sends no recalls by itself, so they can be counted.
    pub fn event(&self) -> Value {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        json!({
            "schema": "2.0",
            "header": {"event_id": format!("e{number}"), "event_type": "im.message.recalled_v1", "token": self.token,
                "app_id": "cli_a", "tenant_key": "t"},
            "event": {"message_id": format!("om_never_{number}"), "chat_id": "oc_nowhere"},
        })
    }

    /// `event` as the platform posts it.
    pub fn post(&self, event: &Value) -> Post {
        self.post_at(event, Timestamp::now().as_second())
    }

    /// The same, signed at some other time.
    pub fn post_at(&self, event: &Value, timestamp: i64) -> Post {
        let key: [u8; 32] = Sha256::digest(&self.key).into();
        let vector: [u8; 16] = std::array::from_fn(|_| fastrand::u8(..));
        let encryptor = Encryptor::<Aes256>::new(&key.into(), &vector.into());
        let sealed = encryptor.encrypt_padded_vec::<Pkcs7>(event.to_string().as_bytes());
        let encrypt = STANDARD.encode([&vector[..], &sealed].concat());
        self.sign(
            timestamp,
            json!({ "encrypt": encrypt }).to_string().into_bytes(),
        )
    }

    /// Any body, signed.
    pub fn sign(&self, timestamp: i64, body: Vec<u8>) -> Post {
        let nonce = format!("{:016x}", fastrand::u64(..));
        let start = format!("{timestamp}{nonce}{}", self.key);
        let digest = Sha256::digest([start.as_bytes(), &body].concat());
        let signature = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Post {
            timestamp,
            nonce,
            signature,
            body,
        }
    }
}

impl Post {
    /// Sends it, and gives the status of the answer.
    pub async fn send(&self, http: &reqwest::Client, url: &str) -> u16 {
        let mut request = http
            .post(url)
            .header("X-Lark-Request-Timestamp", self.timestamp)
            .header("X-Lark-Request-Nonce", &self.nonce);
        if !self.signature.is_empty() {
            request = request.header("X-Lark-Signature", &self.signature);
        }
        let answer = request.body(self.body.clone()).send().await.unwrap();
        let status = answer.status().as_u16();
        // To the end, so that the connection can be used again.
        let _ = answer.bytes().await;
        status
    }
}
