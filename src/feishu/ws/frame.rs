//! The frame of the long connection: protobuf (proto2, the platform's `pbbp2`), one in each binary message.
//!
//! The first four numbers are *required*: they are written even when they are zero, and a server that
//! misses one drops the frame. prost does so only for fields marked `required`.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use prost::Message;
use serde_json::json;

use super::Answer;

/// One frame. Decoding borrows the payload from the message it came in.
#[derive(Clone, PartialEq, Message)]
pub struct Frame {
    /// The server's number for the frame.
    #[prost(uint64, required, tag = "1")]
    pub seq_id: u64,
    /// The server's log id.
    #[prost(uint64, required, tag = "2")]
    pub log_id: u64,
    /// The service that the connection was given, `service_id` of its address.
    #[prost(int32, required, tag = "3")]
    pub service: i32,
    /// 0 for control (ping, pong), 1 for data.
    #[prost(int32, required, tag = "4")]
    pub method: i32,
    /// `type`, `message_id`, `sum`, `seq` and others, in order.
    #[prost(message, repeated, tag = "5")]
    pub headers: Vec<Header>,
    /// Unused; kept because an acknowledgement echoes it.
    #[prost(string, optional, tag = "6")]
    pub payload_encoding: Option<String>,
    /// Unused; kept because an acknowledgement echoes it.
    #[prost(string, optional, tag = "7")]
    pub payload_type: Option<String>,
    /// JSON: an event or a part of one, settings in a pong, the outcome in an acknowledgement.
    #[prost(bytes = "bytes", optional, tag = "8")]
    pub payload: Option<Bytes>,
    /// Unused; kept because an acknowledgement echoes it.
    #[prost(string, optional, tag = "9")]
    pub log_id_new: Option<String>,
}

/// A header of a frame.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Header {
    /// Its name.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// Its value; numbers are decimal text.
    #[prost(string, required, tag = "2")]
    pub value: String,
}

/// Bytes that are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a frame: {0}")]
pub struct FrameError(#[from] prost::DecodeError);

/// [`Frame::method`] of pings and pongs.
pub(super) const CONTROL: i32 = 0;
/// [`Frame::method`] of events.
pub(super) const DATA: i32 = 1;

impl Frame {
    /// Reads a frame. Fields we do not know are stepped over.
    pub fn read(bytes: Bytes) -> Result<Self, FrameError> {
        Ok(Self::decode(bytes)?)
    }

    /// The frame as it goes over the wire.
    pub fn to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    /// The value of a header; the first if there are several.
    pub fn header(&self, key: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.key == key);
        header.map(|header| header.value.as_str())
    }

    /// Adds a header at the end.
    pub fn with_header(mut self, key: &str, value: impl ToString) -> Self {
        self.headers.push(Header {
            key: key.to_owned(),
            value: value.to_string(),
        });
        self
    }

    /// The ping that keeps a connection of this service alive.
    pub(in crate::feishu) fn ping(service: i32) -> Self {
        let ping = Self {
            service,
            method: CONTROL,
            ..Self::default()
        };
        ping.with_header("type", "ping")
    }

    /// The frame that answers this one: the same with another payload, and how long it took.
    pub(in crate::feishu) fn acknowledge(mut self, answer: &Answer, took: Duration) -> Self {
        let (code, reply) = match answer {
            Answer::Done => (200, None),
            Answer::DoneWith(reply) => (200, Some(reply.to_string())),
            Answer::Failed => (500, None),
        };
        // `data` is base64 text. `headers` and an empty `data` are written as the vendor's Go SDK does.
        let data = reply.map(|reply| BASE64_STANDARD.encode(reply));
        let payload = json!({"code": code, "headers": null, "data": data});
        self.payload = Some(payload.to_string().into());
        self.with_header("biz_rt", took.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// `feishu-wire.md`, appendix A.
    const PING_MINIMAL: &str = "08001000180720002a0c0a0474797065120470696e67";
    const PING_AS_GO_WRITES_IT: &str = "08001000180720002a0c0a0474797065120470696e6732003a004a00";

    fn bytes(hex: &str) -> Bytes {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn a_ping_has_all_its_required_zeros() {
        assert_eq!(Frame::ping(7).to_bytes(), bytes(PING_MINIMAL));
    }

    #[test]
    fn empty_and_absent_optional_fields_are_both_read() {
        let frame = Frame::read(bytes(PING_AS_GO_WRITES_IT)).unwrap();
        assert_eq!(frame.payload_encoding.as_deref(), Some(""));
        assert_eq!((frame.service, frame.header("type")), (7, Some("ping")));
        assert_eq!(frame.to_bytes(), bytes(PING_AS_GO_WRITES_IT));
        assert_eq!(Frame::read(bytes(PING_MINIMAL)).unwrap(), Frame::ping(7));
    }

    #[test]
    fn unknown_fields_are_stepped_over() {
        let mut longer = bytes(PING_MINIMAL).to_vec();
        // Field 15, the bytes "hi".
        longer.extend([0x7a, 2, b'h', b'i']);
        assert_eq!(Frame::read(longer.into()).unwrap(), Frame::ping(7));
    }

    fn acknowledged(answer: &Answer) -> (Frame, Value) {
        let event = Frame {
            seq_id: 3,
            log_id: 4,
            service: 7,
            method: DATA,
            payload_type: Some(String::new()),
            payload: Some("{}".into()),
            log_id_new: Some("x".into()),
            ..Frame::default()
        };
        let event = event
            .with_header("type", "event")
            .with_header("message_id", "m");
        let frame = event.clone().acknowledge(answer, Duration::from_millis(12));
        assert_eq!(
            (frame.seq_id, frame.log_id, frame.service, frame.method),
            (3, 4, 7, 1)
        );
        assert_eq!(
            (&frame.payload_type, &frame.log_id_new),
            (&event.payload_type, &event.log_id_new)
        );
        assert_eq!(frame.headers[..2], event.headers);
        assert_eq!(frame.header("biz_rt"), Some("12"));
        let payload = serde_json::from_slice(frame.payload.as_ref().unwrap()).unwrap();
        (frame, payload)
    }

    #[test]
    fn an_acknowledgement_echoes_its_frame() {
        let (_, payload) = acknowledged(&Answer::Done);
        assert_eq!(payload, json!({"code": 200, "headers": null, "data": null}));
        let (_, payload) = acknowledged(&Answer::Failed);
        assert_eq!(payload["code"], 500);
    }

    #[test]
    fn a_reply_is_base64_text() {
        // The members in the vector's order: base64 does not forgive another.
        let reply = json!({"toast": {"content": "ok", "type": "success"}});
        let (_, payload) = acknowledged(&Answer::DoneWith(reply.clone()));
        let data = payload["data"].as_str().unwrap();
        let back: Value = serde_json::from_slice(&BASE64_STANDARD.decode(data).unwrap()).unwrap();
        assert_eq!(back, reply);
        let vector = "eyJ0b2FzdCI6eyJ0eXBlIjoic3VjY2VzcyIsImNvbnRlbnQiOiJvayJ9fQ==";
        let back: Value = serde_json::from_slice(&BASE64_STANDARD.decode(vector).unwrap()).unwrap();
        assert_eq!(back, reply);
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Frame::read(bytes.into());
        }

        #[test]
        fn what_is_written_is_read(seq_id: u64, service: i32, key: String, value: String, payload: Vec<u8>) {
            let frame = Frame { seq_id, service, method: DATA, payload: Some(payload.into()), ..Frame::default() };
            let frame = frame.with_header(&key, &value);
            prop_assert_eq!(Frame::read(frame.to_bytes()).unwrap(), frame);
        }
    }
}
