//! Makes the frames of one attempt, and tells whether an acknowledgement belongs to them.
//!
//! A payload is cut by bytes, so a piece may end inside a character, as on the platform. The
//! acknowledgement must be the last frame the client received, with only the payload replaced and
//! `biz_rt` added; the platform accepts no less.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use prost::Message;
use serde::Deserialize;
use serde_json::Value;

use super::frame::{DATA, Frame, Header};

/// What stands in the frames of one attempt.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    /// Echoed by the client; new in every attempt.
    pub(super) message_id: String,
    /// `event` or `card`.
    pub(super) kind: &'static str,
    /// For the platform's own logs.
    pub(super) trace_id: String,
    /// When it was sent, in milliseconds.
    pub(super) timestamp_ms: i64,
    /// The `service_id` of the connection.
    pub(super) service: i32,
    /// `LogID` of every piece.
    pub(super) log_id: u64,
    /// `SeqID` of the first piece; the others count up from it.
    pub(super) first_seq_id: u64,
    /// How many pieces there are, at least 1.
    pub(super) sum: usize,
}

/// How many pieces a payload of `length` bytes makes; `fragment_bytes` of 0 does not cut.
pub(super) fn pieces(length: usize, fragment_bytes: usize) -> usize {
    match fragment_bytes {
        0 => 1,
        bytes => length.div_ceil(bytes).max(1),
    }
}

impl Packet {
    /// The frames in their order, ready for the socket.
    pub(super) fn frames(&self, payload: &Bytes, fragment_bytes: usize) -> Vec<Bytes> {
        let size_bytes = match self.sum {
            1 => payload.len(),
            _ => fragment_bytes,
        };
        (0..self.sum)
            .map(|seq| {
                let start = seq * size_bytes;
                let end = payload.len().min(start + size_bytes);
                let mut frame = self.frame(seq);
                frame.payload = Some(payload.slice(start..end));
                Bytes::from(frame.encode_to_vec())
            })
            .collect()
    }

    /// Checks that `ack` is one of our frames come back: the same ids and all of the headers. More
    /// headers are fine. Answers the code and the data of its payload.
    ///
    /// # Errors
    /// What is wrong with it, for the log and `GET /sandbox/deliveries`.
    pub(super) fn read_ack(&self, ack: &Frame) -> Result<Reply, String> {
        let seq = ack.header("seq").and_then(|seq| seq.parse().ok());
        let Some(seq) = seq.filter(|seq: &usize| *seq < self.sum) else {
            return Err("the ack does not echo the header seq".to_owned());
        };
        let sent = self.frame(seq);
        for header in &sent.headers {
            let key = header.key.as_deref().unwrap_or_default();
            if ack.header(key) != header.value.as_deref() {
                return Err(format!("the ack does not echo the header {key}"));
            }
        }
        let ids = |frame: &Frame| (frame.seq_id, frame.log_id, frame.service);
        if ids(ack) != ids(&sent) {
            return Err("the ack does not echo SeqID, LogID and service".to_owned());
        }
        serde_json::from_slice(ack.payload.as_deref().unwrap_or_default())
            .map_err(|error| format!("the ack's payload cannot be read: {error}"))
    }

    /// A frame that belongs to nothing: the first of none. Clients drop it.
    pub(super) fn impossible_frame(&self) -> Bytes {
        let impossible = Self {
            message_id: format!("{}-junk", self.message_id),
            sum: 0,
            ..self.clone()
        };
        let mut frame = impossible.frame(0);
        frame.payload = Some(Bytes::from_static(b"{}"));
        frame.encode_to_vec().into()
    }

    /// The frame of one piece, without its payload.
    fn frame(&self, seq: usize) -> Frame {
        let headers = vec![
            Header::new("type", self.kind),
            Header::new("message_id", &self.message_id),
            Header::new("sum", self.sum.to_string()),
            Header::new("seq", seq.to_string()),
            Header::new("trace_id", &self.trace_id),
            Header::new("timestamp", self.timestamp_ms.to_string()),
        ];
        let mut frame = Frame::from_server(DATA, self.service, headers);
        frame.seq_id = Some(self.first_seq_id.wrapping_add(seq as u64));
        frame.log_id = Some(self.log_id);
        frame
    }
}

/// The payload of an acknowledgement.
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    /// 200 when the client has handled the event.
    pub(super) code: i64,
    /// Base64 of the JSON that answers a callback.
    #[serde(default)]
    data: Option<String>,
}

impl Reply {
    /// What the client answered to a callback; nothing when it said nothing.
    ///
    /// # Errors
    /// When the data is no base64 of JSON.
    pub(super) fn answer(&self) -> Result<Option<Value>, ()> {
        match self.data.as_deref() {
            None | Some("") => Ok(None),
            Some(data) => {
                let json = STANDARD.decode(data).map_err(drop)?;
                serde_json::from_slice(&json).map(Some).map_err(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packet(sum: usize) -> Packet {
        Packet {
            message_id: "m-1".to_owned(),
            kind: "event",
            trace_id: "t-1".to_owned(),
            timestamp_ms: 1_700_000_000_000,
            service: 7,
            log_id: 99,
            first_seq_id: 5,
            sum,
        }
    }

    fn ack(of: &Packet, seq: usize, payload: &Value) -> Frame {
        let mut frame = of.frame(seq);
        frame.headers.push(Header::new("biz_rt", "3"));
        frame.payload = Some(payload.to_string().into());
        frame
    }

    #[test]
    fn the_pieces_put_together_are_the_payload_even_when_cut_inside_a_character() {
        let payload = Bytes::from("结账很慢 checkout is slow");
        for fragment_bytes in [0, 1, 2, 5, payload.len(), payload.len() + 1] {
            let sum = pieces(payload.len(), fragment_bytes);
            let frames = packet(sum).frames(&payload, fragment_bytes);
            assert_eq!(frames.len(), sum);
            let whole: Vec<u8> = frames
                .iter()
                .flat_map(|frame| Frame::read(frame).unwrap().payload.unwrap())
                .collect();
            assert_eq!(whole, payload, "cut at {fragment_bytes}");
        }
    }

    #[test]
    fn an_ack_counts_only_when_it_is_one_of_our_frames_come_back() {
        let packet = packet(3);
        let good = ack(
            &packet,
            2,
            &json!({"code": 200, "headers": null, "data": null}),
        );
        assert_eq!(packet.read_ack(&good).unwrap().code, 200);

        let mut without_trace = good.clone();
        without_trace
            .headers
            .retain(|it| it.key.as_deref() != Some("trace_id"));
        let error = packet.read_ack(&without_trace).unwrap_err();
        assert_eq!(error, "the ack does not echo the header trace_id");

        let mut with_other_ids = good.clone();
        with_other_ids.log_id = Some(0);
        assert!(packet.read_ack(&with_other_ids).is_err());

        let mut without_payload = good;
        without_payload.payload = None;
        assert!(packet.read_ack(&without_payload).is_err());
        // A vector of bytes serialised as numbers, a bug seen in the wild.
        assert!(
            packet
                .read_ack(&ack(&packet, 0, &json!({"code": 200, "data": [123]})))
                .is_err()
        );
    }

    #[test]
    fn the_answer_to_a_callback_is_base64_of_json() {
        let data = "eyJ0b2FzdCI6eyJ0eXBlIjoic3VjY2VzcyIsImNvbnRlbnQiOiJvayJ9fQ==";
        let read = |data: Value| -> Result<Option<Value>, ()> {
            serde_json::from_value::<Reply>(json!({"code": 200, "data": data}))
                .unwrap()
                .answer()
        };
        let toast = json!({"toast": {"type": "success", "content": "ok"}});
        assert_eq!(read(json!(data)), Ok(Some(toast)));
        assert_eq!(read(json!(null)), Ok(None));
        assert_eq!(read(json!("")), Ok(None));
        assert_eq!(read(json!("{\"toast\":{}}")), Err(()));
    }
}
