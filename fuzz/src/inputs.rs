//! One function for each kind of input that comes from outside. Each takes any bytes and panics where
//! something is wrong: that is how a fuzzer, and the corpus test of the crate, learn of it.

use std::time::{Duration, Instant};

use nightjar::{
    bot::markdown,
    config::FeishuConfig,
    feishu::{
        Event, EventBody,
        webhook::{Posted, Request, Webhook},
        ws::{Fragments, Frame},
    },
};
use sha2::{Digest, Sha256};

const KEY: &str = "a key";
const TOKEN: &str = "a token";
const TIMESTAMP: &str = "1700000000";

/// Frames of the long connection, each with its length (two bytes, big-endian) in front, and what their
/// fragments make.
pub fn frames(data: &[u8]) {
    let mut fragments = Fragments::default();
    let start = Instant::now();
    for (number, message) in messages(data).enumerate() {
        let Ok(frame) = Frame::read(message.to_vec().into()) else {
            continue;
        };
        assert_eq!(
            Frame::read(frame.to_bytes()).expect("what was written can be read"),
            frame
        );
        let header = |key| frame.header(key).and_then(|value| value.parse().ok());
        let id = frame.header("message_id").unwrap_or_default();
        let (sum, seq) = (header("sum").unwrap_or(1), header("seq").unwrap_or(0));
        let part = frame.payload.clone().unwrap_or_default();
        let now = start + Duration::from_millis(number as u64 * 100);
        if let Ok(Some(payload)) = fragments.add(id, sum, seq, part, now.into()) {
            let _ = Event::decode(&payload);
        }
    }
}

fn messages(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (message, rest) = rest.split_at(length);
        data = rest;
        Some(message)
    })
}

/// Bodies that are posted: by nobody, by somebody with the token, by somebody with the key.
pub fn webhook(data: &[u8]) {
    let now = TIMESTAMP.parse().map(jiff::Timestamp::from_second);
    let now = now.expect("it is a number").expect("it is a time");
    let unsigned = Request {
        timestamp: TIMESTAMP,
        nonce: "n",
        signature: "",
        body: data,
    };
    let digest = Sha256::digest([TIMESTAMP.as_bytes(), b"n", KEY.as_bytes(), data].concat());
    let signature: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = Request {
        signature: &signature,
        ..unsigned
    };
    for key in ["", KEY] {
        let webhook = Webhook::new(&FeishuConfig {
            verification_token: TOKEN.into(),
            encrypt_key: key.into(),
            ..FeishuConfig::default()
        });
        let mut half = signed;
        half.signature = &signature[..32];
        let carries_token = data
            .windows(TOKEN.len())
            .any(|part| part == TOKEN.as_bytes());
        for request in [unsigned, half] {
            let posted = webhook.read(&request, now);
            let is_event = matches!(posted, Ok(Posted::Event(_) | Posted::Repetition));
            // The token may be written with escapes, so only the key is certain to be needed.
            assert!(!is_event || key.is_empty(), "an event without a signature");
            assert!(!is_event || carries_token || data.contains(&b'\\'));
        }
        if let Ok(Posted::Event(taken)) = webhook.read(&signed, now) {
            let _ = Event::decode(&taken.payload);
            taken.claim.accept();
        }
        assert!(webhook.memory().len() <= 1);
    }
}

/// Events, of either schema.
pub fn events(data: &[u8]) {
    if let Ok(event) = Event::decode(data) {
        assert!(!event.kind.is_empty() && !event.id.as_str().is_empty());
        if let EventBody::Message(message, _) = event.body {
            let _ = message.text();
        }
    }
}

/// The bodies of presses of buttons, in the new envelope.
pub fn cards(data: &[u8]) {
    let start =
        br#"{"schema":"2.0","header":{"event_id":"e","event_type":"card.action.trigger"},"event":"#;
    events(&[start, data, b"}"].concat());
}

/// What a model may write.
pub fn markdown(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in [
        markdown::to_dialect(&text),
        markdown::to_dialect_streaming(&text),
    ] {
        assert!(!has_mention(&dialect), "a mention came through: {dialect}");
        for part in markdown::split(&dialect, 4000, markdown::TABLES_MAX) {
            assert!(part.len() <= 4000, "a part of {} bytes", part.len());
        }
        let _ = markdown::split_elements(&dialect);
        let _ = markdown::text_message(&dialect);
        let _ = markdown::first_sentence(&dialect, 60);
    }
}

/// Whether there is the tag that wakes people, and not only one whose name begins like it.
fn has_mention(text: &str) -> bool {
    text.split("<at").skip(1).any(|rest| {
        let next = rest.chars().next();
        !next.is_some_and(|next| next.is_alphanumeric() || next == '_' || next == '-')
    })
}
