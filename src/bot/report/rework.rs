//! What people change in a draft: a section's words, or when something was. Pure; no model is asked.
//!
//! What code had written from facts is written anew, and everything is checked again.

use crate::{
    config::Language,
    postmortem::{
        Document, Records, Section, Template, Transcript,
        check::{self, Sources, Subject, resolve},
        facts::Facts,
        merge::Merged,
        write::{Author, Content, Material, TemplateSection, key_facts, plain, render},
    },
};

/// What a version was written from.
pub(super) struct Ground {
    /// The room.
    pub transcript: Transcript,
    /// The records, with the moments that people set.
    pub records: Records,
    /// What was read out of the room.
    pub merged: Merged,
    /// The language of the report.
    pub language: Language,
    /// Hosts that may be linked to.
    pub hosts: Vec<String>,
}

impl Ground {
    /// Writes what is code's own anew, and checks everything. A section in `kept` stays as it is.
    pub(super) fn rework(
        &self,
        document: &Document,
        kept: impl Fn(&Section) -> bool,
    ) -> (Document, check::Report) {
        let facts = self.facts();
        let material = self.material(&facts);
        let mut document = document.clone();
        for section in &mut document.sections {
            let is_codes = section.author == Author::Code && section.content.is_codes_own();
            match section.content {
                Content::KeyFacts => *section = key_facts(&material),
                Content::About => {}
                _ if is_codes && !kept(section) => {
                    *section = plain(&template_section(section), &material)
                }
                _ => {}
            }
        }
        let human: Vec<Section> = document
            .sections
            .iter()
            .filter(|section| section.author == Author::Person)
            .cloned()
            .collect();
        let template = template_of(&document);
        let sources = Sources::new(&material);
        resolve(&Subject {
            material: &material,
            sources: &sources,
            document: &document,
            template: &template,
            hosts: &self.hosts,
            human: &human,
        })
    }

    /// The whole report as Markdown.
    pub(super) fn markdown(&self, document: &Document) -> String {
        render(document, &self.transcript, &self.records, self.language)
    }

    /// What code computes.
    pub(super) fn facts(&self) -> Facts {
        Facts::compute(&self.transcript, &self.records)
    }

    fn material<'a>(&'a self, facts: &'a Facts) -> Material<'a> {
        Material {
            transcript: &self.transcript,
            records: &self.records,
            facts,
            merged: &self.merged,
            language: self.language,
        }
    }
}

/// The template that a document follows: that of the folder or the configuration may be another by now.
pub(super) fn template_of(document: &Document) -> Template {
    let sections = document.sections.iter();
    let sections = sections
        .filter(|section| is_of_people(section))
        .map(template_section);
    Template {
        name: "draft".to_owned(),
        sections: sections.collect(),
    }
}

/// Whether people may change the words of a section.
pub(super) fn is_of_people(section: &Section) -> bool {
    !matches!(section.content, Content::KeyFacts | Content::About)
}

/// What a template has to say of a section.
pub(super) fn template_section(section: &Section) -> TemplateSection {
    TemplateSection {
        heading: section.heading.clone(),
        guidance: section.guidance.clone(),
        content: section.content,
    }
}

/// A short sign of what a section says, by which a form knows whether it was changed meanwhile.
pub(super) fn fingerprint(section: &Section) -> String {
    fingerprint_of(&section.as_text())
}

/// A short sign of a text.
pub(super) fn fingerprint_of(text: &str) -> String {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes());
    id.simple().to_string()[..8].to_owned()
}
