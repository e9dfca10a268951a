//! The forms of lines: an event in its own words, an entry of the records, and their sources.

use jiff::Timestamp;

use crate::{
    incident::{Actor, Entry, PersonId},
    postmortem::{
        events::{Certainty, Event, Kind, TimeSource},
        facts::Source,
        transcript::MessageId,
        write::{
            Line, Material,
            entry::entry_words,
            kind_word, neutral,
            words::{certainty_word, pick},
        },
    },
};

/// Where a fact comes from: a citation, or that a person set it.
pub(super) fn source(source: &Source, material: &Material<'_>) -> String {
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
pub(super) fn who(person: &PersonId, material: &Material<'_>) -> String {
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

/// Who did what the records tell of.
pub(super) fn actor(actor: &Actor, material: &Material<'_>) -> String {
    match actor {
        Actor::Person(person) => who(person, material),
        Actor::Monitor(name) => neutral(name),
        Actor::Nightjar => "Nightjar".to_owned(),
    }
}

/// A line that begins with its time. Its day is shown as well, since an incident may last for several.
pub(super) fn timed(
    at: Timestamp,
    text: String,
    kind: Option<Kind>,
    material: &Material<'_>,
) -> Line {
    let local = at.to_zoned(material.transcript.time_zone.clone());
    let time = local.strftime("%m-%d %H:%M:%S");
    Line {
        at: Some(at),
        kind,
        ..Line::item(format!("{time} {text}"))
    }
}

/// An event as a line of the timeline.
pub(super) fn event_line(event: &Event, material: &Material<'_>) -> Line {
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

/// An entry of the records as a line of the timeline; nothing for what says nothing here.
pub(super) fn record_line(entry: &Entry, material: &Material<'_>) -> Option<Line> {
    let words = entry_words(entry, material.transcript, material.language)?;
    let by = actor(&entry.by.actor, material);
    // An alert's own clock may tell a time long before anything was known of it.
    Some(timed(
        entry.at,
        format!("{by} · {words} [r{}]", entry.number),
        None,
        material,
    ))
}
