//! What became of a draft's sources since the room was frozen: a message that was edited, taken back or is gone.

use serde::{Deserialize, Serialize};

use super::{
    transcript::{Message, Transcript},
    write::{Document, Line, Words},
};

/// A source that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its short name in the draft.
    pub alias: String,
    /// What became of it.
    pub how: How,
}

/// What can become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It says something else now.
    Edited,
    /// It was taken back.
    TakenBack,
    /// It is not there any more.
    Gone,
}

/// The sources of a draft that changed since, in the order of their names. `now` is the room frozen again.
pub fn changed(document: &Document, frozen: &Transcript, now: &Transcript) -> Vec<Changed> {
    let lines = document.sections.iter().flat_map(|section| &section.lines);
    let cited = lines
        .flat_map(Line::citations)
        .filter_map(|alias| frozen.by_alias(alias));
    let mut places: Vec<usize> = cited
        .filter_map(|message| frozen.place(&message.id))
        .collect();
    places.sort_unstable();
    places.dedup();
    let found = places.into_iter().filter_map(|place| {
        let before = &frozen.messages[place];
        let how = match now.message(&before.id) {
            None => How::Gone,
            Some(after) if after.recalled_at.is_some() && before.recalled_at.is_none() => {
                How::TakenBack
            }
            Some(after) if words(after) != words(before) => How::Edited,
            Some(_) => return None,
        };
        Some(Changed {
            alias: frozen.alias_at(place)?,
            how,
        })
    });
    found.collect()
}

/// What its author wrote. What was seen in its images, or opened of what it forwards, may come later.
fn words(message: &Message) -> String {
    let mut message = message.clone();
    message
        .attachments
        .iter_mut()
        .for_each(|attachment| attachment.description = None);
    if !std::mem::take(&mut message.forwarded).is_empty() {
        message.text.clear();
    }
    message.evidence()
}

impl Changed {
    /// What a reader of the draft is told.
    pub fn words(&self) -> Words {
        let alias = &self.alias;
        match self.how {
            How::Edited => Words::new(
                format!("{alias} was edited after this draft was made"),
                format!("{alias} 在草稿生成后被编辑"),
            ),
            How::TakenBack => Words::new(
                format!("{alias} was taken back after this draft was made"),
                format!("{alias} 在草稿生成后被撤回"),
            ),
            How::Gone => Words::new(
                format!("{alias} is not in the room any more"),
                format!("{alias} 已不在群里"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::{
        testing::{freeze, room},
        write::{Author, Content, Section},
    };

    #[test]
    fn what_was_seen_or_opened_later_is_no_edit() {
        use crate::postmortem::transcript::{Attachment, Forwarded};
        let mut message = room(&[("14:00:00", "li", "look")]).messages.remove(0);
        message.attachments.push(Attachment {
            name: "cpu.png".into(),
            is_image: true,
            description: None,
        });
        let before = words(&message);
        message.attachments[0].description = Some("CPU at 97 %".into());
        assert_eq!(words(&message), before);
        message.text.clear();
        let unopened = words(&message);
        message.forwarded.push(Forwarded {
            author: "Li Lei".into(),
            at: None,
            text: "look".into(),
        });
        message.text = "[forwarded messages that are left out: 3]".into();
        assert_eq!(words(&message), unopened);
    }

    #[test]
    fn a_source_that_was_edited_taken_back_or_is_gone_is_told_of() {
        let frozen = room(&[
            ("14:00:00", "li", "one"),
            ("14:01:00", "li", "two"),
            ("14:02:00", "li", "three"),
            ("14:03:00", "li", "four"),
            ("14:04:00", "li", "five"),
        ]);
        let mut messages = frozen.messages.clone();
        messages[0].text = "1".to_owned();
        messages[1].recalled_at = Some(messages[1].at);
        messages[4].text = "5".to_owned();
        messages.remove(2);
        let now = freeze(messages);
        let document = Document {
            title: String::new(),
            sections: vec![Section {
                heading: String::new(),
                content: Content::Summary,
                guidance: String::new(),
                lines: vec![Line::item("a [m4][m3]"), Line::item("b [m2][m1][m1]")],
                author: Author::Code,
            }],
        };
        let found: Vec<_> = changed(&document, &frozen, &now)
            .into_iter()
            .map(|one| (one.alias, one.how))
            .collect();
        let expected = [
            ("m1", How::Edited),
            ("m2", How::TakenBack),
            ("m3", How::Gone),
        ];
        assert_eq!(
            found,
            expected.map(|(alias, how)| (alias.to_owned(), how)),
            "m5 is not cited"
        );
    }
}
