//! Nightingale, which posts one event, or a list of several.

use serde_json::{Value, json};

use super::{IN_ONE_BODY, Report, each};

/// One body for each hundred; changes of one alert come one by one.
pub(super) fn bodies(reports: &[Report]) -> Vec<Value> {
    let is_one_alert = reports.iter().all(|report| report.number == 0);
    if is_one_alert {
        return each(reports, event);
    }
    let list = |reports: &[Report]| reports.iter().map(event).collect();
    reports.chunks(IN_ONE_BODY).map(list).collect()
}

fn event(report: &Report) -> Value {
    let alert = &report.alert;
    let tags: Vec<String> = report
        .labels()
        .map(|(name, value)| format!("{name}={value}"))
        .chain([format!("rulename={}", alert.name)])
        .collect();
    let tags_map: serde_json::Map<String, Value> = report
        .labels()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .chain([("rulename".to_owned(), json!(alert.name))])
        .collect();
    let severity = match alert.severity {
        "critical" => 1,
        "error" | "warning" => 2,
        _ => 3,
    };
    let cluster = report.labels().find(|(name, _)| *name == "cluster");
    json!({
        "id": 4000 + report.number,
        "cate": "prometheus",
        "cluster": cluster.map_or("prod", |(_, cluster)| cluster),
        "group_id": 2,
        "group_name": "Production",
        "hash": format!("{0}{0}", report.fingerprint()),
        "rule_id": 17,
        "rule_name": alert.summary,
        "rule_note": alert.description,
        "rule_prod": "metric",
        "severity": severity,
        "prom_ql": alert.expression,
        "prom_for_duration": 60,
        "prom_eval_interval": 15,
        "runbook_url": alert.runbook,
        "notify_recovered": 1,
        "target_ident": alert.subject,
        "trigger_time": report.ended_s.unwrap_or(report.at_s),
        "trigger_value": alert.value.to_string(),
        "tags": tags,
        "tags_map": tags_map,
        "annotations": {"dashboard_url": alert.dashboard},
        "is_recovered": report.is_over(),
        "last_eval_time": report.at_s,
        "last_sent_time": report.at_s,
        "notify_cur_number": 1,
        "first_trigger_time": report.began_s,
    })
}
