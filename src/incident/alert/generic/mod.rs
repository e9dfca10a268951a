//! Any JSON, by a mapping from configuration, and a preview that shows what becomes of a payload and why.
//!
//! Reading and preview are one and the same walk, so that the preview cannot say something else.

mod mapping;
mod path;

use serde::Serialize;
use serde_json::Value;

use crate::incident::severity::Severity;

use super::{
    Alert, AlertError, AlertKey, Batch, Format, Status, fields,
    time::{self, Reading},
    words,
};

pub use mapping::{Field, Mapping, TimeFormat};
pub use path::Path;

const REMEDY: &str = "send JSON, as the mapping of this integration expects it";

/// How many alerts a preview explains.
const PREVIEW_MAX: usize = 20;
/// How much of a value a preview shows, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// Reads a request.
pub fn read(body: &[u8], mapping: &Mapping) -> Result<Batch, AlertError> {
    let mut batch = Batch::default();
    walk(body, mapping, |alert, _| batch.push(alert))?;
    batch.finish()
}

/// What becomes of one alert of a payload, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// The alert as it would be taken.
    pub alert: Alert,
    /// Where each part of it came from, in the order of the mapping.
    pub reasons: Vec<Reason>,
}

/// Where a part of an alert came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The key of the mapping.
    pub part: String,
    /// In words: the path that was found and what was there, or why there is nothing.
    pub why: String,
}

/// Shows what a payload would become: its first twenty alerts.
pub fn preview(body: &[u8], mapping: &Mapping) -> Result<Vec<Preview>, AlertError> {
    let mut previews = Vec::new();
    walk(body, mapping, |alert, reasons| {
        if previews.len() < PREVIEW_MAX {
            let alert = alert.within_bounds();
            previews.push(Preview { alert, reasons });
        }
    })?;
    Ok(previews)
}

fn walk(
    body: &[u8],
    mapping: &Mapping,
    mut take: impl FnMut(Alert, Vec<Reason>),
) -> Result<(), AlertError> {
    let body = fields::json(body, REMEDY)?;
    let (place, alerts) = match &mapping.alerts {
        Some(path) => (path.to_string(), path.find(&body)),
        None => ("$".to_owned(), Some(&body)),
    };
    let alerts = match alerts {
        Some(Value::Array(alerts)) => alerts.as_slice(),
        Some(alert @ Value::Object(_)) => std::slice::from_ref(alert),
        Some(other) => {
            return Err(AlertError::Unreadable(format!(
                "at {place} there is {}, not a list of alerts: {REMEDY}",
                fields::kind(other)
            )));
        }
        None => {
            return Err(AlertError::Unreadable(format!(
                "at {place} there is nothing, where the mapping expects the list of alerts"
            )));
        }
    };
    let mut taken = 0;
    for value in alerts {
        if !value.is_object() {
            continue;
        }
        taken += 1;
        let mut reasons = Vec::new();
        // The key is set by the mapping in the end; there is none before it.
        let alert = Alert::new(Format::Generic, AlertKey::digest(&[]));
        take(apply(mapping, value, alert, &mut reasons), reasons);
    }
    match taken == 0 && !alerts.is_empty() {
        true => Err(AlertError::Unreadable(format!(
            "at {place} there is no object among the list's members: {REMEDY}"
        ))),
        false => Ok(()),
    }
}

/// Puts what a mapping finds into an alert. What it does not speak of stays as it is.
pub(super) fn apply(
    mapping: &Mapping,
    value: &Value,
    mut alert: Alert,
    reasons: &mut Vec<Reason>,
) -> Alert {
    let mut finder = Finder {
        value,
        reasons,
        notes: Vec::new(),
    };

    for path in &mapping.labels_from {
        match path.find(value) {
            Some(Value::Object(map)) => {
                let count = map.len();
                alert.labels.extend(fields::texts(map.clone()));
                finder.because("labels_from", format!("{count} labels at {path}"));
            }
            Some(other) => finder.because(
                "labels_from",
                format!("{path} is {}, not an object", fields::kind(other)),
            ),
            None => finder.because("labels_from", format!("nothing at {path}")),
        }
    }
    for (name, field) in &mapping.labels {
        if let Some(text) = finder.text(&format!("labels.{name}"), field) {
            alert.labels.insert(name.clone(), text);
        }
    }

    let mut set = |part: &str, field: &Field, into: &mut String| {
        if let Some(text) = finder.text(part, field) {
            *into = text;
        }
    };
    set("title", &mapping.title, &mut alert.title);
    set("description", &mapping.description, &mut alert.description);
    set("source", &mapping.source, &mut alert.source);
    let mut link = |part: &str, field: &Field, into: &mut Option<String>| {
        if let Some(text) = finder.text(part, field) {
            *into = Some(text);
        }
    };
    link("link", &mapping.link, &mut alert.links.source);
    link("runbook", &mapping.runbook, &mut alert.links.runbook);
    link("dashboard", &mapping.dashboard, &mut alert.links.dashboard);
    link("image", &mapping.image, &mut alert.links.image);
    if let Some(text) = finder.text("value", &mapping.value) {
        alert.values.insert("value".to_owned(), text);
    }

    if let Some(severity) = finder.severity(mapping) {
        alert.severity = severity;
    }
    if let Some(status) = finder.status(mapping) {
        alert.status = status;
    }
    let mut time = |part: &str, field: &Field| finder.time(part, field, &mapping.time);
    let starts_at = time("starts_at", &mapping.starts_at);
    let ends_at = time("ends_at", &mapping.ends_at);
    let as_of = time("as_of", &mapping.as_of);
    alert.starts_at = starts_at.or(alert.starts_at);
    alert.as_of = as_of.or(alert.as_of);
    let ends_at = ends_at.or(alert.ends_at);
    alert.ends_at = ends_at.filter(|_| alert.status == Status::Resolved);

    if let Some(key) = finder.key(mapping, &alert) {
        alert.key = key;
    }
    alert.notes.append(&mut finder.notes);
    if alert.format == Format::Generic
        && let Value::Object(map) = value
    {
        let known = known_members(mapping);
        let unknown = map
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()));
        alert.unknown = unknown
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
    }
    alert
}

/// The members of an alert that some path of the mapping begins with.
fn known_members(mapping: &Mapping) -> Vec<&str> {
    let fields = [
        &mapping.title,
        &mapping.description,
        &mapping.severity,
        &mapping.status,
        &mapping.value,
        &mapping.starts_at,
        &mapping.ends_at,
        &mapping.as_of,
        &mapping.link,
        &mapping.runbook,
        &mapping.dashboard,
        &mapping.image,
        &mapping.source,
    ];
    let fields = fields.into_iter().chain(mapping.labels.values());
    let paths = fields
        .flat_map(|field| &field.paths)
        .chain(&mapping.labels_from)
        .chain(&mapping.key);
    paths.filter_map(Path::first_member).collect()
}

/// Finds the parts of one alert, and says how.
struct Finder<'a> {
    value: &'a Value,
    reasons: &'a mut Vec<Reason>,
    /// What was not understood, for the alert itself.
    notes: Vec<String>,
}

impl Finder<'_> {
    /// Says why a part is not what was sent, also in the alert.
    fn despite(&mut self, part: &str, why: &str) {
        self.notes.push(format!("{part}: {why}"));
        self.because(part, why.to_owned());
    }

    fn because(&mut self, part: &str, why: String) {
        self.reasons.push(Reason {
            part: part.to_owned(),
            why,
        });
    }

    /// The first value that is there and is not empty, and where it was.
    fn first<'a>(value: &'a Value, field: &'a Field) -> Option<(&'a Path, &'a Value)> {
        let found = |path: &'a Path| path.find(value).map(|value| (path, value));
        let mut found = field.paths.iter().filter_map(found);
        found.find(|(_, value)| !value.is_null() && value.as_str() != Some(""))
    }

    fn text(&mut self, part: &str, field: &Field) -> Option<String> {
        if field.paths.is_empty() && field.default.is_none() {
            return None;
        }
        if let Some((path, value)) = Self::first(self.value, field) {
            let text = fields::plain(value).unwrap_or_else(|| value.to_string());
            self.because(part, format!("{path} is {}", shown(&text)));
            return Some(text);
        }
        let tried: Vec<String> = field.paths.iter().map(Path::to_string).collect();
        let tried = match tried.is_empty() {
            true => String::new(),
            false => format!("nothing at {}; ", tried.join(", ")),
        };
        match &field.default {
            Some(default) => {
                self.because(part, format!("{tried}the default is {}", shown(default)))
            }
            None => self.because(part, format!("{tried}there is no default")),
        }
        field.default.clone()
    }

    fn severity(&mut self, mapping: &Mapping) -> Option<Severity> {
        let word = self.text("severity", &mapping.severity)?;
        let mapped = lookup(&mapping.severities, &word);
        let severity = mapped.or_else(|| Severity::from_word(&word));
        match (mapped, severity) {
            (Some(severity), _) => {
                self.because("severity", format!("`severities` says {severity}"))
            }
            (None, Some(severity)) => {
                self.because("severity", format!("that word means {severity}"))
            }
            (None, None) => self.despite(
                "severity",
                "not in `severities`, and no word we know: taken for a warning",
            ),
        }
        severity
    }

    fn status(&mut self, mapping: &Mapping) -> Option<Status> {
        let word = self.text("status", &mapping.status)?;
        let mapped = lookup(&mapping.statuses, &word);
        let status = mapped.or_else(|| words::status(&word));
        match (mapped, status) {
            (Some(status), _) => self.because("status", format!("`statuses` says {status}")),
            (None, Some(status)) => self.because("status", format!("that word means {status}")),
            (None, None) => self.despite(
                "status",
                "not in `statuses`, and no word we know: taken for firing",
            ),
        }
        status
    }

    fn time(&mut self, part: &str, field: &Field, format: &TimeFormat) -> Option<jiff::Timestamp> {
        let (path, value) = Self::first(self.value, field)?;
        let zone = format.time_zone();
        let read = match (&format.pattern, value) {
            (Some(pattern), Value::String(text)) => time::read_pattern(text.trim(), pattern, &zone),
            _ => time::read(value, &zone),
        };
        match read {
            Reading::At(at) => {
                self.because(part, format!("{path} is {at}"));
                Some(at)
            }
            Reading::None => {
                self.because(part, format!("{path} says that there is no such time"));
                None
            }
            Reading::Unreadable => {
                self.despite(
                    part,
                    &format!("{path} is not a time that we can read; see `time`"),
                );
                None
            }
        }
    }

    fn key(&mut self, mapping: &Mapping, alert: &Alert) -> Option<AlertKey> {
        let parts: Vec<String> = mapping
            .key
            .iter()
            .filter_map(|path| path.find(self.value))
            .filter(|value| !value.is_null())
            .map(|value| fields::plain(value).unwrap_or_else(|| value.to_string()))
            .collect();
        if !parts.is_empty() {
            let key = AlertKey::new(parts.join("/"));
            self.because("key", format!("`key` makes {}", shown(key.as_str())));
            return Some(key);
        }
        // A format with a key of its own keeps it.
        if alert.format != Format::Generic {
            return None;
        }
        let why = match mapping.key.is_empty() {
            true => "made of the title and the labels, because the mapping has no `key`",
            false => "made of the title and the labels, because nothing is at the paths of `key`",
        };
        self.because("key", why.to_owned());
        let labels = AlertKey::of_labels(&alert.labels);
        Some(AlertKey::digest(&[&alert.title, labels.as_str()]))
    }
}

fn lookup<T: Copy>(words: &std::collections::BTreeMap<String, T>, word: &str) -> Option<T> {
    let word = word.trim().to_lowercase();
    let mut entries = words.iter();
    entries.find_map(|(name, meaning)| (name.to_lowercase() == word).then_some(*meaning))
}

fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}
