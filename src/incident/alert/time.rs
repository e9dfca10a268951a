//! Times as monitors write them.
//!
//! RFC 3339 with any offset, Unix time in seconds to nanoseconds as number or text, and RFC 2822. A time
//! of 1970 or before is how senders say "none": Go's zero time is the first of January of the year 1.

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::{rfc2822, strtime},
    tz::TimeZone,
};
use serde_json::Value;

/// What was written where a time belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A time.
    At(Timestamp),
    /// The sender's way to say that there is none.
    None,
    /// Something that is not a time.
    Unreadable,
}

/// Reads a time. One without an offset is taken to be in `zone`.
pub(super) fn read(value: &Value, zone: &TimeZone) -> Reading {
    match value {
        Value::Null => Reading::None,
        Value::Number(number) => match number.as_i64() {
            Some(number) => unix(number),
            None => number.as_f64().map_or(Reading::Unreadable, fraction),
        },
        Value::String(text) => read_text(text.trim(), zone),
        _ => Reading::Unreadable,
    }
}

/// Reads a time by a pattern in the manner of `strptime`.
pub(super) fn read_pattern(text: &str, pattern: &str, zone: &TimeZone) -> Reading {
    let Ok(broken) = strtime::parse(pattern, text) else {
        return Reading::Unreadable;
    };
    if let Ok(at) = broken.to_timestamp() {
        return told(at);
    }
    match broken.to_datetime() {
        Ok(datetime) => in_zone(datetime, zone),
        Err(_) => Reading::Unreadable,
    }
}

fn read_text(text: &str, zone: &TimeZone) -> Reading {
    if text.is_empty() {
        return Reading::None;
    }
    if let Ok(number) = text.parse::<i64>() {
        return unix(number);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return told(at);
    }
    if let Ok(datetime) = text.parse::<DateTime>() {
        return in_zone(datetime, zone);
    }
    if let Ok(number) = text.parse::<f64>() {
        return fraction(number);
    }
    rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .map_or(Reading::Unreadable, told)
}

fn in_zone(datetime: DateTime, zone: &TimeZone) -> Reading {
    zone.to_timestamp(datetime)
        .map_or(Reading::Unreadable, told)
}

/// Seconds, milliseconds, microseconds or nanoseconds, told apart by their size: as seconds, the smallest
/// number of milliseconds would be in the year 5138.
fn unix(number: i64) -> Reading {
    let at = match number {
        ..1 => return Reading::None,
        1..100_000_000_000 => Timestamp::from_second(number),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(number),
        _ => Timestamp::from_nanosecond(i128::from(number)),
    };
    at.map_or(Reading::Unreadable, told)
}

fn fraction(number: f64) -> Reading {
    if !number.is_finite() || number.abs() > 1e18 {
        return Reading::Unreadable;
    }
    if number >= 1e11 {
        return unix(number as i64);
    }
    // Seconds with a fraction, kept to the millisecond.
    Timestamp::from_millisecond((number * 1000.0) as i64).map_or(Reading::Unreadable, told)
}

fn told(at: Timestamp) -> Reading {
    match at > Timestamp::UNIX_EPOCH {
        true => Reading::At(at),
        false => Reading::None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_as_monitors_write_them() {
        let check = |value: Value, expected: &str| {
            let read = match read(&value, &TimeZone::UTC) {
                Reading::At(at) => at.to_string(),
                other => format!("{other:?}"),
            };
            assert_eq!(read, expected, "{value}");
        };
        check(json!("2026-03-01T08:00:00Z"), "2026-03-01T08:00:00Z");
        check(
            json!("2026-03-01T16:00:00.5+08:00"),
            "2026-03-01T08:00:00.5Z",
        );
        check(json!("2026-03-01T16:00:00+0800"), "2026-03-01T08:00:00Z");
        check(json!("2026-03-01 16:00:00+08"), "2026-03-01T08:00:00Z");
        check(json!("2026-03-01 08:00:00"), "2026-03-01T08:00:00Z");
        check(
            json!("Sun, 01 Mar 2026 16:00:00 +0800"),
            "2026-03-01T08:00:00Z",
        );
        check(json!(1772352000), "2026-03-01T08:00:00Z");
        check(json!("1772352000"), "2026-03-01T08:00:00Z");
        check(json!(1772352000.25), "2026-03-01T08:00:00.25Z");
        check(json!(1772352000123_i64), "2026-03-01T08:00:00.123Z");
        check(json!(1772352000123456_i64), "2026-03-01T08:00:00.123456Z");
        check(
            json!(1772352000123456789_i64),
            "2026-03-01T08:00:00.123456789Z",
        );
        check(json!("0001-01-01T00:00:00Z"), "None");
        check(json!("0001-01-01T08:05:43+08:05"), "None");
        check(json!(0), "None");
        check(json!(-62135596800_i64), "None");
        check(json!(""), "None");
        check(json!(null), "None");
        check(json!("yesterday"), "Unreadable");
        check(json!(true), "Unreadable");
        check(json!(u64::MAX), "Unreadable");
        check(json!(i64::MAX), "2262-04-11T23:47:16.854775807Z");
        check(json!("NaN"), "Unreadable");
        check(json!("1e400"), "Unreadable");
    }

    #[test]
    fn a_time_without_an_offset_is_in_the_zone_that_is_configured() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let at = "2026-03-01T08:00:00Z".parse().map(Reading::At).unwrap();
        assert_eq!(read(&json!("2026-03-01 16:00:00"), &shanghai), at);
        assert_eq!(
            read_pattern("01/03/2026 16:00", "%d/%m/%Y %H:%M", &shanghai),
            at
        );
        assert_eq!(
            read_pattern("01/03/2026 08:00 +0000", "%d/%m/%Y %H:%M %z", &shanghai),
            at
        );
        assert_eq!(
            read_pattern("soon", "%d/%m/%Y", &shanghai),
            Reading::Unreadable
        );
    }
}
