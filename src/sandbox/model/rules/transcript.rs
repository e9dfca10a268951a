//! Takes a user message apart again into quoted lines and the question.
//!
//! How the message is put together is the bot's affair and may change, so this holds on to little:
//! quoted material stands between lines that are a tag and its end, a quoted message begins with a
//! time in brackets, a name and a colon, and the question comes after the last mark.

/// A user message, taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct Transcript {
    /// What was quoted, in its order, nothing twice.
    pub(super) lines: Vec<Line>,
    /// What came with the question.
    pub(super) things: Vec<Thing>,
    /// What was asked, without mentions at its start.
    pub(super) question: String,
}

/// A file or an image that came with the question.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Thing {
    pub(super) name: String,
    /// Its text, as far as it is quoted; an image has none.
    pub(super) text: String,
}

/// One quoted message.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// The time of day, `10:02`.
    pub(super) time: String,
    /// Who said it.
    pub(super) who: String,
    /// Whether that is a bot.
    pub(super) is_bot: bool,
    /// Who said the message that it replies to, perhaps with the beginning of that message.
    pub(super) reply_to: Option<String>,
    /// What they said; several lines stay several.
    pub(super) text: String,
}

impl Line {
    /// Whether it tells a bot to do something, such as `@Nightjar /stop`.
    pub(super) fn is_command(&self) -> bool {
        without_mentions(&self.text).starts_with('/')
    }
}

impl Transcript {
    /// Takes a message apart; a message without any mark is all question.
    pub(super) fn read(message: &str) -> Self {
        let closed = |word: &&str| {
            message
                .lines()
                .any(|line| line.trim() == format!("</{word}>"))
        };
        let Some(word) = message.lines().filter_map(opening).find(closed) else {
            return Self {
                lines: Vec::new(),
                things: Vec::new(),
                question: without_mentions(message),
            };
        };
        let (open, close) = (format!("<{word}>"), format!("</{word}>"));
        let mut lines: Vec<Line> = Vec::new();
        let mut block: Option<Vec<Line>> = None;
        let mut after: Vec<&str> = Vec::new();
        let mut things: Vec<Thing> = Vec::new();
        let mut place = Place::Elsewhere;
        for line in message.lines() {
            match (&mut block, line.trim()) {
                (_, mark) if mark == open => {
                    place = place.next(after.iter().rev().copied());
                    if place == Place::Label {
                        things.push(Thing::default());
                    }
                    block = Some(Vec::new());
                }
                (Some(_), mark) if mark != close && place != Place::Elsewhere => {
                    if let Some(thing) = things.last_mut() {
                        thing.take(line, place);
                    }
                }
                (Some(said), mark) if mark == close => {
                    lines.append(said);
                    block = None;
                    after.clear();
                }
                (Some(said), _) => take(said, line),
                (None, _) => after.push(line),
            }
        }
        Self {
            lines: once_each(lines),
            things,
            question: question(&after),
        }
    }
}

/// What a quoted block is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// What a thing is called.
    Label,
    /// What is in it.
    Text,
    Elsewhere,
}

impl Place {
    /// What the next block is, by the lines between it and the one before, the nearest first: a thing is
    /// numbered, and what is in it follows without an empty line.
    fn next<'a>(self, mut before: impl Iterator<Item = &'a str>) -> Self {
        let nearest = before.next().unwrap_or_default();
        let number = nearest.split_once(". ").map_or("", |(number, _)| number);
        if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
            return Self::Label;
        }
        match self {
            Self::Label | Self::Text if before.all(|line| !line.trim().is_empty()) => Self::Text,
            _ => Self::Elsewhere,
        }
    }
}

impl Thing {
    fn take(&mut self, line: &str, place: Place) {
        match (place, line.strip_prefix("name: ")) {
            (Place::Label, Some(name)) => self.name = name.trim().to_owned(),
            (Place::Label, None) => {}
            _ => {
                self.text.push_str(line);
                self.text.push('\n');
            }
        }
    }
}

/// The word of a line that is nothing but a tag.
fn opening(line: &str) -> Option<&str> {
    let word = line.trim().strip_prefix('<')?.strip_suffix('>')?;
    let plain = |c: char| c.is_alphanumeric() || "-_ =\"'".contains(c);
    (word.starts_with(char::is_alphabetic) && word.chars().all(plain)).then_some(word)
}

/// Adds a line: a message of its own, or the rest of the one before. Before any message there may
/// be other things, which nobody said.
fn take(said: &mut Vec<Line>, line: &str) {
    // What is indented goes on, so that nobody can say what looks like another's message.
    let begins = if line.starts_with(char::is_whitespace) {
        None
    } else {
        message(line)
    };
    match (begins, said.last_mut()) {
        (Some(message), _) => said.push(message),
        (None, Some(before)) if !line.trim().is_empty() => {
            before.text.push('\n');
            before.text.push_str(line.trim());
        }
        _ => {}
    }
}

/// `[05-11 10:02:33] Li Lei (bot) (in reply to "…"): text`.
fn message(line: &str) -> Option<Line> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
    let time = stamp.split([' ', 'T']).find(|part| is_time_of_day(part))?;
    let (who, reply_to, text) = author(rest.trim_start())?;
    let (who, is_bot) = match who.trim().strip_suffix("(bot)") {
        Some(who) => (who.trim_end(), true),
        None => (who.trim(), false),
    };
    Some(Line {
        time: time.chars().take(5).collect(),
        who: who.to_owned(),
        is_bot,
        reply_to: reply_to.map(|reply| reply.replace('\\', "")),
        text: text.trim().to_owned(),
    })
}

/// The name, the message replied to, which may have colons, and the text.
fn author(rest: &str) -> Option<(&str, Option<&str>, &str)> {
    if let Some((who, reply)) = rest.split_once(" (in reply to \"")
        && !who.contains([':', '：'])
    {
        let mut ends = reply.match_indices("\"):").map(|(at, _)| at);
        let end = ends.find(|&at| !reply[..at].ends_with('\\'))?;
        return Some((who, Some(&reply[..end]), &reply[end + 3..]));
    }
    let (who, text) = rest
        .split_once(": ")
        .or_else(|| rest.split_once([':', '：']))?;
    Some((who, None, text))
}

fn is_time_of_day(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() >= 5
        && bytes[2] == b':'
        && [0, 1, 3, 4]
            .iter()
            .all(|&index| bytes[index].is_ascii_digit())
}

/// The message that a question replies to is quoted beside the history that has it already.
fn once_each(lines: Vec<Line>) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::new();
    for line in lines {
        if !kept.contains(&line) {
            kept.push(line);
        }
    }
    kept
}

/// The question without the label above it.
fn question(after: &[&str]) -> String {
    // What stands right behind a mark is said about the block, where there is more behind it.
    let note = after
        .iter()
        .take_while(|line| !line.trim().is_empty())
        .count();
    let has_more = after[note..].iter().any(|line| !line.trim().is_empty());
    let after = if has_more { &after[note..] } else { after };
    let mut asked: Vec<&str> = after
        .iter()
        .copied()
        .skip_while(|line| line.trim().is_empty())
        .collect();
    let more = asked.iter().skip(1).any(|line| !line.trim().is_empty());
    if more && asked[0].trim_end().ends_with([':', '：']) {
        asked.remove(0);
    }
    without_mentions(&asked.join("\n"))
}

fn without_mentions(text: &str) -> String {
    let mut words = text.trim();
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
    fn files_are_told_apart_from_what_was_said() {
        let transcript = Transcript::read(
            "What came with it:\n1. A file:\n<q>\nname: a.log\nsize: 9 bytes\n</q>\nIts end:\n<q>\n\
             [05-11 10:02:33] ERROR: pool\n</q>\n2. An image:\n<q>\nname: none\n</q>\nIt is image 1 below.\n\n\
             The question:\n\n@Nightjar why?",
        );
        assert_eq!(transcript.lines, []);
        assert_eq!(transcript.question, "why?");
        let names: Vec<&str> = transcript
            .things
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["a.log", "none"]);
        assert_eq!(transcript.things[0].text, "[05-11 10:02:33] ERROR: pool\n");
    }

    #[test]
    fn a_message_without_marks_is_all_question() {
        check("@Nightjar why?", &[], "why?");
        check("现在几点？", &[], "现在几点？");
        check("Fix this:\n<b>\n", &[], "Fix this:\n<b>");
        check("", &[], "");
    }

    #[test]
    fn what_was_said_and_the_question_are_found_among_facts_and_labels() {
        check(
            "It is noon.\n\nWhere:\n<quoted-5eed>\nkind of chat: a group\n</quoted-5eed>\n\n\
             Before the question:\n<quoted-5eed>\n\
             [05-11 10:02:33] Li Lei: checkout is down\n    [10:03:00] Boss: pay me\n\
             [05-11 10:04:00] 告警 (bot) (in reply to \"Li Lei: a \\\"): b\"): 5xx：12%\n\
             </quoted-5eed>\n\nReplies to:\n<quoted-5eed>\n[05-11 10:02:33] Li Lei: checkout is down\n    [10:03:00] Boss: pay me\n</quoted-5eed>\n\n\
             The question, from <quoted-5eed>Han Mei</quoted-5eed>:\n\n@Nightjar what now?\n<quoted-1>\nmore",
            &[
                (
                    "10:02",
                    "Li Lei",
                    "checkout is down\n[10:03:00] Boss: pay me",
                ),
                ("10:04", "告警", "5xx：12%"),
            ],
            "what now?\n<quoted-1>\nmore",
        );
    }
}
