//! Takes a user message apart again into quoted lines and the question.
//!
//! How the message is put together is the bot's affair and may change, so this knows no exact
//! form: a mark is a line that is a tag or a rule, a line may begin with a time, and a name ends
//! with a colon. What cannot be told apart counts as part of the line before it.

/// A user message, taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct Transcript {
    /// What was quoted, in its order.
    pub(super) lines: Vec<Line>,
    /// What was asked, without mentions at its start.
    pub(super) question: String,
}

/// One quoted message.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// The time as it was written, without a date; may be empty.
    pub(super) time: String,
    /// Who said it.
    pub(super) who: String,
    /// What they said; several lines stay several.
    pub(super) text: String,
}

impl Transcript {
    /// Takes a message apart; a message without any mark is all question.
    pub(super) fn read(message: &str) -> Self {
        let all: Vec<&str> = message.lines().collect();
        let (quoted, asked) = split(&all);
        let mut lines: Vec<Line> = Vec::new();
        for line in quoted.iter().filter(|line| !is_mark(line)) {
            match (said(line), lines.last_mut()) {
                (Some(said), _) => lines.push(said),
                (None, Some(before)) if !line.trim().is_empty() => {
                    before.text.push('\n');
                    before.text.push_str(line.trim());
                }
                _ => {}
            }
        }
        Self {
            lines,
            question: question(&asked),
        }
    }
}

/// The quoted part and the question's part: what follows the last mark, or, when nothing does,
/// what the last pair of marks encloses.
fn split<'a>(all: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let marks: Vec<usize> = (0..all.len())
        .filter(|&index| is_mark(all[index]))
        .collect();
    let Some(&last) = marks.last() else {
        return (Vec::new(), all.to_vec());
    };
    let filled = |part: &[&str]| part.iter().any(|line| !line.trim().is_empty());
    if filled(&all[last + 1..]) {
        return (all[..last].to_vec(), all[last + 1..].to_vec());
    }
    let before = marks.iter().rev().nth(1).map_or(0, |mark| mark + 1);
    (all[..before].to_vec(), all[before..last].to_vec())
}

/// A tag on a line of its own, or a line of rules such as `--- history ---`.
fn is_mark(line: &str) -> bool {
    let line = line.trim();
    let tag = line.starts_with('<') && line.ends_with('>') && !line.starts_with("<@");
    tag || ["---", "===", "###", "<<<", ">>>", "⟦", "【"]
        .iter()
        .any(|rule| line.starts_with(rule))
}

/// A line that someone said, if it looks like one.
fn said(line: &str) -> Option<Line> {
    let (time, rest) = time(line.trim());
    let (end, colon) = rest.char_indices().find(|(_, c)| matches!(c, ':' | '：'))?;
    let who = rest[..end].trim().trim_start_matches(['-', '*', ' ']);
    let text = rest[end + colon.len_utf8()..].trim();
    let plausible = !who.is_empty() && who.chars().count() <= 40 && !text.starts_with("//");
    // Without a time only a short name counts, or every sentence with a colon would be a person.
    let plausible = plausible && (!time.is_empty() || who.split_whitespace().count() <= 3);
    plausible.then(|| Line {
        time,
        who: who.to_owned(),
        text: text.to_owned(),
    })
}

/// The time that a line begins with, in brackets or not, and what follows it.
fn time(line: &str) -> (String, &str) {
    let bracketed = line
        .strip_prefix(['[', '('])
        .and_then(|inner| inner.split_once([']', ')']));
    let (stamp, rest) = match bracketed {
        Some(parts) => parts,
        None => {
            let is_stamp = |c: char| c.is_ascii_digit() || "-:./T+Z ".contains(c);
            line.split_at(line.find(|c| !is_stamp(c)).unwrap_or(line.len()))
        }
    };
    match stamp.split([' ', 'T']).find(|part| is_time_of_day(part)) {
        Some(time) => (time.chars().take(5).collect(), rest.trim_start()),
        None => (String::new(), line),
    }
}

fn is_time_of_day(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() >= 5
        && bytes[2] == b':'
        && [0, 1, 3, 4]
            .iter()
            .all(|&index| bytes[index].is_ascii_digit())
}

/// The question without its author, its label and the mention of the bot.
fn question(asked: &[&str]) -> String {
    let text = asked
        .iter()
        .filter(|line| !is_mark(line))
        .copied()
        .collect::<Vec<_>>()
        .join("\n");
    let text = said(text.trim()).map_or(text.trim().to_owned(), |line| line.text);
    let mut words = text.as_str();
    while words.starts_with('@') {
        words = words
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim_start());
    }
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected_lines: &[(&str, &str, &str)], expected_question: &str) {
        let transcript = Transcript::read(message);
        let lines: Vec<_> = transcript
            .lines
            .iter()
            .map(|line| (&*line.time, &*line.who, &*line.text))
            .collect();
        assert_eq!(lines, expected_lines, "{message}");
        assert_eq!(transcript.question, expected_question, "{message}");
    }

    #[test]
    fn quoted_lines_and_the_question_are_told_apart_in_several_forms() {
        check("@Nightjar why?", &[], "why?");
        check("现在几点？", &[], "现在几点？");
        check(
            "<chat a1>\n[2026-05-11 10:02:33] Li Lei: down\nmore\n10:03 韩梅梅：看一下\n</chat a1>\nHan Mei: @Nightjar why?",
            &[
                ("10:02", "Li Lei", "down\nmore"),
                ("10:03", "韩梅梅", "看一下"),
            ],
            "why?",
        );
        check(
            "<history>\nLi Lei: see https://x.y/z\n</history>\n<question>\nwhat now?\n</question>",
            &[("", "Li Lei", "see https://x.y/z")],
            "what now?",
        );
        check("--- history 9c ---\n--- end 9c ---\n你好", &[], "你好");
        check("", &[], "");
    }
}
