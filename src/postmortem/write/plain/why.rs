//! Why it happened: trigger, causes, and what was ruled out.

use std::sync::LazyLock;

use regex::Regex;

use super::lines::{quoted, timed, who};
use crate::{
    config::Language,
    postmortem::{
        events::{Event, Kind, is_by_a_person, names_a_cause},
        facts::Milestone,
        merge::share_a_topic,
        phrases,
        transcript::Message,
        write::{
            Content, Form, Line, Material, neutral,
            said::{quotable, quote},
            select::events_for,
            words::{certainty_word, pick},
        },
    },
};

/// The most statements of causes that are quoted.
const STATED_MAX: usize = 5;

/// The causes that a person stated or confirmed, and that stand. What a bot says is no statement.
pub(in crate::postmortem::write) fn stated_causes<'a>(
    material: &'a Material<'_>,
) -> Vec<&'a Event> {
    let events = material.merged.events.iter();
    let stated = events.filter(|event| event.is_cause_by_a_person(material.transcript));
    stated.collect()
}

/// The message in which a person said it: the first that tells of a cause, or else the first.
fn spoken<'a>(event: &Event, material: &'a Material<'_>) -> Option<&'a Message> {
    let transcript = material.transcript;
    let cited = event.message_ids.iter();
    let by_people = cited
        .filter_map(|id| transcript.message(id))
        .filter(|message| is_by_a_person(message, transcript));
    let by_people: Vec<&Message> = by_people.collect();
    let telling = by_people.iter().find(|one| names_a_cause(&one.evidence()));
    telling.or(by_people.first()).copied()
}

/// The statements of causes in people's own words: who, when, how sure, and a quote. So a reader sees what was
/// said, whatever a model made of it.
pub(in crate::postmortem::write) fn in_own_words(material: &Material<'_>) -> Vec<Line> {
    let stated = stated_causes(material).into_iter().take(STATED_MAX);
    let lines = stated.filter_map(|event| {
        let message = spoken(event, material)?;
        let alias = material.transcript.alias(&message.id)?;
        let said = quote(&from_the_cause_on(message, event));
        let left_out = || pick(material.language, "(words left out)", "（原话略）").to_owned();
        let text = format!(
            "{} · {}{}{} [{alias}]",
            who(&message.author, material),
            certainty_word(event.certainty, material.language),
            pick(material.language, ": ", "："),
            said.unwrap_or_else(left_out)
        );
        Some(Line {
            form: Form::Quote,
            ..timed(message.at, text, Some(Kind::Cause), material)
        })
    });
    lines.collect()
}

/// The words of a message from the sentence on that tells of the cause.
fn from_the_cause_on(message: &Message, event: &Event) -> String {
    let words = message.evidence();
    let sentences = phrases::sentences(&words);
    let is_it = |sentence: &&&str| quotable(sentence).contains(&quotable(&event.text));
    let told = sentences.iter().find(is_it);
    let told = told.or_else(|| sentences.iter().find(|sentence| names_a_cause(sentence)));
    let from = told.and_then(|sentence| words.find(sentence.trim()));
    words[from.unwrap_or(0)..].to_owned()
}

static CHANGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:releases?|released|deploy(?:s|ed|ments?)?|roll-?outs?|rolled out|changes?|changed|migrat(?:ions?|ed)|upgraded?|trigger(?:s|ed)?)\b|发布|上线|变更|改了|配置|升级|迁移|触发|引发")
        .expect("it is compiled by a test")
});

/// The stated causes that speak of something that was done or happened before: they say what set it off.
pub(in crate::postmortem::write) fn stated_triggers<'a>(
    material: &'a Material<'_>,
) -> Vec<&'a Event> {
    let changes = changes_before(material);
    let names_a_change = |event: &&Event| {
        CHANGE.is_match(&event.text)
            || changes.iter().any(|change| {
                change.message_ids == event.message_ids || share_a_topic(&change.text, &event.text)
            })
    };
    let causes = stated_causes(material).into_iter();
    causes.filter(names_a_change).collect()
}

/// Changes that were told of before the impact began.
fn changes_before<'a>(material: &'a Material<'_>) -> Vec<&'a Event> {
    let started = material
        .facts
        .at(Milestone::ImpactStart)
        .unwrap_or(material.records.incident.opened_at);
    let events = events_for(Content::Trigger, material).into_iter();
    let before = events.filter(|event| event.kind == Kind::Change && event.at <= started);
    before.collect()
}

/// Only what a person names as the cause sets something off; a change beforehand is no more than a change.
pub(super) fn trigger(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let mut lines = quoted(&stated_triggers(material), material);
    let changes = changes_before(material);
    if lines.is_empty() && !changes.is_empty() {
        lines.push(Line::note(not_established(language)));
    }
    if !changes.is_empty() {
        lines.push(Line::label(pick(
            language,
            "Changes that were told of before the impact began",
            "影响开始前提到的变更",
        )));
        lines.extend(quoted(&changes, material));
    }
    lines
}

/// What stands where nobody said why.
pub(in crate::postmortem::write) fn not_established(language: Language) -> &'static str {
    pick(language, "Not established.", "尚未确定。")
}

/// What people stated, then what they only suspect, then what was ruled out.
pub(super) fn causes(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let stated = stated_causes(material);
    let mut lines = in_own_words(material);
    if stated.is_empty() {
        lines.push(Line::note(not_established(language)));
    }
    lines.extend(quoted(
        stated.get(STATED_MAX..).unwrap_or_default(),
        material,
    ));
    let events = events_for(Content::Causes, material).into_iter();
    let suspected: Vec<&Event> = events
        .filter(|event| matches!(event.kind, Kind::Hypothesis | Kind::Cause) && event.holds())
        .filter(|event| !stated.contains(event))
        .collect();
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
