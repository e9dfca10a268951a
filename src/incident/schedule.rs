//! Who is on call, and until when: rotations in layers, and overrides on top.
//!
//! People hand over at a local time of day, so a shift has an hour less or more when the clocks change, and
//! the hand-over stays where people expect it. A hand-over that falls into an hour that does not exist
//! happens when that hour is over; in an hour that comes twice, the first time.

use jiff::{Span, Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use super::{
    timeline::PersonId,
    window::{Window, Zone},
};

/// How many shifts are listed at once.
const SHIFTS_MAX: usize = 500;

/// Who is on call for something.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Where its times are meant.
    pub zone: Zone,
    /// Rotations. A later one goes before an earlier one where both have somebody.
    pub layers: Vec<Layer>,
    /// Exceptions, which go before all layers. A later one goes before an earlier one.
    pub overrides: Vec<Override>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// In this order. Nobody is on call by an empty list.
    pub people: Vec<PersonId>,
    /// The first hand-over: the first person's first turn begins. Before it nobody is on call.
    pub starts: DateTime,
    /// How many days a turn has.
    #[serde(default = "week")]
    pub days: u16,
    /// Only at these times of the week. At all times, if there are none.
    #[serde(default)]
    pub windows: Vec<Window>,
}

fn week() -> u16 {
    7
}

/// Somebody instead of whoever it would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Who.
    pub person: PersonId,
    /// From when, local time.
    pub from: DateTime,
    /// Until when, local time, this time not included.
    pub until: DateTime,
}

/// A time in which one person is on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who; `None`: nobody.
    pub person: Option<PersonId>,
    /// From when.
    pub from: Timestamp,
    /// Until when, this time not included.
    pub until: Timestamp,
}

impl Schedule {
    /// What is wrong with it: one sentence per problem, with the key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, layer) in self.layers.iter().enumerate() {
            if layer.days == 0 {
                problems.push(format!(
                    "layers[{at}].days is 0: a turn needs a day at least"
                ));
            }
            if layer.people.is_empty() {
                problems.push(format!("layers[{at}].people is empty"));
            }
        }
        for (at, exception) in self.overrides.iter().enumerate() {
            if exception.until <= exception.from {
                problems.push(format!("overrides[{at}] ends before it begins"));
            }
        }
        problems
    }

    /// Who is on call.
    pub fn on_call(&self, now: Timestamp) -> Option<&PersonId> {
        let exceptions = self.overrides.iter().rev();
        let mut exceptions = exceptions.filter(|exception| {
            let (from, until) = (self.instant(exception.from), self.instant(exception.until));
            from.is_some_and(|from| from <= now) && until.is_some_and(|until| now < until)
        });
        if let Some(exception) = exceptions.next() {
            return Some(&exception.person);
        }
        let local = now.to_zoned(self.zone.time_zone());
        let layers = self.layers.iter().rev();
        let mut in_time = layers.filter(|layer| {
            layer.windows.is_empty() || layer.windows.iter().any(|window| window.holds(&local))
        });
        in_time.find_map(|layer| {
            let turn = self.turn(layer, now)?;
            let people = i64::try_from(layer.people.len()).ok()?;
            let at = turn.checked_rem(people)?;
            layer.people.get(usize::try_from(at).ok()?)
        })
    }

    /// The shifts between two times, one after the other; at most five hundred.
    pub fn shifts(&self, from: Timestamp, until: Timestamp) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        let mut at = from;
        while at < until && shifts.len() < SHIFTS_MAX {
            let end = self.next_change(at).map_or(until, |next| next.min(until));
            let person = self.on_call(at).cloned();
            match shifts.last_mut() {
                Some(shift) if shift.person == person => shift.until = end,
                _ => shifts.push(Shift {
                    person,
                    from: at,
                    until: end,
                }),
            }
            at = end;
        }
        shifts
    }

    /// The next time at which somebody else may be on call. Always later than `now`.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.time_zone();
        let mut next: Option<Timestamp> = None;
        let mut consider = |at: Option<Timestamp>| {
            if let Some(at) = at.filter(|at| *at > now) {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        };
        for exception in &self.overrides {
            consider(self.instant(exception.from));
            consider(self.instant(exception.until));
        }
        let today = now.to_zoned(zone.clone()).date();
        for layer in &self.layers {
            let turn = self
                .turn(layer, now)
                .map_or(Some(0), |turn| turn.checked_add(1));
            consider(turn.and_then(|turn| self.hand_over(layer, turn)));
            for window in &layer.windows {
                // Of every day: a window that does not hold there changes nothing.
                for date in [Some(today), today.tomorrow().ok()].into_iter().flatten() {
                    for edge in [window.from, window.to] {
                        // In the hour that comes twice, an edge comes twice.
                        let edge = zone.to_ambiguous_timestamp(date.to_datetime(edge));
                        consider(edge.earlier().ok());
                        consider(edge.later().ok());
                    }
                }
            }
        }
        // Windows are read off the clock on the wall, which jumps when the clocks are changed.
        consider(zone.following(now).next().map(|jump| jump.timestamp()));
        next
    }

    /// Which turn it is, from 0. `None`: before the first.
    fn turn(&self, layer: &Layer, now: Timestamp) -> Option<i64> {
        let days = i64::from(layer.days);
        let local = now.to_zoned(self.zone.time_zone()).datetime();
        let since = local.date().since(layer.starts.date()).ok()?.get_days();
        // Near a hand-over the days alone may be one turn off, in either direction.
        let mut turn = i64::from(since).checked_div(days)?.saturating_sub(1).max(0);
        if self.hand_over(layer, 0)? > now {
            return None;
        }
        while self.hand_over(layer, turn.checked_add(1)?)? <= now {
            turn += 1;
        }
        Some(turn)
    }

    /// When a turn begins.
    fn hand_over(&self, layer: &Layer, turn: i64) -> Option<Timestamp> {
        let days = turn.checked_mul(i64::from(layer.days))?;
        let span = Span::new().try_days(days).ok()?;
        self.instant(layer.starts.checked_add(span).ok()?)
    }

    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.time_zone().to_timestamp(local).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(text: &str) -> Schedule {
        toml::from_str(text).unwrap()
    }

    #[track_caller]
    fn check(schedule: &Schedule, table: &[(&str, &str)]) {
        for (at, expected) in table {
            let person = schedule.on_call(at.parse().unwrap());
            let person = person.map_or("nobody", |person| person.0.as_str());
            assert_eq!(person, *expected, "{at}");
        }
    }

    const SHANGHAI: &str = r#"
        zone = "Asia/Shanghai"
        [[layers]]
        people = ["li", "mei", "wang"]
        starts = "2026-03-02T10:00:00"
    "#;

    #[test]
    fn people_take_turns_of_a_week() {
        check(
            &schedule(SHANGHAI),
            &[
                ("2026-03-02T01:59:59Z", "nobody"),
                ("2026-03-02T02:00:00Z", "li"),
                ("2026-03-09T01:59:59Z", "li"),
                ("2026-03-09T02:00:00Z", "mei"),
                ("2026-03-16T02:00:00Z", "wang"),
                ("2026-03-23T02:00:00Z", "li"),
                ("2036-03-10T02:00:00Z", "mei"),
            ],
        );
    }

    #[test]
    fn the_hand_over_stays_at_its_local_time_when_the_clocks_change() {
        let berlin = |starts: &str| {
            schedule(&format!(
                "zone = \"Europe/Berlin\"\n[[layers]]\npeople = [\"a\", \"b\"]\nstarts = \"{starts}\"\ndays = 1"
            ))
        };
        check(
            &berlin("2026-03-28T09:00:00"),
            &[
                ("2026-03-28T08:00:00Z", "a"),
                // Summer time begins in this night.
                ("2026-03-29T06:59:59Z", "a"),
                ("2026-03-29T07:00:00Z", "b"),
                ("2026-03-30T06:59:59Z", "b"),
                ("2026-03-30T07:00:00Z", "a"),
            ],
        );
        // 02:30 does not exist that night: it is handed over at 03:30, the time that has come instead.
        check(
            &berlin("2026-03-28T02:30:00"),
            &[("2026-03-29T01:29:59Z", "a"), ("2026-03-29T01:30:00Z", "b")],
        );
        // 02:30 comes twice in October: the first counts, and nobody gets it back in between.
        check(
            &berlin("2026-10-24T02:30:00"),
            &[
                ("2026-10-25T00:29:59Z", "a"),
                ("2026-10-25T00:30:00Z", "b"),
                ("2026-10-25T01:15:00Z", "b"),
                ("2026-10-25T01:30:00Z", "b"),
            ],
        );
    }

    #[test]
    fn layers_and_overrides_go_before_what_is_below() {
        let text = format!(
            r#"{SHANGHAI}
            [[layers]]
            people = ["night"]
            starts = "2026-03-02T00:00:00"
            windows = [{{ from = "22:00", to = "06:00" }}]
            [[overrides]]
            person = "zhao"
            from = "2026-03-04T12:00:00"
            until = "2026-03-04T23:00:00"
            "#
        );
        let schedule = schedule(&text);
        check(
            &schedule,
            &[
                ("2026-03-02T04:00:00Z", "li"),
                ("2026-03-02T14:00:00Z", "night"),
                ("2026-03-02T22:00:00Z", "li"),
                ("2026-03-04T04:00:00Z", "zhao"),
                ("2026-03-04T14:59:59Z", "zhao"),
                ("2026-03-04T15:00:00Z", "night"),
            ],
        );
        let from = "2026-03-04T02:00:00Z".parse().unwrap();
        let until = "2026-03-05T02:00:00Z".parse().unwrap();
        let shown: Vec<String> = schedule
            .shifts(from, until)
            .iter()
            .map(|shift| {
                let person = shift
                    .person
                    .as_ref()
                    .map_or("nobody", |person| person.0.as_str());
                format!("{} {person}", shift.from)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2026-03-04T02:00:00Z li",
                "2026-03-04T04:00:00Z zhao",
                "2026-03-04T15:00:00Z night",
                "2026-03-04T22:00:00Z li",
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_told_and_nobody_is_on_call_by_it() {
        let wrong = schedule(
            r#"
            layers = [{ people = [], starts = "2026-03-02T10:00:00", days = 0 }]
            overrides = [{ person = "x", from = "2026-03-02T10:00:00", until = "2026-03-02T10:00:00" }]
            "#,
        );
        assert_eq!(
            wrong.problems(),
            [
                "layers[0].days is 0: a turn needs a day at least",
                "layers[0].people is empty",
                "overrides[0] ends before it begins",
            ]
        );
        check(
            &wrong,
            &[
                ("2026-03-02T10:00:00Z", "nobody"),
                ("2027-01-01T00:00:00Z", "nobody"),
            ],
        );
    }

    proptest! {
        #[test]
        fn shifts_follow_each_other_without_gaps_and_say_who_is_on_call(
            start in 1_700_000_000..1_900_000_000_i64,
            probe in 0..(14 * 86_400_i64),
            days in 1..9_u16,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"]),
        ) {
            let schedule = schedule(&format!(
                "zone = \"{zone}\"\n[[layers]]\npeople = [\"a\", \"b\", \"c\"]\nstarts = \"2024-02-28T02:15:00\"\ndays = {days}\n\
                [[layers]]\npeople = [\"n\"]\nstarts = \"2024-02-28T00:00:00\"\n\
                windows = [{{ days = [\"sat\", \"sun\"], from = \"01:30\", to = \"02:30\" }}]"
            ));
            let from = Timestamp::from_second(start).unwrap();
            let until = Timestamp::from_second(start + 14 * 86_400).unwrap();
            let probe = Timestamp::from_second(start + probe).unwrap();
            let shifts = schedule.shifts(from, until);
            prop_assert_eq!(shifts[0].from, from);
            prop_assert_eq!(shifts[shifts.len() - 1].until, until);
            for pair in shifts.windows(2) {
                prop_assert_eq!(pair[0].until, pair[1].from);
                prop_assert_ne!(&pair[0].person, &pair[1].person);
            }
            let shift = shifts.iter().find(|shift| shift.from <= probe && probe < shift.until).unwrap();
            prop_assert_eq!(shift.person.as_ref(), schedule.on_call(probe));
        }
    }
}
