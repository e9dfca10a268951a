//! Writes sections without a model: facts, records, and what people said in their own words.
//!
//! The key facts, the timeline and the action items are always written here, since no judgement is asked of
//! them. What needs judgement and was not said by anyone is left to people, with the template's guidance.

mod after;
mod appendix;
mod course;
mod header;
mod key_facts;
mod lines;
mod timeline;
mod told;
mod why;

use super::{
    Author, Content, Line, Material, Section, TemplateSection, items::action_items, neutral,
    outside::to_be_reviewed, select::events_for, words::pick,
};

use lines::quoted;

pub use key_facts::key_facts;
pub(crate) use timeline::GAP_MAX;
pub(super) use why::{in_own_words, not_established, stated_triggers};

/// A section by code.
pub fn plain(section: &TemplateSection, material: &Material<'_>) -> Section {
    let mut lines = match section.content {
        Content::Timeline => timeline::timeline(material),
        Content::ActionItems => action_items(material),
        Content::Summary => course::summary(material),
        Content::Causes => why::causes(material),
        Content::Refuted => why::refuted(material),
        Content::Questions => after::questions(material),
        Content::Impact => course::impact(material),
        Content::Detection => course::detection(material),
        Content::Response => course::response(material),
        Content::Trigger => why::trigger(material),
        Content::WentHow | Content::Lessons => after::grouped(section.content, material),
        Content::Communication => told::communication(material),
        Content::Appendix => appendix::appendix(material),
        Content::Free | Content::Outside | Content::KeyFacts | Content::About => Vec::new(),
        Content::Mitigation => quoted(&events_for(section.content, material), material),
    };
    if lines.is_empty() {
        lines = nothing(section, material);
    }
    Section {
        heading: section.heading.clone(),
        content: section.content,
        guidance: section.guidance.clone(),
        lines,
        author: Author::Code,
    }
}

/// Says that nothing is there, and repeats the guidance for whoever fills it in.
pub(super) fn nothing(section: &TemplateSection, material: &Material<'_>) -> Vec<Line> {
    let words = match section.content {
        Content::Causes | Content::Trigger => not_established(material.language),
        Content::Outside => pick(material.language, "Left to people.", "留给人填写。"),
        _ => pick(material.language, "Nothing recorded.", "没有记录。"),
    };
    let mut lines = vec![Line::note(words)];
    if section.content == Content::Outside {
        lines.insert(0, to_be_reviewed(material.language));
    }
    if !section.guidance.is_empty() && !section.content.is_codes_own() {
        lines.push(Line::note(neutral(&section.guidance)));
    }
    lines
}
