//! Times as people read them: how long, how long ago, and when, with the zone where it matters.

use std::time::Duration;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::{config::Language, duration};

/// How long something lasted, in its two largest units.
pub(super) fn lasted(language: Language, time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let unit = |number: u64, english: &str, chinese: &str| match language {
        Language::En => format!("{number} {english}"),
        Language::Zh => format!("{number} {chinese}"),
    };
    let both = |large: String, small: u64, small_unit: String| match small {
        0 => large,
        _ => format!("{large} {small_unit}"),
    };
    let (of_minutes, of_hours) = (unit(minutes, "min", "分钟"), unit(hours, "h", "小时"));
    match (days, hours, minutes) {
        (0, 0, 0) => unit(seconds, "s", "秒"),
        (0, 0, _) => of_minutes,
        (0, _, _) => both(of_hours, minutes, of_minutes),
        _ => both(unit(days, "d", "天"), hours, of_hours),
    }
}

/// How long ago something was.
pub(super) fn ago(language: Language, at: Timestamp) -> String {
    before(language, at, Timestamp::now())
}

/// How long before `now` something was.
pub(super) fn before(language: Language, at: Timestamp, now: Timestamp) -> String {
    let time = lasted(language, at.duration_until(now).unsigned_abs());
    match language {
        Language::En => format!("{time} ago"),
        Language::Zh => format!("{time}前"),
    }
}

/// A day and a time, with the zone as an offset: names such as CST mean several.
pub(super) fn in_full(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    format!("{} {}", local.strftime("%Y-%m-%d %H:%M:%S"), offset(&local))
}

/// A time; with its day where that is not the day of `now`.
pub(super) fn in_short(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = match local.date() == today.date() {
        true => "%H:%M:%S",
        false if local.year() == today.year() => "%m-%d %H:%M:%S",
        false => "%Y-%m-%d %H:%M:%S",
    };
    local.strftime(form).to_string()
}

fn offset(local: &Zoned) -> String {
    let minutes = local.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    match (hours, minutes) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// Reads a length of time as people say it in a chat, in either language: `90m`, `1 hour`, `2小时`, `半小时`.
/// `None`: it is none, or has no unit.
pub(super) fn parse_spoken(text: &str) -> Option<Duration> {
    let mut text = narrow(text).to_lowercase();
    // The longer words first, since they hold the shorter ones.
    for (chinese, plain) in [
        ("半个小时", "30m"),
        ("半小时", "30m"),
        ("个", ""),
        ("小时", "h"),
        ("分钟", "m"),
        ("分", "m"),
        ("天", "d"),
        ("秒", "s"),
    ] {
        text = text.replace(chinese, plain);
    }
    duration::parse(text.trim())
}

/// The text with plain characters for full-width ones, as Chinese keyboards write them.
pub(super) fn narrow(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        '“' | '”' => '"',
        // How a card shows `~`, and so what people copy from one.
        '\u{223C}' => '~',
        c => c,
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        let check = |seconds: u64, english: &str, chinese: &str| {
            let time = Duration::from_secs(seconds);
            assert_eq!(lasted(Language::En, time), english);
            assert_eq!(lasted(Language::Zh, time), chinese);
        };
        check(7, "7 s", "7 秒");
        check(60, "1 min", "1 分钟");
        check(3700, "1 h 1 min", "1 小时 1 分钟");
        check(7200, "2 h", "2 小时");
        check(90_000, "1 d 1 h", "1 天 1 小时");
    }

    #[test]
    fn a_time_says_its_zone_and_its_day_where_that_is_another() {
        let at: Timestamp = "2026-11-21T16:02:05Z".parse().unwrap();
        let zone = |name: &str| TimeZone::get(name).unwrap();
        let full = |name: &str| in_full(at, &zone(name));
        assert_eq!(full("Asia/Shanghai"), "2026-11-22 00:02:05 UTC+8");
        assert_eq!(full("Asia/Kolkata"), "2026-11-21 21:32:05 UTC+5:30");
        assert_eq!(full("UTC"), "2026-11-21 16:02:05 UTC");
        let short = |now: &str| in_short(at, now.parse().unwrap(), &zone("Asia/Shanghai"));
        assert_eq!(short("2026-11-22T02:00:00Z"), "00:02:05");
        assert_eq!(short("2026-11-21T15:00:00Z"), "11-22 00:02:05");
        assert_eq!(short("2027-01-01T15:00:00Z"), "2026-11-22 00:02:05");
    }

    #[test]
    fn durations_are_read_as_people_say_them() {
        let check = |text: &str, minutes: Option<u64>| {
            let expected = minutes.map(|minutes| Duration::from_secs(60 * minutes));
            assert_eq!(parse_spoken(text), expected, "{text}");
        };
        check("90m", Some(90));
        check(" 2H ", Some(120));
        check("1 hour", Some(60));
        check("1h 30m", Some(90));
        check("1d", Some(1440));
        check("２小时", Some(120));
        check("2 个小时", Some(120));
        check("半小时", Some(30));
        check("45 分钟", Some(45));
        check("１天", Some(1440));
        check("2", None);
        check("soon", None);
        check("", None);
    }
}
