//! The timeline: everything that happened, in order, thinned out where it would fill a book.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::lines::{event_line, record_line, timed, who};
use crate::{
    config::Language,
    postmortem::{
        events::{Event, Kind},
        facts::AlertLines,
        transcript::MessageId,
        write::{
            Content, Line, Material, neutral,
            said::beginning,
            select::events_for,
            words::{full_time, pick},
        },
    },
};

/// How far apart lines of the timeline may be while people write, before a check complains.
pub(crate) const GAP_MAX: SignedDuration = SignedDuration::from_mins(60);

/// The most lines of a timeline, by how telling they are; a longer list is thinned out evenly and said to be.
const TURNS_MAX: usize = 500;
const DEEDS_MAX: usize = 250;
const OBSERVATIONS_MAX: usize = 150;

/// Everything that happened, in order: records, events, marked messages, alerts by count and window.
pub(super) fn timeline(material: &Material<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = material
        .records
        .timeline
        .iter()
        .filter_map(|entry| record_line(entry, material))
        .collect();
    let mut told: HashSet<&MessageId> = HashSet::new();
    let events = events_for(Content::Timeline, material);
    let all = events.len();
    let (turns, others): (Vec<&Event>, Vec<&Event>) = events
        .into_iter()
        .partition(|event| is_turn(event, material));
    let mere = |event: &&Event| {
        matches!(
            event.kind,
            Kind::Observation | Kind::Hypothesis | Kind::Alert
        )
    };
    let (mere, deeds): (Vec<&Event>, Vec<&Event>) = others.into_iter().partition(mere);
    let kept = [
        thinned(&turns, TURNS_MAX),
        thinned(&deeds, DEEDS_MAX),
        thinned(&mere, OBSERVATIONS_MAX),
    ]
    .concat();
    let omitted = all - kept.len();
    for event in kept.into_iter().filter(|event| event.kind != Kind::Alert) {
        told.extend(&event.message_ids);
        lines.push(event_line(event, material));
    }
    for id in material.facts.marked.iter().filter(|id| !told.contains(id)) {
        lines.extend(material.transcript.message(id).map(|message| {
            let word = pick(material.language, "marked", "标记");
            let text = neutral(&beginning(&message.evidence(), 300));
            let alias = material.transcript.alias(id).unwrap_or_default();
            let said = format!(
                "{} · {word}: {text} [{alias}]",
                who(&message.author, material)
            );
            timed(message.at, said, None, material)
        }));
    }
    lines.extend(
        material
            .facts
            .alerts
            .iter()
            .map(|alert| alert_line(alert, material)),
    );
    lines.sort_by_key(|line| line.at);
    if omitted > 0 {
        let words = pick(
            material.language,
            "Further events, which stand in events.json: ",
            "其余事件见 events.json：",
        );
        lines.push(Line::note(format!("{words}{omitted}")));
    }
    lines
}

/// What changes the course of an incident, or was marked.
fn is_turn(event: &Event, material: &Material<'_>) -> bool {
    let turns = matches!(
        event.kind,
        Kind::Declaration
            | Kind::Handoff
            | Kind::Cause
            | Kind::RuledOut
            | Kind::Mitigation
            | Kind::Resolution
    );
    let messages = event
        .message_ids
        .iter()
        .filter_map(|id| material.transcript.message(id));
    turns || messages.into_iter().any(|message| message.is_marked())
}

/// At most so many of them, evenly.
fn thinned<'a>(events: &[&'a Event], most: usize) -> Vec<&'a Event> {
    let step = events.len().div_ceil(most).max(1);
    events.iter().copied().step_by(step).collect()
}

fn alert_line(alert: &AlertLines, material: &Material<'_>) -> Line {
    let citations: String = alert
        .messages
        .iter()
        .filter_map(|id| material.transcript.alias(id))
        .map(|alias| format!("[{alias}]"))
        .collect();
    let title = neutral(&alert.title);
    let until = full_time(alert.last, &material.transcript.time_zone);
    let text = match material.language {
        Language::En => format!(
            "alert: {title}, fired {} times, recovered {} times, last told of at {until} {citations}",
            alert.firing, alert.recovered
        ),
        Language::Zh => format!(
            "告警：{title}，触发 {} 次，恢复 {} 次，最后一次 {until} {citations}",
            alert.firing, alert.recovered
        ),
    };
    timed(alert.first, text, Some(Kind::Alert), material)
}
