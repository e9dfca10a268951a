//! The text of a file, of which the middle may be missing.
//!
//! The end of a log tells what happened, and its beginning tells of what; so when there is too little room,
//! it is the middle that goes, a little more than half of what is kept being the end.

use crate::{llm::estimate_tokens, prompt::marks::beginning};

/// The text of a file, as much of it as was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Its beginning, or all of it.
    pub head: String,
    /// What is missing after the beginning; none where nothing is.
    pub gap: Option<Gap>,
    /// What comes after the gap.
    pub tail: String,
}

/// How much of a file is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gap {
    /// In bytes of the file.
    pub bytes: u64,
    /// In lines, where they could be counted.
    pub lines: Option<u64>,
    /// Whether the file goes on behind what was read, so that it is not known how far.
    pub is_open: bool,
}

/// What is shown of an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    pub(super) first: &'a str,
    pub(super) gap: Option<Gap>,
    pub(super) last: &'a str,
}

impl Excerpt {
    /// A text that is whole.
    pub fn whole(text: String) -> Self {
        Self {
            head: text,
            gap: None,
            tail: String::new(),
        }
    }

    /// About how many tokens it has.
    pub(super) fn tokens(&self) -> usize {
        estimate_tokens(&self.head) + estimate_tokens(&self.tail)
    }

    /// As much of both ends as so many tokens allow, in whole lines where there are any.
    pub(super) fn within(&self, tokens_max: usize) -> Shown<'_> {
        if self.tokens() <= tokens_max {
            return Shown {
                first: &self.head,
                gap: self.gap,
                last: &self.tail,
            };
        }
        let first = first_lines(&self.head, tokens_max * 2 / 5);
        // Without a gap the end is the end of the same text.
        let rest = match self.gap {
            None => &self.head[first.len()..],
            Some(_) => self.tail.as_str(),
        };
        let last = last_lines(rest, tokens_max * 3 / 5);
        let cut = match self.gap {
            None => Self::gap_of(&rest[..rest.len() - last.len()]),
            Some(gap) => {
                let after_first = Self::gap_of(&self.head[first.len()..]);
                let before_last = Self::gap_of(&rest[..rest.len() - last.len()]);
                Gap {
                    bytes: gap.bytes + after_first.bytes + before_last.bytes,
                    lines: gap.lines.map(|lines| {
                        lines + after_first.lines.unwrap_or(0) + before_last.lines.unwrap_or(0)
                    }),
                    is_open: gap.is_open,
                }
            }
        };
        Shown {
            first,
            gap: Some(cut),
            last,
        }
    }

    fn gap_of(text: &str) -> Gap {
        Gap {
            bytes: text.len() as u64,
            lines: Some(text.matches('\n').count() as u64),
            is_open: false,
        }
    }
}

/// The first lines of a text that have so many tokens; the beginning of the first where even that has more.
fn first_lines(text: &str, tokens_max: usize) -> &str {
    let kept = beginning(text, bytes_of(text, tokens_max));
    if kept.len() == text.len() {
        return text;
    }
    match kept.rfind('\n') {
        Some(at) => &kept[..=at],
        None => kept,
    }
}

/// The last lines of a text that have so many tokens.
fn last_lines(text: &str, tokens_max: usize) -> &str {
    let from = text.ceil_char_boundary(text.len() - bytes_of(text, tokens_max).min(text.len()));
    let kept = &text[from..];
    if from == 0 || text[..from].ends_with('\n') {
        return kept;
    }
    match kept.find('\n') {
        Some(at) if at + 1 < kept.len() => &kept[at + 1..],
        _ => kept,
    }
}

/// About how many bytes of a text have so many tokens.
fn bytes_of(text: &str, tokens: usize) -> usize {
    let all = estimate_tokens(text).max(1);
    if all <= tokens {
        return text.len();
    }
    text.len().saturating_mul(tokens) / all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: std::ops::Range<usize>) -> String {
        lines.map(|n| format!("line {n:04} of the log\n")).collect()
    }

    #[test]
    fn a_text_that_fits_is_shown_whole() {
        let excerpt = Excerpt::whole(log(0..10));
        let shown = excerpt.within(1000);
        assert_eq!(
            (shown.first, shown.gap, shown.last),
            (&*log(0..10), None, "")
        );
    }

    #[test]
    fn of_a_text_that_does_not_fit_the_middle_goes_and_is_counted() {
        let text = log(0..1000);
        let excerpt = Excerpt::whole(text.clone());
        let shown = excerpt.within(500);
        assert!(shown.first.starts_with("line 0000") && shown.first.ends_with("log\n"));
        assert!(shown.last.starts_with("line ") && shown.last.ends_with("line 0999 of the log\n"));
        let gap = shown.gap.unwrap();
        let (first, last) = (shown.first.lines().count(), shown.last.lines().count());
        assert_eq!(gap.lines, Some((1000 - first - last) as u64));
        assert_eq!(
            gap.bytes as usize + shown.first.len() + shown.last.len(),
            text.len()
        );
        assert!(last > first, "the end tells more");
        let tokens = estimate_tokens(shown.first) + estimate_tokens(shown.last);
        assert!(tokens <= 500, "{tokens}");
    }

    #[test]
    fn what_was_missing_before_is_added_to_what_is_cut() {
        let excerpt = Excerpt {
            head: log(0..100),
            gap: Some(Gap {
                bytes: 5_000,
                lines: Some(200),
                is_open: false,
            }),
            tail: log(300..400),
        };
        let shown = excerpt.within(200);
        let shown_lines = shown.first.lines().count() + shown.last.lines().count();
        assert_eq!(shown.gap.unwrap().lines, Some(400 - shown_lines as u64));
        assert!(shown.last.ends_with("line 0399 of the log\n"));
    }

    #[test]
    fn one_endless_line_is_cut_between_characters() {
        let excerpt = Excerpt::whole("很慢".repeat(5_000));
        let shown = excerpt.within(100);
        assert!(shown.first.chars().all(|c| "很慢".contains(c)) && !shown.first.is_empty());
        assert!(!shown.last.is_empty());
    }

    #[test]
    fn no_room_at_all_shows_nothing_and_says_so() {
        let excerpt = Excerpt::whole(log(0..10));
        let shown = excerpt.within(0);
        assert_eq!((shown.first, shown.last), ("", ""));
        assert_eq!(shown.gap.unwrap().lines, Some(10));
    }
}
