//! What was said twice becomes one event that cites both.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use crate::postmortem::{
    events::{Event, Kind, TimeSource},
    ground,
    transcript::{MessageId, Transcript},
};

/// How close two sayings of one thing are in time.
const CLOSE: SignedDuration = SignedDuration::from_mins(2);

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

pub(super) fn join(mut events: Vec<Event>, transcript: &Transcript) -> Vec<Event> {
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
