//! What is inside of a line: text, marks, code, links, images.

use std::ops::Range;

use pulldown_cmark::{CowStr, LinkType};

use super::{
    super::escape::{self, LESS, Place},
    Writer,
};

/// What a `**` that may stay text is written as.
const TWO_STARS: &str = "&#42;&#42;";

/// How a link will end.
#[derive(Debug)]
pub(super) enum LinkEnd {
    /// As a link.
    Target(String),
    /// With its address in round brackets.
    Shown(String),
    /// With the bracket that the parser took for markup.
    Bracket,
    Nothing,
}

impl Writer<'_> {
    pub(super) fn text(&mut self, text: &str, is_verbatim: bool) {
        self.ensure_inline();
        if self.plain > 0 {
            self.out.extend(text.chars().map(|c| match c {
                LESS => '<',
                '\n' => ' ',
                c => c,
            }));
            return;
        }
        // Without a backslash in it, a `**` here is one that the parser could not pair.
        if !is_verbatim || !text.contains("**") {
            return self.literal(text);
        }
        let mut rest = text;
        while let Some(at) = rest.find("**") {
            self.literal(&rest[..at]);
            rest = &rest[at + 2..];
            self.unpaired_strong(rest.chars().next());
        }
        self.literal(rest);
    }

    /// Pairs what CommonMark does not: in `**注意：**重启` the second mark stands between punctuation and
    /// a letter, where only languages with spaces between words would put an opening one. A space makes
    /// both ends plain to any parser.
    fn unpaired_strong(&mut self, next: Option<char>) {
        let previous = self.out.chars().next_back();
        let follows_text = previous.is_some_and(|c| !c.is_whitespace());
        match self.open_strong.take() {
            Some(open) if follows_text && self.out.len() > open + TWO_STARS.len() => {
                let before = self.out[..open].chars().next_back();
                let inside = self.out[open + TWO_STARS.len()..].chars().next();
                let opens = before.is_none_or(char::is_whitespace)
                    || inside.is_some_and(char::is_alphanumeric);
                let mark = if opens { "**" } else { " **" };
                self.out.replace_range(open..open + TWO_STARS.len(), mark);
                self.out.push_str("**");
                if next.is_some_and(char::is_alphanumeric) {
                    self.out.push(' ');
                }
            }
            _ => {
                // Nothing may follow here and yet code or a link come next.
                if next.is_none_or(|c| !c.is_whitespace()) {
                    self.open_strong = Some(self.out.len());
                }
                let is_apart = next.is_some_and(char::is_whitespace) && !follows_text;
                let is_plain = is_apart && !self.line_start;
                self.out.push_str(if is_plain { "**" } else { TWO_STARS });
            }
        }
        self.line_start = false;
    }

    fn literal(&mut self, text: &str) {
        let place = Place {
            line_start: self.line_start && self.waiting.is_empty(),
            cell: self.table.is_some(),
            links: self.links.is_empty(),
        };
        escape::push_text(&mut self.out, text, place);
        self.line_start = self.line_start && text.trim().is_empty();
    }

    pub(super) fn markup(&mut self, mark: &str) {
        self.ensure_inline();
        if self.plain == 0 {
            self.out.push_str(mark);
            self.line_start = false;
        } else if mark == "<br>" {
            self.out.push(' ');
        }
    }

    pub(super) fn strong(&mut self) {
        self.markup("**");
        self.open_strong = None;
    }

    /// GFM strikes with one tilde too, which makes `5~10, 6~8` a deletion. Two are wanted here.
    pub(super) fn strike(&mut self, range: &Range<usize>, opens: bool) {
        let double = if opens {
            self.strikes
                .push(self.source[range.clone()].starts_with("~~"));
            self.strikes.last().copied()
        } else {
            self.strikes.pop()
        };
        if double == Some(true) {
            self.markup("~~");
        } else {
            self.text("~", false);
        }
    }

    pub(super) fn code_span(&mut self, code: &str) {
        self.ensure_inline();
        if self.plain > 0 {
            return self.text(code, false);
        }
        // Whether the platform knows `\|` inside code is not said, so such a cell goes without the code.
        if self.table.is_some() && code.contains('|') {
            return self.literal(code);
        }
        let mut runs = [false; 32];
        for run in code.split(|c| c != '`') {
            if let Some(taken) = runs.get_mut(run.len()) {
                *taken = true;
            }
        }
        let Some(length) = (1..runs.len()).find(|&length| !runs[length]) else {
            return self.literal(code);
        };
        let ticks = "`".repeat(length);
        let inner_space = code.starts_with(' ') && code.ends_with(' ');
        let space = code.starts_with('`') || code.ends_with('`') || inner_space;
        if self.out.ends_with('`') {
            self.out.push(' ');
        }
        self.out.push_str(&ticks);
        self.out.push_str(if space { " " } else { "" });
        escape::push_code(&mut self.out, code);
        self.out.push_str(if space { " " } else { "" });
        self.out.push_str(&ticks);
        self.line_start = false;
    }

    pub(super) fn start_link(&mut self, link_type: LinkType, address: &CowStr<'_>) {
        self.ensure_inline();
        let is_inline = matches!(
            link_type,
            LinkType::Inline | LinkType::Autolink | LinkType::Email
        );
        let end = match escape::link_target(address) {
            Some(target) if self.plain == 0 => {
                escape::open_bracket(&mut self.out);
                self.line_start = false;
                LinkEnd::Target(target)
            }
            Some(_) => LinkEnd::Shown(address.to_string()),
            None if !is_inline => {
                self.text("[", false);
                LinkEnd::Bracket
            }
            None if address.is_empty()
                || address.starts_with('#')
                || link_type == LinkType::Autolink =>
            {
                LinkEnd::Nothing
            }
            None => LinkEnd::Shown(address.chars().take(200).collect()),
        };
        self.links.push(end);
        self.open_strong = None;
    }

    pub(super) fn end_link(&mut self, end: usize) {
        self.open_strong = None;
        match self.links.pop() {
            Some(LinkEnd::Target(target)) => {
                if self.out.ends_with('[') {
                    let place = Place {
                        cell: self.table.is_some(),
                        ..Place::default()
                    };
                    escape::push_text(&mut self.out, &target, place);
                }
                self.out.push_str("](");
                self.out.push_str(&target);
                self.out.push(')');
            }
            Some(LinkEnd::Shown(address)) if !self.out.ends_with(address.as_str()) => {
                // Inside of `links` for a moment, so that the address does not become a link again.
                self.links.push(LinkEnd::Nothing);
                self.text(&format!(" ({address})"), false);
                self.links.pop();
            }
            Some(LinkEnd::Bracket) => {
                let alone = !self.source[end..].starts_with(['(', '[', ':']);
                let is_text = alone || self.plain > 0;
                self.out.push_str(if is_text { "]" } else { "&#93;" });
            }
            _ => {}
        }
    }

    pub(super) fn end_image(&mut self) {
        self.plain -= 1;
        let alt = self.take_back();
        let end = self.links.pop();
        let label = match alt.trim() {
            "" => "image".to_owned(),
            alt => format!("image: {alt}"),
        };
        match end {
            Some(LinkEnd::Target(target)) if self.plain == 0 && self.links.is_empty() => {
                escape::open_bracket(&mut self.out);
                self.line_start = false;
                self.links.push(LinkEnd::Nothing);
                self.text(&escape::prepare(&label), false);
                self.links.pop();
                self.out.push_str("](");
                self.out.push_str(&target);
                self.out.push(')');
            }
            _ if self.plain > 0 => self.text(&format!("[{label}]"), false),
            _ => {
                self.markup("&#91;");
                self.text(&escape::prepare(&label), false);
                self.markup("&#93;");
            }
        }
    }

    pub(super) fn set_aside(&mut self) {
        self.waiting.push(std::mem::take(&mut self.out));
    }

    pub(super) fn take_back(&mut self) -> String {
        let outer = self.waiting.pop().unwrap_or_default();
        std::mem::replace(&mut self.out, outer)
    }
}
