//! Pairs of events that do not agree: one deed at two times, one count with two numbers.

use std::{collections::HashMap, sync::LazyLock};

use jiff::SignedDuration;
use regex::Regex;

use super::{About, COMPARED_MAX, Contradiction, topic::share_a_topic};
use crate::postmortem::events::{Event, Kind, TimeSource};

/// One deed at two times.
pub(super) fn times_apart(events: &[Event]) -> Vec<Contradiction> {
    let kinds = [
        Kind::Impact,
        Kind::Change,
        Kind::Action,
        Kind::Mitigation,
        Kind::Resolution,
        Kind::Observation,
        Kind::Report,
    ];
    let mut pairs = Vec::new();
    for kind in kinds {
        let places = living(events, |event| {
            event.kind == kind && event.time_source == TimeSource::Text
        });
        for (first, second) in pairs_of(&places) {
            let (one, other) = (&events[first], &events[second]);
            let apart = other.at.duration_since(one.at).abs();
            // A day apart it is another time and no other telling of the same.
            if apart >= SignedDuration::from_mins(1)
                && apart < SignedDuration::from_hours(12)
                && strsim::sorensen_dice(&one.text, &other.text) >= 0.5
                && share_a_topic(&one.text, &other.text)
            {
                pairs.push(Contradiction {
                    first,
                    second,
                    about: About::Time,
                });
            }
        }
    }
    pairs
}

static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(\d[\d,]*(?:\.\d+)?)\s*(%|(?:(?:failed|affected|different)\s+)?[a-z]{4,}|[\x{4e00}-\x{9fff}]{1,3})")
        .expect("it is compiled by a test")
});

/// One count with two numbers. Only of the impact: elsewhere numbers change because the world does.
pub(super) fn numbers_apart(events: &[Event]) -> Vec<Contradiction> {
    let places = living(events, |event| event.kind == Kind::Impact);
    let counts = |place: &usize| -> Vec<(String, String)> {
        let captures = COUNTED.captures_iter(&events[*place].text);
        captures
            .map(|found| (found[2].to_lowercase(), found[1].replace(',', "")))
            .collect()
    };
    let counted: HashMap<usize, Vec<(String, String)>> =
        places.iter().map(|place| (*place, counts(place))).collect();
    let mut pairs = Vec::new();
    for (first, second) in pairs_of(&places) {
        let differs = counted[&first].iter().any(|(unit, number)| {
            let mut same_unit = counted[&second]
                .iter()
                .filter(|(of, _)| of == unit)
                .map(|(_, number)| number)
                .peekable();
            same_unit.peek().is_some() && !same_unit.any(|other| other == number)
        });
        if differs {
            pairs.push(Contradiction {
                first,
                second,
                about: About::Number,
            });
        }
    }
    pairs
}

fn living(events: &[Event], test: impl Fn(&Event) -> bool) -> Vec<usize> {
    (0..events.len())
        .filter(|place| events[*place].holds() && test(&events[*place]))
        .collect()
}

/// Every pair of few, and of many only those that stand near to each other.
fn pairs_of(places: &[usize]) -> Vec<(usize, usize)> {
    let reach = if places.len() <= COMPARED_MAX {
        places.len()
    } else {
        8
    };
    let pairs = places.iter().enumerate().flat_map(|(at, first)| {
        places[at + 1..]
            .iter()
            .take(reach)
            .map(move |second| (*first, *second))
    });
    pairs.collect()
}
