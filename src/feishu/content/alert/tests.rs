//! Cards in the manner of the templates that are in use; none is copied from one.

use insta::assert_snapshot;

use super::*;

fn text(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    read(&lines).unwrap_or_else(|| "no alert".into())
}

#[test]
fn a_nightingale_card() {
    assert_snapshot!(text(&[
        "订单服务 CPU 使用率过高",
        "**告警集群:** prod-hz   \n**级别状态:** S1 Triggered   \n**告警名称:** 订单服务 CPU 使用率过高  \n\
         **事件标签:** [ident=order-03 service=order rulename=cpu]   \n**触发时间:** 2026-11-20 18:02:11   \n\
         **发送时间:** 2026-11-20 18:02:20   \n**触发时值:** 97.31   \n**告警描述:** **看一下最近的发布**",
        "[事件详情](https://n9e.example.com/share/alert-his-events/812)|[屏蔽1小时](https://n9e.example.com/alert-mutes/add?__event_id=812)",
    ]), @"
    [alert card: Nightingale]
    title: 订单服务 CPU 使用率过高
    alertname: 订单服务 CPU 使用率过高
    status: firing
    severity: S1
    startsAt: 2026-11-20 18:02:11
    sent at: 2026-11-20 18:02:20
    value: 97.31
    cluster: prod-hz
    description: 看一下最近的发布
    ident: order-03
    service: order
    rulename: cpu
    link: 事件详情 https://n9e.example.com/share/alert-his-events/812
    link: 屏蔽1小时 https://n9e.example.com/alert-mutes/add?__event_id=812
    ");
}

#[test]
fn a_nightingale_card_that_lost_its_stars_on_the_way() {
    assert_snapshot!(text(&[
        "S2 Recovered",
        "级别状态: S2 Recovered\n告警名称: 磁盘将满\n恢复时间: 2026-11-20 19:10:00\n告警描述: 服务已恢复",
    ]), @"
    [alert card: Nightingale]
    title: S2 Recovered
    alertname: 磁盘将满
    status: resolved
    severity: S2
    endsAt: 2026-11-20 19:10:00
    description: 服务已恢复
    ");
}

#[test]
fn a_grafana_message_with_two_alerts() {
    assert_snapshot!(text(&[
        "[FIRING:2] CheckoutErrors (SRE prod)",
        "**Firing**\n\nValue: A=0.12, C=1\nLabels:\n - alertname = CheckoutErrors\n - grafana_folder = SRE\n - severity = critical\n\
         - pod = checkout-7d9\nAnnotations:\n - summary = 12% of checkouts fail\nSource: https://grafana.example.com/alerting/grafana/ab1/view\n\
         Silence: https://grafana.example.com/alerting/silence/new?x=1\n\nValue: A=0.31, C=1\nLabels:\n - alertname = CheckoutErrors\n - pod = checkout-x2k",
    ]), @"
    [alert card: Grafana]
    title: [FIRING:2] CheckoutErrors (SRE prod)
    alert 1 of 2:
    alertname: CheckoutErrors
    status: firing
    severity: critical
    value: A=0.12, C=1
    summary: 12% of checkouts fail
    grafana_folder: SRE
    pod: checkout-7d9
    alert 2 of 2:
    alertname: CheckoutErrors
    status: firing
    value: A=0.31, C=1
    pod: checkout-x2k
    link: Source https://grafana.example.com/alerting/grafana/ab1/view
    link: Silence https://grafana.example.com/alerting/silence/new?x=1
    ");
}

#[test]
fn an_alertmanager_card_with_short_fields_and_buttons() {
    assert_snapshot!(text(&[
        "🔥 [FIRING:1] HighErrorRate",
        "**告警级别**\ncritical",
        "**告警名称**\nHighErrorRate",
        "**开始时间：**\n2026-11-20 10:01:22",
        "**实例**\n10.2.3.4:9100",
        "5xx of checkout is above 5% for 10 minutes",
        "---",
        "[button: 静默](https://am.example.com/#/silences/new)",
        "[button: 认领]",
    ]), @"
    [alert card: Prometheus Alertmanager]
    title: [FIRING:1] HighErrorRate
    alertname: HighErrorRate
    status: firing
    severity: critical
    startsAt: 2026-11-20 10:01:22
    instance: 10.2.3.4:9100
    link: 静默 https://am.example.com/#/silences/new
    5xx of checkout is above 5% for 10 minutes
    ");
}

#[test]
fn a_group_of_alerts_that_begin_with_their_names() {
    assert_snapshot!(text(&[
        "Prometheus 告警",
        "告警名称：NodeDown\n告警级别：critical\n实例：web-1\n告警名称：NodeDown\n告警级别：critical\n实例：web-2",
    ]), @"
    [alert card: Prometheus Alertmanager]
    title: Prometheus 告警
    alert 1 of 2:
    alertname: NodeDown
    severity: critical
    instance: web-1
    alert 2 of 2:
    alertname: NodeDown
    severity: critical
    instance: web-2
    ");
}

#[test]
fn other_cards_are_no_alerts() {
    for lines in [
        &[
            "Weekly report",
            "Owner: Li Lei\nStatus: done\nLink: https://x.example.com",
        ][..],
        &["Approval", "Applicant: Tom", "Level: 3", "[button: OK]"],
        &["Deploy finished", "service: checkout", "version: 4.18"],
        &[],
    ] {
        assert_eq!(text(lines), "no alert", "{lines:?}");
    }
}

#[test]
fn a_card_with_too_many_alerts_counts_the_rest() {
    let one = "告警名称：NodeDown\n告警级别：critical\n".repeat(ALERTS_MAX + 3);
    let text = text(&["告警", &one]);
    assert!(text.contains("alert 20 of 23:"), "{text}");
    assert!(text.ends_with("left out: 3)"), "{text}");
}

#[test]
fn lists_of_labels_are_taken_apart_however_they_are_written() {
    for value in [
        "a=b,c=d e",
        "[a=b c=d e]",
        r#"{"a":"b", "c":"d e"}"#,
        r#"["a=b","c=d e"]"#,
    ] {
        let expected = [
            ("a".to_owned(), "b".to_owned()),
            ("c".to_owned(), "d e".to_owned()),
        ];
        assert_eq!(pairs::list(value), expected, "{value}");
    }
}
