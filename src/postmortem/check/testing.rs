//! A small room and a draft of single lines, so that each check can show what it finds and what it leaves.

use super::*;
use crate::{
    config::Language,
    incident::Deed,
    postmortem::{
        facts::Facts,
        merge::{Merged, merge},
        phrases,
        records::Records,
        testing::{Story, room},
        transcript::Transcript,
        write::{Form, TemplateSection},
    },
};

/// What every check's examples speak of: m1 to m8.
pub(in crate::postmortem) fn talk() -> Transcript {
    let mut talk = room(&[
        (
            "14:05:00",
            "li",
            "payment-gw times out since 13:52, maybe the pool is exhausted",
        ),
        ("14:06:00", "han", "I'm on it"),
        ("14:10:00", "wang", "maybe Redis is slow"),
        (
            "14:12:00",
            "han",
            "Redis is not the cause, its latency is flat",
        ),
        ("14:20:10", "han", "rolled back payment-gw to 1.8.2"),
        ("14:21:00", "li", "about 1,200 orders failed"),
        (
            "14:30:00",
            "li",
            "The root cause was the pool size of payment-gw, we set it to 5",
        ),
        ("14:31:00", "wang", "taken back"),
    ]);
    talk.messages[7].recalled_at = Some(talk.messages[7].at);
    talk
}

pub(in crate::postmortem) struct Scene {
    pub(in crate::postmortem) transcript: Transcript,
    pub(in crate::postmortem) records: Records,
    pub(super) facts: Facts,
    pub(super) merged: Merged,
    pub(in crate::postmortem) language: Language,
    pub(super) author: Author,
    pub(super) template: Template,
    pub(super) hosts: Vec<String>,
    pub(super) human: Vec<Section>,
}

impl Scene {
    pub(in crate::postmortem) fn new() -> Self {
        Self::of(
            talk(),
            Story::opened()
                .deed("14:06:00", "han", Deed::Acknowledge)
                .deed("14:40:00", "han", Deed::Resolve)
                .records(),
        )
    }

    pub(in crate::postmortem) fn of(transcript: Transcript, records: Records) -> Self {
        let facts = Facts::compute(&transcript, &records);
        let events = transcript
            .messages
            .iter()
            .flat_map(|message| phrases::extract(message, &transcript));
        let merged = merge(events.collect(), &transcript);
        Self {
            facts,
            merged,
            transcript,
            records,
            language: Language::En,
            author: Author::Model,
            template: Template {
                name: "test".into(),
                sections: Vec::new(),
            },
            hosts: vec!["wiki.example.com".into()],
            human: Vec::new(),
        }
    }

    /// What the check with this number finds in a section of these lines.
    pub(in crate::postmortem) fn findings(
        &self,
        number: usize,
        content: Content,
        lines: &[Line],
    ) -> Vec<Finding> {
        let section = Section {
            heading: "Heading".into(),
            content,
            guidance: String::new(),
            lines: lines.to_vec(),
            author: self.author,
        };
        self.findings_in(number, vec![section])
    }

    pub(in crate::postmortem) fn material(&self) -> Material<'_> {
        Material {
            transcript: &self.transcript,
            records: &self.records,
            facts: &self.facts,
            merged: &self.merged,
            language: self.language,
        }
    }

    pub(in crate::postmortem) fn findings_in(
        &self,
        number: usize,
        sections: Vec<Section>,
    ) -> Vec<Finding> {
        let material = self.material();
        let sources = Sources::new(&material);
        let document = Document {
            title: "t".into(),
            sections,
        };
        let subject = Subject {
            material: &material,
            sources: &sources,
            document: &document,
            template: &self.template,
            hosts: &self.hosts,
            human: &self.human,
        };
        CHECKS[number - 1].run(&subject)
    }
}

/// The verdict of one check on one line of a section that a model wrote.
pub(super) fn judge(number: usize, content: Content, text: &str) -> Verdict {
    let line = Line {
        form: Form::Item,
        text: text.into(),
        ..Line::default()
    };
    let findings = Scene::new().findings(number, content, &[line]);
    findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Pass)
}

/// Each of these lines passes the check, and each of those fails it.
pub(super) fn check_lines(number: usize, content: Content, passing: &[&str], failing: &[&str]) {
    for text in passing {
        assert_eq!(
            judge(number, content, text),
            Verdict::Pass,
            "V{number} should pass: {text}"
        );
    }
    for text in failing {
        assert_eq!(
            judge(number, content, text),
            Verdict::Fail,
            "V{number} should fail: {text}"
        );
    }
}

pub(super) fn template_section(heading: &str, content: Content) -> TemplateSection {
    TemplateSection {
        heading: heading.into(),
        guidance: String::new(),
        content,
    }
}
