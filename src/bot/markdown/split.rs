//! Cuts dialect text into parts that each fit one card, or one element of a card.
//!
//! The text is read as pieces: a line, a whole code block, a whole table. A part is filled until the next
//! piece does not fit, and then cut at the best place in its second half: between blocks rather than
//! between items, between items rather than between lines. Where to cut depends only on the text before
//! the piece that did not fit, so the first parts of a growing text stay as they are.

use super::{ELEMENT_CHARS_MAX, TABLES_MAX};

/// Below this, closing a fence and opening it again would leave no room for the code.
const BYTES_MIN: usize = 256;

/// Cuts dialect text into parts of at most `bytes_max` bytes (at least 256), counted as in a JSON string,
/// with at most `tables_max` tables. No text, no part. A fence that is cut is closed and opened again
/// with its language; a table that is cut repeats its header.
pub fn split(dialect: &str, bytes_max: usize, tables_max: usize) -> Vec<String> {
    let limits = Limits {
        bytes: bytes_max.max(BYTES_MIN),
        chars: usize::MAX,
        tables: tables_max.max(1),
    };
    cut(dialect, limits)
}

/// Cuts the text of one card into what each of its `markdown` elements may have.
pub fn split_elements(dialect: &str) -> Vec<String> {
    let limits = Limits {
        bytes: usize::MAX,
        chars: ELEMENT_CHARS_MAX,
        tables: TABLES_MAX,
    };
    cut(dialect, limits)
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: usize,
    chars: usize,
    tables: usize,
}

/// What a text takes of the limits.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    bytes: usize,
    chars: usize,
    tables: usize,
}

impl Size {
    fn of(text: &str) -> Self {
        Self {
            bytes: text.bytes().map(json_bytes).sum(),
            chars: text.chars().count(),
            tables: 0,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            chars: self.chars + other.chars,
            tables: self.tables + other.tables,
        }
    }

    fn fits(self, limits: Limits) -> bool {
        self.bytes <= limits.bytes && self.chars <= limits.chars && self.tables <= limits.tables
    }

    fn is_past_half(self, limits: Limits) -> bool {
        self.bytes > limits.bytes / 2 || self.chars > limits.chars / 2
    }
}

/// How many bytes a byte takes in a JSON string, as serde_json writes it.
fn json_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
        0..=0x1F => 6,
        _ => 1,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Heading,
    Fence,
    Table,
}

/// What is not cut if it fits a part.
#[derive(Debug, Clone)]
struct Piece<'a> {
    kind: Kind,
    text: std::borrow::Cow<'a, str>,
    /// The blank line before it, as written (inside a quote it is `>`), if there is one.
    blank: Option<&'a str>,
    size: Size,
}

impl<'a> Piece<'a> {
    fn new(kind: Kind, text: impl Into<std::borrow::Cow<'a, str>>, blank: Option<&'a str>) -> Self {
        let text = text.into();
        let mut size = Size::of(&text);
        // The line ends before it.
        let gap = if blank.is_some() { 2 } else { 1 };
        size.bytes += gap * 2 + blank.map_or(0, str::len);
        size.chars += gap + blank.map_or(0, str::len);
        size.tables = usize::from(kind == Kind::Table);
        Self {
            kind,
            text,
            blank,
            size,
        }
    }

    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// How good it is to cut before this piece; more is better.
    fn rank(&self, before: &Piece<'_>) -> u8 {
        let quoted = self.text.starts_with('>') && before.text.starts_with('>');
        match (self.blank.is_some(), self.indent()) {
            _ if before.kind == Kind::Heading => 0,
            (true, 0) if !quoted => 4,
            (false, 0) if begins_item(&self.text) => 3,
            (true, _) => 2,
            (false, _) if begins_item(self.text.trim_start()) => 2,
            (false, _) => 1,
        }
    }
}

fn begins_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    line.starts_with("- ") || line == "-" || digits > 0 && line[digits..].starts_with(". ")
}

fn cut(dialect: &str, limits: Limits) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part: Vec<Piece<'_>> = Vec::new();
    let mut size = Size::default();
    for whole in pieces(dialect) {
        for piece in whole.cut_to(limits) {
            while !part.is_empty() && !size.plus(piece.size).fits(limits) {
                let end = best_end(&part, &piece, limits);
                let rest = part.split_off(end);
                parts.push(join(&part));
                part = rest;
                size = part
                    .iter()
                    .fold(Size::default(), |sum, piece| sum.plus(piece.size));
            }
            size = size.plus(piece.size);
            part.push(piece);
        }
    }
    if !part.is_empty() {
        parts.push(join(&part));
    }
    parts
}

/// How many pieces of a full part stay in it, when `next` does not fit any more.
fn best_end(part: &[Piece<'_>], next: &Piece<'_>, limits: Limits) -> usize {
    let mut best = (part.len(), next.rank(&part[part.len() - 1]));
    let mut size = Size::default();
    for (index, pair) in part.windows(2).enumerate() {
        size = size.plus(pair[0].size);
        let rank = pair[1].rank(&pair[0]);
        // The later of two equally good places; the very end is the latest.
        if size.is_past_half(limits) && rank >= best.1 && best.0 != part.len()
            || size.is_past_half(limits) && rank > best.1
        {
            best = (index + 1, rank);
        }
    }
    best.0
}

/// A part's text. Its first lines lose an indent that nothing above them explains any more.
fn join(part: &[Piece<'_>]) -> String {
    let mut out = String::new();
    let mut surplus = part.first().map_or(0, Piece::indent);
    for piece in part {
        surplus = surplus.min(piece.indent());
        if !out.is_empty() {
            out.push('\n');
            if let Some(blank) = piece.blank {
                out.push_str(blank);
                out.push('\n');
            }
        }
        for (index, line) in piece.text.split('\n').enumerate() {
            if index > 0 {
                out.push('\n');
            }
            let spaces = line.len() - line.trim_start_matches(' ').len();
            out.push_str(&line[spaces.min(surplus)..]);
        }
    }
    out
}

/// Reads dialect text as pieces.
fn pieces(dialect: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut blank = None;
    let mut lines = Lines {
        text: dialect,
        at: 0,
    };
    while let Some((start, line)) = lines.next() {
        if line.trim_matches([' ', '>']).is_empty() {
            blank = Some(line);
            continue;
        }
        let kind = if let Some(fence) = fence_of(line) {
            lines.skip_past(|line| closes(line, fence));
            Kind::Fence
        } else if line.starts_with('|') {
            lines.skip_while(|line| line.starts_with('|'));
            Kind::Table
        } else if line.starts_with('#') {
            Kind::Heading
        } else {
            Kind::Line
        };
        let text = dialect[start..lines.at].trim_end_matches('\n');
        pieces.push(Piece::new(kind, text, blank.take()));
    }
    pieces
}

struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let start = self.at;
        let line = self.text[start..].split_inclusive('\n').next()?;
        self.at += line.len();
        Some((start, line.trim_end_matches('\n')))
    }

    fn skip_past(&mut self, is_last: impl Fn(&str) -> bool) {
        while let Some((_, line)) = self.next() {
            if is_last(line) {
                return;
            }
        }
    }

    fn skip_while(&mut self, belongs: impl Fn(&str) -> bool) {
        loop {
            let before = self.at;
            match self.next() {
                Some((_, line)) if belongs(line) => {}
                Some(_) => return self.at = before,
                None => return,
            }
        }
    }
}

/// The backticks of a line that opens a fence.
fn fence_of(line: &str) -> Option<&str> {
    let content = line.trim_start_matches([' ', '>']);
    let run = content.len() - content.trim_start_matches('`').len();
    (run >= 3 && !content[run..].contains('`')).then(|| &content[..run])
}

fn closes(line: &str, fence: &str) -> bool {
    let content = line.trim_start_matches([' ', '>']).trim_end();
    content.starts_with(fence) && content.bytes().all(|byte| byte == b'`')
}

impl<'a> Piece<'a> {
    /// The piece, or the pieces it must be cut into because no part could hold it.
    fn cut_to(self, limits: Limits) -> Vec<Piece<'a>> {
        if self.size.fits(limits) {
            return vec![self];
        }
        let text: String = self.text.into();
        let (head, lines, foot) = match self.kind {
            Kind::Fence => {
                let mut lines: Vec<&str> = text.split('\n').collect();
                let head = lines.remove(0);
                let fence = fence_of(head).unwrap_or("```");
                if lines.last().is_some_and(|line| closes(line, fence)) {
                    lines.pop();
                }
                let prefix = &head[..head.len() - head.trim_start_matches([' ', '>']).len()];
                (format!("{head}\n"), lines, format!("\n{prefix}{fence}"))
            }
            Kind::Table => {
                let lines: Vec<&str> = text.split('\n').collect();
                let (header, rows) = lines.split_at(lines.len().min(2));
                (header.join("\n") + "\n", rows.to_vec(), String::new())
            }
            Kind::Line | Kind::Heading => (String::new(), vec![text.as_str()], String::new()),
        };
        let is_code = self.kind == Kind::Fence;
        // A header that leaves no room for rows is not repeated: its table ends as plain lines.
        let frame = Size::of(&head).plus(Size::of(&foot));
        let fits_frame = frame.bytes < limits.bytes / 2 && frame.chars < limits.chars / 2;
        let (head, foot) = if fits_frame {
            (head, foot)
        } else {
            (String::new(), String::new())
        };
        let room = Limits {
            // The line ends around a piece, and the blank line before it, are counted with it.
            bytes: limits.bytes
                - Size::of(&head).bytes
                - Size::of(&foot).bytes
                - 40.min(limits.bytes / 4),
            chars: limits.chars
                - head.chars().count()
                - foot.chars().count()
                - 40.min(limits.chars / 4),
            tables: limits.tables,
        };
        let mut blank = self.blank;
        let mut cut = Vec::new();
        let mut body = String::new();
        let mut size = Size::default();
        let mut finish = |body: &mut String, cut: &mut Vec<Piece<'a>>| {
            let text = format!("{head}{body}{foot}");
            cut.push(Piece::new(self.kind, text, blank.take()));
            body.clear();
        };
        for line in lines {
            for line in cut_line(line, room, is_code) {
                let line_size = Size::of(&line).plus(Size {
                    bytes: 2,
                    chars: 1,
                    tables: 0,
                });
                if !body.is_empty() && !size.plus(line_size).fits(room) {
                    finish(&mut body, &mut cut);
                    size = Size::default();
                }
                if !body.is_empty() {
                    body.push('\n');
                }
                body.push_str(&line);
                size = size.plus(line_size);
            }
        }
        if !body.is_empty() || cut.is_empty() {
            finish(&mut body, &mut cut);
        }
        cut
    }
}

/// A line, or what it is cut into because it does not fit: after a space or a sentence where that is not
/// too early, and never inside a character's number, a link's address or a tag.
fn cut_line(line: &str, room: Limits, is_code: bool) -> Vec<String> {
    if Size::of(line).fits(room) {
        return vec![line.to_owned()];
    }
    let line = if is_code {
        line.to_owned()
    } else {
        without_long_code(line, room)
    };
    let mut cut = Vec::new();
    let mut current = String::new();
    let mut size = Size::default();
    let mut stop = 0;
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        let length = if is_code {
            c.len_utf8()
        } else {
            token_bytes(rest, room)
        };
        let (token, after) = rest.split_at(length);
        let token_size = Size::of(token);
        if !size.plus(token_size).fits(room) && !current.is_empty() {
            let tail = if stop > current.len() / 2 {
                current.split_off(stop)
            } else {
                String::new()
            };
            size = Size::of(&tail);
            cut.push(std::mem::replace(&mut current, tail));
            stop = 0;
        }
        current.push_str(token);
        size = size.plus(token_size);
        if matches!(c, ' ' | '，' | '。' | '；' | '、' | '！' | '？') {
            stop = current.len();
        }
        rest = after;
    }
    cut.push(current);
    cut
}

/// How many bytes at the start belong together.
fn token_bytes(rest: &str, room: Limits) -> usize {
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let within = |end: char, most: usize| {
        rest.bytes()
            .take(most)
            .position(|byte| byte == end as u8)
            .map(|at| at + 1)
    };
    let whole = match rest.as_bytes().first() {
        Some(b'&') => within(';', 10),
        Some(b'<') => within('>', 6),
        Some(b'`') => code_span(rest).map(|(span, _)| span.len()),
        Some(b']') if rest.starts_with("](") => within(')', 6_200),
        _ => None,
    };
    whole
        .filter(|&length| Size::of(&rest[..length]).fits(room))
        .unwrap_or(first)
}

/// The code span at the start, and its inside.
fn code_span(rest: &str) -> Option<(&str, &str)> {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let mut at = ticks;
    while let Some(found) = rest[at..].find('`') {
        let start = at + found;
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        at = start + run;
        if run == ticks {
            return Some((&rest[..at], &rest[ticks..start]));
        }
    }
    None
}

/// The line with code spans of more than half a part as plain text. Cutting one in two would leave a
/// stray backtick, and with it text that is neither code nor escaped.
fn without_long_code(line: &str, room: Limits) -> String {
    let half = Limits {
        bytes: room.bytes / 2,
        chars: room.chars / 2,
        ..room
    };
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match code_span(rest) {
            Some((span, _)) if Size::of(span).fits(half) => {
                out.push_str(span);
                rest = &rest[span.len()..];
            }
            Some((span, inside)) => {
                out.push_str(&super::escape(inside));
                rest = &rest[span.len()..];
            }
            // Not of our making; a lone backtick is text.
            None => {
                out.push_str("&#96;");
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}
