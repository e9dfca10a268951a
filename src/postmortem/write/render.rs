//! The report as Markdown: here, and nowhere else, citations become links.

use std::fmt::Write as _;

use super::{
    CITATION, Content, Document, Form, Line, Section, about::authors, sources::sources, words::pick,
};
use crate::{
    config::Language,
    postmortem::{actions::ActionState, records::Records, transcript::Transcript},
};

/// Someone else's words as a part of a line: one line, nothing that Markdown or we would read as a sign.
pub fn neutral(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        match c {
            '[' => plain.push('［'),
            ']' => plain.push('］'),
            '<' => plain.push('‹'),
            '>' => plain.push('›'),
            '|' => plain.push('¦'),
            _ => plain.push(c),
        }
    }
    plain
        .trim_start_matches(['#', '-', '+'])
        .trim_start()
        .to_owned()
}

/// The whole report.
pub fn render(
    document: &Document,
    transcript: &Transcript,
    records: &Records,
    language: Language,
) -> String {
    let mut text = format!("# {}\n", document.title);
    for section in &document.sections {
        let _ = write!(text, "\n## {}\n\n", section.heading);
        text.push_str(&lines(section, transcript, language));
        if section.content == Content::About {
            let _ = write!(text, "\n> {}\n", authors(document, language));
        }
    }
    text.push_str(&sources(document, transcript, records, language));
    text
}

/// One section without its heading.
pub fn render_section(section: &Section, transcript: &Transcript, language: Language) -> String {
    lines(section, transcript, language)
}

fn lines(section: &Section, transcript: &Transcript, language: Language) -> String {
    let mut text = String::new();
    let mut last = None;
    for line in &section.lines {
        let is_listed = |form: Form| matches!(form, Form::Item | Form::Row | Form::Quote);
        if last.is_some_and(|last: Form| !(is_listed(last) && is_listed(line.form))) {
            text.push('\n');
        }
        last = Some(line.form);
        let words = linked(line, transcript, language);
        let _ = match line.form {
            Form::Paragraph => writeln!(text, "{words}"),
            Form::Item if section.content == Content::ActionItems => {
                writeln!(text, "- {}{words}", task_box(line))
            }
            Form::Item | Form::Row | Form::Quote => writeln!(text, "- {words}"),
            Form::Label => writeln!(text, "**{words}**"),
            Form::Note => writeln!(text, "> {words}"),
        };
    }
    text
}

/// The box of a task; what is not to be done has none.
fn task_box(line: &Line) -> &'static str {
    match line.decided {
        Some(ActionState::Done) => "[x] ",
        Some(ActionState::Declined { .. }) => "",
        _ => "[ ] ",
    }
}

/// A line with links where the platform gives one, and the mark of what no check could confirm.
fn linked(line: &Line, transcript: &Transcript, language: Language) -> String {
    let words = CITATION.replace_all(&line.text, |captures: &regex::Captures<'_>| {
        let alias = &captures[1];
        let link = transcript
            .by_alias(alias)
            .and_then(|message| message.link.as_deref());
        match link.filter(|link| is_plain_link(link)) {
            Some(link) => format!("[{alias}]({link})"),
            None => format!("[{alias}]"),
        }
    });
    match line.is_unverified {
        true => format!("⚠ {}: {words}", pick(language, "unverified", "未核实")),
        false => words.into_owned(),
    }
}

pub(super) fn is_plain_link(link: &str) -> bool {
    link.starts_with("https://") && !link.contains(['(', ')', ' ', '<', '>', '"', '\n'])
}
#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::postmortem::{testing::room, write::Author};

    #[test]
    fn a_task_has_a_box_unless_it_is_not_to_be_done() {
        let declined = ActionState::Declined {
            reason: "too dear".into(),
        };
        let states = [
            None,
            Some(ActionState::Accepted),
            Some(ActionState::Done),
            Some(declined),
        ];
        let lines = states.into_iter().map(|decided| Line {
            decided,
            ..Line::item("this")
        });
        let section = Section {
            heading: "Corrective Actions".into(),
            content: Content::ActionItems,
            guidance: String::new(),
            lines: lines.collect(),
            author: Author::Code,
        };
        assert_snapshot!(render_section(&section, &room(&[]), Language::En), @r"
        - [ ] this
        - [ ] this
        - [x] this
        - this
        ");
    }
}
