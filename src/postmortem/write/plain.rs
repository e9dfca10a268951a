//! Writes sections without a model: facts, records, and what people said in their own words.
//!
//! The key facts, the timeline and the action items are always written here, since no judgement is asked of
//! them. What needs judgement and was not said by anyone is left to people, with the template's guidance.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    Author, Content, Form, Line, Material, Section, TemplateSection, kind_word, metric_words,
    milestone_words, neutral,
    select::events_for,
    words::{certainty_word, entry_words, full_time, length, pick},
};
use crate::{
    incident::{Actor, Entry, What},
    postmortem::{
        actions::{self, ActionItem, ActionState},
        events::{Certainty, Event, Kind, TimeSource},
        facts::{Milestone, Source},
        transcript::MessageId,
    },
};

/// The most lines of a timeline, by how telling they are; a longer list is thinned out evenly and said to be.
const TURNS_MAX: usize = 500;
const DEEDS_MAX: usize = 250;
const OBSERVATIONS_MAX: usize = 150;

/// A section by code.
pub fn plain(section: &TemplateSection, material: &Material<'_>) -> Section {
    let mut lines = match section.content {
        Content::Timeline => timeline(material),
        Content::ActionItems => action_items(material),
        Content::Summary => summary(material),
        Content::Causes => causes(material),
        Content::Refuted => refuted(material),
        Content::Questions => questions(material),
        Content::Impact => impact(material),
        Content::Detection => detection(material),
        Content::Response => response(material),
        Content::Trigger => trigger(material),
        Content::WentHow | Content::Lessons => grouped(section.content, material),
        Content::Free | Content::KeyFacts | Content::About => Vec::new(),
        Content::Mitigation => quoted(&events_for(section.content, material), material),
    };
    if lines.is_empty() {
        lines = nothing(section, material);
    }
    Section {
        heading: section.heading.clone(),
        content: section.content,
        guidance: section.guidance.clone(),
        lines,
        author: Author::Code,
    }
}

/// Says that nothing is there, and repeats the guidance for whoever fills it in.
pub(super) fn nothing(section: &TemplateSection, material: &Material<'_>) -> Vec<Line> {
    let words = match section.content {
        Content::Causes | Content::Trigger => {
            pick(material.language, "Not established.", "尚未确定。")
        }
        _ => pick(material.language, "Nothing recorded.", "没有记录。"),
    };
    let mut lines = vec![Line::note(words)];
    if !section.guidance.is_empty() && !section.content.is_codes_own() {
        lines.push(Line::note(neutral(&section.guidance)));
    }
    lines
}

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

fn source(source: &Source, material: &Material<'_>) -> String {
    let alias = |id: &MessageId| {
        material
            .transcript
            .alias(id)
            .map(|alias| format!("[{alias}]"))
            .unwrap_or_default()
    };
    match source {
        Source::Record(0) | Source::Unknown => String::new(),
        Source::Record(number) => format!("[r{number}]"),
        Source::Confirmed => {
            pick(material.language, "(set by a person)", "（人工确认）").to_owned()
        }
        Source::Mark(id) | Source::Told(id) | Source::Message(id) => alias(id),
    }
}

fn summary(material: &Material<'_>) -> Vec<Line> {
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
            crate::config::Language::En => format!(
                "Incident #{} ({title}) was opened at {at}. [r{}]",
                incident.number, opened.number
            ),
            crate::config::Language::Zh => format!(
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

fn impact(material: &Material<'_>) -> Vec<Line> {
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
        && let Some(seconds) = material
            .facts
            .metric(crate::postmortem::facts::MetricName::ImpactStartToMitigated)
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
            crate::config::Language::En => {
                format!("The impact lasted {lasted} in all, from {began} until {ended}. {sources}")
            }
            crate::config::Language::Zh => {
                format!("影响从 {began} 到 {ended}，合计 {lasted}。{sources}")
            }
        };
        lines.insert(0, Line::item(text));
    }
    lines
}

fn detection(material: &Material<'_>) -> Vec<Line> {
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

fn response(material: &Material<'_>) -> Vec<Line> {
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

/// Only what a person names as the cause sets something off; a change beforehand is no more than a change.
fn trigger(material: &Material<'_>) -> Vec<Line> {
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

fn causes(material: &Material<'_>) -> Vec<Line> {
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
fn refuted(material: &Material<'_>) -> Vec<Line> {
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

fn grouped(content: Content, material: &Material<'_>) -> Vec<Line> {
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

fn questions(material: &Material<'_>) -> Vec<Line> {
    let mut lines = quoted(&events_for(Content::Questions, material), material);
    lines.extend(super::about::contradictions(material));
    lines
}

fn action_items(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let items = actions::items(material.merged, material.records, material.transcript)
        .into_iter()
        .map(|item| {
            let owner = item.owner.as_ref().map(|owner| neutral(&owner.name));
            let owner = owner.unwrap_or_else(|| pick(language, "unassigned", "未分配").to_owned());
            let due = item
                .due
                .as_ref()
                .map(|due| neutral(&due.to_string()))
                .unwrap_or_else(|| pick(language, "none", "无").to_owned());
            let (owner_word, due_word) = (
                pick(language, "owner", "负责人"),
                pick(language, "due", "期限"),
            );
            let text = format!(
                "{} ({owner_word}: {owner}; {due_word}: {due}) {}{}",
                neutral(&item.text),
                decided_words(&item, language),
                item.citations(material.transcript)
            );
            Line {
                kind: Some(Kind::ActionItem),
                decided: item.decided(),
                ..Line::item(text.trim_end())
            }
        });
    items.collect()
}

/// What a person decided of an item, and that a person did.
fn decided_words(item: &ActionItem, language: crate::config::Language) -> String {
    let by = pick(language, "(set by a person) ", "（人工确认）");
    match item.decided() {
        None => String::new(),
        Some(ActionState::Declined { reason }) => {
            let not = pick(language, "decided not to do", "决定不做");
            format!("({not}: {}) {by}", neutral(&reason))
        }
        Some(_) => by.to_owned(),
    }
}

/// Events in their own words.
pub(super) fn quoted(events: &[&Event], material: &Material<'_>) -> Vec<Line> {
    let line = |event: &&Event| {
        let actor = event.actor.as_ref().map(|actor| who(actor, material));
        let hedge = match event.certainty {
            Certainty::Suspected | Certainty::Refuted => {
                format!(" ({})", certainty_word(event.certainty, material.language))
            }
            _ => String::new(),
        };
        let said = match actor {
            Some(actor) => format!("{actor}{hedge}: {}", neutral(&event.text)),
            None => format!("{}{hedge}", neutral(&event.text)),
        };
        Line {
            kind: Some(event.kind),
            ..Line::item(format!("{said} {}", event.citations(material.transcript)))
        }
    };
    events.iter().map(line).collect()
}

/// A person by name and role.
fn who(person: &crate::incident::PersonId, material: &Material<'_>) -> String {
    let name = neutral(material.transcript.name(person));
    match material
        .transcript
        .person(person)
        .and_then(|person| person.role.as_deref())
    {
        Some(role) => format!("{name} ({})", neutral(role)),
        None => name,
    }
}

/// Everything that happened, in order: records, events, marked messages, alerts by count and window.
fn timeline(material: &Material<'_>) -> Vec<Line> {
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

fn beginning(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A line that begins with its time. Its day is shown as well, since an incident may last for several.
fn timed(at: Timestamp, text: String, kind: Option<Kind>, material: &Material<'_>) -> Line {
    let local = at.to_zoned(material.transcript.time_zone.clone());
    let time = local.strftime("%m-%d %H:%M:%S");
    Line {
        at: Some(at),
        kind,
        ..Line::item(format!("{time} {text}"))
    }
}

fn event_line(event: &Event, material: &Material<'_>) -> Line {
    let word = kind_word(event.kind, material.language);
    let hedge = match event.certainty {
        Certainty::Suspected | Certainty::Refuted => {
            format!(" ({})", certainty_word(event.certainty, material.language))
        }
        _ => String::new(),
    };
    let who = event
        .actor
        .as_ref()
        .map(|actor| format!("{} · ", who(actor, material)))
        .unwrap_or_default();
    let told = match event.time_source {
        TimeSource::Text => pick(material.language, " (time as told)", "（时间为转述）"),
        _ => "",
    };
    let text = format!(
        "{who}{word}{hedge}{told}: {} {}",
        neutral(&event.text),
        event.citations(material.transcript)
    );
    timed(event.at, text, Some(event.kind), material)
}

fn record_line(entry: &Entry, material: &Material<'_>) -> Option<Line> {
    let words = entry_words(entry, material.transcript, material.language)?;
    let by = match &entry.by.actor {
        Actor::Person(person) => who(person, material),
        Actor::Monitor(name) => neutral(name),
        Actor::Nightjar => "Nightjar".to_owned(),
    };
    // An alert's own clock may tell a time long before anything was known of it.
    Some(timed(
        entry.at,
        format!("{by} · {words} [r{}]", entry.number),
        None,
        material,
    ))
}

fn alert_line(alert: &crate::postmortem::facts::AlertLines, material: &Material<'_>) -> Line {
    let citations: String = alert
        .messages
        .iter()
        .filter_map(|id| material.transcript.alias(id))
        .map(|alias| format!("[{alias}]"))
        .collect();
    let title = neutral(&alert.title);
    let until = full_time(alert.last, &material.transcript.time_zone);
    let text = match material.language {
        crate::config::Language::En => format!(
            "alert: {title}, fired {} times, recovered {} times, last told of at {until} {citations}",
            alert.firing, alert.recovered
        ),
        crate::config::Language::Zh => format!(
            "告警：{title}，触发 {} 次，恢复 {} 次，最后一次 {until} {citations}",
            alert.firing, alert.recovered
        ),
    };
    timed(alert.first, text, Some(Kind::Alert), material)
}

/// How far apart lines of the timeline may be while people write, before a check complains.
pub(crate) const GAP_MAX: SignedDuration = SignedDuration::from_mins(60);
