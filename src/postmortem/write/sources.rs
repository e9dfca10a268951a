//! The sources at the end of a report: what each short name stands for, with its words, so that a report can
//! be followed after the room is gone.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    Document, Line,
    entry::entry_words,
    neutral,
    render::is_plain_link,
    said::stored,
    words::{full_time, pick},
};
use crate::{
    config::Language,
    incident::Entry,
    postmortem::{
        records::Records,
        transcript::{Message, Transcript},
    },
};

/// The section; nothing where nothing is cited.
pub(super) fn sources(
    document: &Document,
    transcript: &Transcript,
    records: &Records,
    language: Language,
) -> String {
    let listed = cited(document);
    if listed.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## {}\n\n", pick(language, "Sources", "来源"));
    text.push_str(&room_line(transcript, language));
    let colon = pick(language, ": ", "：");
    for (kind, number, alias) in listed {
        let told = match (kind, transcript.by_alias(alias), records.entry(number)) {
            ('m', Some(message), _) => message_words(message, transcript, language),
            ('r', _, Some(entry)) => record_words(entry, transcript, language),
            _ => continue,
        };
        let _ = writeln!(text, "- {alias}{colon}{told}");
    }
    text
}

/// Where the room can be looked at, as long as it is there.
fn room_line(transcript: &Transcript, language: Language) -> String {
    let room = &transcript.room;
    let (word, name) = (pick(language, "Room", "群聊"), neutral(&room.name));
    match room.link.as_deref().filter(|link| is_plain_link(link)) {
        Some(link) if !name.is_empty() => format!("- {word}: [{name}]({link})\n"),
        _ => String::new(),
    }
}

/// All short names: messages before records, by their numbers.
fn cited(document: &Document) -> Vec<(char, u32, &str)> {
    let lines = document.sections.iter().flat_map(|section| &section.lines);
    let cited: BTreeSet<&str> = lines.flat_map(Line::citations).collect();
    let mut listed: Vec<(char, u32, &str)> = cited
        .into_iter()
        .filter_map(|alias| Some((alias.chars().next()?, alias.get(1..)?.parse().ok()?, alias)))
        .collect();
    listed.sort_unstable();
    listed
}

fn message_words(message: &Message, transcript: &Transcript, language: Language) -> String {
    let (comma, colon) = (pick(language, ", ", "，"), pick(language, ": ", "："));
    let at = full_time(message.at, &transcript.time_zone);
    let author = neutral(transcript.name(&message.author));
    format!("{at}{comma}{author}{colon}{}", what(message, language))
}

/// What a message says: its words, the title of its card, the names of its files.
fn what(message: &Message, language: Language) -> String {
    if message.recalled_at.is_some() {
        return pick(language, "(taken back)", "（已撤回）").to_owned();
    }
    let mut parts = Vec::new();
    if !message.text.trim().is_empty() {
        parts.push(stored(&message.text, language));
    }
    if let Some(card) = &message.card {
        let word = pick(language, "card", "卡片");
        let title = [&card.title, &card.text]
            .into_iter()
            .find(|words| !words.trim().is_empty());
        let title = title
            .map(|title| stored(title, language))
            .unwrap_or_default();
        parts.push(format!("{word} {title}").trim_end().to_owned());
    }
    for file in &message.attachments {
        let word = match file.is_image {
            true => pick(language, "image", "图片"),
            false => pick(language, "file", "文件"),
        };
        parts.push(format!("{word} {}", stored(&file.name, language)));
    }
    if let Some(first) = message.forwarded.first() {
        let word = pick(language, "forwarded", "转发");
        parts.push(format!("{word} {}", stored(&first.text, language)));
    }
    if let Some(alert) = message.alert.as_ref().filter(|_| parts.is_empty()) {
        parts.push(stored(&alert.title, language));
    }
    if parts.is_empty() {
        parts.push(pick(language, "(could not be read)", "（无法读取）").to_owned());
    }
    parts.join(pick(language, "; ", "；"))
}

fn record_words(entry: &Entry, transcript: &Transcript, language: Language) -> String {
    let at = full_time(entry.at, &transcript.time_zone);
    let number = entry.number;
    let words =
        entry_words(entry, transcript, language).map(|words| stored_plain(&words, language));
    match (words, language) {
        (Some(words), Language::En) => format!("{at}, record {number}: {words}"),
        (Some(words), Language::Zh) => format!("{at}，记录 {number}：{words}"),
        (None, Language::En) => format!("{at}, record {number}"),
        (None, Language::Zh) => format!("{at}，记录 {number}"),
    }
}

/// Our own words about a record need no quotation marks; what others wrote into it is held to the same.
fn stored_plain(words: &str, language: Language) -> String {
    let stored = stored(words, language);
    stored.trim_matches(['“', '”']).to_owned()
}
