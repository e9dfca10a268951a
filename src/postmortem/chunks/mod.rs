//! A transcript in pieces that fit a model's window: by time and thread, overlapping, with nothing cut away.
//!
//! A thread stays with its first message. A message that is longer than a whole chunk is continued in the
//! next ones. Alert lines are told once with their count. Where a draft may not cost more than so many
//! tokens, what nobody marked is left out from the middle, and said to be left out.

mod left_out;
mod lines;
mod pack;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::transcript::{MessageId, Transcript};
pub use lines::Lines;

/// What part of a chunk may repeat the one before: enough for the last few lines, since it is paid for twice.
const OVERLAP_PART: usize = 20;

/// How large chunks may be, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// One chunk, its overlap included.
    pub chunk_tokens: usize,
    /// All chunks together; nothing: as many as there are.
    pub all_tokens: Option<usize>,
}

/// A part of a message: nearly always all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The place of the message in the transcript.
    pub place: usize,
    /// Which bytes of its line.
    pub range: Range<usize>,
}

/// A part of the transcript that is read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What stands before it, repeated so that it can be understood.
    pub before: Vec<Piece>,
    /// What is to be read.
    pub pieces: Vec<Piece>,
    /// Tokens of all its lines, about.
    pub tokens: usize,
}

/// The transcript in chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunks {
    /// In the order of time.
    pub chunks: Vec<Chunk>,
    /// The places of messages that are in none of them.
    pub left_out: Vec<usize>,
    /// Tokens of the lines of the transcript, without any repetition.
    pub transcript_tokens: usize,
}

impl Chunks {
    /// Tokens of all chunks, repetitions included.
    pub fn tokens(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.tokens).sum()
    }
}

/// Splits a transcript.
pub fn split(transcript: &Transcript, lines: &Lines<'_>, budget: Budget) -> Chunks {
    let transcript_tokens = lines.all_tokens();
    let left_out = left_out::left_out(transcript, lines, budget.all_tokens, transcript_tokens);
    let is_out: HashSet<usize> = left_out.iter().copied().collect();
    let overlap_tokens = budget.chunk_tokens / OVERLAP_PART;
    let room = budget.chunk_tokens - overlap_tokens;
    let mut packing = pack::Packing {
        lines,
        room,
        closed: Vec::new(),
        open: pack::Open::default(),
    };
    for unit in units(transcript) {
        let is_read = |place: &usize| !is_out.contains(place) && lines.tokens(*place) > 0;
        let unit: Vec<usize> = unit.into_iter().filter(is_read).collect();
        let tokens: usize = unit.iter().map(|place| lines.tokens(*place)).sum();
        if packing.open.tokens + tokens > room && tokens <= room {
            packing.close(None);
        }
        for place in &unit {
            packing.add(*place, unit.first().copied().filter(|root| root != place));
        }
    }
    packing.close(None);
    Chunks {
        chunks: packing.with_overlap(overlap_tokens),
        left_out,
        transcript_tokens,
    }
}

/// Messages that belong together: a thread, or a message alone, in the order of their first message.
fn units(transcript: &Transcript) -> impl Iterator<Item = Vec<usize>> {
    let mut threads = threads(transcript);
    let messages = transcript.messages.iter().enumerate();
    messages.filter_map(move |(place, message)| {
        let thread = message.thread.as_ref().unwrap_or(&message.id);
        match threads.get_mut(thread) {
            None => Some(vec![place]),
            Some(unit) => (unit.first() == Some(&place)).then(|| std::mem::take(unit)),
        }
    })
}

/// The places of the messages of each thread, in their order. Most messages are in none.
fn threads(transcript: &Transcript) -> HashMap<&MessageId, Vec<usize>> {
    let mut threads: HashMap<&MessageId, Vec<usize>> = HashMap::new();
    for (place, message) in transcript.messages.iter().enumerate() {
        let Some(thread) = &message.thread else {
            continue;
        };
        let members = threads.entry(thread).or_insert_with(|| {
            let root = transcript.place(thread);
            let is_free = |root: &usize| transcript.messages[*root].thread.is_none();
            root.filter(is_free).into_iter().collect()
        });
        members.push(place);
    }
    threads
}
