//! Durations in the friendly form: `400ms`, `10s`, `2m 30s`, `1d`. A day is 24 hours.
//!
//! For `#[serde(with = "duration")]`, and [`parse`] for what people type.

use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Reads a duration. `None`: it is none.
pub fn parse(text: &str) -> Option<Duration> {
    // Days are not in the clock's own units, so they are read here.
    if let Some(days) = text.trim().strip_suffix('d') {
        let days: u32 = days.trim().parse().ok()?;
        return Some(Duration::from_secs(u64::from(days) * 24 * 3600));
    }
    SpanParser::new().parse_unsigned_duration(text).ok()
}

/// Reads a duration from a configuration.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let wrong = || D::Error::custom("not a duration: write it like 400ms, 10s, 5m or 24h");
    let text = String::deserialize(from).map_err(|_| wrong())?;
    parse(&text).ok_or_else(wrong)
}

/// Writes it as it is read.
pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let printer = SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None);
    to.serialize_str(&printer.unsigned_duration_to_string(duration))
}
