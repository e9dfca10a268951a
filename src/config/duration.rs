//! Durations in the friendly form: `400ms`, `10s`, `2m 30s`, `1d`. A day is 24 hours.

use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let wrong = || D::Error::custom("not a duration: write it like 400ms, 10s, 5m or 24h");
    let text = String::deserialize(from).map_err(|_| wrong())?;
    // Days are not in the clock's own units, so they are read here.
    if let Some(days) = text.trim().strip_suffix('d') {
        let days: u32 = days.trim().parse().map_err(|_| wrong())?;
        return Ok(Duration::from_secs(u64::from(days) * 24 * 3600));
    }
    SpanParser::new()
        .parse_unsigned_duration(&text)
        .map_err(|_| wrong())
}

pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let printer = SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None);
    to.serialize_str(&printer.unsigned_duration_to_string(duration))
}
