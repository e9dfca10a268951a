//! What words say about an alert's status and severity, for the formats that only have words.

use crate::incident::{labels::Labels, severity::Severity};

use super::{Alert, Status};

/// A status as senders name it, in English or Chinese.
pub(super) fn status(word: &str) -> Option<Status> {
    Some(match word.trim().to_lowercase().as_str() {
        "firing" | "trigger" | "triggered" | "alerting" | "alert" | "alarm" | "active" | "open"
        | "opened" | "problem" | "down" | "fail" | "failed" | "failing" | "true" | "1"
        | "in alarm" | "告警" | "触发" | "异常" | "故障" => Status::Firing,
        "acknowledge" | "acknowledged" | "ack" | "acked" | "已认领" | "已确认" => {
            Status::Acknowledged
        }
        "resolve" | "resolved" | "recover" | "recovered" | "recovery" | "ok" | "normal"
        | "closed" | "close" | "inactive" | "up" | "cleared" | "clear" | "false" | "0" | "恢复"
        | "已恢复" | "正常" | "已解决" => Status::Resolved,
        _ => return None,
    })
}

/// The severity that labels tell, in the order in which people use them.
pub(super) fn severity_of_labels(labels: &Labels) -> Option<(&'static str, Option<Severity>)> {
    ["severity", "priority", "level"]
        .into_iter()
        .find_map(|name| {
            let word = labels.get(name).filter(|word| !word.trim().is_empty())?;
            Some((name, Severity::from_word(word)))
        })
}

/// Sets the severity from the labels; a word that says nothing leaves a warning, and a note.
pub(super) fn set_severity(alert: &mut Alert) {
    match severity_of_labels(&alert.labels) {
        Some((_, Some(severity))) => alert.severity = severity,
        Some((name, None)) => alert.notes.push(format!(
            "the label `{name}` has a word we do not know: taken for a warning"
        )),
        None => {}
    }
}
