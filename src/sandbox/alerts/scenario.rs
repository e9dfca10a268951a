//! What goes wrong: a handful of incidents as on-call people know them, told as their monitoring would.

/// One incident's worth of alerts.
#[derive(Debug)]
pub(in crate::sandbox) struct Scenario {
    /// As `POST /sandbox/alerts` names it.
    pub(in crate::sandbox) id: &'static str,
    /// As the page offers it.
    pub(in crate::sandbox) title_en: &'static str,
    pub(in crate::sandbox) title_zh: &'static str,
    /// How many alerts it makes unless told otherwise; of a flapping one, how often it fires.
    pub(in crate::sandbox) count: usize,
    /// Whether it comes and goes, as one alert and not as several.
    pub(super) flaps: bool,
    pub(super) alert: fn(usize) -> Alert,
}

/// One alert, before it is put into anybody's format.
#[derive(Debug, Clone)]
pub(super) struct Alert {
    /// The name of the rule.
    pub(super) name: &'static str,
    /// `critical`, `error`, `warning` or `info`.
    pub(super) severity: &'static str,
    /// What it is about, such as a host: tells alerts of one rule apart.
    pub(super) subject: String,
    pub(super) summary: String,
    pub(super) description: &'static str,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: f64,
    pub(super) expression: &'static str,
    pub(super) runbook: &'static str,
    pub(super) dashboard: &'static str,
}

/// In the order in which the page offers them.
pub(in crate::sandbox) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "checkout-latency",
        title_en: "Checkout is slow after a deploy",
        title_zh: "发布之后结算变慢",
        count: 1,
        flaps: false,
        alert: checkout_latency,
    },
    Scenario {
        id: "disk-full",
        title_en: "A database's disk is filling up",
        title_zh: "数据库磁盘快写满了",
        count: 1,
        flaps: false,
        alert: disk_full,
    },
    Scenario {
        id: "flapping-probe",
        title_en: "A probe comes and goes",
        title_zh: "拨测时好时坏",
        count: 3,
        flaps: true,
        alert: flapping_probe,
    },
    Scenario {
        id: "pod-storm",
        title_en: "Pods crash all over one cluster",
        title_zh: "一个集群里大量 Pod 崩溃",
        count: 40,
        flaps: false,
        alert: pod_storm,
    },
    Scenario {
        id: "queue-backlog",
        title_en: "Settlement falls behind",
        title_zh: "结算队列积压",
        count: 2,
        flaps: false,
        alert: queue_backlog,
    },
    Scenario {
        id: "certificate",
        title_en: "A certificate ends soon",
        title_zh: "证书即将过期",
        count: 1,
        flaps: false,
        alert: certificate,
    },
];

/// One for each zone and beyond: the first tells most of it.
fn checkout_latency(number: usize) -> Alert {
    let zone = pick(&["sh-a", "sh-b", "sh-c"], number);
    let seconds = 4.2 - 0.3 * (number % 5) as f64;
    Alert {
        name: "CheckoutLatencyHigh",
        severity: "critical",
        subject: instance(zone, number, 3),
        summary: format!("99 % of checkouts in {zone} take up to {seconds:.1} s (limit 1.5 s)"),
        description: "It began within ten minutes of the release of checkout-api 4.12.0, which changed how long \
                      the payment gateway is waited for. Customers see a spinner after they press Pay.",
        labels: labels(&[
            ("cluster", "sh-prod-1"),
            ("env", "prod"),
            ("service", "checkout-api"),
            ("team", "payments"),
            ("version", "4.12.0"),
            ("zone", zone),
        ]),
        value: seconds,
        expression: "histogram_quantile(0.99, sum by (le, zone) (rate(checkout_seconds_bucket[5m]))) > 1.5",
        runbook: "https://wiki.example.com/runbooks/checkout-latency",
        dashboard: "https://grafana.example.com/d/checkout/checkout",
    }
}

fn disk_full(number: usize) -> Alert {
    let host = format!("db-{:02}", 7 + number);
    let percent = 91.5 + (number % 8) as f64;
    Alert {
        name: "DiskWillFillIn2Hours",
        severity: "error",
        summary: format!("{host} 的数据盘已用 {percent:.1}%，按现在的速度 2 小时后写满"),
        description: "从凌晨 2 点开始，binlog 增长明显变快。写满以后订单库会变成只读。",
        labels: labels(&[
            ("cluster", "bj-prod-1"),
            ("env", "prod"),
            ("instance", &host),
            ("mountpoint", "/var/lib/mysql"),
            ("service", "orders-db"),
            ("team", "dba"),
        ]),
        subject: host,
        value: percent,
        expression: "predict_linear(node_filesystem_avail_bytes{mountpoint=\"/var/lib/mysql\"}[1h], 2 * 3600) < 0",
        runbook: "https://wiki.example.com/runbooks/disk-full",
        dashboard: "https://grafana.example.com/d/mysql/disk",
    }
}

fn flapping_probe(_: usize) -> Alert {
    Alert {
        name: "LoginProbeFails",
        severity: "warning",
        subject: "login-page".to_owned(),
        summary: "The login page does not answer the probe in Frankfurt".to_owned(),
        description: "3 of 5 attempts timed out after 10 s. The probes in Shanghai and Virginia are fine.",
        labels: labels(&[
            ("env", "prod"),
            ("probe", "frankfurt"),
            ("service", "login"),
            ("target", "login-page"),
            ("team", "identity"),
        ]),
        value: 3.0,
        expression: "sum_over_time(probe_success{job=\"login\", probe=\"frankfurt\"}[5m]) < 3",
        runbook: "https://wiki.example.com/runbooks/login-probe",
        dashboard: "https://grafana.example.com/d/probes/login",
    }
}

fn pod_storm(number: usize) -> Alert {
    let app = pick(&["orders", "cart", "search", "recommend", "stock"], number);
    let pod = format!(
        "{app}-{:x}-{:04x}",
        0x7d9f8 + number / 5,
        0x51c3 + number * 37
    );
    Alert {
        name: "PodCrashLooping",
        severity: "critical",
        summary: format!(
            "Pod {pod} has restarted {} times in 10 minutes",
            4 + number % 7
        ),
        description: "Last words of the container: \"dial tcp 10.96.0.10:53: i/o timeout\". Names are not \
                      resolved on the nodes of this pool.",
        labels: labels(&[
            ("cluster", "bj-prod-2"),
            ("env", "prod"),
            ("namespace", app),
            ("node", pick(&["node-11", "node-12", "node-17"], number)),
            ("pod", &pod),
            ("service", app),
            ("team", "platform"),
        ]),
        subject: pod,
        value: (4 + number % 7) as f64,
        expression: "increase(kube_pod_container_status_restarts_total[10m]) > 3",
        runbook: "https://wiki.example.com/runbooks/crash-loop",
        dashboard: "https://grafana.example.com/d/k8s/pods",
    }
}

fn queue_backlog(number: usize) -> Alert {
    let queue = pick(&["settlement", "refund", "invoice"], number);
    let waiting = 15_200 + 3_400 * (number % 4);
    Alert {
        name: "QueueBacklog",
        severity: "error",
        subject: instance(queue, number, 3),
        summary: format!("队列 {queue} 积压 {waiting} 条，最早的一条已等了 25 分钟"),
        description: "消费者还在运行，但每秒只处理 3 条，平时是 120 条。T+1 对账可能推迟。",
        labels: labels(&[
            ("cluster", "sh-prod-1"),
            ("env", "prod"),
            ("queue", queue),
            ("service", "settlement"),
            ("team", "payments"),
        ]),
        value: waiting as f64,
        expression: "queue_messages_waiting > 10000",
        runbook: "https://wiki.example.com/runbooks/queue-backlog",
        dashboard: "https://grafana.example.com/d/queues/settlement",
    }
}

fn certificate(number: usize) -> Alert {
    let host = pick(
        &["api.example.com", "pay.example.com", "img.example.com"],
        number,
    );
    Alert {
        name: "CertificateEndsSoon",
        severity: "warning",
        subject: instance(host, number, 3),
        summary: format!("The certificate of {host} ends in 3 days"),
        description: "It should have been renewed by itself 27 days ago. The last attempt failed: DNS challenge \
                      not answered.",
        labels: labels(&[
            ("env", "prod"),
            ("host", host),
            ("service", "edge"),
            ("team", "platform"),
        ]),
        value: 3.0,
        expression: "(probe_ssl_earliest_cert_expiry - time()) / 86400 < 7",
        runbook: "https://wiki.example.com/runbooks/certificate",
        dashboard: "https://grafana.example.com/d/edge/certificates",
    }
}

fn labels(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// One after the other, and round again.
fn pick(from: &[&'static str], number: usize) -> &'static str {
    from[number % from.len()]
}

/// The name, and which round it is.
fn instance(name: &str, number: usize, names: usize) -> String {
    match number / names {
        0 => name.to_owned(),
        round => format!("{name}-{}", round + 1),
    }
}
