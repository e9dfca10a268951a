//! A section as people edit it: plain lines with their citations, and back again.

use super::{Author, CITATION, Form, Line, Section};
use crate::postmortem::transcript::Transcript;

impl Section {
    /// Its lines as a form shows them.
    pub fn texts(&self) -> Vec<String> {
        self.lines.iter().map(as_text).collect()
    }

    /// Its text as a form shows it.
    pub fn as_text(&self) -> String {
        self.texts().join("\n")
    }

    /// The same section as a person wrote it, who saw the first `seen` of its lines; the others follow as they
    /// are. A line that they left as it was keeps what is known of it.
    #[must_use]
    pub fn rewritten(&self, text: &str, seen: usize) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = lines.map(|text| {
            let known = self.lines.iter().find(|line| as_text(line) == text);
            known.cloned().unwrap_or_else(|| read(text))
        });
        Self {
            lines: lines.chain(self.lines.iter().skip(seen).cloned()).collect(),
            author: Author::Person,
            ..self.clone()
        }
    }

    /// The same section with the short names that its messages have in another transcript of the same room. A
    /// message that is not there is no source any more: its short name may be another message's by now, so it
    /// stays as words.
    #[must_use]
    pub fn cited_in(&self, before: &Transcript, now: &Transcript) -> Self {
        let mut section = self.clone();
        for line in &mut section.lines {
            let text = CITATION.replace_all(&line.text, |captures: &regex::Captures<'_>| {
                let old = &captures[1];
                // Entries of the records are counted once and for all.
                if !old.starts_with('m') {
                    return captures[0].to_owned();
                }
                let message = before.by_alias(old);
                match message.and_then(|message| now.alias(&message.id)) {
                    Some(alias) => format!("[{alias}]"),
                    None => format!("［{old}］"),
                }
            });
            line.text = text.into_owned();
        }
        section
    }
}

fn as_text(line: &Line) -> String {
    let text = &line.text;
    match line.form {
        Form::Paragraph => text.clone(),
        Form::Item | Form::Row | Form::Quote => format!("- {text}"),
        Form::Label => format!("**{text}**"),
        Form::Note => format!("> {text}"),
    }
}

fn read(text: &str) -> Line {
    let item = ["- [ ] ", "- ", "* "]
        .iter()
        .find_map(|mark| text.strip_prefix(mark));
    let label = text
        .strip_prefix("**")
        .and_then(|text| text.strip_suffix("**"));
    match (item, label, text.strip_prefix('>')) {
        (Some(item), _, _) => Line::item(item.trim()),
        (_, Some(label), _) if !label.contains("**") => Line::label(label),
        (_, _, Some(note)) => Line::note(note.trim()),
        _ => Line::paragraph(text.trim_start_matches('#').trim_start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::{
        testing::{freeze, room},
        transcript::Message,
        write::Content,
    };

    fn section(lines: Vec<Line>) -> Section {
        Section {
            heading: "Impact".into(),
            content: Content::Impact,
            guidance: String::new(),
            lines,
            author: Author::Model,
        }
    }

    #[test]
    fn what_is_not_touched_comes_back_as_it_was_and_the_rest_is_a_persons() {
        let mut known = Line::item("half of the orders failed [m2]");
        known.is_unverified = true;
        let before = section(vec![
            Line::paragraph("It was slow. [m1]"),
            known,
            Line::label("Who"),
            Line::note("nothing recorded"),
        ]);
        let same = before.rewritten(&before.as_text(), 4);
        assert_eq!(
            (same.lines, same.author),
            (before.lines.clone(), Author::Person)
        );
        let after = before.rewritten(
            "# It was slow.\n\n- [ ] all orders failed [m2]\n> nobody\n**Who**",
            4,
        );
        let expected = vec![
            Line::paragraph("It was slow."),
            Line::item("all orders failed [m2]"),
            Line::note("nobody"),
            Line::label("Who"),
        ];
        assert_eq!(after.lines, expected);
        // Whoever saw two lines has not touched the others.
        let after = before.rewritten("It was fast.", 2);
        let expected = [
            Line::paragraph("It was fast."),
            Line::label("Who"),
            Line::note("nothing recorded"),
        ];
        assert_eq!(after.lines, expected);
    }

    #[test]
    fn citations_follow_their_messages_into_a_newer_transcript() {
        let before = room(&[("14:00:00", "li", "one"), ("14:02:00", "li", "two")]);
        let mut messages = before.messages.clone();
        let author = before.messages[0].author.clone();
        let earlier = "2026-11-20T05:00:00Z".parse().unwrap();
        messages.push(Message::said("new", earlier, &author, "zero"));
        let now = freeze(messages);
        let moved = section(vec![Line::item("a [m1][m2][r3]")]).cited_in(&before, &now);
        assert_eq!(moved.lines[0].text, "a [m2][m3][r3]");
        // The second message is not there any more, and what is called so now is another one.
        let now = freeze(now.messages.iter().take(2).cloned().collect());
        let moved = section(vec![Line::item("a [m1][m2][r3]")]).cited_in(&before, &now);
        assert_eq!(moved.lines[0].text, "a [m2]［m2］[r3]");
    }
}
