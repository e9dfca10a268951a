//! Joins what several chunks found: duplicates become one, and what does not agree is kept side by side.
//!
//! A later correction supersedes what it corrects, and a hypothesis that was ruled out stays ruled out; both
//! stay in the list, linked to what spoke against them. Nothing is chosen silently.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use jiff::SignedDuration;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{
    events::{Certainty, Event, Kind, TimeSource},
    ground::{self, TokenKind},
    transcript::{MessageId, Transcript},
};

/// All events of a draft, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The events. Links between them are places in this list.
    pub events: Vec<Event>,
    /// Pairs that do not agree.
    pub contradictions: Vec<Contradiction>,
    /// How many events were joined to others.
    pub joined: usize,
}

/// Two events that do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The one that was said first.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// What they do not agree about.
    pub about: About,
}

/// What two events do not agree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// When it was.
    Time,
    /// How many it were.
    Number,
    /// Whether it was the cause.
    Cause,
}

/// How close two sayings of one thing are in time.
const CLOSE: SignedDuration = SignedDuration::from_mins(2);
/// How far back a correction reaches, in events.
const CORRECTION_REACH: usize = 200;
/// How many events of one kind are compared with each other; beyond that only neighbours are.
const COMPARED_MAX: usize = 120;

/// Joins events.
pub fn merge(events: Vec<Event>, transcript: &Transcript) -> Merged {
    let before = events.len();
    let mut events = join(events, transcript);
    let joined = before - events.len();
    supersede(&mut events, transcript);
    let mut contradictions = refute(&mut events, transcript);
    contradictions.extend(times_apart(&events));
    contradictions.extend(numbers_apart(&events));
    contradictions.sort_by_key(|pair| (pair.first, pair.second));
    contradictions.dedup();
    Merged {
        events,
        contradictions,
        joined,
    }
}

/// By time, and within one second by the place of the message.
fn sort(events: &mut [Event], transcript: &Transcript) {
    events.sort_by_cached_key(|event| {
        let place = event
            .message_ids
            .first()
            .and_then(|id| transcript.place(id));
        (event.at, place, event.kind)
    });
}

fn join(mut events: Vec<Event>, transcript: &Transcript) -> Vec<Event> {
    sort(&mut events, transcript);
    let mut joined: Vec<Event> = Vec::with_capacity(events.len());
    let mut by_message: HashMap<(Kind, MessageId), Vec<usize>> = HashMap::new();
    for event in events {
        let same_message = event
            .message_ids
            .iter()
            .filter_map(|id| by_message.get(&(event.kind, id.clone())))
            .flatten();
        let close = joined
            .iter()
            .enumerate()
            .rev()
            .take_while(|(_, other)| event.at.duration_since(other.at) <= CLOSE)
            .filter(|(_, other)| other.kind == event.kind && other.actor == event.actor)
            .map(|(place, _)| place);
        let twin = same_message
            .copied()
            .chain(close)
            .find(|place| say_the_same(&joined[*place], &event));
        let place = match twin {
            Some(place) => {
                absorb(&mut joined[place], &event);
                place
            }
            None => {
                joined.push(event.clone());
                joined.len() - 1
            }
        };
        for id in event.message_ids {
            by_message.entry((event.kind, id)).or_default().push(place);
        }
    }
    joined
}

/// Whether two events of one kind say one thing: in like words, with the same names and numbers.
fn say_the_same(one: &Event, other: &Event) -> bool {
    if one.text == other.text {
        return true;
    }
    // Different times for one thing are a contradiction, and stay two events.
    let told_apart = one.time_source == TimeSource::Text
        && other.time_source == TimeSource::Text
        && one.at != other.at;
    let names = |event: &Event| -> HashSet<String> {
        ground::tokens(&event.text)
            .into_iter()
            .map(|token| token.text.to_lowercase())
            .collect()
    };
    let (a, b) = (names(one), names(other));
    !told_apart
        && (a.is_subset(&b) || b.is_subset(&a))
        && strsim::sorensen_dice(&one.text, &other.text) >= 0.55
}

fn absorb(event: &mut Event, other: &Event) {
    for id in &other.message_ids {
        if !event.message_ids.contains(id) {
            event.message_ids.push(id.clone());
        }
    }
    event.certainty = event.certainty.max(other.certainty);
    event.owner = event.owner.take().or_else(|| other.owner.clone());
    event.due = event.due.take().or_else(|| other.due.clone());
}

static CORRECTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:correction|actually|sorry)\b|\b(?:correction:|my mistake|i was wrong|i misread|that was wrong)|更正|纠正|说错了|搞错了|看错了|^不对")
        .expect("it is compiled by a test")
});

/// Links each event to the later one that corrects it.
fn supersede(events: &mut [Event], transcript: &Transcript) {
    for place in 0..events.len() {
        let mut messages = events[place]
            .message_ids
            .iter()
            .filter_map(|id| transcript.message(id));
        let Some(correcting) = messages.rfind(|message| CORRECTION.is_match(message.text.trim()))
        else {
            continue;
        };
        let event = &events[place];
        // By the time of saying and not by the time told, which is what may be corrected.
        let said_before = |other: &Event| {
            let places = other
                .message_ids
                .iter()
                .filter_map(|id| transcript.place(id));
            places.max() < transcript.place(&correcting.id)
        };
        let target = (place.saturating_sub(CORRECTION_REACH)
            ..events.len().min(place + CORRECTION_REACH))
            .filter(|other| *other != place)
            .filter(|other| said_before(&events[*other]) && events[*other].superseded_by.is_none())
            .filter(|other| {
                let other = &events[*other];
                let quotes = correcting
                    .parent
                    .as_ref()
                    .is_some_and(|parent| other.message_ids.contains(parent));
                quotes || (other.kind == event.kind && share_a_topic(&other.text, &event.text))
            })
            .max_by_key(|other| {
                events[*other]
                    .message_ids
                    .iter()
                    .filter_map(|id| transcript.place(id))
                    .max()
            });
        if let Some(target) = target {
            events[target].superseded_by = Some(place);
        }
    }
}

/// Marks hypotheses that were ruled out, and pairs them with anyone who states them as the cause all the same.
fn refute(events: &mut [Event], transcript: &Transcript) -> Vec<Contradiction> {
    let mut contradictions = Vec::new();
    let of = |kinds: &[Kind]| -> Vec<usize> {
        (0..events.len())
            .filter(|place| kinds.contains(&events[*place].kind))
            .collect()
    };
    let refuting = of(&[Kind::RuledOut]);
    if refuting.is_empty() {
        return contradictions;
    }
    let suspects: Vec<(usize, Topic)> = of(&[Kind::Hypothesis, Kind::Cause])
        .into_iter()
        .map(|place| (place, Topic::of(&events[place].text)))
        .collect();
    for refuting in refuting.into_iter().take(COMPARED_MAX) {
        if events[refuting].superseded_by.is_some() {
            continue;
        }
        let topic = Topic::of(&events[refuting].text);
        let messages = events[refuting].message_ids.iter();
        let parents: Vec<MessageId> = messages
            .filter_map(|id| transcript.message(id)?.parent.clone())
            .collect();
        for (place, suspect) in &suspects {
            let place = *place;
            let is_quoted = parents
                .iter()
                .any(|parent| events[place].message_ids.contains(parent));
            if !is_quoted && !suspect.is_shared_by(&topic) {
                continue;
            }
            if events[place].kind == Kind::Cause {
                let (first, second) = (place.min(refuting), place.max(refuting));
                contradictions.push(Contradiction {
                    first,
                    second,
                    about: About::Cause,
                });
            } else {
                events[place].refuted_by.get_or_insert(refuting);
                events[place].certainty = Certainty::Refuted;
            }
        }
    }
    contradictions
}

/// One deed at two times.
fn times_apart(events: &[Event]) -> Vec<Contradiction> {
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
fn numbers_apart(events: &[Event]) -> Vec<Contradiction> {
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

/// Words that say nothing of what a sentence is about.
const PLAIN: [&str; 60] = [
    "the",
    "and",
    "was",
    "were",
    "not",
    "that",
    "this",
    "with",
    "from",
    "for",
    "but",
    "maybe",
    "might",
    "could",
    "probably",
    "think",
    "cause",
    "caused",
    "problem",
    "issue",
    "root",
    "because",
    "since",
    "are",
    "has",
    "have",
    "had",
    "its",
    "out",
    "ruled",
    "rule",
    "looks",
    "like",
    "seems",
    "suspect",
    "again",
    "still",
    "just",
    "now",
    "correction",
    "actually",
    "sorry",
    "there",
    "they",
    "been",
    "then",
    "what",
    "when",
    "time",
    "about",
    "think",
    "guess",
    "likely",
    "be",
    "is",
    "it",
    "unrelated",
    "nothing",
    "rolled",
    "back",
];
const PLAIN_HAN: &str = "的了是不我们在和有也就都还这那可能怀疑感觉应该估计问题原因引起导致造成排除无关确认没有已经起因为吧呢吗根与由";

/// Whether two sentences speak of one thing: they share a name, or a third of their words.
pub(super) fn share_a_topic(one: &str, other: &str) -> bool {
    Topic::of(one).is_shared_by(&Topic::of(other))
}

/// What a sentence speaks of.
struct Topic {
    words: HashSet<String>,
    names: HashSet<String>,
}

impl Topic {
    fn of(text: &str) -> Self {
        let names = ground::tokens(text)
            .into_iter()
            .filter(|token| token.kind == TokenKind::Name);
        Self {
            words: topic(text),
            names: names.map(|token| token.text.to_lowercase()).collect(),
        }
    }

    fn is_shared_by(&self, other: &Self) -> bool {
        let common = self.words.intersection(&other.words).count();
        let smaller = self.words.len().min(other.words.len()).max(1);
        common > 0 && (common * 3 >= smaller || !self.names.is_disjoint(&other.names))
    }
}

fn topic(text: &str) -> HashSet<String> {
    let lower = text.to_lowercase();
    let mut words: HashSet<String> = lower
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .filter(|word| {
            word.len() >= 3 && !PLAIN.contains(word) && !word.chars().all(|c| c.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect();
    let han: Vec<char> = lower
        .chars()
        .map(|c| if PLAIN_HAN.contains(c) { ' ' } else { c })
        .collect();
    let is_han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    words.extend(
        han.windows(2)
            .filter(|pair| pair.iter().all(is_han))
            .map(|pair| pair.iter().collect()),
    );
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::{
        phrases,
        testing::{at, id, room},
    };

    fn merged(said: &[(&str, &str, &str)]) -> Merged {
        let room = room(said);
        let events = room
            .messages
            .iter()
            .flat_map(|message| phrases::extract(message, &room));
        merge(events.collect(), &room)
    }

    fn abouts(merged: &Merged) -> Vec<About> {
        merged
            .contradictions
            .iter()
            .map(|pair| pair.about)
            .collect()
    }

    #[test]
    fn what_is_said_twice_becomes_one_event_that_cites_both() {
        let merged = merged(&[
            ("14:05:00", "li", "rolled back payment-gw to 1.8.2"),
            ("14:06:00", "li", "payment-gw rolled back to 1.8.2"),
            ("14:07:00", "li", "restarted node-1."),
            ("14:07:10", "li", "restarted node-2."),
        ]);
        assert_eq!((merged.events.len(), merged.joined), (3, 1));
        assert_eq!(merged.events[0].message_ids, [id(1), id(2)]);
    }

    #[test]
    fn a_correction_supersedes_and_stays_linked() {
        let merged = merged(&[
            ("14:05:00", "li", "about 300 orders failed"),
            ("14:40:00", "han", "correction: about 1200 orders failed"),
        ]);
        assert_eq!(merged.events[0].superseded_by, Some(1));
        assert!(merged.events[1].holds());
        assert_eq!(
            merged.contradictions,
            [],
            "a correction is no contradiction"
        );
    }

    #[test]
    fn what_was_ruled_out_stays_ruled_out() {
        let english = merged(&[
            ("14:05:00", "li", "maybe Redis is slow"),
            ("14:06:00", "han", "maybe the pool is exhausted"),
            (
                "14:10:00",
                "han",
                "Redis is not the cause, its latency is flat",
            ),
            ("14:20:00", "li", "I still suspect Redis"),
        ]);
        let refuted: Vec<bool> = english
            .events
            .iter()
            .map(|event| event.refuted_by.is_some())
            .collect();
        assert_eq!(refuted, [true, false, false, true]);
        let chinese = merged(&[
            ("14:05:00", "wang", "怀疑是数据库慢查询"),
            ("14:06:00", "wang", "可能是连接池配置过小"),
            ("14:10:00", "li", "排除数据库，慢查询没有增加"),
        ]);
        let refuted: Vec<bool> = chinese
            .events
            .iter()
            .map(|event| event.refuted_by.is_some())
            .collect();
        assert_eq!(refuted, [true, false, false]);
    }

    #[test]
    fn what_does_not_agree_is_kept_in_pairs() {
        let times = merged(&[
            ("14:35:00", "li", "rolled back payment-gw at 14:20"),
            ("14:36:00", "han", "rolled back payment-gw at 14:26"),
        ]);
        assert_eq!(abouts(&times), [About::Time]);
        let numbers = merged(&[
            ("14:35:00", "li", "about 300 orders failed"),
            ("14:36:00", "han", "1200 orders failed"),
        ]);
        assert_eq!(abouts(&numbers), [About::Number]);
        let cause = merged(&[
            ("14:35:00", "li", "Redis is not the cause"),
            ("14:50:00", "han", "The root cause was Redis"),
        ]);
        assert_eq!(abouts(&cause), [About::Cause]);
        let agreeing = merged(&[
            ("14:35:00", "li", "about 1,200 orders failed"),
            ("15:36:00", "han", "1200 orders failed in all"),
        ]);
        assert_eq!(abouts(&agreeing), []);
    }

    #[test]
    fn events_are_in_the_order_of_their_times() {
        let merged = merged(&[
            ("14:35:00", "li", "errors began at 13:50"),
            ("14:36:00", "han", "all clear"),
        ]);
        assert_eq!(merged.events[0].at, at("13:50:00"));
    }
}
