//! Flashduty's standard alert events, and its change events.

use serde_json::{Map, Value, json};

use crate::incident::severity::Severity;

use super::{
    Alert, AlertError, AlertKey, Batch, Change, Format, Link, Links, Status,
    fields::{self, Fields},
};

const REMEDY: &str = "send a standard alert event of Flashduty";

/// Reads a standard alert event.
pub fn read(body: &[u8]) -> Result<Batch, AlertError> {
    let mut event = fields::object(body, REMEDY)?;
    event.take("integration_key");
    let Some(word) = event.text("event_status") else {
        return Err(AlertError::Unreadable(
            "`event_status` is missing: it must be one of Critical, Warning, Info, Ok".to_owned(),
        ));
    };
    let (status, severity) = match word.trim().to_lowercase().as_str() {
        "ok" => (Status::Resolved, Severity::default()),
        word => match Severity::from_word(word) {
            Some(severity) => (Status::Firing, severity),
            None => {
                return Err(AlertError::Unreadable(
                    "`event_status` must be one of Critical, Warning, Info, Ok".to_owned(),
                ));
            }
        },
    };
    let labels = event.texts("labels");
    let rule = event.text("title_rule");
    let title = rule.as_deref().map(|rule| title(rule, &labels));
    let key = match (event.text("alert_key"), &title) {
        (Some(key), _) => AlertKey::new(key),
        (None, Some(title)) => {
            let labels = AlertKey::of_labels(&labels);
            AlertKey::digest(&["flashduty", title, labels.as_str()])
        }
        (None, None) => {
            return Err(AlertError::Unreadable(
                "`title_rule` is missing, and there is no `alert_key` either".to_owned(),
            ));
        }
    };
    let mut alert = Alert::new(Format::Flashduty, key);
    alert.status = status;
    alert.severity = severity;
    alert.title = title.unwrap_or_else(|| alert.key.to_string());
    alert.description = event.text("description").unwrap_or_default();
    alert.labels = labels;
    alert.as_of = event.time("event_time");
    if status == Status::Resolved {
        alert.ends_at = alert.as_of;
    } else {
        alert.starts_at = alert.as_of;
    }
    for image in event.list("images") {
        let Value::Object(image) = image else {
            continue;
        };
        let mut image = Fields::of(image);
        let src = image.text("src");
        alert.links.image = alert
            .links
            .image
            .or(src.filter(|src| src.starts_with("http")));
        if let Some(url) = image.text("href") {
            let text = image.text("alt").unwrap_or_default();
            alert.links.others.push(Link { text, url });
        }
    }
    alert.notes = std::mem::take(&mut event.notes);
    alert.unknown = event.rest();

    let mut batch = Batch::default();
    batch.push(alert);
    batch.finish()
}

/// Reads a standard change event.
pub fn read_change(body: &[u8]) -> Result<Batch, AlertError> {
    let mut event = fields::object(body, "send a standard change event of Flashduty")?;
    event.take("integration_key");
    let (Some(key), Some(title)) = (event.text("change_key"), event.text("title")) else {
        return Err(AlertError::Unreadable(
            "a change event needs `change_key` and `title`".to_owned(),
        ));
    };
    let change = Change {
        key: AlertKey::new(key),
        title,
        description: event.text("description").unwrap_or_default(),
        status: event.text("change_status").unwrap_or_default(),
        at: event.time("event_time"),
        labels: event.texts("labels"),
        links: Links {
            source: event.text("link"),
            ..Links::default()
        },
        source: String::new(),
        format: Format::Flashduty,
    };
    Ok(Batch {
        changes: vec![change.within_bounds()],
        ..Batch::default()
    })
}

/// The body of the answer 200. `request_id` is what a log entry of ours can be found by.
pub fn accepted(batch: &Batch, request_id: &str) -> Value {
    let mut data = Map::new();
    if let Some(alert) = batch.alerts.first() {
        data.insert("alert_key".to_owned(), json!(alert.key.as_str()));
    }
    json!({"request_id": request_id, "data": data})
}

/// The body of an answer that refuses.
pub fn refused(error: &AlertError, request_id: &str) -> Value {
    let error = json!({"code": "InvalidParameter", "message": error.to_string()});
    json!({"request_id": request_id, "error": error})
}

/// `$cluster::$resource::$check`, with the labels' values put in. A label that is not there leaves its name.
fn title(rule: &str, labels: &super::Labels) -> String {
    if !rule.contains('$') {
        return rule.to_owned();
    }
    let part = |part: &str| match part.strip_prefix('$') {
        Some(name) => labels.get(name).map_or(name, String::as_str).to_owned(),
        None => part.to_owned(),
    };
    let parts: Vec<String> = rule.split("::").map(|text| part(text.trim())).collect();
    parts.join(" / ")
}
