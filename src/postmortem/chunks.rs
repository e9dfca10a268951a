//! A transcript in pieces that fit a model's window: by time and thread, overlapping, with nothing cut away.
//!
//! A thread stays with its first message. A message that is longer than a whole chunk is continued in the
//! next ones. Alert lines are told once with their count. Where a draft may not cost more than so many
//! tokens, what nobody marked is left out from the middle, and said to be left out.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    facts::AlertLines,
    phrases,
    transcript::{Message, MessageId, Transcript},
};
use crate::llm::estimate_tokens;

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

/// The lines of a transcript as the model reads them.
pub struct Lines {
    lines: Vec<String>,
    tokens: Vec<usize>,
}

impl Lines {
    /// Writes them. A line of an alert that was told of before is empty, and so is that of an aside.
    pub fn new(transcript: &Transcript, alerts: &[AlertLines]) -> Self {
        let first: HashMap<&MessageId, &AlertLines> = alerts
            .iter()
            .filter_map(|alert| Some((alert.messages.first()?, alert)))
            .collect();
        let mut lines = Vec::with_capacity(transcript.messages.len());
        let mut day = None;
        for (place, message) in transcript.messages.iter().enumerate() {
            let Some(alias) = transcript.alias_at(place) else {
                lines.push(String::new());
                continue;
            };
            if message.alert.is_some() && !first.contains_key(&message.id) {
                lines.push(String::new());
                continue;
            }
            let at = message.at.to_zoned(transcript.time_zone.clone());
            let date = (day != Some(at.date())).then(|| at.strftime("%Y-%m-%d ").to_string());
            day = Some(at.date());
            let time = at.strftime("%H:%M:%S");
            let mut line = format!("[{alias}] {}{time} ", date.unwrap_or_default());
            match first.get(&message.id) {
                Some(alert) => line.push_str(&alert_words(alert, transcript)),
                None => line.push_str(&words(message, transcript)),
            }
            lines.push(line);
        }
        let tokens = lines.iter().map(|line| estimate_tokens(line)).collect();
        Self { lines, tokens }
    }

    /// The lines of these pieces.
    pub fn text(&self, pieces: &[Piece]) -> String {
        let mut text = String::new();
        for piece in pieces {
            let line = &self.lines[piece.place];
            if piece.range.start > 0 {
                let alias = line.split(' ').next().unwrap_or_default();
                text.push_str(&format!("{alias} (continued) "));
            }
            text.push_str(&line[piece.range.clone()]);
            text.push('\n');
        }
        text
    }

    fn whole(&self, place: usize) -> Piece {
        Piece {
            place,
            range: 0..self.lines[place].len(),
        }
    }
}

fn alert_words(alert: &AlertLines, transcript: &Transcript) -> String {
    let last = alert.last.to_zoned(transcript.time_zone.clone());
    let last = last.strftime("%Y-%m-%d %H:%M:%S");
    let AlertLines {
        title,
        firing,
        recovered,
        ..
    } = alert;
    format!("alert: {title} (fired {firing}, recovered {recovered}, last told at {last})")
}

fn words(message: &Message, transcript: &Transcript) -> String {
    let mut line = transcript.name(&message.author).to_owned();
    if let Some(alias) = message
        .parent
        .as_ref()
        .and_then(|parent| transcript.alias(parent))
    {
        line.push_str(&format!(" (to {alias})"));
    }
    if message.is_marked() {
        let marks: Vec<String> = message
            .marks
            .iter()
            .map(|mark| format!("{:?}", mark.kind).to_lowercase())
            .collect();
        line.push_str(&format!(" (marked {})", marks.join(" ")));
    }
    line.push_str(": ");
    match (message.recalled_at, &message.unreadable) {
        (Some(_), _) => line.push_str("(taken back)"),
        (None, Some(why)) => line.push_str(&format!("(could not be read: {why})")),
        (None, None) => line.push_str(&message.evidence()),
    }
    if !message.edits.is_empty() {
        line.push_str(" (edited)");
    }
    line
}

/// Splits a transcript.
pub fn split(transcript: &Transcript, lines: &Lines, budget: Budget) -> Chunks {
    let transcript_tokens = lines.tokens.iter().sum();
    let left_out = left_out(transcript, lines, budget.all_tokens, transcript_tokens);
    let is_out: HashSet<usize> = left_out.iter().copied().collect();
    let overlap_tokens = budget.chunk_tokens / 12;
    let room = budget.chunk_tokens - overlap_tokens;
    let mut packing = Packing {
        lines,
        room,
        closed: Vec::new(),
        open: Open::default(),
    };
    for unit in units(transcript) {
        let is_read = |place: &usize| !is_out.contains(place) && !lines.lines[*place].is_empty();
        let unit: Vec<usize> = unit.into_iter().filter(is_read).collect();
        let tokens: usize = unit.iter().map(|place| lines.tokens[*place]).sum();
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
fn units(transcript: &Transcript) -> Vec<Vec<usize>> {
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut of_thread: HashMap<&MessageId, usize> = HashMap::new();
    for (place, message) in transcript.messages.iter().enumerate() {
        let thread = message.thread.as_ref().unwrap_or(&message.id);
        match of_thread.get(thread) {
            Some(unit) => units[*unit].push(place),
            None => {
                of_thread.insert(thread, units.len());
                units.push(vec![place]);
            }
        }
    }
    units
}

/// A chunk that is being filled.
#[derive(Default)]
struct Open {
    pieces: Vec<Piece>,
    tokens: usize,
    /// The first message of the thread that was torn before it.
    root: Option<usize>,
}

struct Packing<'a> {
    lines: &'a Lines,
    room: usize,
    closed: Vec<Open>,
    open: Open,
}

impl Packing<'_> {
    /// Adds a message, in parts where it does not fit into one chunk. A thread that is torn takes its first
    /// message along.
    fn add(&mut self, place: usize, root: Option<usize>) {
        let tokens = self.lines.tokens[place];
        if self.open.tokens + tokens > self.room {
            self.close(root);
        }
        if tokens <= self.room {
            self.open.pieces.push(self.lines.whole(place));
            self.open.tokens += tokens;
            return;
        }
        for range in parts(&self.lines.lines[place], self.room) {
            self.close(None);
            self.open.tokens = estimate_tokens(&self.lines.lines[place][range.clone()]);
            self.open.pieces.push(Piece { place, range });
        }
    }

    fn close(&mut self, root_of_next: Option<usize>) {
        if !self.open.pieces.is_empty() {
            let next = Open {
                root: root_of_next,
                ..Open::default()
            };
            self.closed.push(std::mem::replace(&mut self.open, next));
        }
    }

    /// Repeats before each chunk the root of a torn thread and the end of the chunk before.
    fn with_overlap(self, overlap_tokens: usize) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = Vec::with_capacity(self.closed.len());
        for open in self.closed {
            let last: &[Piece] = chunks.last().map_or(&[], |chunk: &Chunk| &chunk.pieces);
            let mut room = overlap_tokens;
            let mut fits = |piece: &Piece| {
                let tokens = self.lines.tokens[piece.place];
                let fits =
                    tokens <= room && piece.range.len() == self.lines.lines[piece.place].len();
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
                .map(|piece| self.lines.tokens[piece.place])
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

/// What is left out where not all may be read: the least telling first, and within that from the middle on.
/// What people marked, the first hour and the last are always read.
fn left_out(
    transcript: &Transcript,
    lines: &Lines,
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
        .map(|(place, message)| (!phrases::extract(message, transcript).is_empty(), place))
        .collect();
    candidates.sort_unstable();
    let mut out = Vec::new();
    for (_, place) in candidates {
        if too_many == 0 {
            break;
        }
        too_many = too_many.saturating_sub(lines.tokens[place]);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::postmortem::{
        testing::{at, freeze, person, room},
        transcript::{Mark, MarkKind},
    };

    fn chunked(transcript: &Transcript, chunk_tokens: usize) -> (Lines, Chunks) {
        let lines = Lines::new(transcript, &[]);
        let chunks = split(
            transcript,
            &lines,
            Budget {
                chunk_tokens,
                all_tokens: None,
            },
        );
        (lines, chunks)
    }

    #[test]
    fn a_small_room_is_one_chunk() {
        let room = room(&[("14:00:00", "li", "slow"), ("14:01:00", "han", "looking")]);
        let (lines, chunks) = chunked(&room, 1000);
        assert_eq!(chunks.chunks.len(), 1);
        assert_eq!(
            lines.text(&chunks.chunks[0].pieces),
            "[m1] 2026-11-20 14:00:00 Li Lei: slow\n[m2] 14:01:00 Han Meimei: looking\n"
        );
    }

    #[test]
    fn a_thread_stays_with_its_first_message_and_takes_it_along_when_torn() {
        let mut messages: Vec<Message> = (0..40)
            .map(|place| {
                let at = at("14:00:00") + SignedDuration::from_secs(place);
                Message::said(
                    format!("om_{}", place + 1),
                    at,
                    &person("li"),
                    "a message of about ten tokens or so",
                )
            })
            .collect();
        for place in [20, 30, 39] {
            messages[place].thread = Some(MessageId::new("om_2"));
        }
        let (_, chunks) = chunked(&freeze(messages), 600);
        let places: Vec<usize> = chunks.chunks[0]
            .pieces
            .iter()
            .map(|piece| piece.place)
            .collect();
        assert!(
            [1, 20, 30, 39].iter().all(|place| places.contains(place)),
            "{places:?}"
        );
        assert!(!chunks.chunks[1].before.is_empty());
    }

    proptest! {
        #[test]
        fn everything_is_read_once_within_the_budget_and_little_is_repeated(
            texts in prop::collection::vec("[a-z 结账慢]{0,200}", 1..60),
            threads in prop::collection::vec(prop::option::of(0_usize..20), 60),
            chunk_tokens in 200_usize..2000,
        ) {
            let messages = texts.iter().zip(&threads).enumerate().map(|(place, (text, thread))| {
                let at = at("14:00:00") + SignedDuration::from_secs(place as i64);
                let mut message = Message::said(format!("om_{}", place + 1), at, &person("li"), text);
                message.thread = thread.filter(|root| *root < place).map(|root| MessageId::new(format!("om_{}", root + 1)));
                message
            });
            let room = freeze(messages.collect());
            let (lines, chunks) = chunked(&room, chunk_tokens);
            let mut read: Vec<(usize, Range<usize>)> = Vec::new();
            for chunk in &chunks.chunks {
                prop_assert!(chunk.tokens <= chunk_tokens, "{} of {chunk_tokens}", chunk.tokens);
                read.extend(chunk.pieces.iter().map(|piece| (piece.place, piece.range.clone())));
            }
            read.sort_by_key(|(place, range)| (*place, range.start));
            let mut text = String::new();
            for (place, range) in read {
                text.push_str(&lines.lines[place][range]);
            }
            prop_assert_eq!(text, lines.lines.concat());
            prop_assert!(chunks.tokens() * 10 <= chunks.transcript_tokens * 13 + 10);
        }
    }

    #[test]
    fn where_not_all_may_be_read_what_matters_is() {
        let mut messages: Vec<Message> = (0..300)
            .map(|place| {
                let at = at("08:00:00") + SignedDuration::from_mins(place);
                Message::said(
                    format!("om_{}", place + 1),
                    at,
                    &person("li"),
                    "nothing much to say here",
                )
            })
            .collect();
        messages[150].marks.push(Mark {
            kind: MarkKind::Mitigated,
            by: None,
        });
        messages[160].text = "rolled back payment-gw".to_owned();
        let room = freeze(messages);
        let lines = Lines::new(&room, &[]);
        let budget = Budget {
            chunk_tokens: 1000,
            all_tokens: Some(3000),
        };
        let chunks = split(&room, &lines, budget);
        let read: Vec<usize> = chunks
            .chunks
            .iter()
            .flat_map(|chunk| &chunk.pieces)
            .map(|piece| piece.place)
            .collect();
        assert!(!chunks.left_out.is_empty() && chunks.tokens() <= 3300);
        assert!(read.contains(&150) && read.contains(&160));
        assert!(
            (240..300).all(|place| read.contains(&place)),
            "the last hour"
        );
        assert!(chunks.left_out.iter().all(|place| !read.contains(place)));
    }

    #[test]
    fn lines_of_one_alert_are_told_once() {
        let mut room = room(&[
            ("14:00:00", "bot", "x"),
            ("14:01:00", "bot", "x"),
            ("14:02:00", "li", "hm"),
        ]);
        for place in 0..2 {
            room.messages[place].alert = Some(crate::postmortem::transcript::AlertLine {
                title: "latency".into(),
                firing: true,
            });
        }
        let facts = crate::postmortem::facts::Facts::compute(
            &room,
            &crate::postmortem::testing::Story::opened().records(),
        );
        let lines = Lines::new(&room, &facts.alerts);
        assert!(
            lines.lines[0].contains("alert: latency (fired 2, recovered 0"),
            "{}",
            lines.lines[0]
        );
        assert_eq!(lines.lines[1], "");
    }
}
