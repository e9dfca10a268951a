//! How much of an alert is kept. What is cut is noted in the alert itself.
//!
//! The bounds are generous for what monitors send and small enough that a record of the worst alert stays
//! below 64 KiB. Texts are cut between characters.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Alert, Change, Link, Links};

/// How many alerts are taken from one request.
pub const ALERTS_MAX: usize = 5000;
/// How many links without a part of their own an alert may have.
pub const LINKS_MAX: usize = 10;

const TITLE_BYTES_MAX: usize = 512;
const DESCRIPTION_BYTES_MAX: usize = 4096;
const SOURCE_BYTES_MAX: usize = 512;
const URL_BYTES_MAX: usize = 4096;
const LINK_TEXT_BYTES_MAX: usize = 128;
const ENTRIES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 128;
const VALUE_BYTES_MAX: usize = 2048;
/// Names and values of all labels together, and of all annotations together.
const ENTRIES_BYTES_MAX: usize = 8192;
const VALUES_MAX: usize = 32;
const UNKNOWN_BYTES_MAX: usize = 4096;
const NOTES_MAX: usize = 16;
const NOTE_BYTES_MAX: usize = 256;

impl Alert {
    /// The alert with everything cut to its bound.
    pub(super) fn within_bounds(mut self) -> Self {
        let mut notes = std::mem::take(&mut self.notes);
        let title = one_line(&self.title);
        self.title = match title.is_empty() {
            true => "Untitled alert".to_owned(),
            false => cut(title, TITLE_BYTES_MAX, "the title", &mut notes),
        };
        self.description = cut(
            clean(&self.description),
            DESCRIPTION_BYTES_MAX,
            "the description",
            &mut notes,
        );
        self.source = cut(
            one_line(&self.source),
            SOURCE_BYTES_MAX,
            "the source",
            &mut notes,
        );
        self.labels = entries(self.labels, ENTRIES_MAX, "labels", &mut notes);
        self.annotations = entries(self.annotations, ENTRIES_MAX, "annotations", &mut notes);
        self.values = entries(self.values, VALUES_MAX, "values", &mut notes);
        self.links = links(self.links, &mut notes);
        self.unknown = unknown(self.unknown, &mut notes);
        self.notes = Vec::new();
        for note in notes {
            add_note(&mut self.notes, note);
        }
        self
    }
}

impl Change {
    /// The change with everything cut to its bound.
    pub(super) fn within_bounds(mut self) -> Self {
        let notes = &mut Vec::new();
        let title = one_line(&self.title);
        self.title = match title.is_empty() {
            true => "Untitled change".to_owned(),
            false => cut(title, TITLE_BYTES_MAX, "", notes),
        };
        self.description = cut(clean(&self.description), DESCRIPTION_BYTES_MAX, "", notes);
        self.status = cut(one_line(&self.status), NAME_BYTES_MAX, "", notes);
        self.source = cut(one_line(&self.source), SOURCE_BYTES_MAX, "", notes);
        self.labels = entries(self.labels, ENTRIES_MAX, "", notes);
        self.links = links(self.links, notes);
        self
    }
}

/// Adds a note while there is room for it.
pub(super) fn add_note(notes: &mut Vec<String>, note: impl Into<String>) {
    if notes.len() < NOTES_MAX {
        let mut note = note.into();
        truncate(&mut note, NOTE_BYTES_MAX);
        // The same trouble in a thousand alerts is one trouble.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

fn cut(mut text: String, bytes_max: usize, what: &str, notes: &mut Vec<String>) -> String {
    if truncate(&mut text, bytes_max) {
        notes.push(format!("{what} was cut to {bytes_max} bytes"));
    }
    text
}

/// Shortens to a number of bytes, between characters. Says whether anything was lost.
pub(super) fn truncate(text: &mut String, bytes_max: usize) -> bool {
    if text.len() <= bytes_max {
        return false;
    }
    text.truncate(text.floor_char_boundary(bytes_max));
    true
}

/// One line without what cannot be seen, and without spaces around it.
pub(super) fn one_line(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let line: String = spaced.filter(|c| !turns_text(*c)).collect();
    line.trim().to_owned()
}

fn clean(text: &str) -> String {
    let kept = |c: &char| (!c.is_control() && !turns_text(*c)) || *c == '\n' || *c == '\t';
    text.trim().chars().filter(kept).collect()
}

/// The characters that turn the direction of text: with them a line can be made to show another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Keeps what fits, the short ones first: names such as `service` matter more than a long dump.
fn entries(
    entries: BTreeMap<String, String>,
    count_max: usize,
    what: &str,
    notes: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut shortened = false;
    let mut all: Vec<(String, String)> = entries
        .into_iter()
        .map(|(name, value)| {
            let (mut name, mut value) = (one_line(&name), clean(&value));
            shortened |= truncate(&mut name, NAME_BYTES_MAX);
            shortened |= truncate(&mut value, VALUE_BYTES_MAX);
            (name, value)
        })
        .collect();
    // Stable, so that among those of one length the order of the names decides.
    all.sort_by_key(|(name, value)| name.len() + value.len());
    let mut bytes = 0;
    let fitting = all.iter().take(count_max).take_while(|(name, value)| {
        bytes += name.len() + value.len();
        bytes <= ENTRIES_BYTES_MAX
    });
    let fitting = fitting.count();
    let dropped = all.len() - fitting;
    all.truncate(fitting);
    if shortened {
        notes.push(format!("long {what} were cut"));
    }
    if dropped > 0 {
        notes.push(format!(
            "{dropped} {what} were dropped: too many or too long"
        ));
    }
    all.into_iter().collect()
}

fn links(links: Links, notes: &mut Vec<String>) -> Links {
    let mut one = |url: Option<String>| url.and_then(|url| web_address(url, notes));
    let mut kept = Links {
        source: one(links.source),
        silence: one(links.silence),
        runbook: one(links.runbook),
        dashboard: one(links.dashboard),
        panel: one(links.panel),
        image: one(links.image),
        others: Vec::new(),
    };
    if links.others.len() > LINKS_MAX {
        notes.push(format!("only the first {LINKS_MAX} links were kept"));
    }
    for Link { text, url } in links.others.into_iter().take(LINKS_MAX) {
        if let Some(url) = web_address(url, notes) {
            let mut text = one_line(&text);
            truncate(&mut text, LINK_TEXT_BYTES_MAX);
            kept.others.push(Link { text, url });
        }
    }
    kept
}

/// Only addresses that a browser opens as pages: people will click on them.
fn web_address(url: String, notes: &mut Vec<String>) -> Option<String> {
    let url = url.trim();
    if url.is_empty() {
        return None;
    }
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let known = scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    let plain = url.len() <= URL_BYTES_MAX && !url.chars().any(|c| c.is_control() || c == ' ');
    if !known || !plain {
        notes.push("a link was dropped: not an http address, or too long".to_owned());
        return None;
    }
    Some(url.to_owned())
}

fn unknown(unknown: Map<String, Value>, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut kept = Map::new();
    let (mut bytes, mut dropped) = (0, 0);
    for (name, value) in unknown {
        if is_empty(&value) {
            continue;
        }
        let size = name.len() + value.to_string().len();
        if bytes + size > UNKNOWN_BYTES_MAX {
            dropped += 1;
        } else {
            bytes += size;
            kept.insert(name, value);
        }
    }
    if dropped > 0 {
        notes.push(format!("{dropped} unknown members were too long to keep"));
    }
    kept
}

/// What says nothing is not worth keeping.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
