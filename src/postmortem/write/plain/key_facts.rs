//! The key facts: milestones and metrics, each with its source.

use super::lines::source;
use crate::postmortem::write::{
    Author, Content, Form, Line, Material, Section, metric_words, milestone_words,
    words::{full_time, length, pick},
};

/// Milestones and metrics, each with its source.
pub fn key_facts(material: &Material<'_>) -> Section {
    let language = material.language;
    let zone = &material.transcript.time_zone;
    let unknown = pick(language, "unknown", "未知");
    let mut lines = Vec::new();
    for fixed in &material.facts.milestones {
        let name = milestone_words(fixed.milestone, language);
        let text = match fixed.at {
            Some(at) => format!(
                "{name}: {} {}",
                full_time(at, zone),
                source(&fixed.source, material)
            ),
            None => format!("{name}: {unknown}"),
        };
        lines.push(Line {
            at: fixed.at,
            ..row(text.trim_end().to_owned())
        });
    }
    for metric in &material.facts.metrics {
        let name = metric_words(metric.name, language);
        let value = match metric.value {
            None => unknown.to_owned(),
            Some(seconds) if metric.name.is_time() => length(seconds, language),
            Some(count) => count.to_string(),
        };
        lines.push(row(format!("{name}: {value}")));
    }
    Section {
        heading: pick(language, "Key facts", "关键数据").to_owned(),
        content: Content::KeyFacts,
        guidance: String::new(),
        lines,
        author: Author::Code,
    }
}

fn row(text: String) -> Line {
    Line {
        text,
        form: Form::Row,
        ..Line::default()
    }
}
