//! The frame of the long connection ("pbbp2", proto2), in messages of our own.
//!
//! Required fields stand even when they are zero, and a frame without one is refused. That is why
//! they are optional here: `prost` would fill in a missing required field in silence.

use prost::Message;

/// `method` of ping and pong.
pub(super) const CONTROL: i32 = 0;
/// `method` of events, callbacks and their acknowledgements.
pub(super) const DATA: i32 = 1;

/// One WebSocket message.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Frame {
    /// `SeqID`, required.
    #[prost(uint64, optional, tag = "1")]
    pub(super) seq_id: Option<u64>,
    /// `LogID`, required.
    #[prost(uint64, optional, tag = "2")]
    pub(super) log_id: Option<u64>,
    /// The `service_id` of the connection's URL, required.
    #[prost(int32, optional, tag = "3")]
    pub(super) service: Option<i32>,
    /// [`CONTROL`] or [`DATA`], required.
    #[prost(int32, optional, tag = "4")]
    pub(super) method: Option<i32>,
    /// Such as `type` and `message_id`.
    #[prost(message, repeated, tag = "5")]
    pub(super) headers: Vec<Header>,
    /// Always written, always empty, as the go encoder does.
    #[prost(string, optional, tag = "6")]
    pub(super) payload_encoding: Option<String>,
    /// Always written, always empty, as the go encoder does.
    #[prost(string, optional, tag = "7")]
    pub(super) payload_type: Option<String>,
    /// JSON, or a piece of it.
    #[prost(bytes = "bytes", optional, tag = "8")]
    pub(super) payload: Option<bytes::Bytes>,
    /// `LogIDNew`. Always written, always empty, as the go encoder does.
    #[prost(string, optional, tag = "9")]
    pub(super) log_id_new: Option<String>,
}

/// One header of a frame.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Header {
    /// Required.
    #[prost(string, optional, tag = "1")]
    pub(super) key: Option<String>,
    /// Required.
    #[prost(string, optional, tag = "2")]
    pub(super) value: Option<String>,
}

impl Header {
    /// A header as it is written.
    pub(super) fn new(key: &str, value: impl Into<String>) -> Self {
        Self {
            key: Some(key.to_owned()),
            value: Some(value.into()),
        }
    }
}

/// Why bytes are no frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// Not protobuf, or of other types.
    #[error("not a frame: {0}")]
    Unreadable(#[from] prost::DecodeError),
    /// The go decoder says so too.
    #[error("required field {0} is not set")]
    Missing(&'static str),
}

impl Frame {
    /// A frame from the server, with the fields that it always writes.
    pub(super) fn from_server(method: i32, service: i32, headers: Vec<Header>) -> Self {
        Self {
            seq_id: Some(0),
            log_id: Some(0),
            service: Some(service),
            method: Some(method),
            headers,
            payload_encoding: Some(String::new()),
            payload_type: Some(String::new()),
            payload: None,
            log_id_new: Some(String::new()),
        }
    }

    /// Reads one binary WebSocket message. Unknown fields are skipped.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let frame = Self::decode(bytes)?;
        let required = [
            (frame.seq_id.is_some(), "SeqID"),
            (frame.log_id.is_some(), "LogID"),
            (frame.service.is_some(), "service"),
            (frame.method.is_some(), "method"),
            (frame.headers.iter().all(|it| it.key.is_some()), "key"),
            (frame.headers.iter().all(|it| it.value.is_some()), "value"),
        ];
        match required.into_iter().find(|(set, _)| !set) {
            Some((_, name)) => Err(FrameError::Missing(name)),
            None => Ok(frame),
        }
    }

    /// The value of the first header named `key`.
    pub(super) fn header(&self, key: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.key.as_deref() == Some(key))
            .and_then(|header| header.value.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn ping() -> Frame {
        Frame::from_server(CONTROL, 7, vec![Header::new("type", "ping")])
    }

    #[test]
    fn a_ping_reads_with_and_without_the_empty_fields_of_the_go_encoder() {
        let minimal = Frame::read(&bytes("08001000180720002a0c0a0474797065120470696e67")).unwrap();
        assert_eq!(minimal.service, Some(7));
        assert_eq!(minimal.method, Some(CONTROL));
        assert_eq!(minimal.header("type"), Some("ping"));
        let go = "08001000180720002a0c0a0474797065120470696e6732003a004a00";
        assert_eq!(Frame::read(&bytes(go)).unwrap(), ping());
    }

    #[test]
    fn zeros_and_empty_strings_are_written_as_the_go_encoder_does() {
        let go = "08001000180720002a0c0a0474797065120470696e6732003a004a00";
        assert_eq!(ping().encode_to_vec(), bytes(go));
    }

    #[test]
    fn a_frame_without_a_required_field_is_refused_by_name() {
        // The minimal ping of a generator that leaves zeros out.
        let error = Frame::read(&bytes("18072a0c0a0474797065120470696e67")).unwrap_err();
        assert_eq!(error.to_string(), "required field SeqID is not set");
        // A header without a value.
        let error = Frame::read(&bytes("08001000180720002a060a0474797065")).unwrap_err();
        assert_eq!(error.to_string(), "required field value is not set");
        assert!(Frame::read(b"not a frame at all").is_err());
    }
}
