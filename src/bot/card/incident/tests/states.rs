//! The card in each state of an incident, in both languages.

use super::*;

#[test]
fn what_nobody_has_is_loud_and_can_be_taken() {
    let case = case(|case| {
        case.incident.impact = "one in ten payments fails".into();
    });
    assert_snapshot!(in_both(&case, Some(&latest(|_| {}))), @r"
    red: #42 Checkout p99 is above 2 s [Critical, Triggered]
    **Since:** 2026-11-21 16:02:05 UTC+8
    **Nobody has it yet.**
    **Alerts:** 2 firing (1 critical, 1 warning), 3 in all
    **Labels:** service=checkout · region=cn-north
    **Impact:** one in ten payments fails
    **Latest alert**, 16:20:11
    p99 of checkout is 2.4 s
    The pool of db-3 is full.
    It has 64 connections.
    p99 = 2.4 s
    [Runbook](https://wiki.example.com/checkout?a=%28b%29) · [Dashboard](https://grafana.example.com/d/1)
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Acknowledge] [Assign to me] [Escalate] [Close]
    [Snooze ▾] [Silence ▾] [Add responder ▾]
    [Comment…] [War room] [Ask AI] [Details]

    red: #42 Checkout p99 is above 2 s [严重, 待处理]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    **尚无人认领。**
    **告警**　2 条触发中（严重 1，警告 1），共 3 条
    **标签**　service=checkout · region=cn-north
    **影响**　one in ten payments fails
    **最新告警**　16:20:11
    p99 of checkout is 2.4 s
    The pool of db-3 is full.
    It has 64 connections.
    p99 = 2.4 s
    [处置手册](https://wiki.example.com/checkout?a=%28b%29) · [仪表盘](https://grafana.example.com/d/1)
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [认领] [指派给我] [升级] [关闭]
    [暂缓 ▾] [静默 ▾] [邀请处理人 ▾]
    [评论…] [作战室] [问 AI] [详情]
    ");
}

#[test]
fn what_somebody_has_is_calm_and_says_who() {
    let case = case(acknowledged);
    assert_snapshot!(in_both(&case, None), @r"
    wathet: #42 Checkout p99 is above 2 s [Critical, Acknowledged]
    **Since:** 2026-11-21 16:02:05 UTC+8
    **Acknowledged** by Li Lei, 16:05:10
    **On it:** <at id=ou_li></at> mei
    **Alerts:** 2 firing (1 critical, 1 warning), 3 in all
    **Labels:** service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Un-acknowledge] [Assign to me] [Escalate] [Close]
    [Snooze ▾] [Silence ▾] [Add responder ▾]
    [Comment…] [War room] [Ask AI] [Details]

    wathet: #42 Checkout p99 is above 2 s [严重, 处理中]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    **已认领**　Li Lei，16:05:10
    **处理人**　<at id=ou_li></at> mei
    **告警**　2 条触发中（严重 1，警告 1），共 3 条
    **标签**　service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [取消认领] [指派给我] [升级] [关闭]
    [暂缓 ▾] [静默 ▾] [邀请处理人 ▾]
    [评论…] [作战室] [问 AI] [详情]
    ");
}

#[test]
fn what_is_put_off_says_until_when() {
    let case = case(|case| {
        case.incident.state = State::Snoozed {
            until: at("10:02:05"),
            severity: Severity::Critical,
        };
    });
    assert_snapshot!(in_both(&case, None), @r"
    grey: #42 Checkout p99 is above 2 s [Critical, Snoozed]
    **Since:** 2026-11-21 16:02:05 UTC+8
    **Snoozed until:** 18:02:05
    **Alerts:** 2 firing (1 critical, 1 warning), 3 in all
    **Labels:** service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Acknowledge] [Assign to me] [Close]
    [Snooze ▾] [Silence ▾] [Add responder ▾]
    [Comment…] [War room] [Ask AI] [Details]

    grey: #42 Checkout p99 is above 2 s [严重, 已暂缓]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    **暂缓至**　18:02:05
    **告警**　2 条触发中（严重 1，警告 1），共 3 条
    **标签**　service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [认领] [指派给我] [关闭]
    [暂缓 ▾] [静默 ▾] [邀请处理人 ▾]
    [评论…] [作战室] [问 AI] [详情]
    ");
}

#[test]
fn what_does_not_fire_any_more_says_so_before_it_is_over() {
    let case = case(|case| {
        acknowledged(case);
        case.incident.firing = Tally::default();
        case.incident.recovering_since = Some(at("08:29:00"));
    });
    assert_snapshot!(in_both(&case, Some(&latest(|alert| {
        alert.status = crate::incident::alert::Status::Resolved;
    }))), @r"
    wathet: #42 Checkout p99 is above 2 s [Critical, Acknowledged]
    **Since:** 2026-11-21 16:02:05 UTC+8
    Nothing fires since 16:29:00. It is resolved when that stays so.
    **On it:** <at id=ou_li></at> mei
    **Alerts:** 0 firing, 3 in all
    **Labels:** service=checkout · region=cn-north
    **Latest alert**, 16:20:11, recovered
    p99 of checkout is 2.4 s
    The pool of db-3 is full.
    It has 64 connections.
    p99 = 2.4 s
    [Runbook](https://wiki.example.com/checkout?a=%28b%29) · [Dashboard](https://grafana.example.com/d/1)
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Un-acknowledge] [Assign to me] [Escalate] [Close]
    [Snooze ▾] [Silence ▾] [Add responder ▾]
    [Comment…] [War room] [Ask AI] [Details]

    wathet: #42 Checkout p99 is above 2 s [严重, 处理中]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    16:29:00 起告警已全部恢复，持续无告警后自动解决。
    **处理人**　<at id=ou_li></at> mei
    **告警**　0 条触发中，共 3 条
    **标签**　service=checkout · region=cn-north
    **最新告警**　16:20:11，已恢复
    p99 of checkout is 2.4 s
    The pool of db-3 is full.
    It has 64 connections.
    p99 = 2.4 s
    [处置手册](https://wiki.example.com/checkout?a=%28b%29) · [仪表盘](https://grafana.example.com/d/1)
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [取消认领] [指派给我] [升级] [关闭]
    [暂缓 ▾] [静默 ▾] [邀请处理人 ▾]
    [评论…] [作战室] [问 AI] [详情]
    ");
}

#[test]
fn what_is_over_can_be_reopened() {
    let case = case(|case| {
        resolved(case);
        case.incident.closed_by_hand = true;
    });
    assert_snapshot!(in_both(&case, None), @r"
    green: #42 Checkout p99 is above 2 s [Critical, Resolved]
    **Since:** 2026-11-21 16:02:05 UTC+8
    **Resolved** 16:30:05, after 28 min, closed by hand
    **Alerts:** 0 firing, 3 in all
    **Labels:** service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Reopen…] [Comment…] [Ask AI] [Details]

    green: #42 Checkout p99 is above 2 s [严重, 已解决]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    **已解决**　16:30:05，历时 28 分钟，人工关闭
    **告警**　0 条触发中，共 3 条
    **标签**　service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [重新打开…] [评论…] [问 AI] [详情]
    ");
}

#[test]
fn what_was_merged_points_to_where_it_goes_on() {
    let case = case(|case| {
        resolved(case);
        case.incident.merged_into = Some(crate::incident::IncidentId("17-b2".into()));
    });
    assert_snapshot!(in_both(&case, None), @r"
    grey: #42 Checkout p99 is above 2 s [Critical, Merged]
    **Since:** 2026-11-21 16:02:05 UTC+8
    Turned out to be **#17**, which goes on.
    **Alerts:** 0 firing, 3 in all
    **Labels:** service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Details]

    grey: #42 Checkout p99 is above 2 s [严重, 已合并]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    已合并到 **#17**，请到该故障处理。
    **告警**　0 条触发中，共 3 条
    **标签**　service=checkout · region=cn-north
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [详情]
    ");
}

#[test]
fn what_went_wrong_in_telling_people_is_said() {
    let case = case(|case| {
        case.unrouted = true;
        let unreached = json!([{"who": "li.lei", "why": "unlinked"}, {"who": "primary", "why": "nobody_on_call"}]);
        case.unreached = serde_json::from_value(unreached).unwrap();
        case.room = Some(
            serde_json::from_value(json!({"state": "open", "generation": 1,
            "chat": "oc_r", "name": "#42 checkout", "since": at("08:10:00")}))
            .unwrap(),
        );
    });
    assert_snapshot!(in_both(&case, None), @r"
    red: #42 Checkout p99 is above 2 s [Critical, Triggered]
    **Since:** 2026-11-21 16:02:05 UTC+8
    **Nobody has it yet.**
    **Alerts:** 2 firing (1 critical, 1 warning), 3 in all
    **Labels:** service=checkout · region=cn-north
    **War room:** [&#35;42 checkout](https://applink.feishu.cn/client/chat/open?openChatId=oc_r)
    <font color='orange'>No route takes this incident, so it is shown in this group.</font>
    <font color='orange'>Could not be told: primary (nobody is on call); li.lei (no account is linked: they can send me /link me).</font>
    (hr)
    <font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei acknowledged it</font>
    <font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>
    [Acknowledge] [Assign to me] [Escalate] [Close]
    [Snooze ▾] [Silence ▾] [Add responder ▾]
    [Comment…] [Ask AI] [Details]

    red: #42 Checkout p99 is above 2 s [严重, 待处理]
    **开始时间**　2026-11-21 16:02:05 UTC+8
    **尚无人认领。**
    **告警**　2 条触发中（严重 1，警告 1），共 3 条
    **标签**　service=checkout · region=cn-north
    **作战室**　[&#35;42 checkout](https://applink.feishu.cn/client/chat/open?openChatId=oc_r)
    <font color='orange'>没有路由规则匹配此故障，因此发送到本群。</font>
    <font color='orange'>未能通知：primary（无人值班）；li.lei（未绑定账号，请本人发送 /绑定 我）。</font>
    (hr)
    <font color='grey'>16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s</font>
    <font color='grey'>16:05:10 Li Lei 已认领</font>
    <font color='grey'>16:07:00 Li Lei：the pool of db-3 is full</font>
    [认领] [指派给我] [升级] [关闭]
    [暂缓 ▾] [静默 ▾] [邀请处理人 ▾]
    [评论…] [问 AI] [详情]
    ");
}

#[test]
fn a_declared_incident_without_alerts_has_nothing_to_silence() {
    let case = case(|case| {
        case.incident.alerts = 0;
        case.incident.labels.clear();
        case.incident.severity = Severity::Warning;
    });
    let shown = seen(&drawn(&case, None, Language::En));
    assert!(shown.starts_with("yellow: "), "{shown}");
    assert!(
        !shown.contains("Silence") && !shown.contains("Alerts"),
        "{shown}"
    );
}
