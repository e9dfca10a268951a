//! The key facts: what the incident is, its milestones and its metrics, each with its source.

use super::{
    header::{row, rows},
    lines::source,
};
use crate::postmortem::write::{
    Author, Content, Line, Material, Section, metric_words, milestone_words,
    words::{full_time, length, pick},
};

/// Everything that code knows without reading for meaning.
pub fn key_facts(material: &Material<'_>) -> Section {
    let language = material.language;
    let mut lines = rows(material);
    lines.push(Line::label(pick(language, "Key times", "关键时间")));
    lines.extend(milestones(material));
    lines.push(Line::label(pick(language, "Measures", "指标")));
    lines.extend(metrics(material));
    Section {
        heading: pick(language, "Key facts", "关键数据").to_owned(),
        content: Content::KeyFacts,
        guidance: String::new(),
        lines,
        author: Author::Code,
    }
}

/// Every milestone, also those that nobody knows.
fn milestones(material: &Material<'_>) -> Vec<Line> {
    let (language, zone) = (material.language, &material.transcript.time_zone);
    let rows = material.facts.milestones.iter().map(|fixed| {
        let value = match fixed.at {
            Some(at) => full_time(at, zone),
            None => pick(language, "unknown", "未知").to_owned(),
        };
        let name = milestone_words(fixed.milestone, language);
        Line {
            at: fixed.at,
            ..row(name, &value, &source(&fixed.source, material), language)
        }
    });
    rows.collect()
}

/// Every metric with both of its ends, also those that are unknown.
fn metrics(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let rows = material.facts.metrics.iter().map(|metric| {
        let value = match metric.value {
            None => pick(language, "unknown", "未知").to_owned(),
            Some(seconds) if metric.name.is_time() => length(seconds, language),
            Some(count) => count.to_string(),
        };
        row(&metric_words(metric.name, language), &value, "", language)
    });
    rows.collect()
}
