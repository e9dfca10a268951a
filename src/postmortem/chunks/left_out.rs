//! What is not read where a draft may only cost so much.

use jiff::{SignedDuration, Timestamp};

use super::Lines;
use crate::postmortem::{phrases, transcript::Transcript};

/// What is left out where not all may be read: the least telling first, and within that from the middle on.
/// What people marked, the first hour and the last are always read.
pub(super) fn left_out(
    transcript: &Transcript,
    lines: &Lines<'_>,
    all_tokens: Option<usize>,
    have: usize,
) -> Vec<usize> {
    let Some(allowed) = all_tokens.filter(|allowed| *allowed < have) else {
        return Vec::new();
    };
    let mut too_many = have - allowed;
    let mut candidates: Vec<(bool, usize)> = transcript
        .messages
        .iter()
        .enumerate()
        .filter(|(_, message)| !message.is_marked() && !is_at_an_end(message.at, transcript))
        .map(|(place, message)| (phrases::tells(message, transcript), place))
        .collect();
    candidates.sort_unstable();
    let mut out = Vec::new();
    for (_, place) in candidates {
        if too_many == 0 {
            break;
        }
        too_many = too_many.saturating_sub(lines.tokens(place));
        out.push(place);
    }
    out.sort_unstable();
    out
}

fn is_at_an_end(at: Timestamp, transcript: &Transcript) -> bool {
    let hour = SignedDuration::from_hours(1);
    let first = transcript.messages.first().map_or(at, |message| message.at);
    let last = transcript.messages.last().map_or(at, |message| message.at);
    at.duration_since(first) <= hour || last.duration_since(at) <= hour
}
