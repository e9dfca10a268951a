//! Tables: as the platform's own while a card has room for them, as aligned code after that.

use std::borrow::Cow;

use pulldown_cmark::Alignment;

use super::streaming::Scan;

/// Columns past this make a table code; the platform's table component stops there too.
pub(super) const COLUMNS_MAX: usize = 50;

/// How many terminal columns a cell is padded to at most, so that one long cell does not fill the card
/// with spaces. A longer cell is whole but out of line.
const PADDING_MAX: usize = 40;

/// The text with a backslash before each `|` that stands in a table row's code span. Without it the pipe
/// ends the cell, and a cell too many is dropped; models write `a | b` there and mean it.
pub(super) fn keep_pipes(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('|') || !text.contains('`') {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut scan = Scan::default();
    for line in text.split_inclusive('\n') {
        let is_row = line.trim_start_matches([' ', '>']).starts_with('|') && !scan.is_in_fence();
        if is_row && line.contains('`') {
            push_row(&mut out, line);
        } else {
            out.push_str(line);
        }
        scan.line(line, 0);
    }
    Cow::Owned(out)
}

fn push_row(out: &mut String, line: &str) {
    // Every other part is code. Longer runs of backticks make empty parts, which changes nothing.
    let parts: Vec<&str> = line.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push('`');
        }
        if index % 2 == 1 && is_paired && !part.contains("\\|") {
            out.push_str(&part.replace('|', "\\|"));
        } else {
            out.push_str(part);
        }
    }
}

/// A table while its cells come in. The first row is the header.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) alignments: Vec<Alignment>,
    pub(super) rows: Vec<Vec<String>>,
    /// Whether it will be code, so that its cells are plain text.
    pub(super) as_code: bool,
}

impl Table {
    /// Ends a row: the parser fills short rows up, and those cells are not worth their bytes.
    pub(super) fn end_row(&mut self) {
        let is_header = self.rows.len() == 1;
        if let Some(row) = self.rows.last_mut().filter(|_| !is_header) {
            while row.len() > 1 && row.last().is_some_and(String::is_empty) {
                row.pop();
            }
        }
    }

    /// The platform's own form: a line for each row.
    pub(super) fn to_lines(&self) -> String {
        let mut out = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            out.push('|');
            for cell in row {
                out.push(' ');
                out.push_str(cell);
                out.push_str(" |");
            }
            out.push('\n');
            if index == 0 {
                out.push('|');
                for alignment in &self.alignments {
                    out.push_str(match alignment {
                        Alignment::None => " --- |",
                        Alignment::Left => " :--- |",
                        Alignment::Center => " :---: |",
                        Alignment::Right => " ---: |",
                    });
                }
                out.push('\n');
            }
        }
        out.truncate(out.trim_end_matches('\n').len());
        out
    }

    /// Aligned text for a code block.
    pub(super) fn to_code(&self) -> String {
        let columns = self.alignments.len().min(COLUMNS_MAX);
        let mut widths = vec![3; columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell).min(PADDING_MAX));
            }
        }
        let mut out = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let start = out.len();
            for (column, cell) in row.iter().enumerate() {
                if column > 0 {
                    out.push_str("  ");
                }
                let width = widths.get(column).copied().unwrap_or(0);
                let right = self.alignments.get(column) == Some(&Alignment::Right);
                push_padded(&mut out, cell, width, right);
            }
            let end = start + out[start..].trim_end().len();
            out.truncate(end);
            out.push('\n');
            if index == 0 {
                let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
                out.push_str(&rules.join("  "));
                out.push('\n');
            }
        }
        out
    }
}

fn push_padded(out: &mut String, cell: &str, width: usize, right: bool) {
    let padding = width.saturating_sub(display_width(cell));
    if right {
        out.extend(std::iter::repeat_n(' ', padding));
    }
    out.push_str(cell);
    if !right {
        out.extend(std::iter::repeat_n(' ', padding));
    }
}

/// How many columns a text takes in a monospaced font, in which Chinese characters are two wide.
pub(super) fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match c {
        '\u{20}'..='\u{2FF}' => 1,
        // Marks that sit on the character before them, joiners, variation selectors.
        '\u{300}'..='\u{36F}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' => 0,
        // East Asian wide and full-width (UAX #11), and the emoji blocks.
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{303E}'
        | '\u{3041}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1F64F}'
        | '\u{1F680}'..='\u{1F6FF}'
        | '\u{1F900}'..='\u{1F9FF}'
        | '\u{20000}'..='\u{3FFFD}'
        | '✅'
        | '❌'
        | '⭐'
        | '⏰'
        | '⏳'
        | '⚡'
        | '⛔' => 2,
        c if c.is_control() => 0,
        _ => 1,
    }
}
