//! V21: what a model wrote is in the report's language. What people said stays in theirs.

use super::{Author, Finding, Subject};
use crate::{config::Language, postmortem::ground::is_chinese};

/// Shorter lines are names and numbers.
const LETTERS_MIN: usize = 24;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let wanted = subject.material.language;
    let written = subject
        .claims()
        .filter(|placed| placed.author == Author::Model);
    let foreign = written.filter(|placed| {
        let words = placed.line.words();
        let latin = words.chars().filter(char::is_ascii_alphabetic).count();
        match wanted {
            Language::En => is_chinese(&words),
            Language::Zh => latin >= LETTERS_MIN && !is_chinese(&words),
        }
    });
    foreign
        .map(|placed| placed.fails("it is not in the report's language", "语言与报告不一致"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Content, Line,
        testing::{Scene, check_lines},
    };
    use crate::config::Language;

    #[test]
    fn a_line_in_another_language_fails() {
        check_lines(
            21,
            Content::Summary,
            &["payment-gw was rolled back [m5]"],
            &["回滚了 payment-gw [m5]"],
        );
        let scene = Scene {
            language: Language::Zh,
            ..Scene::new()
        };
        let check = |text: &str, expected: usize| {
            assert_eq!(
                scene
                    .findings(21, Content::Summary, &[Line::item(text)])
                    .len(),
                expected,
                "{text}"
            );
        };
        check("回滚了 payment-gw [m5]", 0);
        check("payment-gw 1.8.2 [m5]", 0);
        check("payment-gw was rolled back to its last version [m5]", 1);
    }
}
