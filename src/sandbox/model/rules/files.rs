//! What the rules say about files and images that came with a question.

use super::{
    code_block, escape, has,
    transcript::Thing,
    words::{ALERT_WORDS, Words},
};

/// How many lines of a file are shown.
const LINES_MAX: usize = 6;
/// How much of a line is shown, in characters.
const LINE_CHARS: usize = 160;

/// Of each file the last lines that look like trouble, or else its last lines; images are only counted.
pub(super) fn summary(words: &Words, things: &[Thing], images: usize) -> String {
    let mut parts = Vec::new();
    for thing in things.iter().filter(|thing| !thing.text.is_empty()) {
        let lines: Vec<&str> = thing.text.lines().collect();
        let troubled = lines
            .iter()
            .filter(|line| has(&line.to_lowercase(), ALERT_WORDS));
        let troubled: Vec<&str> = troubled.copied().collect();
        let chosen = if troubled.is_empty() {
            &lines
        } else {
            &troubled
        };
        let shown: Vec<String> = chosen[chosen.len().saturating_sub(LINES_MAX)..]
            .iter()
            .map(|line| line.chars().take(LINE_CHARS).collect())
            .collect();
        parts.push((words.file)(
            &escape(&thing.name),
            lines.len(),
            troubled.len(),
        ));
        parts.push(code_block(&shown.join("\n")));
    }
    let unread = things.iter().filter(|thing| thing.text.is_empty()).count();
    if unread > images {
        parts.push((words.unread)(unread - images));
    }
    if images > 0 {
        parts.push((words.images)(images));
    }
    parts.push(words.closing.to_owned());
    parts.join("\n\n")
}
