//! The calls of this month, where an organisation has only so many of them.
//!
//! As they run out, text that streams thins out first, then conversation ends; a last part is kept for
//! pages. The count lives here and is kept by whoever has a store: [`Meter::tally`] and [`Meter::restore`].

use jiff::{
    Timestamp,
    tz::{self, TimeZone},
};
use tokio::sync::watch;

/// From here on answers are economical.
const LOW: f64 = 0.80;
/// From here on no text is streamed at all.
const SCARCE: f64 = 0.95;
/// What is left for pages alone.
const FOR_PAGES: f64 = 0.01;
/// A forecast made from less than this of a month says more about the day than about the month.
const FORECAST_AFTER: f64 = 0.1;

/// A month of the platform's calendar, as `2026-11`.
pub type Month = String;

/// How many calls were made in a month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Which month.
    pub month: Month,
    /// How many calls.
    pub used: u64,
}

/// How far the month's calls are used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Supply {
    /// They are not counted, or there are enough.
    #[default]
    Ample,
    /// At this speed they will not last the month: answers are economical.
    Forecast,
    /// Four fifths are used.
    Low,
    /// Nineteen twentieths are used: answers are not streamed any more.
    Scarce,
    /// What is left is for pages.
    PagesOnly,
}

/// Counts the month's calls. Clones count together.
#[derive(Debug, Clone)]
pub struct Meter {
    quota: u64,
    state: watch::Sender<(Tally, Supply)>,
}

impl Meter {
    /// A meter of `quota` calls a month; 0 for as many as one likes.
    pub fn new(quota: u64) -> Self {
        Self {
            quota,
            state: watch::Sender::default(),
        }
    }

    /// How the supply stands; the receiver wakes when it changes, and not at every call.
    pub fn supply(&self) -> watch::Receiver<(Tally, Supply)> {
        self.state.subscribe()
    }

    /// How many calls a month has, 0 where they are not counted.
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// The count, to be kept.
    pub fn tally(&self) -> Tally {
        self.state.borrow().0.clone()
    }

    /// How much of the month's calls is used, 0 where they are not counted.
    pub fn used_ratio(&self) -> f64 {
        ratio(self.state.borrow().0.used, self.quota)
    }

    /// Takes over a count that was kept, if it is this month's. Calls counted since the start are added.
    pub fn restore(&self, kept: &Tally) {
        self.change(Timestamp::now(), |tally| {
            if kept.month == tally.month {
                tally.used += kept.used;
            }
        });
    }

    /// How the supply stands now.
    pub fn now(&self) -> Supply {
        self.state.borrow().1
    }

    /// One call more.
    pub(super) fn count(&self) {
        self.change(Timestamp::now(), |tally| tally.used += 1);
    }

    fn change(&self, now: Timestamp, change: impl FnOnce(&mut Tally)) {
        let (month, passed) = month(now);
        self.state.send_if_modified(|(tally, supply)| {
            if tally.month != month {
                *tally = Tally { month, used: 0 };
            }
            change(tally);
            let before = *supply;
            *supply = of(tally.used, self.quota, passed);
            *supply != before
        });
    }
}

/// What `used` of `quota` means when this part of the month has passed.
fn of(used: u64, quota: u64, passed: f64) -> Supply {
    let ratio = ratio(used, quota);
    match ratio {
        _ if ratio >= 1.0 - FOR_PAGES => Supply::PagesOnly,
        _ if ratio >= SCARCE => Supply::Scarce,
        _ if ratio >= LOW => Supply::Low,
        _ if passed >= FORECAST_AFTER && ratio > passed => Supply::Forecast,
        _ => Supply::Ample,
    }
}

fn ratio(used: u64, quota: u64) -> f64 {
    if quota == 0 {
        return 0.0;
    }
    used as f64 / quota as f64
}

/// The month, and how much of it has passed. It begins when it begins in China, where the platform counts.
fn month(now: Timestamp) -> (Month, f64) {
    let now = now.to_zoned(TimeZone::fixed(tz::offset(8)));
    let hours = f64::from(now.day() - 1) * 24.0 + f64::from(now.hour());
    let passed = hours / (f64::from(now.days_in_month()) * 24.0);
    (now.strftime("%Y-%m").to_string(), passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn the_supply_follows_what_is_used_and_how_fast() {
        for (used, quota, passed, expected) in [
            (1_000_000, 0, 0.5, Supply::Ample),
            (400, 1000, 0.5, Supply::Ample),
            (600, 1000, 0.5, Supply::Forecast),
            (90, 1000, 0.05, Supply::Ample),
            (800, 1000, 0.9, Supply::Low),
            (950, 1000, 0.99, Supply::Scarce),
            (990, 1000, 0.1, Supply::PagesOnly),
            (2000, 1000, 0.1, Supply::PagesOnly),
        ] {
            assert_eq!(of(used, quota, passed), expected, "{used} of {quota}");
        }
    }

    #[test]
    fn a_new_month_begins_in_china() {
        let meter = Meter::new(10);
        let mut supply = meter.supply();
        for _ in 0..10 {
            meter.change(at("2026-11-30T15:59:59Z"), |tally| tally.used += 1);
        }
        assert_eq!(meter.now(), Supply::PagesOnly);
        assert!(supply.has_changed().unwrap());
        supply.mark_unchanged();
        meter.change(at("2026-11-30T16:00:00Z"), |tally| tally.used += 1);
        assert_eq!(meter.now(), Supply::Ample);
        assert!(supply.has_changed().unwrap());
        let expected = Tally {
            month: "2026-12".into(),
            used: 1,
        };
        assert_eq!(meter.tally(), expected);
    }

    #[test]
    fn a_count_that_was_kept_is_added_if_it_is_this_months() {
        let meter = Meter::new(1000);
        meter.count();
        let month = meter.tally().month;
        let earlier = "2020-01".to_owned();
        meter.restore(&Tally {
            month: earlier,
            used: 500,
        });
        assert_eq!(meter.tally().used, 1);
        meter.restore(&Tally { month, used: 799 });
        assert_eq!(meter.tally().used, 800);
        assert!(meter.now() >= Supply::Low);
    }
}
