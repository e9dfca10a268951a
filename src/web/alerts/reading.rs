//! From the bytes of a request to what they say, by the format of the address.

use std::io::Read;

use axum::http::{HeaderMap, header::CONTENT_ENCODING};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;

use super::{integration::Integration, refusal::Refusal};
use crate::{
    incident::alert::{self, Batch, Format, feishu_bot, pagerduty},
    web::body::header,
};

/// What an address takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) format: Format,
    /// Whether it takes what was changed on purpose, and not alerts.
    pub(super) is_change: bool,
}

/// Reads a body, compressed or not, that has at most so many bytes when it is not.
pub(super) fn read(
    kind: Kind,
    integration: &Integration,
    headers: &HeaderMap,
    raw: &Bytes,
    now: Timestamp,
) -> Result<Batch, Refusal> {
    let body = unpacked(headers, raw, integration.bytes_max)?;
    if kind.is_change {
        return Ok(alert::read_change(kind.format, &body)?);
    }
    if kind.format == Format::FeishuBot
        && let Some(secret) = integration.robot_secret()
    {
        feishu_bot::check_sign(&body, secret, now)?;
    }
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let mapping = integration.mapping.as_ref();
    Ok(alert::read(kind.format, &body, &headers, mapping)?)
}

/// The key that a body for PagerDuty carries.
pub(super) fn routing_key(headers: &HeaderMap, raw: &Bytes, bytes_max: usize) -> Option<String> {
    let body = unpacked(headers, raw, bytes_max).ok()?;
    pagerduty::routing_key(&body)
}

/// Undoes what `Content-Encoding` says. A small body may hide a very long one, so this stops at `bytes_max`.
fn unpacked(headers: &HeaderMap, raw: &Bytes, bytes_max: usize) -> Result<Bytes, Refusal> {
    let encoding = header(headers, CONTENT_ENCODING.as_str()).trim();
    if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") {
        return Ok(raw.clone());
    }
    let is_gzip = ["gzip", "x-gzip"]
        .iter()
        .any(|name| encoding.eq_ignore_ascii_case(name));
    if !is_gzip || headers.get_all(CONTENT_ENCODING).iter().count() > 1 {
        return Err(Refusal::Encoded);
    }
    let mut whole = Vec::new();
    // One more than is wanted tells that there is more.
    let mut some = MultiGzDecoder::new(&raw[..]).take(bytes_max as u64 + 1);
    some.read_to_end(&mut whole).map_err(|_| Refusal::NotGzip)?;
    match whole.len() > bytes_max {
        true => Err(Refusal::TooLarge(bytes_max)),
        false => Ok(whole.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_is_unpacked_as_far_as_it_may_be_long() {
        let check = |encoding: &str, raw: &[u8], expected: Result<&str, &str>| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
            let raw = Bytes::copy_from_slice(raw);
            let unpacked = unpacked(&headers, &raw, 10);
            let unpacked = unpacked.as_deref().map_err(Refusal::reason);
            assert_eq!(unpacked, expected.map(str::as_bytes), "{encoding}");
        };
        check("", b"{}", Ok("{}"));
        check("identity", b"{}", Ok("{}"));
        check("gzip", &packed(b"0123456789"), Ok("0123456789"));
        check("GZIP", &packed(b"{}"), Ok("{}"));
        check("gzip", &packed(b"01234567890"), Err("too_large"));
        check("gzip", &packed(&[b' '; 1 << 20]), Err("too_large"));
        check("gzip", &[packed(b"{"), packed(b"}")].concat(), Ok("{}"));
        check("gzip", b"{}", Err("unreadable"));
        check("gzip", &packed(b"{}")[..15], Err("unreadable"));
        check("br", b"{}", Err("unsupported"));
        check("gzip, gzip", &packed(&packed(b"{}")), Err("unsupported"));
    }
}
