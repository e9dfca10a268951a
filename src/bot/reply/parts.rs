//! How an answer is laid out over cards, and what is done when the platform finds them too large.

use crate::bot::{
    card::answer::TEXT_BYTES_MAX,
    markdown::{self, TABLES_MAX},
};

/// A model that talks for more than this is not answering.
const BYTES_MAX: usize = 8 * TEXT_BYTES_MAX;

/// How many bytes and tables one card is given. The platform's own limits are not written down well, so
/// where one refuses a card for its size the next layout is tried, and at last text.
const LAYOUTS: [(usize, usize); 3] = [(TEXT_BYTES_MAX, TABLES_MAX), (11_000, 1), (5_000, 1)];

/// Which of the layouts is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Plan {
    layout: usize,
}

impl Plan {
    /// Goes on to smaller parts; false where there are none.
    pub(super) fn shrink(&mut self) -> bool {
        let is_last = self.layout + 1 == LAYOUTS.len();
        self.layout += usize::from(!is_last);
        !is_last
    }

    /// Tells parts of one layout from those of another, which are not the same text.
    pub(super) fn name(&self) -> usize {
        self.layout
    }

    /// The answer in parts, one for each card; at least one.
    pub(super) fn parts(&self, dialect: &str) -> Vec<String> {
        let (bytes, tables) = LAYOUTS[self.layout];
        let mut parts = markdown::split(dialect, bytes, tables);
        if parts.is_empty() {
            parts.push(String::new());
        }
        parts
    }
}

/// The answer as far as we send it, and whether something is left out.
pub(super) fn sendable(dialect: &str) -> (&str, bool) {
    if dialect.len() <= BYTES_MAX {
        return (dialect, false);
    }
    let head = &dialect[..dialect.floor_char_boundary(BYTES_MAX)];
    let at_a_line = head.rfind('\n').unwrap_or(head.len());
    (&head[..at_a_line], true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_parts_hold_the_same_text() {
        let text: String = (0..3_000).map(|n| format!("line {n}\n\n")).collect();
        let mut plan = Plan::default();
        let mut counts = Vec::new();
        loop {
            let parts = plan.parts(&text);
            counts.push(parts.len());
            let all = parts.join("\n\n");
            assert!((0..3_000).all(|n| all.contains(&format!("line {n}"))));
            if !plan.shrink() {
                break;
            }
        }
        assert_eq!(counts.len(), LAYOUTS.len());
        assert!(counts.is_sorted(), "{counts:?}");
        assert_eq!(plan.parts(""), [""]);
    }

    #[test]
    fn what_is_left_out_is_known() {
        let text = "字\n".repeat(BYTES_MAX);
        let (head, cut) = sendable(&text);
        assert!(cut && head.len() <= BYTES_MAX && head.ends_with('字'));
        assert_eq!(sendable("short"), ("short", false));
    }
}
