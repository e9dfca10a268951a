//! PagerDuty's Events API v2, as a drop-in: whoever can send to PagerDuty can send here.
//!
//! The key of the integration is in the body. It is a secret: [`routing_key`] takes it out for whoever
//! checks it, and nothing else here keeps it.

use serde_json::{Map, Value, json};

use crate::incident::{labels::Labels, severity::Severity};

use super::{
    Alert, AlertError, AlertKey, Batch, Change, Format, Link, Status,
    fields::{self, Fields},
};

const REMEDY: &str = "send an event of PagerDuty's Events API v2";

/// The integration key in a body, if there is one.
pub fn routing_key(body: &[u8]) -> Option<String> {
    fields::object(body, "").ok()?.text("routing_key")
}

/// Reads what is sent to `/v2/enqueue`.
pub fn read(body: &[u8]) -> Result<Batch, AlertError> {
    let mut event = fields::object(body, REMEDY)?;
    event.take("routing_key");
    let status = match event.text("event_action").as_deref() {
        Some("trigger") => Status::Firing,
        Some("acknowledge") => Status::Acknowledged,
        Some("resolve") => Status::Resolved,
        _ => {
            return Err(AlertError::Unreadable(
                "`event_action` must be one of trigger, acknowledge, resolve".to_owned(),
            ));
        }
    };
    let dedup_key = event.text("dedup_key");
    let mut payload = event
        .object("payload")
        .unwrap_or_else(|| Fields::of(Map::new()));
    if status == Status::Firing && !payload.has("summary") {
        return Err(AlertError::Unreadable(
            "`payload.summary` is missing: a trigger needs one".to_owned(),
        ));
    }
    let key = match (dedup_key, status) {
        (Some(key), _) => AlertKey::new(key),
        // PagerDuty makes one up. Made of the content, it is the same when the sender tries again.
        (None, Status::Firing) => AlertKey::digest(&["pagerduty", &event_text(body)]),
        (None, _) => {
            return Err(AlertError::Unreadable(
                "`dedup_key` is missing: acknowledge and resolve need the key of their trigger"
                    .to_owned(),
            ));
        }
    };
    let mut alert = Alert::new(Format::Pagerduty, key);
    alert.status = status;
    read_payload(&mut alert, &mut payload);
    alert.links.others = links(&mut event);
    alert.links.image = image(&mut event);
    alert.links.source = event.text("client_url");
    if let Some(client) = event.text("client") {
        alert.labels.entry("client".to_owned()).or_insert(client);
    }
    alert.notes.append(&mut event.notes);
    alert.notes.append(&mut payload.notes);
    alert.unknown = event.rest();
    alert.unknown.extend(payload.rest());

    let mut batch = Batch::default();
    batch.push(alert);
    batch.finish()
}

/// Reads what is sent to `/v2/change/enqueue`.
pub fn read_change(body: &[u8]) -> Result<Batch, AlertError> {
    let mut event = fields::object(body, REMEDY)?;
    event.take("routing_key");
    let mut payload = event
        .object("payload")
        .unwrap_or_else(|| Fields::of(Map::new()));
    let Some(title) = payload.text("summary") else {
        return Err(AlertError::Unreadable(
            "`payload.summary` is missing: a change event needs one".to_owned(),
        ));
    };
    let change = Change {
        key: AlertKey::digest(&["pagerduty-change", &event_text(body)]),
        title,
        description: String::new(),
        status: String::new(),
        at: payload.time("timestamp"),
        labels: payload.texts("custom_details"),
        links: super::Links {
            others: links(&mut event),
            ..super::Links::default()
        },
        source: payload.text("source").unwrap_or_default(),
        format: Format::Pagerduty,
    };
    Ok(Batch {
        changes: vec![change.within_bounds()],
        ..Batch::default()
    })
}

/// The body of the answer 202.
pub fn accepted(batch: &Batch) -> Value {
    match batch.alerts.first() {
        Some(alert) => json!({
            "status": "success",
            "message": "Event processed",
            "dedup_key": alert.key.as_str(),
        }),
        None => json!({"status": "success", "message": "Change event processed"}),
    }
}

/// The body of the answer 400.
pub fn refused(error: &AlertError) -> Value {
    json!({
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": [error.to_string()],
    })
}

fn read_payload(alert: &mut Alert, payload: &mut Fields) {
    alert.title = payload
        .text("summary")
        .unwrap_or_else(|| alert.key.to_string());
    alert.source = payload.text("source").unwrap_or_default();
    let severity = payload.text("severity");
    match severity.as_deref().map(Severity::from_word) {
        Some(Some(severity)) => alert.severity = severity,
        Some(None) => alert.notes.push(
            "`payload.severity` is not one of critical, error, warning, info: taken for a warning"
                .to_owned(),
        ),
        None if alert.status == Status::Firing => alert
            .notes
            .push("`payload.severity` is missing: taken for a warning".to_owned()),
        None => {}
    }
    if alert.status == Status::Firing {
        alert.starts_at = payload.time("timestamp");
    }
    match payload.take("custom_details") {
        Some(Value::Object(map)) => alert.labels = fields::texts(map),
        Some(value) => {
            alert.description = fields::plain(&value).unwrap_or_else(|| value.to_string())
        }
        None => {}
    }
    // What PagerDuty has names for goes over what a sender calls by the same names.
    let mut named = Labels::new();
    for name in ["component", "group", "class"] {
        named.extend(payload.text(name).map(|value| (name.to_owned(), value)));
    }
    if !alert.source.is_empty() {
        named.insert("source".to_owned(), alert.source.clone());
    }
    alert.labels.extend(named);
}

fn links(event: &mut Fields) -> Vec<Link> {
    let link = |value: Value| {
        let Value::Object(map) = value else {
            return None;
        };
        let mut link = Fields::of(map);
        Some(Link {
            url: link.text("href")?,
            text: link.text("text").unwrap_or_default(),
        })
    };
    event.list("links").into_iter().filter_map(link).collect()
}

/// The first picture; cards show one.
fn image(event: &mut Fields) -> Option<String> {
    event.list("images").into_iter().find_map(|value| {
        let Value::Object(map) = value else {
            return None;
        };
        Fields::of(map).text("src")
    })
}

/// The event without its secret, written the same way each time.
fn event_text(body: &[u8]) -> String {
    let mut event: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(event) = event.as_object_mut() {
        event.remove("routing_key");
    }
    event.to_string()
}
