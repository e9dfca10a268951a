//! Packs messages into chunks, and repeats before each what is needed to understand it.

use std::ops::Range;

use super::{Chunk, Lines, Piece};
use crate::llm::estimate_tokens;

/// A chunk that is being filled.
#[derive(Default)]
pub(super) struct Open {
    pieces: Vec<Piece>,
    pub(super) tokens: usize,
    /// The first message of the thread that was torn before it.
    root: Option<usize>,
}

pub(super) struct Packing<'a> {
    pub(super) lines: &'a Lines<'a>,
    pub(super) room: usize,
    pub(super) closed: Vec<Open>,
    pub(super) open: Open,
}

impl Packing<'_> {
    /// Adds a message, in parts where it does not fit into one chunk. A thread that is torn takes its first
    /// message along.
    pub(super) fn add(&mut self, place: usize, root: Option<usize>) {
        let tokens = self.lines.tokens(place);
        if self.open.tokens + tokens > self.room {
            self.close(root);
        }
        if tokens <= self.room {
            self.open.pieces.push(self.lines.whole(place));
            self.open.tokens += tokens;
            return;
        }
        let line = self.lines.line(place);
        for range in parts(&line, self.room) {
            self.close(None);
            self.open.tokens = estimate_tokens(&line[range.clone()]);
            self.open.pieces.push(Piece { place, range });
        }
    }

    pub(super) fn close(&mut self, root_of_next: Option<usize>) {
        if !self.open.pieces.is_empty() {
            let next = Open {
                root: root_of_next,
                ..Open::default()
            };
            self.closed.push(std::mem::replace(&mut self.open, next));
        }
    }

    /// Repeats before each chunk the root of a torn thread and the end of the chunk before.
    pub(super) fn with_overlap(self, overlap_tokens: usize) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = Vec::with_capacity(self.closed.len());
        for open in self.closed {
            let last: &[Piece] = chunks.last().map_or(&[], |chunk: &Chunk| &chunk.pieces);
            let mut room = overlap_tokens;
            let mut fits = |piece: &Piece| {
                let tokens = self.lines.tokens(piece.place);
                let fits = tokens <= room && self.lines.is_whole(piece);
                room -= if fits { tokens } else { 0 };
                fits
            };
            let root = open
                .root
                .map(|root| self.lines.whole(root))
                .filter(|root| fits(root));
            let end = last.iter().rev().take_while(|piece| fits(piece)).cloned();
            let mut before: Vec<Piece> = root.into_iter().chain(end).collect();
            before.sort_by_key(|piece| piece.place);
            before.dedup();
            let repeated: usize = before
                .iter()
                .map(|piece| self.lines.tokens(piece.place))
                .sum();
            chunks.push(Chunk {
                before,
                tokens: open.tokens + repeated,
                pieces: open.pieces,
            });
        }
        chunks
    }
}

/// A line in parts of at most so many tokens, cut between lines or words where that is possible.
fn parts(line: &str, room: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < line.len() {
        let rest = &line[start..];
        // No character is more than a token, so that many characters always fit.
        let mut end = rest
            .char_indices()
            .nth(room.max(1))
            .map_or(rest.len(), |(at, _)| at);
        if end < rest.len()
            && let Some(space) = rest[..end]
                .rfind(['\n', ' '])
                .filter(|space| *space > end / 2)
        {
            end = space + 1;
        }
        parts.push(start..start + end);
        start += end;
    }
    parts
}
