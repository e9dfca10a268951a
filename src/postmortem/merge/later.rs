//! What was said later against an event: a correction, or that it was ruled out.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    About, COMPARED_MAX, Contradiction,
    topic::{Topic, share_a_topic},
};
use crate::postmortem::{
    events::{Certainty, Event, Kind},
    transcript::{MessageId, Transcript},
};

/// How far back a correction reaches, in events.
const CORRECTION_REACH: usize = 200;

static CORRECTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:correction|actually|sorry)\b|\b(?:correction:|my mistake|i was wrong|i misread|that was wrong)|更正|纠正|说错了|搞错了|看错了|^不对")
        .expect("it is compiled by a test")
});

/// Links each event to the later one that corrects it.
pub(super) fn supersede(events: &mut [Event], transcript: &Transcript) {
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
pub(super) fn refute(events: &mut [Event], transcript: &Transcript) -> Vec<Contradiction> {
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
