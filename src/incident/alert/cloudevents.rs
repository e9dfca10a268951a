//! CloudEvents 1.0 over HTTP: one event as JSON, a batch of them, or its attributes in `ce-` headers.
//!
//! The standard says nothing of alerts, so these are the rules: the last word of `type` tells the status
//! (`….resolved`, `….acknowledged`, anything else fires); the alert is the `source` and its `subject`; and
//! members of `data` with the usual names (`status`, `severity`, `title`, …) go before that. A mapping from
//! configuration, over the event as one JSON object, goes before everything.

use serde_json::{Map, Value, json};

use crate::incident::severity::Severity;

use super::{
    Alert, AlertError, AlertKey, Batch, Format, Headers, Status,
    fields::{self, Fields},
    generic::{self, Mapping},
    words,
};

const REMEDY: &str = "send a CloudEvent of version 1.0: structured, batched or in ce- headers";

/// Reads a request in any of the three modes.
pub fn read(
    body: &[u8],
    headers: Headers<'_>,
    mapping: Option<&Mapping>,
) -> Result<Batch, AlertError> {
    let events = events(body, headers)?;
    let told = events.len();
    let mut batch = Batch::default();
    let mut first_error = None;
    for event in events {
        match read_event(event, mapping) {
            Ok(alert) => batch.push(alert),
            Err(problem) => {
                batch.note(format!("an event was skipped: {problem}"));
                first_error.get_or_insert(problem);
            }
        }
    }
    match first_error {
        Some(problem) if batch.alerts.is_empty() && told > 0 => {
            Err(AlertError::Unreadable(format!("{problem}: {REMEDY}")))
        }
        _ => batch.finish(),
    }
}

fn events(body: &[u8], headers: Headers<'_>) -> Result<Vec<Value>, AlertError> {
    let header = |name: &str| {
        let mut found = headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| *value)
    };
    let media_type = header("content-type").unwrap_or_default();
    let media_type = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    if media_type.starts_with("application/cloudevents") && !media_type.ends_with("+json") {
        return Err(AlertError::Unsupported(
            "of the formats for CloudEvents only JSON is read".to_owned(),
        ));
    }
    if media_type.starts_with("application/cloudevents-batch") {
        return match fields::json(body, REMEDY)? {
            Value::Array(events) => Ok(events),
            other => Err(AlertError::Unreadable(format!(
                "a batch is a list of events, this is {}: {REMEDY}",
                fields::kind(&other)
            ))),
        };
    }
    if header("ce-specversion").is_some() {
        return Ok(vec![binary(body, headers, &media_type)]);
    }
    // Also taken without the right content type, which is easily forgotten.
    match fields::json(body, REMEDY)? {
        Value::Array(events) => Ok(events),
        event => Ok(vec![event]),
    }
}

/// An event whose attributes are headers and whose data is the body.
fn binary(body: &[u8], headers: Headers<'_>, media_type: &str) -> Value {
    let mut event = Map::new();
    for (name, value) in headers {
        if let Some(name) = name.to_lowercase().strip_prefix("ce-") {
            event.insert(name.to_owned(), json!(decoded(value)));
        }
    }
    if !media_type.is_empty() {
        event.insert("datacontenttype".to_owned(), json!(media_type));
    }
    let data = match serde_json::from_slice(body) {
        Ok(data) => data,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => json!(String::from_utf8_lossy(body)),
    };
    event.insert("data".to_owned(), data);
    Value::Object(event)
}

/// The value of a header: without the quotes around it, and with its percent-encoded bytes decoded.
fn decoded(value: &str) -> String {
    let value = value.trim();
    let inner = value
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'));
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = inner.unwrap_or(value).as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| {
            after
                .get(at)
                .and_then(|digit| char::from(*digit).to_digit(16))
        };
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = &after[2..];
            }
            (b'\\', ..) if inner.is_some() && !after.is_empty() => {
                bytes.push(after[0]);
                rest = &after[1..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_event(event: Value, mapping: Option<&Mapping>) -> Result<Alert, String> {
    let Value::Object(map) = event else {
        return Err(format!("it is {}, not an object", fields::kind(&event)));
    };
    let whole = mapping.map(|_| Value::Object(map.clone()));
    let mut event = Fields::of(map);
    match event.text("specversion") {
        Some(version) if version.starts_with("1.") => {}
        Some(_) => return Err("`specversion` is not 1.0".to_owned()),
        None => return Err("`specversion` is missing".to_owned()),
    }
    let attribute = |event: &mut Fields, name: &str| {
        let missing = || format!("the attribute `{name}` is missing");
        event.text(name).ok_or_else(missing)
    };
    let source = attribute(&mut event, "source")?;
    let kind = attribute(&mut event, "type")?;
    attribute(&mut event, "id")?;

    let subject = event.text("subject");
    let (stem, status) = status_of_type(&kind);
    let key = AlertKey::digest(&["cloudevents", &source, subject.as_deref().unwrap_or(stem)]);
    let mut alert = Alert::new(Format::Cloudevents, key);
    alert.status = status.unwrap_or(Status::Firing);
    alert.as_of = event.time("time");
    alert.title = subject.clone().unwrap_or_else(|| stem.to_owned());
    alert.source.clone_from(&source);

    let data = match event.take("data") {
        // Senders put JSON in a text when they are not told otherwise.
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(data)) => Some(Value::Object(data)),
            _ => Some(Value::String(text)),
        },
        data => data,
    };
    match data {
        Some(Value::Object(data)) => read_data(&mut alert, Fields::of(data)),
        Some(Value::String(text)) => alert.description = text,
        _ => {}
    }
    alert.labels.entry("source".to_owned()).or_insert(source);
    alert
        .labels
        .entry("type".to_owned())
        .or_insert(kind.clone());
    if let Some(subject) = subject {
        alert.labels.entry("subject".to_owned()).or_insert(subject);
    }
    match alert.status {
        Status::Resolved => alert.ends_at = alert.ends_at.or(alert.as_of),
        _ => alert.starts_at = alert.starts_at.or(alert.as_of),
    }
    alert.notes.append(&mut event.notes);
    for name in ["dataschema", "datacontenttype", "data_base64"] {
        event.take(name);
    }
    alert.unknown.extend(event.rest());
    match (mapping, whole) {
        (Some(mapping), Some(whole)) => Ok(generic::apply(mapping, &whole, alert, &mut Vec::new())),
        _ => Ok(alert),
    }
}

/// The type without its word for a status, and that status.
fn status_of_type(kind: &str) -> (&str, Option<Status>) {
    match kind.rsplit_once(['.', '/', ':']) {
        Some((stem, word)) => match words::status(word) {
            Some(status) => (stem, Some(status)),
            None => (kind, None),
        },
        None => (kind, words::status(kind)),
    }
}

fn read_data(alert: &mut Alert, mut data: Fields) {
    let first = |data: &mut Fields, names: &[&str]| names.iter().find_map(|name| data.text(name));
    if let Some(key) = first(&mut data, &["dedup_key", "alert_key", "fingerprint"]) {
        alert.key = AlertKey::new(key);
    }
    if let Some(status) =
        first(&mut data, &["status", "state"]).and_then(|word| words::status(&word))
    {
        alert.status = status;
    }
    if let Some(title) = first(&mut data, &["title", "summary", "name", "alertname"]) {
        alert.title = title;
    }
    alert.description =
        first(&mut data, &["description", "message", "details"]).unwrap_or_default();
    alert.labels = data.texts("labels");
    alert.annotations = data.texts("annotations");
    let word = first(&mut data, &["severity", "priority", "level"]);
    match word.as_deref().map(Severity::from_word) {
        Some(Some(severity)) => alert.severity = severity,
        Some(None) => alert
            .notes
            .push("the severity has a word we do not know: taken for a warning".to_owned()),
        None => words::set_severity(alert),
    }
    if let Some(value) = data.text("value") {
        alert.values.insert("value".to_owned(), value);
    }
    alert.links.source = first(&mut data, &["url", "link", "generatorURL"]);
    alert.links.runbook = data.text("runbook_url");
    alert.links.dashboard = data.text("dashboard_url");
    alert.starts_at = data.time("starts_at");
    alert.ends_at = data.time("ends_at");
    alert.notes.append(&mut data.notes);
    alert.unknown = data.rest();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_decoded_as_the_binding_says() {
        let check = |value: &str, expected: &str| assert_eq!(decoded(value), expected);
        check("plain", "plain");
        check("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀");
        check("\"quoted \\\"name\\\"\"", "quoted \"name\"");
        check("100%", "100%");
        check("%zz%4", "%zz%4");
        check("%ff", "\u{fffd}");
    }
}
