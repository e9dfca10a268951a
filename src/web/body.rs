//! Bodies of what is posted, read as far as they are of a sensible length.

use axum::{
    body::Body,
    http::{HeaderMap, header::CONTENT_LENGTH},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

/// How much beyond the longest body is read and thrown away. A connection that is closed with bytes unread
/// is reset, and then its sender may never see why.
const DISCARDED_BYTES_MAX: usize = 8 << 20;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It has more bytes than are wanted.
    TooLarge,
    /// Its sender hung up.
    HungUp,
}

/// The whole body, if it has at most so many bytes.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, Unread> {
    let read_bytes_max = bytes_max + DISCARDED_BYTES_MAX;
    let announced = header(headers, CONTENT_LENGTH.as_str()).parse::<usize>();
    if announced.is_ok_and(|bytes| bytes > read_bytes_max) {
        return Err(Unread::TooLarge);
    }
    let (mut whole, mut bytes) = (BytesMut::new(), 0);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        // Whoever hung up does not hear the answer.
        let part = part.map_err(|_| Unread::HungUp)?;
        bytes += part.len();
        if bytes > read_bytes_max {
            return Err(Unread::TooLarge);
        }
        if bytes <= bytes_max {
            whole.extend_from_slice(&part);
        }
    }
    match bytes > bytes_max {
        true => Err(Unread::TooLarge),
        false => Ok(whole.freeze()),
    }
}

/// The first header of this name, or nothing.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
