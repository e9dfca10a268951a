//! The names that monitoring systems and their users give to what an alert has, in both languages.

/// What alerts have in common. The names are those of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Alertname,
    Status,
    Severity,
    StartsAt,
    EndsAt,
    SentAt,
    Duration,
    Value,
    Instance,
    Cluster,
    Summary,
    Description,
    /// A list of labels in one value.
    Labels,
    /// Severity and status in one value, as Nightingale writes them.
    Level,
}

impl Field {
    /// In the order in which they are shown.
    pub(super) const SHOWN: [Self; 12] = [
        Self::Alertname,
        Self::Status,
        Self::Severity,
        Self::StartsAt,
        Self::EndsAt,
        Self::SentAt,
        Self::Duration,
        Self::Value,
        Self::Instance,
        Self::Cluster,
        Self::Summary,
        Self::Description,
    ];

    /// As the model is told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alertname => "alertname",
            Self::Status => "status",
            Self::Severity | Self::Level => "severity",
            Self::StartsAt => "startsAt",
            Self::EndsAt => "endsAt",
            Self::SentAt => "sent at",
            Self::Duration => "duration",
            Self::Value => "value",
            Self::Instance => "instance",
            Self::Cluster => "cluster",
            Self::Summary => "summary",
            Self::Description => "description",
            Self::Labels => "labels",
        }
    }
}

/// The field of a name, whatever its case.
pub(super) fn field(name: &str) -> Option<Field> {
    let name: String = name
        .to_lowercase()
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-'))
        .collect();
    let field = match name.as_str() {
        "alertname" | "alert" | "rule" | "rulename" | "告警名称" | "告警规则" | "告警标题"
        | "规则标题" | "规则名称" | "策略名称" | "报警名称" | "报警规则" | "告警类型"
        | "报警类型" => Field::Alertname,
        "status" | "state" | "状态" | "告警状态" | "报警状态" | "当前状态" => {
            Field::Status
        }
        "severity" | "level" | "priority" | "告警级别" | "告警等级" | "报警级别" | "报警等级"
        | "级别" | "等级" | "严重程度" => Field::Severity,
        "级别状态" => Field::Level,
        "startsat" | "startedat" | "started" | "starttime" | "firingsince" | "since"
        | "triggertime" | "triggeredat" | "开始时间" | "触发时间" | "首次触发时间" | "告警时间"
        | "报警时间" | "故障时间" | "发生时间" => Field::StartsAt,
        "endsat" | "endedat" | "ended" | "endtime" | "resolvedat" | "recoverytime" | "恢复时间"
        | "结束时间" => Field::EndsAt,
        "发送时间" | "sentat" | "sendtime" => Field::SentAt,
        "duration" | "持续时长" | "持续时间" => Field::Duration,
        "value" | "currentvalue" | "triggervalue" | "触发时值" | "触发值" | "当前值" | "告警值"
        | "报警值" => Field::Value,
        "instance" | "host" | "实例" | "告警实例" | "监控对象" | "告警主机" | "报警主机"
        | "故障主机" | "故障主机ip" | "主机" | "告警设备" => Field::Instance,
        "cluster" | "集群" | "告警集群" => Field::Cluster,
        "summary" | "概要" | "摘要" | "告警主题" | "告警摘要" => Field::Summary,
        "description" | "message" | "描述" | "告警描述" | "报警描述" | "规则备注" | "告警详情"
        | "告警内容" | "报警说明" | "详情" => Field::Description,
        "labels" | "tags" | "标签" | "告警标签" | "事件标签" | "监控指标" | "指标标签" => {
            Field::Labels
        }
        _ => return None,
    };
    Some(field)
}

/// A status in one word, where it is one that is known.
pub(super) fn status(value: &str) -> Option<String> {
    let word = value
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    let status = match word.as_str() {
        "firing" | "alerting" | "triggered" | "triggering" | "problem" | "告警中" | "报警中"
        | "告警" | "触发" | "故障" | "未恢复" => "firing",
        "resolved" | "recovered" | "ok" | "normal" | "恢复" | "已恢复" | "已解决" | "告警恢复" => {
            "resolved"
        }
        _ => return None,
    };
    Some(status.to_owned())
}

/// `S2 Triggered`: the severity, and the status where there is one.
pub(super) fn level(value: &str) -> (String, Option<String>) {
    match value.rsplit_once(char::is_whitespace) {
        Some((severity, rest)) if status(rest).is_some() => {
            (severity.trim().to_owned(), status(rest))
        }
        _ => (value.to_owned(), None),
    }
}

/// The status that a title tells, such as `[FIRING:2]`; none where it tells both.
pub(super) fn status_in_title(title: &str) -> Option<&'static str> {
    let title = title.to_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| title.contains(mark));
    let is_firing = has(&["firing", "triggered", "告警中", "触发"]);
    let is_resolved = has(&["resolved", "recovered", "恢复"]);
    match (is_firing, is_resolved) {
        (true, false) => Some("firing"),
        (false, true) => Some("resolved"),
        _ => None,
    }
}

/// Whether a title is one that only alerts have.
pub(super) fn is_alert_title(title: &str) -> bool {
    let title = title.to_lowercase();
    let marks = [
        "[firing",
        "[resolved",
        "firing:",
        "resolved:",
        "alerting]",
        "告警",
        "报警",
        "故障通知",
        "alert",
    ];
    marks.iter().any(|mark| title.contains(mark))
}

/// The system that a card came from, by what only its cards have.
pub(super) fn source(lines: &[String]) -> Option<&'static str> {
    let has = |marks: &[&str]| {
        let mut lines = lines.iter();
        lines.any(|line| marks.iter().any(|mark| line.contains(mark)))
    };
    // Grafana's own alerts speak of Alertmanager, too, so it comes before that.
    if has(&[
        "级别状态",
        "触发时值",
        "alert-his-events",
        "alert-cur-events",
        "夜莺",
    ]) {
        Some("Nightingale")
    } else if has(&["grafana_folder", "/alerting/", "Grafana", "grafana"]) {
        Some("Grafana")
    } else if has(&[
        "Alertmanager",
        "alertmanager",
        "g0.expr",
        "[FIRING",
        "[RESOLVED",
        "Prometheus",
        "prometheus",
    ]) {
        Some("Prometheus Alertmanager")
    } else {
        None
    }
}
