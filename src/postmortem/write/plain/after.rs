//! What is left afterwards: lessons, open questions and action items.

use super::{header::capital, lines::quoted};
use crate::postmortem::{
    events::{Event, Kind},
    write::{Content, Line, Material, about::contradictions, kind_word, select::events_for},
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
            lines.push(Line::label(capital(kind_word(kind, material.language))));
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
