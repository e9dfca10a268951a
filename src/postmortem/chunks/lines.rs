//! The lines of a transcript as a model reads them.
//!
//! A line is written when it is asked for: of a large room only the lengths are kept, and not its text again.

use std::collections::{HashMap, HashSet};

use super::Piece;
use crate::{
    llm::estimate_tokens,
    postmortem::{
        facts::AlertLines,
        transcript::{Message, MessageId, Transcript},
    },
};

/// The lines of a transcript as the model reads them.
pub struct Lines<'a> {
    transcript: &'a Transcript,
    /// The messages that tell of an alert, by their places; its other lines are left empty.
    alerts: HashMap<usize, &'a AlertLines>,
    /// The places at which a day begins.
    days: HashSet<usize>,
    sizes: Vec<Size>,
}

#[derive(Clone, Copy)]
struct Size {
    bytes: u32,
    tokens: u32,
}

impl<'a> Lines<'a> {
    /// Measures them. A line of an alert that was told of before is empty, and so is that of an aside.
    pub fn new(transcript: &'a Transcript, alerts: &'a [AlertLines]) -> Self {
        let first =
            |alert: &'a AlertLines| Some((transcript.place(alert.messages.first()?)?, alert));
        let mut lines = Self {
            transcript,
            alerts: alerts.iter().filter_map(first).collect(),
            days: HashSet::new(),
            sizes: Vec::with_capacity(transcript.messages.len()),
        };
        let mut day = None;
        for (place, message) in transcript.messages.iter().enumerate() {
            let date = message.at.to_zoned(transcript.time_zone.clone()).date();
            if lines.is_told(place) && day.replace(date) != Some(date) {
                lines.days.insert(place);
            }
            let line = lines.line(place);
            let size = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            lines.sizes.push(Size {
                bytes: size(line.len()),
                tokens: size(estimate_tokens(&line)),
            });
        }
        lines
    }

    /// The line of the message at this place.
    pub(super) fn line(&self, place: usize) -> String {
        let alias = self.transcript.alias_at(place);
        let Some(alias) = alias.filter(|_| self.is_told(place)) else {
            return String::new();
        };
        let message = &self.transcript.messages[place];
        let at = message.at.to_zoned(self.transcript.time_zone.clone());
        let mut line = format!("[{alias}] ");
        if self.days.contains(&place) {
            line.push_str(&format!("{} ", at.date()));
        }
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        line.push_str(&format!("{hour:02}:{minute:02}:{second:02} "));
        match self.alerts.get(&place) {
            Some(alert) => line.push_str(&alert_words(alert, self.transcript)),
            None => words(&mut line, message, self.transcript),
        }
        line
    }

    fn is_told(&self, place: usize) -> bool {
        let message = &self.transcript.messages[place];
        message.aside.is_none() && (message.alert.is_none() || self.alerts.contains_key(&place))
    }

    /// Tokens of the line at this place; none of one that is empty.
    pub(in crate::postmortem) fn tokens(&self, place: usize) -> usize {
        self.sizes[place].tokens as usize
    }

    /// Tokens of all lines.
    pub(super) fn all_tokens(&self) -> usize {
        self.sizes.iter().map(|size| size.tokens as usize).sum()
    }

    /// The lines of these pieces.
    pub fn text(&self, pieces: &[Piece]) -> String {
        let mut text = String::new();
        for piece in pieces {
            let line = self.line(piece.place);
            if piece.range.start > 0 {
                let alias = line.split(' ').next().unwrap_or_default();
                text.push_str(&format!("{alias} (continued) "));
            }
            text.push_str(&line[piece.range.clone()]);
            text.push('\n');
        }
        text
    }

    /// All of the line at this place.
    pub(in crate::postmortem) fn whole(&self, place: usize) -> Piece {
        Piece {
            place,
            range: 0..self.sizes[place].bytes as usize,
        }
    }

    pub(super) fn is_whole(&self, piece: &Piece) -> bool {
        *piece == self.whole(piece.place)
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

fn words(line: &mut String, message: &Message, transcript: &Transcript) {
    line.push_str(transcript.name(&message.author));
    let parent: Option<&MessageId> = message.parent.as_ref();
    if let Some(alias) = parent.and_then(|parent| transcript.alias(parent)) {
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
}
