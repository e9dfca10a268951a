//! Why it happened: trigger, causes, and what was ruled out.

use super::lines::quoted;
use crate::postmortem::{
    events::{Certainty, Event, Kind},
    facts::Milestone,
    write::{Content, Line, Material, neutral, select::events_for, words::pick},
};

/// Only what a person names as the cause sets something off; a change beforehand is no more than a change.
pub(super) fn trigger(material: &Material<'_>) -> Vec<Line> {
    let started = material
        .facts
        .at(Milestone::ImpactStart)
        .unwrap_or(material.records.incident.opened_at);
    let before = |event: &&Event| event.kind == Kind::Change && event.at <= started;
    let events = events_for(Content::Trigger, material);
    let changes: Vec<&Event> = events.into_iter().filter(before).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let note = pick(
        material.language,
        "Not established. Changes that were told of before the impact began:",
        "尚未确定。影响开始前提到的变更：",
    );
    let mut lines = vec![Line::note(note)];
    lines.extend(quoted(&changes, material));
    lines
}

/// What people stated, then what they only suspect, then what was ruled out.
pub(super) fn causes(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let events = events_for(Content::Causes, material);
    let of = |test: fn(&Event) -> bool| -> Vec<&Event> {
        events.iter().copied().filter(|event| test(event)).collect()
    };
    let stated = of(|event| {
        event.kind == Kind::Cause && event.holds() && event.certainty >= Certainty::Stated
    });
    let suspected = of(|event| {
        event.holds()
            && (event.kind == Kind::Hypothesis
                || event.kind == Kind::Cause && event.certainty < Certainty::Stated)
    });
    let mut lines = Vec::new();
    if stated.is_empty() {
        lines.push(Line::note(pick(
            language,
            "Not established: nobody stated or confirmed a cause.",
            "尚未确定：没有人明确说出或确认原因。",
        )));
    } else {
        lines.extend(quoted(&stated, material));
    }
    if !suspected.is_empty() {
        lines.push(Line::label(pick(
            language,
            "Suspected, neither confirmed nor ruled out",
            "推测，未确认也未排除",
        )));
        lines.extend(quoted(&suspected, material).into_iter().take(20));
    }
    let refuted = refuted(material);
    if !refuted.is_empty() {
        lines.push(Line::label(pick(language, "Ruled out", "已排除")));
        lines.extend(refuted);
    }
    lines
}

/// What was ruled out, each with what spoke against it.
pub(super) fn refuted(material: &Material<'_>) -> Vec<Line> {
    let events = &material.merged.events;
    let told = |event: &&Event| event.superseded_by.is_none() && event.refuted_by.is_some();
    let mut lines: Vec<Line> = events
        .iter()
        .filter(told)
        .take(20)
        .map(|event| {
            let against = event.refuted_by.and_then(|place| events.get(place));
            let word = pick(material.language, "ruled out", "已排除");
            let against_words = against
                .map(|other| format!("; {}: {}", word, neutral(&other.text)))
                .unwrap_or_default();
            let citations = against
                .map(|other| other.citations(material.transcript))
                .unwrap_or_default();
            let text = format!(
                "{}{against_words} {}{citations}",
                neutral(&event.text),
                event.citations(material.transcript)
            );
            Line {
                kind: Some(Kind::RuledOut),
                ..Line::item(text)
            }
        })
        .collect();
    if lines.is_empty() {
        let alone: Vec<&Event> = events
            .iter()
            .filter(|event| event.kind == Kind::RuledOut && event.holds())
            .collect();
        lines = quoted(&alone, material);
    }
    lines
}
