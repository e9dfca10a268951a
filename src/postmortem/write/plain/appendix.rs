//! The appendix: who was there, and the commands that people wrote into the room.
//!
//! Whether a command was run as it stands there nobody can say, so the heading does not claim it.

use std::{collections::HashMap, sync::LazyLock};

use regex::Regex;

use super::{
    header::row,
    lines::{timed, who},
};
use crate::{
    config::Language,
    incident::PersonId,
    postmortem::{
        events::is_instruction,
        facts::Participant,
        transcript::{Message, MessageId},
        write::{
            Form, Line, Material, neutral,
            said::code,
            words::{full_time, pick},
        },
    },
};

/// The most people and the most commands that are listed; the rest is counted.
const LISTED_MAX: usize = 60;

/// Everything.
pub(super) fn appendix(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let mut lines = Vec::new();
    let mut part = |label: &'static str, mut listed: Vec<Line>| {
        if listed.is_empty() {
            return;
        }
        let more = listed.len().saturating_sub(LISTED_MAX);
        listed.truncate(LISTED_MAX);
        lines.push(Line::label(label));
        lines.extend(listed);
        if more > 0 {
            lines.push(Line::note(match language {
                Language::En => format!("And {more} more."),
                Language::Zh => format!("另有 {more} 条。"),
            }));
        }
    };
    part(
        pick(language, "Participants", "参与者"),
        participants(material),
    );
    part(
        pick(language, "Commands that people wrote", "大家写下的命令"),
        commands(material),
    );
    lines
}

/// Who has a role comes first, then who wrote first; bots come last.
fn participants(material: &Material<'_>) -> Vec<Line> {
    let mut spoke: HashMap<&PersonId, (&MessageId, &MessageId)> = HashMap::new();
    let heard = material.transcript.messages.iter();
    for message in heard.filter(|message| message.aside.is_none()) {
        let entry = spoke.entry(&message.author);
        entry.or_insert((&message.id, &message.id)).1 = &message.id;
    }
    let cite = |id: &MessageId| {
        let alias = material.transcript.alias(id).unwrap_or_default();
        format!("[{alias}]")
    };
    let mut people: Vec<&Participant> = material.facts.participants.iter().collect();
    people.sort_by_key(|person| (person.is_bot, person.role.is_none(), person.role.clone()));
    let rows = people.into_iter().map(|person| {
        let cited = match spoke.get(&person.id) {
            Some((first, last)) if first == last => cite(first),
            Some((first, last)) => cite(first) + &cite(last),
            None => String::new(),
        };
        let mut name = who(&person.id, material);
        if person.is_bot {
            name += pick(material.language, " (bot)", "（机器人）");
        }
        row(&name, &spoken(person, material), &cited, material.language)
    });
    rows.collect()
}

fn spoken(person: &Participant, material: &Material<'_>) -> String {
    let zone = &material.transcript.time_zone;
    let time = |at| full_time(at, zone);
    match (person.first, person.last, material.language) {
        (Some(first), Some(last), Language::En) if first == last => {
            format!("one message, at {}", time(first))
        }
        (Some(first), Some(last), Language::En) => {
            let count = person.messages;
            format!(
                "{count} messages, from {} until {}",
                time(first),
                time(last)
            )
        }
        (Some(first), Some(last), Language::Zh) if first == last => {
            format!("1 条消息，{}", time(first))
        }
        (Some(first), Some(last), Language::Zh) => {
            let count = person.messages;
            format!("{count} 条消息，{} 至 {}", time(first), time(last))
        }
        (_, _, language) => pick(language, "wrote nothing", "没有发言").to_owned(),
    }
}

static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*\$[ \t]+(\S.*?)\s*$|`([^`\n]+)`").expect("it is compiled by a test")
});

/// Lines that begin with `$`, and code of more than a word: a single word is a name.
fn commands(material: &Material<'_>) -> Vec<Line> {
    let transcript = material.transcript;
    let by_people = transcript.messages.iter().filter(|message| {
        message.recalled_at.is_none()
            && message.aside.is_none()
            && transcript.is_human(&message.author)
            && !is_instruction(&message.text)
    });
    let lines = by_people.flat_map(|message| {
        let found = written(message).into_iter();
        found.map(move |command| command_line(command, message, material))
    });
    lines.collect()
}

fn written(message: &Message) -> Vec<&str> {
    let found = COMMAND.captures_iter(&message.text);
    let commands = found.filter_map(|found| match (found.get(1), found.get(2)) {
        (Some(line), _) => Some(line.as_str()),
        (_, Some(span)) => Some(span.as_str().trim()).filter(|span| span.contains(' ')),
        _ => None,
    });
    commands
        .map(|command| command.trim_start_matches("$ ").trim_matches('`'))
        .collect()
}

fn command_line(command: &str, message: &Message, material: &Material<'_>) -> Line {
    let name = neutral(material.transcript.name(&message.author));
    let command = code(command, material.language);
    let alias = material.transcript.alias(&message.id).unwrap_or_default();
    let text = format!("{name} · {command} [{alias}]");
    Line {
        form: Form::Row,
        ..timed(message.at, text, None, material)
    }
}
