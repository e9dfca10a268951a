//! Nightingale's events, as its webhooks and callbacks post them: one object, or a list of them.
//!
//! `trigger_time` moves with every repetition, `first_trigger_time` does not. A recovery has the time of the
//! last firing in `trigger_time` and its own in `recover_time` or `last_eval_time`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::incident::{labels::Labels, severity::Severity};

use super::{
    Alert, AlertError, AlertKey, Batch, Format, Status,
    fields::{self, Fields},
};

const REMEDY: &str =
    "configure this address as a callback or webhook in Nightingale, with the default body";

/// Reads a request.
pub fn read(body: &[u8]) -> Result<Batch, AlertError> {
    let mut batch = Batch::default();
    let (events, told) = match fields::json(body, REMEDY)? {
        Value::Array(events) => {
            let told = events.len();
            (events, told)
        }
        event @ Value::Object(_) => (vec![event], 1),
        other => {
            return Err(AlertError::Unreadable(format!(
                "the body is {}, not an event or a list of events: {REMEDY}",
                fields::kind(&other)
            )));
        }
    };
    for event in events {
        match event {
            Value::Object(map) => match read_event(Fields::of(map)) {
                Some(alert) => batch.push(alert),
                None => batch.note("an event was skipped: it has neither `hash` nor `rule_name`"),
            },
            other => batch.note(format!(
                "an event was skipped: it is {}",
                fields::kind(&other)
            )),
        }
    }
    if told > 0 && batch.alerts.is_empty() {
        return Err(AlertError::Unreadable(format!(
            "no event has a `hash` or a `rule_name`: {REMEDY}"
        )));
    }
    batch.finish()
}

fn read_event(mut fields: Fields) -> Option<Alert> {
    let title = fields.text("rule_name");
    let labels = labels(&mut fields);
    let key = match (fields.text("hash"), &title) {
        (Some(hash), _) => AlertKey::new(hash),
        (None, Some(title)) => {
            let labels = AlertKey::of_labels(&labels);
            AlertKey::digest(&[title, labels.as_str()])
        }
        (None, None) => return None,
    };
    let mut alert = Alert::new(Format::Nightingale, key);
    alert.labels = labels;
    alert.title = title.unwrap_or_else(|| "Nightingale alert".to_owned());
    alert.description = fields.text("rule_note").unwrap_or_default();
    alert.annotations = fields.texts("annotations");
    if let Some(severity) = fields.take("severity") {
        match read_severity(&severity) {
            Some(severity) => alert.severity = severity,
            None => {
                let note = "`severity` is not 1, 2 or 3: taken for a warning";
                alert.notes.push(note.to_owned());
            }
        }
    }
    if fields.flag("is_recovered").unwrap_or(false) {
        alert.status = Status::Resolved;
    }

    let triggered = fields.time("trigger_time");
    let evaluated = fields.time("last_eval_time");
    let recovered = fields.time("recover_time");
    alert.starts_at = fields.time("first_trigger_time").or(triggered);
    if alert.status == Status::Resolved {
        alert.ends_at = recovered.or(evaluated);
        alert.as_of = alert.ends_at;
    } else {
        alert.as_of = triggered;
    }

    let value = fields.text("trigger_value");
    alert
        .values
        .extend(value.map(|value| ("value".to_owned(), value)));
    alert.links.runbook = fields.text("runbook_url");
    alert.links.dashboard = alert.annotations.get("dashboard_url").cloned();
    alert.source = alert.labels.get("cluster").cloned().unwrap_or_default();
    // Long, and of no use to people on call: the rule's inner configuration and who is notified over there.
    for name in [
        "rule_config",
        "notify_users_obj",
        "notify_groups_obj",
        "target",
        "extra_config",
    ] {
        fields.take(name);
    }
    alert.notes.append(&mut fields.notes);
    alert.unknown = fields.rest();
    Some(alert)
}

fn read_severity(value: &Value) -> Option<Severity> {
    let text = fields::plain(value)?;
    match text.trim().parse() {
        Ok(number) => Severity::from_nightingale(number),
        Err(_) => Severity::from_word(&text),
    }
}

/// Labels from `tags`, which is a list of `k=v`, the same in one text with `,,` between, or an object; and
/// what the event says beside them.
fn labels(fields: &mut Fields) -> Labels {
    let mut labels = fields.texts("tags_map");
    match fields.take("tags") {
        Some(Value::Array(tags)) => {
            labels.extend(
                tags.iter()
                    .filter_map(fields::plain)
                    .filter_map(|tag| pair(&tag)),
            );
        }
        Some(Value::Object(map)) => labels.extend(fields::texts(map)),
        Some(Value::String(text)) => labels.extend(tags_in_text(&text)),
        Some(_) => fields
            .notes
            .push("`tags` was left out: expected a list of texts".to_owned()),
        None => {}
    }
    // Without values, and only what the tags hold already.
    fields.take("original_tags");
    for (name, member) in [
        ("cluster", "cluster"),
        ("group_name", "group_name"),
        ("ident", "target_ident"),
    ] {
        if let Some(value) = fields.text(member) {
            labels.entry(name.to_owned()).or_insert(value);
        }
    }
    labels
}

fn tags_in_text(text: &str) -> BTreeMap<String, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => fields::texts(map),
        Ok(Value::Array(tags)) => {
            let tags = tags.iter().filter_map(fields::plain);
            tags.filter_map(|tag| pair(&tag)).collect()
        }
        _ => text.split(",,").filter_map(pair).collect(),
    }
}

/// A value may have `=` in it, a name may not.
fn pair(tag: &str) -> Option<(String, String)> {
    let (name, value) = tag.split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}
