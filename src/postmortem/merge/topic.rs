//! What a sentence speaks of, as far as words tell.

use std::collections::HashSet;

use crate::postmortem::ground::{self, TokenKind};

/// Words that say nothing of what a sentence is about.
const PLAIN: [&str; 60] = [
    "the",
    "and",
    "was",
    "were",
    "not",
    "that",
    "this",
    "with",
    "from",
    "for",
    "but",
    "maybe",
    "might",
    "could",
    "probably",
    "think",
    "cause",
    "caused",
    "problem",
    "issue",
    "root",
    "because",
    "since",
    "are",
    "has",
    "have",
    "had",
    "its",
    "out",
    "ruled",
    "rule",
    "looks",
    "like",
    "seems",
    "suspect",
    "again",
    "still",
    "just",
    "now",
    "correction",
    "actually",
    "sorry",
    "there",
    "they",
    "been",
    "then",
    "what",
    "when",
    "time",
    "about",
    "think",
    "guess",
    "likely",
    "be",
    "is",
    "it",
    "unrelated",
    "nothing",
    "rolled",
    "back",
];
const PLAIN_HAN: &str = "的了是不我们在和有也就都还这那可能怀疑感觉应该估计问题原因引起导致造成排除无关确认没有已经起因为吧呢吗根与由";

/// Whether two sentences speak of one thing: they share a name, or a third of their words.
pub(in crate::postmortem) fn share_a_topic(one: &str, other: &str) -> bool {
    Topic::of(one).is_shared_by(&Topic::of(other))
}

/// What a sentence speaks of.
pub(super) struct Topic {
    words: HashSet<String>,
    names: HashSet<String>,
}

impl Topic {
    pub(super) fn of(text: &str) -> Self {
        let names = ground::tokens(text)
            .into_iter()
            .filter(|token| token.kind == TokenKind::Name);
        Self {
            words: topic(text),
            names: names.map(|token| token.text.to_lowercase()).collect(),
        }
    }

    pub(super) fn is_shared_by(&self, other: &Self) -> bool {
        let common = self.words.intersection(&other.words).count();
        let smaller = self.words.len().min(other.words.len()).max(1);
        common > 0 && (common * 3 >= smaller || !self.names.is_disjoint(&other.names))
    }
}

fn topic(text: &str) -> HashSet<String> {
    let lower = text.to_lowercase();
    let mut words: HashSet<String> = lower
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .filter(|word| {
            word.len() >= 3 && !PLAIN.contains(word) && !word.chars().all(|c| c.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect();
    let han: Vec<char> = lower
        .chars()
        .map(|c| if PLAIN_HAN.contains(c) { ' ' } else { c })
        .collect();
    let is_han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    words.extend(
        han.windows(2)
            .filter(|pair| pair.iter().all(is_han))
            .map(|pair| pair.iter().collect()),
    );
    words
}
