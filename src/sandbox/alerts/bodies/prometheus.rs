//! Prometheus' Alertmanager and Grafana, whose bodies are of one family: a group of alerts and what they share.

use serde_json::{Map, Value, json};

use super::{IN_ONE_BODY, Report, written};

/// What stands where an alert has not ended.
const NOT_ENDED: &str = "0001-01-01T00:00:00Z";

/// A body for each group: a report of an alert that was told of already begins the next.
pub(super) fn grouped(reports: &[Report], body: impl Fn(&[Report]) -> Value) -> Vec<Value> {
    let mut bodies = Vec::new();
    let mut rest = reports;
    while !rest.is_empty() {
        let is_repeat = |at: &usize| rest[..*at].iter().any(|one| one.number == rest[*at].number);
        let end = (1..rest.len()).find(is_repeat).unwrap_or(rest.len());
        let (group, later) = rest.split_at(end.min(IN_ONE_BODY));
        bodies.push(body(group));
        rest = later;
    }
    bodies
}

/// Version 4 of Alertmanager's webhook.
pub(super) fn alertmanager(group: &[Report]) -> Value {
    let mut body = shared(group, "http://alertmanager.example.com:9093");
    body["version"] = json!("4");
    body["groupKey"] = json!(format!("{{}}:{{alertname=\"{}\"}}", name(group)));
    body
}

/// Grafana's unified alerting, which says more of each alert and writes a message of its own.
pub(super) fn grafana(group: &[Report]) -> Value {
    let mut body = shared(group, "https://grafana.example.com/");
    let alerts = body["alerts"].as_array_mut().into_iter().flatten();
    for (alert, report) in alerts.zip(group) {
        let name = report.alert.name;
        alert["labels"]["grafana_folder"] = json!("Production");
        alert["generatorURL"] = json!(format!(
            "https://grafana.example.com/alerting/grafana/{name}/view?orgId=1"
        ));
        alert["silenceURL"] = json!(format!(
            "https://grafana.example.com/alerting/silence/new?alertmanager=grafana&matcher=alertname%3D{name}&orgId=1"
        ));
        alert["dashboardURL"] = json!(report.alert.dashboard);
        alert["panelURL"] = json!(format!("{}?viewPanel=2", report.alert.dashboard));
        alert["values"] = json!({"A": report.alert.value, "C": u8::from(!report.is_over())});
        alert["valueString"] = json!(format!(
            "[ var='A' labels={{}} value={} ]",
            report.alert.value
        ));
        alert["orgId"] = json!(1);
    }
    let is_firing = body["status"] == "firing";
    let word = if is_firing { "FIRING" } else { "RESOLVED" };
    body["version"] = json!("1");
    body["orgId"] = json!(1);
    body["groupKey"] = json!(format!("{{}}/{{}}:{{alertname=\"{}\"}}", name(group)));
    body["title"] = json!(format!("[{word}:{}] {}", group.len(), name(group)));
    body["state"] = json!(if is_firing { "alerting" } else { "ok" });
    body["message"] = json!(format!("**{word}**"));
    body
}

fn name(group: &[Report]) -> &'static str {
    group.first().map_or("", |report| report.alert.name)
}

fn shared(group: &[Report], external_url: &str) -> Value {
    let alerts: Vec<Value> = group.iter().map(alert).collect();
    let is_firing = group.iter().any(|report| !report.is_over());
    let common = common_labels(&alerts);
    json!({
        "receiver": "nightjar",
        "status": if is_firing { "firing" } else { "resolved" },
        "alerts": alerts,
        "groupLabels": {"alertname": name(group)},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": external_url,
        "truncatedAlerts": 0,
    })
}

fn alert(report: &Report) -> Value {
    let alert = &report.alert;
    let mut labels: Map<String, Value> = report
        .labels()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    labels.insert("alertname".to_owned(), json!(alert.name));
    labels.insert("severity".to_owned(), json!(alert.severity));
    // Beyond the first round, the labels alone would make two alerts one.
    labels.insert("instance".to_owned(), json!(alert.subject));
    json!({
        "status": if report.is_over() { "resolved" } else { "firing" },
        "labels": labels,
        "annotations": {
            "summary": alert.summary, "description": alert.description,
            "runbook_url": alert.runbook, "dashboard_url": alert.dashboard,
        },
        "startsAt": written(report.began_s),
        "endsAt": report.ended_s.map_or_else(|| NOT_ENDED.to_owned(), written),
        "generatorURL": format!("http://prometheus.example.com:9090/graph?g0.expr={}", encoded(alert.expression)),
        "fingerprint": report.fingerprint(),
    })
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn common_labels(alerts: &[Value]) -> Map<String, Value> {
    let Some(first) = alerts.first().and_then(|alert| alert["labels"].as_object()) else {
        return Map::new();
    };
    let is_common = |(name, value): &(&String, &Value)| {
        alerts
            .iter()
            .all(|alert| alert["labels"][name.as_str()] == **value)
    };
    let common = first.iter().filter(is_common);
    common
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
