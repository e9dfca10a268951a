//! The lines of a transcript as a model reads them.

use std::collections::HashMap;

use super::Piece;
use crate::{
    llm::estimate_tokens,
    postmortem::{
        facts::AlertLines,
        transcript::{Message, MessageId, Transcript},
    },
};

/// The lines of a transcript as the model reads them.
pub struct Lines {
    pub(super) lines: Vec<String>,
    pub(super) tokens: Vec<usize>,
}

impl Lines {
    /// Writes them. A line of an alert that was told of before is empty.
    pub fn new(transcript: &Transcript, alerts: &[AlertLines]) -> Self {
        let first: HashMap<&MessageId, &AlertLines> = alerts
            .iter()
            .filter_map(|alert| Some((alert.messages.first()?, alert)))
            .collect();
        let mut lines = Vec::with_capacity(transcript.messages.len());
        let mut day = None;
        for (place, message) in transcript.messages.iter().enumerate() {
            if message.alert.is_some() && !first.contains_key(&message.id) {
                lines.push(String::new());
                continue;
            }
            let at = message.at.to_zoned(transcript.time_zone.clone());
            let date = (day != Some(at.date())).then(|| at.strftime("%Y-%m-%d ").to_string());
            day = Some(at.date());
            let time = at.strftime("%H:%M:%S");
            let mut line = format!("[m{}] {}{time} ", place + 1, date.unwrap_or_default());
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
                text.push_str(&format!("[m{}] (continued) ", piece.place + 1));
            }
            text.push_str(&line[piece.range.clone()]);
            text.push('\n');
        }
        text
    }

    pub(super) fn whole(&self, place: usize) -> Piece {
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
