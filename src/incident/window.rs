//! Times of the week, such as `mon`–`fri` from 09:00 to 18:00, and the time zone in which they are meant.

use jiff::{
    Zoned,
    civil::{Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

/// A time zone by its name, such as `Asia/Shanghai`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone as the library knows it.
    pub fn time_zone(&self) -> TimeZone {
        self.0.clone()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let zone = TimeZone::get(name.trim());
        zone.map(Self)
            .map_err(|_| "not a time zone: write it like Asia/Shanghai".to_owned())
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A part of each week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// The days on which it begins. All, if there are none.
    pub days: Vec<Day>,
    /// When it begins.
    pub from: Time,
    /// When it ends, this time not included. Not later than `from`: on the next day.
    pub to: Time,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            days: Vec::new(),
            from: Time::midnight(),
            to: Time::midnight(),
        }
    }
}

impl Window {
    /// Whether a local time lies in it.
    pub fn holds(&self, local: &Zoned) -> bool {
        let on = |weekday: Weekday| self.days.is_empty() || self.days.contains(&Day::of(weekday));
        let today = on(local.weekday());
        let yesterday = on(local.weekday().wrapping_sub(1));
        let time = local.time();
        match self.from < self.to {
            true => today && self.from <= time && time < self.to,
            false => (today && time >= self.from) || (yesterday && time < self.to),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_window_is_meant_in_local_time() {
        let check = |window: &str, zone: &str, at: &str, expected: bool| {
            let window: Window = toml::from_str(window).unwrap();
            let zone = Zone::try_from(zone.to_owned()).unwrap();
            let at: Timestamp = at.parse().unwrap();
            let local = at.to_zoned(zone.time_zone());
            assert_eq!(window.holds(&local), expected, "{local}");
        };
        let office = "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]\nfrom = \"09:00\"\nto = \"18:00\"";
        // The second of March 2026 is a Monday.
        check(office, "Asia/Shanghai", "2026-03-02T01:00:00Z", true);
        check(office, "Asia/Shanghai", "2026-03-02T00:59:59Z", false);
        check(office, "Asia/Shanghai", "2026-03-02T10:00:00Z", false);
        check(office, "UTC", "2026-03-02T10:00:00Z", true);
        check(office, "UTC", "2026-03-01T10:00:00Z", false);
        // Over midnight it belongs to the day on which it began.
        let night = "days = [\"fri\"]\nfrom = \"22:00\"\nto = \"06:00\"";
        check(night, "UTC", "2026-03-06T23:00:00Z", true);
        check(night, "UTC", "2026-03-07T05:59:00Z", true);
        check(night, "UTC", "2026-03-07T22:30:00Z", false);
        check(night, "UTC", "2026-03-06T05:00:00Z", false);
        check("", "UTC", "2026-03-06T05:00:00Z", true);
        check("days = [\"fri\"]", "UTC", "2026-03-06T00:00:00Z", true);
        check("days = [\"fri\"]", "UTC", "2026-03-07T00:00:00Z", false);
        // The clocks go forward: the hour that is not there is not needed.
        let early = "from = \"02:00\"\nto = \"04:00\"";
        check(early, "Europe/Berlin", "2026-03-29T00:59:00Z", false);
        check(early, "Europe/Berlin", "2026-03-29T01:00:00Z", true);
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        let refused = Zone::try_from("Mars/Base".to_owned()).unwrap_err();
        assert_eq!(refused, "not a time zone: write it like Asia/Shanghai");
        let zone = Zone::try_from("Asia/Shanghai".to_owned()).unwrap();
        assert_eq!(String::from(zone), "Asia/Shanghai");
    }
}
