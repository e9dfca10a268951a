//! What happened and what was done: summary, impact, detection and response.

use super::lines::{quoted, record_line, source};
use crate::{
    config::Language,
    incident::What,
    postmortem::{
        events::{Event, Kind},
        facts::{MetricName, Milestone},
        write::{
            Content, Line, Material, neutral,
            select::events_for,
            words::{full_time, length},
        },
    },
};

/// The opening by the records, then what tells most of what people said.
pub(super) fn summary(material: &Material<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(opened) = material
        .records
        .timeline
        .iter()
        .find(|entry| matches!(entry.what, What::Opened { .. }))
    {
        let incident = &material.records.incident;
        let at = full_time(incident.opened_at, &material.transcript.time_zone);
        let title = neutral(&incident.title);
        let text = match material.language {
            Language::En => format!(
                "Incident #{} ({title}) was opened at {at}. [r{}]",
                incident.number, opened.number
            ),
            Language::Zh => format!(
                "故障 #{}（{title}）于 {at} 创建。[r{}]",
                incident.number, opened.number
            ),
        };
        lines.push(Line::paragraph(text));
    }
    let events = events_for(Content::Summary, material);
    let few = |kind: Kind, count: usize| {
        events
            .iter()
            .copied()
            .filter(move |event| event.kind == kind)
            .take(count)
    };
    let telling: Vec<&Event> = few(Kind::Impact, 2)
        .chain(few(Kind::Cause, 1))
        .chain(few(Kind::Mitigation, 1))
        .chain(
            events
                .iter()
                .copied()
                .rfind(|event| event.kind == Kind::Resolution),
        )
        .collect();
    lines.extend(quoted(&telling, material));
    lines
}

/// From when to when, where both are known, and what people said of it.
pub(super) fn impact(material: &Material<'_>) -> Vec<Line> {
    let mut lines = quoted(&events_for(Content::Impact, material), material);
    let at = |milestone| {
        material
            .facts
            .milestones
            .iter()
            .find(|fixed| fixed.milestone == milestone)
    };
    if let (Some(from), Some(to)) = (at(Milestone::ImpactStart), at(Milestone::Mitigated))
        && let (Some(began), Some(ended)) = (from.at, to.at)
        && let Some(seconds) = material.facts.metric(MetricName::ImpactStartToMitigated)
    {
        let zone = &material.transcript.time_zone;
        let (began, ended, lasted) = (
            full_time(began, zone),
            full_time(ended, zone),
            length(seconds, material.language),
        );
        let sources = format!(
            "{}{}",
            source(&from.source, material),
            source(&to.source, material)
        );
        if !sources.contains('[') {
            return lines;
        }
        let text = match material.language {
            Language::En => {
                format!("The impact lasted {lasted} in all, from {began} until {ended}. {sources}")
            }
            Language::Zh => {
                format!("影响从 {began} 到 {ended}，合计 {lasted}。{sources}")
            }
        };
        lines.insert(0, Line::item(text));
    }
    lines
}

/// What opened it, and who noticed.
pub(super) fn detection(material: &Material<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let entries = material.records.timeline.iter();
    let telling = entries.filter(|entry| {
        matches!(
            entry.what,
            What::Opened { .. } | What::AlertFired { again: false, .. }
        )
    });
    lines.extend(
        telling
            .take(5)
            .filter_map(|entry| record_line(entry, material)),
    );
    lines.extend(
        quoted(&events_for(Content::Detection, material), material)
            .into_iter()
            .take(10),
    );
    lines
}

/// Who was called and who took it by the records, then what people said.
pub(super) fn response(material: &Material<'_>) -> Vec<Line> {
    let entries = material.records.timeline.iter().filter(|entry| {
        matches!(
            entry.what,
            What::Acknowledged
                | What::Assigned { .. }
                | What::ResponderAdded { .. }
                | What::Paged { .. }
                | What::Escalated { .. }
                | What::PageFailed { .. }
        )
    });
    let mut lines: Vec<Line> = entries
        .filter_map(|entry| record_line(entry, material))
        .take(40)
        .collect();
    lines.extend(
        quoted(&events_for(Content::Response, material), material)
            .into_iter()
            .take(40),
    );
    lines
}
