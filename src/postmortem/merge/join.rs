//! What was said twice becomes one event that cites both.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use crate::postmortem::{
    events::{Event, Kind, TimeSource},
    ground,
    transcript::Transcript,
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
    let mut by_message: HashMap<(Kind, usize), Vec<usize>> = HashMap::new();
    for event in events {
        let cited: Vec<usize> = event
            .message_ids
            .iter()
            .filter_map(|id| transcript.place(id))
            .collect();
        let same_message = cited
            .iter()
            .filter_map(|message| by_message.get(&(event.kind, *message)))
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
        let kind = event.kind;
        let place = match twin {
            Some(place) => {
                absorb(&mut joined[place], &event);
                place
            }
            None => {
                joined.push(event);
                joined.len() - 1
            }
        };
        for message in cited {
            by_message.entry((kind, message)).or_default().push(place);
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
    if told_apart || strsim::sorensen_dice(&one.text, &other.text) < 0.55 {
        return false;
    }
    let names = |event: &Event| -> HashSet<String> {
        ground::tokens(&event.text)
            .into_iter()
            .map(|token| token.text.to_lowercase())
            .collect()
    };
    let (a, b) = (names(one), names(other));
    a.is_subset(&b) || b.is_subset(&a)
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
