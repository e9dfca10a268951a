//! Who was told what and when, by the records and by what people said.

use super::lines::{actor, event_line, record_line, timed};
use crate::{
    incident::{Entry, What},
    postmortem::write::{Content, Line, Material, select::events_for, words::pick},
};

/// The most lines of either.
const LINES_MAX: usize = 60;

/// The log, in order.
pub(super) fn communication(material: &Material<'_>) -> Vec<Line> {
    let entries = material.records.timeline.iter();
    let told = entries.filter_map(|entry| told(entry, material));
    let mut lines: Vec<Line> = told.take(LINES_MAX).collect();
    let events = events_for(Content::Communication, material).into_iter();
    lines.extend(
        events
            .map(|event| event_line(event, material))
            .take(LINES_MAX),
    );
    lines.sort_by_key(|line| line.at);
    lines
}

fn told(entry: &Entry, material: &Material<'_>) -> Option<Line> {
    match &entry.what {
        What::Paged { .. } | What::PageFailed { .. } | What::Escalated { .. } => {
            record_line(entry, material)
        }
        // The chat is known by its id alone, which says nothing to a reader.
        What::ChatTold { .. } => {
            let by = actor(&entry.by.actor, material);
            let words = pick(material.language, "a group was told", "通知了一个群");
            let text = format!("{by} · {words} [r{}]", entry.number);
            Some(timed(entry.at, text, None, material))
        }
        _ => None,
    }
}
