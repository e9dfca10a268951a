//! The head of the key facts: how bad it was, how far it is, what it is about, who noticed, and who was there.

use std::collections::BTreeMap;

use super::lines::{actor, source, who};
use crate::{
    config::Language,
    incident::{Actor, Entry, PersonId, What},
    postmortem::{
        facts::{Milestone, Source, responders},
        write::{
            Form, Line, Material,
            entry::{role_word, severity_word, state_word},
            neutral,
            words::{full_time, pick},
        },
    },
};

/// The most changes, labels or people that one row lists.
const LISTED_MAX: usize = 8;

/// Labels that say which service it is, the more telling first.
const SERVICE_LABELS: [&str; 5] = ["service", "app", "application", "component", "job"];

/// All rows; one of which nothing is known is left out.
pub(super) fn rows(material: &Material<'_>) -> Vec<Line> {
    let rows = [
        severity(material),
        severity_changes(material),
        state(material),
        service(material),
        labels(material),
        opened_by(material),
        detected_by(material),
    ];
    let mut lines: Vec<Line> = rows.into_iter().flatten().collect();
    lines.extend(roles(material));
    lines.extend(responders_row(material));
    lines
}

/// A row: what it is called, what it says, and what says so.
pub(super) fn row(name: &str, value: &str, citations: &str, language: Language) -> Line {
    let colon = pick(language, ": ", "：");
    let name = capital(name);
    Line {
        text: format!("{name}{colon}{value} {citations}")
            .trim_end()
            .to_owned(),
        form: Form::Row,
        ..Line::default()
    }
}

/// The same words, beginning with a capital.
pub(super) fn capital(words: &str) -> String {
    let mut rest = words.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).collect()
}

fn cite(entry: &Entry) -> String {
    format!("[r{}]", entry.number)
}

fn find<'a>(material: &'a Material<'_>, is_it: impl Fn(&What) -> bool) -> Option<&'a Entry> {
    let mut entries = material.records.timeline.iter();
    entries.find(|entry| is_it(&entry.what))
}

fn severity(material: &Material<'_>) -> Option<Line> {
    let (language, incident) = (material.language, &material.records.incident);
    let highest = incident.severity_max;
    let first = find(material, |what| match what {
        What::Opened { severity, .. } | What::SeverityChanged { to: severity, .. } => {
            *severity == highest
        }
        _ => false,
    });
    let mut value = severity_word(highest, language).to_owned();
    if incident.severity != highest {
        let now = severity_word(incident.severity, language);
        value += &match language {
            Language::En => format!(", {now} at last"),
            Language::Zh => format!("（当前{now}）"),
        };
    }
    let name = pick(language, "Highest severity", "最高级别");
    let cited = first.map(cite).unwrap_or_default();
    Some(row(name, &value, &cited, language))
}

fn severity_changes(material: &Material<'_>) -> Option<Line> {
    let language = material.language;
    let entries = material.records.timeline.iter();
    let changes: Vec<String> = entries
        .filter_map(|entry| match entry.what {
            What::SeverityChanged { from, to } => {
                let at = full_time(entry.at, &material.transcript.time_zone);
                let (from, to) = (severity_word(from, language), severity_word(to, language));
                Some(format!("{from} → {to} ({at}) {}", cite(entry)))
            }
            _ => None,
        })
        .take(LISTED_MAX)
        .collect();
    let name = pick(language, "Changes of the severity", "级别变化");
    (!changes.is_empty()).then(|| {
        row(
            name,
            &changes.join(pick(language, ", ", "、")),
            "",
            language,
        )
    })
}

fn state(material: &Material<'_>) -> Option<Line> {
    let (language, records) = (material.language, material.records);
    let last = records.timeline.iter().rev().find(|entry| {
        matches!(
            entry.what,
            What::Opened { .. }
                | What::Acknowledged
                | What::Unacknowledged
                | What::Snoozed { .. }
                | What::Woke { .. }
                | What::Resolved { .. }
                | What::Reopened { .. }
                | What::MergedInto { .. }
        )
    });
    let word = state_word(&records.incident, language);
    let name = pick(language, "State", "状态");
    Some(row(
        name,
        word,
        &last.map(cite).unwrap_or_default(),
        language,
    ))
}

fn service(material: &Material<'_>) -> Option<Line> {
    let labels = &material.records.incident.labels;
    let service = SERVICE_LABELS.iter().find_map(|name| labels.get(*name))?;
    let name = pick(material.language, "Service", "服务");
    Some(row(name, &neutral(service), "", material.language))
}

fn labels(material: &Material<'_>) -> Option<Line> {
    let labels = material.records.incident.labels.iter();
    let others = labels.filter(|(name, _)| !SERVICE_LABELS.contains(&name.as_str()));
    let listed: Vec<String> = others
        .take(LISTED_MAX)
        .map(|(name, value)| format!("{}={}", neutral(name), neutral(value)))
        .collect();
    let name = pick(material.language, "Labels", "标签");
    (!listed.is_empty()).then(|| row(name, &listed.join(", "), "", material.language))
}

fn opened_by(material: &Material<'_>) -> Option<Line> {
    let opened = find(material, |what| matches!(what, What::Opened { .. }))?;
    let name = pick(material.language, "Opened by", "创建者");
    let by = actor(&opened.by.actor, material);
    Some(row(name, &by, &cite(opened), material.language))
}

/// By an alert or by a person. An incident that a monitor opened was noticed by its first alert.
fn detected_by(material: &Material<'_>) -> Option<Line> {
    let language = material.language;
    let mut milestones = material.facts.milestones.iter();
    let detected = milestones.find(|fixed| fixed.milestone == Milestone::Detected)?;
    detected.at?;
    let person = |who: String| match language {
        Language::En => format!("a person, {who}"),
        Language::Zh => format!("人员 {who}"),
    };
    let value = match &detected.source {
        Source::Record(number) => {
            let entry = material.records.entry(*number)?;
            match &entry.by.actor {
                Actor::Person(by) => person(who(by, material)),
                Actor::Monitor(name) => match language {
                    Language::En => format!("an alert of {}", neutral(name)),
                    Language::Zh => format!("{} 的告警", neutral(name)),
                },
                Actor::Nightjar => "Nightjar".to_owned(),
            }
        }
        Source::Mark(id) | Source::Told(id) | Source::Message(id) => {
            person(who(&material.transcript.message(id)?.author, material))
        }
        Source::Confirmed | Source::Unknown => return None,
    };
    let name = pick(language, "Detected by", "发现方式");
    Some(row(
        name,
        &value,
        &source(&detected.source, material),
        language,
    ))
}

/// Each role with who has it: by the records, and then by the room.
fn roles(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let mut taken: BTreeMap<String, Vec<(&PersonId, String)>> = BTreeMap::new();
    for entry in &material.records.timeline {
        if let What::RoleTaken { role, who } = &entry.what {
            let people = taken.entry(role_word(role, language)).or_default();
            people.retain(|(one, _)| *one != who);
            people.push((who, cite(entry)));
        }
    }
    for person in &material.transcript.people {
        if let Some(role) = &person.role {
            let people = taken.entry(role_word(role, language)).or_default();
            if !people.iter().any(|(one, _)| **one == person.id) {
                people.push((&person.id, String::new()));
            }
        }
    }
    let rows = taken
        .into_iter()
        .map(|(role, people)| row(&role, &named(&people, material), "", language));
    rows.collect()
}

fn responders_row(material: &Material<'_>) -> Option<Line> {
    let language = material.language;
    let people: Vec<(&PersonId, String)> = responders(material.records)
        .into_iter()
        .map(|person| {
            let entry = material.records.timeline.iter().find(|entry| {
                let by = matches!(&entry.by.actor, Actor::Person(by) if by == person);
                match &entry.what {
                    What::Acknowledged => by,
                    What::Assigned { to: who } | What::ResponderAdded { who } => who == person,
                    _ => false,
                }
            });
            (person, entry.map(cite).unwrap_or_default())
        })
        .collect();
    let name = pick(language, "Responders", "参与处理");
    (!people.is_empty()).then(|| row(name, &named(&people, material), "", language))
}

/// People by name, each with what says so, the later ones counted where they are many.
fn named(people: &[(&PersonId, String)], material: &Material<'_>) -> String {
    let language = material.language;
    let name = |(person, cited): &(&PersonId, String)| {
        let name = neutral(material.transcript.name(person));
        format!("{name} {cited}").trim_end().to_owned()
    };
    let mut listed: Vec<String> = people.iter().take(LISTED_MAX).map(name).collect();
    if let Some(more) = people
        .len()
        .checked_sub(LISTED_MAX)
        .filter(|more| *more > 0)
    {
        listed.push(match language {
            Language::En => format!("and {more} more"),
            Language::Zh => format!("等另外 {more} 人"),
        });
    }
    listed.join(pick(language, ", ", "、"))
}
