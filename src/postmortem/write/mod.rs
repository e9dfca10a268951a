//! The report as lines that each cite what they rest on, and the two ways to write them.
//!
//! A line keeps its citations as short names, `[m12]` for a message and `[r3]` for an entry of the records,
//! until the very end; only [`render()`] makes links of them, so no writer ever makes one.

mod about;
mod complete;
mod edit;
mod entry;
mod items;
mod model;
mod named;
mod outside;
mod plain;
mod render;
mod said;
mod select;
mod sources;
mod template;
#[cfg(test)]
mod tests;
mod words;

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{
    actions::ActionState, events::Kind, facts::Facts, merge::Merged, records::Records,
    transcript::Transcript,
};
use crate::config::Language;

pub use about::{Made, about};
pub use complete::completed;
pub(super) use entry::entry_words;
pub use model::ModelWriter;
pub use named::BUILT_IN;
pub(crate) use plain::GAP_MAX;
pub use plain::{key_facts, plain};
pub use render::{neutral, render, render_section};
pub(super) use said::quotable;
pub use template::{Content, Template, TemplateSection};
pub use words::{Words, kind_word, metric_words, milestone_words};

/// All that a report is written from.
pub struct Material<'a> {
    /// The room.
    pub transcript: &'a Transcript,
    /// The records.
    pub records: &'a Records,
    /// What code computed.
    pub facts: &'a Facts,
    /// What was read out of the room.
    pub merged: &'a Merged,
    /// The language of the report.
    pub language: Language,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is called; no cause in it.
    pub title: String,
    /// Its sections: the key facts, those of the template, and what is to be known about the draft.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// What belongs into it.
    pub content: Content,
    /// What the template says about it.
    pub guidance: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Who wrote it.
    pub author: Author,
}

/// Who wrote a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// Code, from facts and events.
    Code,
    /// A model, from events.
    Model,
    /// A person. Nothing else ever changes it.
    Person,
}

/// One line: a sentence, an item of a list, or a line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// Its words, with citations as short names.
    pub text: String,
    /// The time that it tells of, for a line of the timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What kind of event it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How it stands on the page.
    pub form: Form,
    /// Whether a check could not confirm it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unverified: bool,
    /// What a person decided of the action item that it tells of. Only code sets it, from the records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<ActionState>,
}

/// How a line stands on the page, and with that what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A claim in a paragraph of its own.
    #[default]
    Paragraph,
    /// A claim in a list.
    Item,
    /// A row of the table of key facts.
    Row,
    /// What a person said, word for word and with their name: code's line, whoever wrote its section.
    Quote,
    /// A heading within the section; it claims nothing.
    Label,
    /// Our own words about the report, such as "nothing recorded"; they claim nothing about the incident.
    Note,
}

impl Line {
    /// A claim.
    pub fn item(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            form: Form::Item,
            ..Self::default()
        }
    }

    /// A claim in a paragraph.
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Our own words.
    pub fn note(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            form: Form::Note,
            ..Self::default()
        }
    }

    /// A heading.
    pub fn label(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            form: Form::Label,
            ..Self::default()
        }
    }

    /// Whether it claims something about the incident.
    pub fn is_claim(&self) -> bool {
        matches!(self.form, Form::Paragraph | Form::Item | Form::Quote)
    }

    /// What it cites.
    pub fn citations(&self) -> Vec<&str> {
        let found = CITATION.captures_iter(&self.text);
        found
            .filter_map(|captures| captures.get(1))
            .map(|alias| alias.as_str())
            .collect()
    }

    /// Its words without the citations.
    pub fn words(&self) -> String {
        CITATION.replace_all(&self.text, "").trim().to_owned()
    }
}

/// A citation that is not escaped.
pub(super) static CITATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([a-z]\d+)\]").expect("it is compiled by a test"));
