//! The formats that post one event for one alert: PagerDuty, Flashduty, CloudEvents, and JSON of one's own.

use serde_json::{Map, Value, json};

use super::{Report, written};

fn labels(report: &Report) -> Map<String, Value> {
    let labels = report.labels();
    labels
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

/// What the sender calls this alert, in every report of it.
fn key(report: &Report) -> String {
    format!("{}/{}", report.scenario, report.alert.subject)
}

/// PagerDuty's Events API v2.
pub(super) fn pagerduty(report: &Report, routing_key: &str) -> Value {
    let alert = &report.alert;
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": if report.is_over() { "resolve" } else { "trigger" },
        "dedup_key": key(report),
    });
    if report.is_over() {
        return event;
    }
    let mut details = labels(report);
    details.insert("description".to_owned(), json!(alert.description));
    details.insert("value".to_owned(), json!(alert.value));
    event["client"] = json!("Production monitoring");
    event["client_url"] = json!(alert.dashboard);
    event["payload"] = json!({
        "summary": alert.summary,
        "source": alert.subject,
        "severity": alert.severity,
        "timestamp": written(report.began_s),
        "component": details.get("service"),
        "group": details.get("cluster"),
        "class": alert.name,
        "custom_details": details,
    });
    event["links"] = json!([
        {"href": alert.runbook, "text": "Runbook"}, {"href": alert.dashboard, "text": "Dashboard"},
    ]);
    event
}

/// Flashduty's standard alert events.
pub(super) fn flashduty(report: &Report) -> Value {
    let alert = &report.alert;
    let status = match (report.is_over(), alert.severity) {
        (true, _) => "Ok",
        (false, "critical" | "error") => "Critical",
        (false, "warning") => "Warning",
        (false, _) => "Info",
    };
    let mut labels = labels(report);
    labels.insert("check".to_owned(), json!(alert.name));
    labels.insert("resource".to_owned(), json!(alert.subject));
    json!({
        "title_rule": alert.summary,
        "event_status": status,
        "alert_key": key(report),
        "description": alert.description,
        "event_time": report.at_s,
        "labels": labels,
    })
}

/// CloudEvents 1.0 in structured mode.
pub(super) fn cloudevents(report: &Report) -> Value {
    let alert = &report.alert;
    let (word, status) = match report.is_over() {
        true => ("resolved", "resolved"),
        false => ("fired", "firing"),
    };
    json!({
        "specversion": "1.0",
        "id": format!("{}-{}-{word}", report.fingerprint(), report.at_s),
        "source": "/monitoring/production",
        "type": format!("com.example.alert.{word}"),
        "subject": key(report),
        "time": written(report.at_s),
        "datacontenttype": "application/json",
        "data": {
            "status": status, "severity": alert.severity, "title": alert.summary, "description": alert.description,
            "labels": labels(report), "runbook": alert.runbook, "dashboard": alert.dashboard,
        },
    })
}

/// JSON of one's own, with the members that `nightjar sandbox` tells its bot of.
pub(super) fn generic(report: &Report) -> Value {
    let alert = &report.alert;
    json!({
        "id": key(report),
        "title": alert.summary,
        "description": alert.description,
        "severity": alert.severity,
        "status": if report.is_over() { "resolved" } else { "firing" },
        "labels": labels(report),
        "url": alert.dashboard,
        "value": alert.value,
        "runbook": alert.runbook,
        "since": written(report.began_s),
        "until": report.ended_s.map(written),
    })
}
