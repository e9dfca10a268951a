//! Prometheus Alertmanager's webhook, version 4.
//!
//! One request tells of one group and may mix firing and resolved alerts. A firing alert has Go's zero time
//! for its end. Alertmanager gives no link to silence an alert, so one is made from its own address.

use serde_json::Value;

use crate::incident::labels::Labels;

use super::{
    Alert, AlertError, AlertKey, Batch, Format, Link, Links, Status,
    fields::{self, Fields},
    words,
};

const REMEDY: &str = "configure this address as `url` of `webhook_configs` in Alertmanager, with the default payload";

/// Reads a request.
pub fn read(body: &[u8]) -> Result<Batch, AlertError> {
    let mut group = fields::object(body, REMEDY)?;
    read_group(
        &mut group,
        Format::Alertmanager,
        REMEDY,
        |alert, fields, group| {
            // Not in Alertmanager itself, but some that speak its language send it.
            alert.links.silence = fields.text("silenceURL");
            if alert.links.silence.is_none() && !group.external_url.is_empty() {
                alert.links.silence = Some(silence_link(&group.external_url, &alert.labels));
            }
        },
    )
}

/// What is said once for all alerts of a request.
pub(super) struct Group {
    pub(super) external_url: String,
    pub(super) org: Option<String>,
    pub(super) message: String,
}

/// Reads the shape that Alertmanager and Grafana share. `extend` reads what only one of them has.
pub(super) fn read_group(
    body: &mut Fields,
    format: Format,
    remedy: &str,
    extend: impl Fn(&mut Alert, &mut Fields, &Group),
) -> Result<Batch, AlertError> {
    if !body.has("alerts") {
        return Err(AlertError::Unreadable(format!(
            "there is no `alerts` in the body: {remedy}; for a payload of your own use the `generic` address"
        )));
    }
    let group = Group {
        external_url: body.text("externalURL").unwrap_or_default(),
        org: body.text("orgId"),
        message: body.text("message").unwrap_or_default(),
    };
    let group_status = body.text("status").and_then(|word| words::status(&word));
    let mut batch = Batch {
        left_out: body
            .number("truncatedAlerts")
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default(),
        ..Batch::default()
    };
    if batch.left_out > 0 {
        batch.note(format!(
            "the sender left out {} alerts of this group: raise its `max_alerts`",
            batch.left_out
        ));
    }
    let alerts = body.list("alerts");
    let told = alerts.len();
    for value in alerts {
        match value {
            Value::Object(map) => {
                batch.push(read_alert(
                    Fields::of(map),
                    format,
                    group_status,
                    &group,
                    &extend,
                ));
            }
            other => batch.note(format!(
                "an alert was skipped: it is {}",
                fields::kind(&other)
            )),
        }
    }
    for note in std::mem::take(&mut body.notes) {
        batch.note(note);
    }
    if told > 0 && batch.alerts.is_empty() {
        return Err(AlertError::Unreadable(format!(
            "none of the `alerts` is an object: {remedy}"
        )));
    }
    batch.finish()
}

fn read_alert(
    mut fields: Fields,
    format: Format,
    group_status: Option<Status>,
    group: &Group,
    extend: impl Fn(&mut Alert, &mut Fields, &Group),
) -> Alert {
    let labels = fields.texts("labels");
    let annotations = fields.texts("annotations");
    let key = match fields.text("fingerprint") {
        Some(fingerprint) => AlertKey::new(fingerprint),
        None if labels.is_empty() => AlertKey::of_labels(&annotations),
        None => AlertKey::of_labels(&labels),
    };
    let mut alert = Alert::new(format, key);
    alert.labels = labels;
    alert.annotations = annotations;
    alert.starts_at = fields.time("startsAt");
    let ends_at = fields.time("endsAt");
    alert.status = match fields.text("status") {
        Some(word) => words::status(&word).unwrap_or_else(|| {
            let note = "`status` has a word we do not know: taken for firing";
            fields.notes.push(note.to_owned());
            Status::Firing
        }),
        None => group_status.unwrap_or(Status::Firing),
    };
    alert.ends_at = ends_at.filter(|_| alert.status == Status::Resolved);
    alert.links.source = fields.text("generatorURL");
    alert.source.clone_from(&group.external_url);
    describe(&mut alert);
    extend(&mut alert, &mut fields, group);
    alert.notes.append(&mut fields.notes);
    alert.unknown = fields.rest();
    words::set_severity(&mut alert);
    alert
}

/// Title, description and links from the annotations that people use for them.
fn describe(alert: &mut Alert) {
    let annotation = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| alert.annotations.get(*name));
        found.find(|text| !text.trim().is_empty()).cloned()
    };
    let name = alert.labels.get("alertname").cloned();
    let title = annotation(&["summary", "title"]).or(name);
    let description = annotation(&["description", "message"]);
    let links = Links {
        runbook: annotation(&["runbook_url", "runbook"]),
        dashboard: annotation(&["dashboard_url", "dashboard"]),
        ..Links::default()
    };
    alert.title = title
        .or_else(|| description.clone())
        .or_else(|| alert.labels.values().next().cloned())
        .unwrap_or_default();
    alert.description = description.unwrap_or_default();
    // `runbook` and `dashboard` are also used for names, which are no links and stay annotations.
    let web = |url: &String| url.starts_with("http");
    alert.links.runbook = links.runbook.filter(web);
    alert.links.dashboard = links.dashboard.filter(web);
    if let Some(url) = alert.annotations.get("logs_url") {
        alert.links.others.push(Link {
            text: "logs".to_owned(),
            url: url.clone(),
        });
    }
}

/// Alertmanager's page for a new silence, filled in with the labels of the alert.
fn silence_link(external_url: &str, labels: &Labels) -> String {
    let matchers: Vec<String> = labels
        .iter()
        .map(|(name, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{name}=\"{value}\"")
        })
        .collect();
    format!(
        "{}/#/silences/new?filter={}",
        external_url.trim_end_matches('/'),
        percent_encoded(&format!("{{{}}}", matchers.join(", ")))
    )
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
