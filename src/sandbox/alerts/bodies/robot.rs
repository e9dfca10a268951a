//! What scripts send to a custom robot of a group: a card of schema 1.0, made for people.

use serde_json::{Value, json};

use super::Report;

/// A card whose head tells by its words and its colour whether it is over.
pub(super) fn card(report: &Report) -> Value {
    let alert = &report.alert;
    let (word, colour) = match (report.is_over(), alert.severity) {
        (true, _) => ("RESOLVED", "green"),
        (false, "critical" | "error") => ("FIRING", "red"),
        (false, _) => ("FIRING", "orange"),
    };
    let severity = ("severity", alert.severity);
    let fields: Vec<Value> = [severity]
        .into_iter()
        .chain(report.labels())
        .map(field)
        .collect();
    let button = |text: &str, url: &str| json!({"tag": "button", "text": {"tag": "plain_text", "content": text}, "url": url, "type": "default"});
    json!({"msg_type": "interactive", "card": {
        "config": {"wide_screen_mode": true},
        "header": {
            "template": colour,
            "title": {"tag": "plain_text", "content": format!("[{word}] {} {}", alert.name, alert.subject)},
        },
        "elements": [
            {"tag": "markdown", "content": alert.summary},
            {"tag": "div", "fields": fields},
            {"tag": "hr"},
            {"tag": "markdown", "content": alert.description},
            {"tag": "action", "actions": [button("Runbook", alert.runbook), button("Dashboard", alert.dashboard)]},
        ],
    }})
}

fn field((name, value): (&str, &str)) -> Value {
    json!({"is_short": true, "text": {"tag": "lark_md", "content": format!("**{name}**: {value}")}})
}
