//! Times and durations as people write them, in English and Chinese.
//!
//! `14:20` says neither the day nor the zone, so a time in a text has several readings: the days around the
//! message, and both passes of an hour that a clock change repeats. An hour that it skips has none.

use std::{ops::Range, sync::LazyLock};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use regex::{Captures, Regex};

/// How far ahead of the message a time may lie that is told as past: clocks differ.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A time that is written in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it may mean, the likeliest first. Empty: no such time exists.
    pub readings: Vec<Timestamp>,
    /// How far from a reading a time may be that still is this one.
    pub within: SignedDuration,
}

impl Spoken {
    /// Whether it may mean this time.
    pub fn means(&self, at: Timestamp) -> bool {
        let is_near = |reading: &Timestamp| {
            let apart = at.duration_since(*reading);
            apart < self.within && apart >= -self.slack()
        };
        self.readings.iter().any(is_near)
    }

    /// Before the reading nothing is meant, unless it was counted back from the message.
    fn slack(&self) -> SignedDuration {
        match self.within > SignedDuration::from_mins(1) {
            true => self.within,
            false => SignedDuration::ZERO,
        }
    }

    /// The newest reading that was not in the future when it was said.
    pub fn past(&self, said_at: Timestamp) -> Option<Timestamp> {
        let not_ahead = |reading: &&Timestamp| reading.duration_since(said_at) <= AHEAD_MAX;
        self.readings.iter().filter(not_ahead).max().copied()
    }
}

static FULL: LazyLock<Regex> = LazyLock::new(|| {
    let date = r"(?P<y>\d{4})[-/年.](?P<mo>\d{1,2})[-/月.](?P<d>\d{1,2})日?[T\s,，]*";
    let time = r"(?P<h>\d{1,2})[:：](?P<mi>\d{2})(?:[:：](?P<s>\d{2})(?:\.\d+)?)?";
    let zone = r"(?:\s*(?P<utc>Z|UTC|GMT)|\s?(?P<sign>[+-])(?P<oh>\d{2}):?(?P<om>\d{2}))?";
    regex(&format!("{date}{time}{zone}"))
});

static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    let date =
        r"(?:(?P<mo>\d{1,2})[-/月](?P<d>\d{1,2})日?\s+|(?P<mo2>\d{1,2})月(?P<d2>\d{1,2})日)?";
    let day = r"(?P<day>昨天|昨日|昨晚|昨夜|今天|今早|今晚|yesterday\s+(?:at\s+)?)?";
    let part = r"(?:(?P<part>凌晨|早上|上午|中午|下午|傍晚|晚上|晚)\s*)?";
    let time = r"(?P<h>\d{1,2})(?:[:：](?P<mi>\d{2})(?:[:：](?P<s>\d{2}))?|点(?P<half>半)?(?:(?P<mi2>\d{1,2})分?)?)";
    let rest = r"(?:\s?(?P<ampm>[ap]m)\b)?(?:\s?(?P<utc>Z|UTC|GMT)\b)?";
    regex(&format!("(?i){date}{day}{part}{time}{rest}"))
});

static AGO: LazyLock<Regex> = LazyLock::new(|| {
    let count = r"(?P<n>\d{1,4}|half an|an?|半|一)";
    let unit = r"(?P<unit>hours?|hrs?|minutes?|mins?|seconds?|secs?|个?小时|分钟|秒钟?)";
    regex(&format!(r"(?i){count}\s*{unit}\s*(?:ago\b|之?前|以前)"))
});

static LENGTH: LazyLock<Regex> = LazyLock::new(|| {
    let count = r"(?P<n>\d+(?:\.\d+)?)";
    let unit = r"(?P<unit>days?\b|d\b|hours?\b|hrs?\b|h\b|minutes?\b|mins?\b|seconds?\b|secs?\b|s\b|天|个?小时|分钟|秒)";
    regex(&format!(r"(?i){count}[\s-]*{unit}"))
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("every pattern is compiled by a test")
}

/// All times that are written in a text which was said then, in this zone.
pub fn times(text: &str, said_at: Timestamp, zone: &TimeZone) -> Vec<Spoken> {
    // Most messages tell no time, and three patterns on each of a hundred thousand would be felt.
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let may_be_clock = has_digit && text.contains([':', '：', '点']);
    let may_be_ago = text.contains('前') || has_ago(text);
    if !may_be_clock && !may_be_ago {
        return Vec::new();
    }
    let mut found: Vec<Spoken> = Vec::new();
    let mut add = |spoken: Option<Spoken>| {
        let overlaps = |spoken: &Spoken| {
            let inside = |other: &Spoken| {
                spoken.span.start < other.span.end && other.span.start < spoken.span.end
            };
            found.iter().any(inside)
        };
        found.extend(spoken.filter(|spoken| !overlaps(spoken)));
    };
    let clocks = if may_be_clock { text } else { "" };
    for captures in FULL.captures_iter(clocks) {
        add(full(&captures, zone));
    }
    for captures in CLOCK
        .captures_iter(clocks)
        .filter(|captures| stands_alone(text, captures))
    {
        add(clock(&captures, said_at, zone));
    }
    for captures in AGO.captures_iter(text) {
        add(ago(&captures, said_at));
    }
    found.sort_by_key(|spoken| spoken.span.start);
    found
}

/// Whether "ago" stands there, in whatever case.
fn has_ago(text: &str) -> bool {
    let mut three = text.as_bytes().windows(3);
    three.any(|three| three.eq_ignore_ascii_case(b"ago"))
}

/// Not a part of something longer, such as an address with a port or a ratio.
fn stands_alone(text: &str, captures: &Captures<'_>) -> bool {
    let span = whole(captures);
    let before = text[..span.start].chars().next_back();
    let after = text[span.end..].chars().next();
    let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '_' | '/');
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_');
    // `2点` alone is as often "two points" as it is a time.
    let is_vague = captures.name("mi").is_none()
        && captures.name("mi2").is_none()
        && captures.name("half").is_none()
        && captures.name("part").is_none()
        && captures.name("day").is_none();
    !before.is_some_and(joins) && !after.is_some_and(goes_on) && !is_vague
}

fn whole(captures: &Captures<'_>) -> Range<usize> {
    captures
        .get(0)
        .map(|found| found.range())
        .unwrap_or_default()
}

fn number<T: std::str::FromStr>(captures: &Captures<'_>, name: &str) -> Option<T> {
    captures.name(name)?.as_str().parse().ok()
}

fn within(has_seconds: bool) -> SignedDuration {
    match has_seconds {
        true => SignedDuration::from_secs(1),
        false => SignedDuration::from_mins(1),
    }
}

fn full(captures: &Captures<'_>, zone: &TimeZone) -> Option<Spoken> {
    let date = Date::new(
        number(captures, "y")?,
        number(captures, "mo")?,
        number(captures, "d")?,
    )
    .ok()?;
    let second: Option<i8> = number(captures, "s");
    let time = Time::new(
        number(captures, "h")?,
        number(captures, "mi")?,
        second.unwrap_or(0),
        0,
    )
    .ok()?;
    let civil = date.to_datetime(time);
    let readings = if captures.name("utc").is_some() {
        instants(civil, &TimeZone::UTC)
    } else if let Some(hours) = number::<i32>(captures, "oh") {
        let minutes: i32 = number(captures, "om")?;
        let sign = if captures.name("sign")?.as_str() == "-" {
            -1
        } else {
            1
        };
        let offset = jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
        instants(civil, &TimeZone::fixed(offset))
    } else {
        instants(civil, zone)
    };
    Some(Spoken {
        span: whole(captures),
        readings,
        within: within(second.is_some()),
    })
}

fn clock(captures: &Captures<'_>, said_at: Timestamp, zone: &TimeZone) -> Option<Spoken> {
    let zone = match captures.name("utc") {
        Some(_) => &TimeZone::UTC,
        None => zone,
    };
    let time = time_of_day(captures)?;
    let today = said_at.to_zoned(zone.clone()).date();
    let dated = number(captures, "mo").or_else(|| number(captures, "mo2"));
    let day = number(captures, "d").or_else(|| number(captures, "d2"));
    let dates: Vec<Date> = match (dated, day) {
        (Some(month), Some(day)) => vec![Date::new(today.year(), month, day).ok()?],
        _ => match captures.name("day").map(|day| day.as_str().to_lowercase()) {
            // "Last night" may be after midnight, which is today.
            Some(day) if day.starts_with("昨") => vec![today.yesterday().ok()?, today],
            Some(day) if day.starts_with("yesterday") => vec![today.yesterday().ok()?],
            Some(_) => vec![today],
            None => vec![today, today.yesterday().ok()?, today.tomorrow().ok()?],
        },
    };
    let is_certain = dates.len() < 3;
    let mut readings: Vec<Timestamp> = dates
        .iter()
        .flat_map(|date| instants(date.to_datetime(time), zone))
        .collect();
    if !is_certain {
        readings.sort_by_key(|reading| distance(*reading, said_at));
    }
    Some(Spoken {
        span: whole(captures),
        readings,
        within: within(captures.name("s").is_some()),
    })
}

/// How unlikely a reading is. People tell of the past more than of the future.
fn distance(reading: Timestamp, said_at: Timestamp) -> SignedDuration {
    let apart = reading.duration_since(said_at);
    match apart > AHEAD_MAX {
        true => apart + SignedDuration::from_hours(12),
        false => apart.abs(),
    }
}

fn time_of_day(captures: &Captures<'_>) -> Option<Time> {
    let hour: i8 = number(captures, "h")?;
    let minute = number(captures, "mi").or_else(|| number(captures, "mi2"));
    let half = captures.name("half").map(|_| 30);
    let part = captures.name("part").or_else(|| captures.name("ampm"));
    let late = part.is_some_and(|part| {
        matches!(
            part.as_str().to_lowercase().as_str(),
            "下午" | "傍晚" | "晚上" | "晚" | "pm"
        )
    });
    let is_noon = part.is_some_and(|part| part.as_str() == "中午");
    let hour = match hour {
        1..=11 if late => hour + 12,
        1..=2 if is_noon => hour + 12,
        12 if part
            .is_some_and(|part| matches!(part.as_str().to_lowercase().as_str(), "am" | "凌晨")) =>
        {
            0
        }
        _ => hour,
    };
    Time::new(
        hour,
        minute.or(half).unwrap_or(0),
        number(captures, "s").unwrap_or(0),
        0,
    )
    .ok()
}

/// The instants at which clocks there show this: none, one or two.
fn instants(civil: DateTime, zone: &TimeZone) -> Vec<Timestamp> {
    let offsets = match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => vec![offset],
        AmbiguousOffset::Gap { .. } => Vec::new(),
        AmbiguousOffset::Fold { before, after } => vec![before, after],
    };
    let instants = offsets
        .into_iter()
        .filter_map(|offset| offset.to_timestamp(civil).ok());
    instants.collect()
}

fn ago(captures: &Captures<'_>, said_at: Timestamp) -> Option<Spoken> {
    let unit = unit_seconds(captures.name("unit")?.as_str());
    let seconds = match captures.name("n")?.as_str().to_lowercase().as_str() {
        "half an" | "半" => unit / 2,
        "a" | "an" | "一" => unit,
        count => count.parse::<i64>().ok()?.saturating_mul(unit),
    };
    let at = said_at
        .checked_sub(SignedDuration::from_secs(seconds))
        .ok()?;
    Some(Spoken {
        span: whole(captures),
        readings: vec![at],
        // Whoever counts back in minutes is a minute off, and in hours a quarter of one.
        within: SignedDuration::from_secs((unit / 4).max(90)),
    })
}

fn unit_seconds(unit: &str) -> i64 {
    let unit = unit.to_lowercase();
    match () {
        () if unit.starts_with('d') || unit == "天" => 86_400,
        () if unit.starts_with('h') || unit.ends_with("小时") => 3600,
        () if unit.starts_with('m') || unit == "分钟" => 60,
        () => 1,
    }
}

/// A length of time that is written in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// Where it stands.
    pub span: Range<usize>,
    /// How long it is, in seconds.
    pub seconds: i64,
    /// The smallest unit it is given in, in seconds: how exact it is.
    pub unit: i64,
}

/// All lengths of time that are written in a text. `1 h 20 min` is one.
pub fn lengths(text: &str) -> Vec<Length> {
    let mut found: Vec<Length> = Vec::new();
    for captures in LENGTH.captures_iter(text) {
        let span = whole(&captures);
        let (Some(count), Some(unit)) = (number::<f64>(&captures, "n"), captures.name("unit"))
        else {
            continue;
        };
        if text[..span.start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == ':')
        {
            continue;
        }
        let unit = unit_seconds(unit.as_str());
        let seconds = (count * unit as f64).round() as i64;
        match found.last_mut() {
            Some(last) if last.unit > unit && joins(&text[last.span.end..span.start]) => {
                last.span.end = span.end;
                last.seconds = last.seconds.saturating_add(seconds);
                last.unit = unit;
            }
            _ => found.push(Length {
                span,
                seconds,
                unit,
            }),
        }
    }
    found
}

fn joins(between: &str) -> bool {
    matches!(between.trim(), "" | "and" | "零" | "又")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every time in `text`, said at 15:00 on 2026-11-20 in Shanghai, by its likeliest reading there.
    fn check(text: &str, expected: &[&str]) {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let said_at = "2026-11-20T07:00:00Z".parse().unwrap();
        let read: Vec<String> = times(text, said_at, &zone)
            .iter()
            .map(|spoken| {
                let at = spoken.readings[0].to_zoned(zone.clone());
                at.strftime("%d %H:%M:%S").to_string()
            })
            .collect();
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        check("it began at 14:02", &["20 14:02:00"]);
        check(
            "14:02:09 first error, 14:20-14:31 rollback",
            &["20 14:02:09", "20 14:20:00", "20 14:31:00"],
        );
        check("at 2:20 pm", &["20 14:20:00"]);
        check("06:20 UTC", &["20 14:20:00"]);
        check("2026-11-19T23:50:01Z ERROR", &["20 07:50:01"]);
        check("2026-11-20 14:02:03.123 +08:00", &["20 14:02:03"]);
        check("11-18 09:30 开始", &["18 09:30:00"]);
        check("11月18日9点半开始的", &["18 09:30:00"]);
        check("下午2点20分回滚", &["20 14:20:00"]);
        check("昨晚23:50就有了", &["19 23:50:00"]);
        check("yesterday at 23:50", &["19 23:50:00"]);
        check("凌晨2点", &["20 02:00:00"]);
        check("5 minutes ago, 半小时前", &["20 14:55:00", "20 14:30:00"]);
        check("10分钟前开始", &["20 14:50:00"]);
    }

    #[test]
    fn what_only_looks_like_a_time_is_none() {
        for text in [
            "10.0.0.1:8080",
            "host-1:80",
            "25:99",
            "ratio 1:80",
            "有2点要说",
            "v1.20:30a",
            "no time",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_time_means_its_minute_and_no_other() {
        let zone = TimeZone::UTC;
        let said_at: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let spoken = &times("14:02", said_at, &zone)[0];
        assert!(spoken.means("2026-11-20T14:02:59Z".parse().unwrap()));
        assert!(!spoken.means("2026-11-20T14:03:00Z".parse().unwrap()));
        assert!(!spoken.means("2026-11-20T14:01:59Z".parse().unwrap()));
        let later = &times("16:30", said_at, &zone)[0];
        assert_eq!(
            later.past(said_at),
            Some("2026-11-19T16:30:00Z".parse().unwrap())
        );
    }

    #[test]
    fn an_hour_that_a_clock_change_repeats_has_two_readings_and_one_it_skips_has_none() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let autumn: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let same_day = |spoken: &Spoken| {
            let on = |at: &&Timestamp| at.to_zoned(zone.clone()).day() == 1;
            spoken.readings.iter().filter(on).count()
        };
        assert_eq!(same_day(&times("01:30", autumn, &zone)[0]), 2);
        let spring: Timestamp = "2026-03-08T12:00:00Z".parse().unwrap();
        let read = times("2026-03-08 02:30", spring, &zone);
        assert_eq!(read[0].readings, []);
    }

    #[test]
    fn lengths_are_read_in_both_languages() {
        let check = |text: &str, expected: &[i64]| {
            let read: Vec<i64> = lengths(text).iter().map(|length| length.seconds).collect();
            assert_eq!(read, expected, "{text}");
        };
        check("down for 18 minutes", &[1080]);
        check("1 h 20 min, then 45s", &[4800, 45]);
        check("持续1小时20分钟", &[4800]);
        check("1.5 hours and 2天", &[5400, 172_800]);
        check("p99 v1.2s-beta 3000ms", &[]);
    }
}
