//! V1: every claim cites something.

use super::{Finding, Subject};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let bare = subject
        .claims()
        .filter(|placed| placed.line.citations().is_empty())
        // Whoever added an item is its source.
        .filter(|placed| placed.line.decided.is_none());
    bare.map(|placed| placed.fails("it cites nothing", "没有出处"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_claim_without_a_source_fails() {
        check_lines(
            1,
            Content::Impact,
            &["Orders failed. [m6]", "It was opened. [r1]"],
            &["Orders failed.", "See [note]."],
        );
    }
}
