//! What is left afterwards: lessons, open questions and action items.

use super::lines::quoted;
use crate::postmortem::{
    events::{Event, Kind},
    write::{
        Content, Line, Material, about::contradictions, kind_word, neutral, select::events_for,
        words::pick,
    },
};

/// What went well, badly and by luck, and what was learnt, each under its own label.
pub(super) fn grouped(content: Content, material: &Material<'_>) -> Vec<Line> {
    let events = events_for(content, material);
    let mut lines = Vec::new();
    for kind in [Kind::WentWell, Kind::WentBadly, Kind::Lucky, Kind::Lesson] {
        let of_it: Vec<&Event> = events
            .iter()
            .copied()
            .filter(|event| event.kind == kind)
            .collect();
        if !of_it.is_empty() {
            lines.push(Line::label(kind_word(kind, material.language)));
            lines.extend(quoted(&of_it, material));
        }
    }
    lines
}

/// What nobody knows, and what does not agree.
pub(super) fn questions(material: &Material<'_>) -> Vec<Line> {
    let mut lines = quoted(&events_for(Content::Questions, material), material);
    lines.extend(contradictions(material));
    lines
}

/// What is to be done, each with its owner and date or that there is none.
pub(super) fn action_items(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let items = events_for(Content::ActionItems, material)
        .into_iter()
        .map(|event| {
            let owner = event
                .owner
                .as_ref()
                .map(|owner| neutral(material.transcript.name(owner)));
            let owner = owner.unwrap_or_else(|| pick(language, "unassigned", "未分配").to_owned());
            let due = event
                .due
                .as_deref()
                .map(neutral)
                .unwrap_or_else(|| pick(language, "none", "无").to_owned());
            let (owner_word, due_word) = (
                pick(language, "owner", "负责人"),
                pick(language, "due", "期限"),
            );
            let text = format!(
                "{} ({owner_word}: {owner}; {due_word}: {due}) {}",
                neutral(&event.text),
                event.citations(material.transcript)
            );
            Line {
                kind: Some(Kind::ActionItem),
                ..Line::item(text)
            }
        });
    items.collect()
}
