use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::json;

use super::*;
use crate::incident::{
    Acknowledgement, By, Channel, PersonId, State, What,
    alert::{Alert, Link, pagerduty},
    severity::Tally,
};
use crate::{bot::incidents::Place, feishu::ChatId};

const LI: &str = "ou_li";

fn at(time: &str) -> Timestamp {
    format!("2026-11-21T{time}Z").parse().unwrap()
}

fn by_li() -> By {
    By::person(LI, Channel::Card)
}

/// An incident of three alerts, of which two fire.
fn case(change: impl FnOnce(&mut Case)) -> Case {
    let id = crate::incident::IncidentId("42-a1".into());
    let title = "Checkout p99 is above 2 s";
    let (mut incident, _) =
        Incident::declare(id, 42, by_li(), title, Severity::Critical, at("08:02:05"));
    incident.alerts = 3;
    incident.firing = Tally {
        critical: 1,
        warning: 1,
        ..Tally::default()
    };
    incident.labels = [
        ("alertname", "CheckoutSlow"),
        ("severity", "critical"),
        ("region", "cn-north"),
        ("service", "checkout"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let mut case: Case = serde_json::from_value(json!({ "incident": incident })).unwrap();
    change(&mut case);
    case
}

fn acknowledged(case: &mut Case) {
    let incident = &mut case.incident;
    incident.state = State::Acknowledged;
    incident.responders = vec![PersonId(LI.into()), PersonId("mei".into())];
    incident.acknowledged = Some(Acknowledgement {
        by: by_li(),
        at: at("08:05:10"),
    });
}

fn resolved(case: &mut Case) {
    let incident = &mut case.incident;
    incident.state = State::Resolved;
    incident.firing = Tally::default();
    incident.resolved_at = Some(at("08:30:05"));
}

/// The latest alert, as it was read from a sender.
fn latest(change: impl FnOnce(&mut Alert)) -> Tracked {
    let body = json!({"event_action": "trigger", "routing_key": "k", "dedup_key": "a", "payload":
        {"summary": "p99 of checkout is 2.4 s", "source": "prometheus", "severity": "critical"}});
    let batch = pagerduty::read(body.to_string().as_bytes()).unwrap();
    let mut alert = batch.alerts.into_iter().next().unwrap();
    alert.description = "The pool of db-3 is full.\nIt has 64 connections.".into();
    alert.values.insert("p99".into(), "2.4 s".into());
    alert.links.runbook = Some("https://wiki.example.com/checkout?a=(b)".into());
    alert.links.dashboard = Some("https://grafana.example.com/d/1".into());
    change(&mut alert);
    serde_json::from_value(json!({
        "alert": alert, "order": at("08:20:11"), "received_at": at("08:20:11"), "reports": 1, "fired": 1,
    }))
    .unwrap()
}

fn entries() -> Vec<Entry> {
    let entry = |number, time: &str, by: By, what| Entry {
        number,
        at: at(time),
        noted_at: at(time),
        by,
        what,
    };
    let opened = What::Opened {
        title: "Checkout p99 is above 2 s".into(),
        severity: Severity::Critical,
    };
    vec![
        entry(1, "08:02:05", By::monitor("prometheus"), opened),
        entry(2, "08:05:10", by_li(), What::Acknowledged),
        entry(
            3,
            "08:07:00",
            by_li(),
            What::Commented {
                text: "the pool of db-3\nis full".into(),
            },
        ),
    ]
}

fn controls() -> Controls {
    let value = |name: &str| json!({ "deed": name });
    Controls {
        acknowledge: value("acknowledge"),
        unacknowledge: value("unacknowledge"),
        assign: value("assign"),
        add: value("add"),
        escalate: value("escalate"),
        snooze: value("snooze"),
        silence: value("silence"),
        close: value("close"),
        reopen: value("reopen"),
        comment: value("comment"),
        room: Some(value("room")),
        ask: value("ask"),
        details: value("details"),
    }
}

fn with_view<T>(case: &Case, latest: Option<&Tracked>, use_it: impl FnOnce(&View<'_>) -> T) -> T {
    let mut names = Names::default();
    names.insert(PersonId(LI.into()), "Li Lei".into());
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let entries = entries();
    let place = Place::Chat(ChatId::new("oc_group"));
    use_it(&View {
        case,
        latest,
        tail: &entries,
        names: &names,
        merged_into: Some(17),
        silenced_until: None,
        place: Some(&place),
        room_link: Some("https://applink.feishu.cn/client/chat/open?openChatId=oc_r"),
        zone: &zone,
        now: at("08:31:00"),
    })
}

fn drawn(case: &Case, latest: Option<&Tracked>, language: Language) -> Value {
    with_view(case, latest, |view| render(view, &controls(), language))
}

/// What a person sees of a card.
fn seen(card: &Value) -> String {
    let header = &card["header"];
    let content = |node: &Value| node["content"].as_str().unwrap_or_default().to_owned();
    let tags = header["text_tag_list"].as_array().unwrap();
    let tags: Vec<String> = tags.iter().map(|tag| content(&tag["text"])).collect();
    let mut lines = vec![format!(
        "{}: {} [{}]",
        header["template"].as_str().unwrap(),
        content(&header["title"]),
        tags.join(", ")
    )];
    for element in card["body"]["elements"].as_array().unwrap() {
        match element["tag"].as_str().unwrap() {
            "markdown" => lines.push(content(element)),
            "column_set" => {
                let columns = element["columns"].as_array().unwrap();
                let things = columns.iter().map(|column| {
                    let thing = &column["elements"][0];
                    match thing["tag"].as_str().unwrap() {
                        "button" => format!("[{}]", content(&thing["text"])),
                        _ => format!("[{} ▾]", content(&thing["placeholder"])),
                    }
                });
                lines.push(things.collect::<Vec<_>>().join(" "));
            }
            other => lines.push(format!("({other})")),
        }
    }
    lines.join("\n")
}

fn in_both(case: &Case, latest: Option<&Tracked>) -> String {
    let [english, chinese] =
        [Language::En, Language::Zh].map(|language| seen(&drawn(case, latest, language)));
    format!("{english}\n\n{chinese}")
}

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

#[test]
fn the_json_is_what_the_platform_takes() {
    let case = case(resolved);
    assert_json_snapshot!(drawn(&case, None, Language::En)["body"]["elements"][2], @r#"
    {
      "content": "<font color='grey'>16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s</font>\n<font color='grey'>16:05:10 Li Lei acknowledged it</font>\n<font color='grey'>16:07:00 Li Lei: the pool of db-3 is full</font>",
      "element_id": "timeline",
      "tag": "markdown",
      "text_size": "notation"
    }
    "#);
    let open = self::case(|_| {});
    assert_json_snapshot!(drawn(&open, None, Language::En)["body"]["elements"][4]["columns"][2], @r#"
    {
      "elements": [
        {
          "behaviors": [
            {
              "type": "callback",
              "value": {
                "deed": "add"
              }
            }
          ],
          "element_id": "add",
          "placeholder": {
            "content": "Add responder",
            "i18n_content": {
              "en_us": "Add responder",
              "zh_cn": "邀请处理人"
            },
            "tag": "plain_text"
          },
          "tag": "select_person"
        }
      ],
      "tag": "column",
      "width": "auto"
    }
    "#);
}

#[test]
fn what_alerts_hold_is_shown_and_does_nothing() {
    let evil = "<at id=all></at> ![x](img_v2_1) [here](http://evil.example.com) **bold** `code`";
    let case = case(|case| {
        case.incident.title = evil.into();
        case.incident.impact = evil.into();
        case.incident.labels.insert("service".into(), evil.into());
        case.incident.responders = vec![PersonId("ou_x'><at id=all".into()), PersonId(evil.into())];
    });
    let alert = latest(|alert| {
        alert.title = evil.into();
        alert.description = format!("{evil}\n# {evil}");
        alert.values.insert(evil.into(), evil.into());
        alert.links.runbook = Some("javascript:alert(1)".into());
        alert.links.panel = Some("https://ok.example.com/)<at id=all></at>".into());
        alert.links.others = vec![Link {
            text: "](http://evil.example.com) <at id=all></at>".into(),
            url: "https://ok.example.com/2".into(),
        }];
    });
    let card = drawn(&case, Some(&alert), Language::En);
    for element in card["body"]["elements"].as_array().unwrap() {
        let text = element["content"].as_str().unwrap_or_default();
        for bad in ["<at", "![", "](http://evil", "**bold**", "javascript"] {
            assert!(!text.contains(bad), "{bad} in {text}");
        }
    }
}

#[test]
fn the_worst_alert_still_fits() {
    for text in [
        "<".repeat(5_000),
        "长".repeat(5_000),
        "*_~`".repeat(2_000),
        "\"\\".repeat(2_000),
    ] {
        let case = case(|case| {
            case.incident.title.clone_from(&text);
            case.incident.impact.clone_from(&text);
            for number in 0..60 {
                case.incident
                    .labels
                    .insert(format!("{number}{text}"), text.clone());
            }
            case.incident.responders = (0..32).map(|n| PersonId(format!("{n}{text}"))).collect();
            let unreached = json!({"who": text, "why": "unlinked"});
            case.unreached = vec![serde_json::from_value(unreached).unwrap(); 10];
        });
        let alert = latest(|alert| {
            alert.title.clone_from(&text);
            alert.description = format!("{text}\n").repeat(10);
            let long = format!("https://example.com/{}", "a".repeat(1_900));
            alert.links.source = Some(long.clone());
            alert.links.silence = Some(long.clone());
            alert.links.panel = Some(long.clone());
            alert.links.others = vec![
                Link {
                    text: text.clone(),
                    url: long
                };
                10
            ];
            for number in 0..30 {
                alert.values.insert(format!("{number}{text}"), text.clone());
            }
        });
        for language in [Language::En, Language::Zh] {
            let size = size_bytes(&drawn(&case, Some(&alert), language));
            assert!(size <= CARD_BYTES_MAX, "{size}");
        }
    }
}

#[test]
fn the_whole_story_is_told_with_every_alert() {
    let case = case(|case| {
        acknowledged(case);
        case.incident.entries = 3;
        case.incident.first_acknowledged_at = Some(at("08:05:10"));
    });
    let alerts = [latest(|_| {})];
    let told = |language| {
        with_view(&case, None, |view| {
            Story {
                view: *view,
                alerts: &alerts,
                language,
            }
            .text()
        })
    };
    assert_snapshot!(told(Language::En), @r"
    - **Status:** Acknowledged
    - **Severity:** Critical
    - **Began:** 2026-11-21 16:02:05 UTC+8
    - **First acknowledged:** 2026-11-21 16:05:10 UTC+8, 3 min after it was reported
    - **On it:** Li Lei, mei
    - **Labels of all its alerts:** alertname=CheckoutSlow, region=cn-north, service=checkout, severity=critical

    **Alerts:** 2 firing, 3 in all

    - Critical, since 16:20:11: p99 of checkout is 2.4 s · The pool of db-3 is full. · p99 = 2.4 s
    - and 2 more

    **Timeline**

    - 16:02:05 prometheus opened it, critical: Checkout p99 is above 2 s
    - 16:05:10 Li Lei acknowledged it
    - 16:07:00 Li Lei: the pool of db-3 is full
    ");
    assert_snapshot!(told(Language::Zh), @r"
    - **状态：**处理中
    - **级别：**严重
    - **开始：**2026-11-21 16:02:05 UTC+8
    - **首次认领：**2026-11-21 16:05:10 UTC+8，报告后 3 分钟
    - **处理人：**Li Lei, mei
    - **共同标签：**alertname=CheckoutSlow, region=cn-north, service=checkout, severity=critical

    **告警：**2 条触发中，共 3 条

    - 严重，16:20:11 起：p99 of checkout is 2.4 s · The pool of db-3 is full. · p99 = 2.4 s
    - 另有 2 条

    **时间线**

    - 16:02:05 prometheus 创建故障（严重）：Checkout p99 is above 2 s
    - 16:05:10 Li Lei 已认领
    - 16:07:00 Li Lei：the pool of db-3 is full
    ");
}

#[test]
fn a_form_stands_at_the_root_and_has_one_field() {
    let value = json!({"deed": "incident_comment"});
    let form = Form {
        asks: Asks::Comment,
        number: 42,
        title: "<at id=all></at>",
        value: &value,
        language: Language::En,
    };
    assert_json_snapshot!(form.render()["body"], @r#"
    {
      "elements": [
        {
          "content": "**Comment on #42** &#60;at id=all>&#60;/at>",
          "element_id": "head",
          "tag": "markdown"
        },
        {
          "element_id": "form",
          "elements": [
            {
              "element_id": "words",
              "input_type": "multiline_text",
              "max_length": 1000,
              "name": "words",
              "placeholder": {
                "content": "What should the others know?",
                "i18n_content": {
                  "en_us": "What should the others know?",
                  "zh_cn": "想让大家知道什么？"
                },
                "tag": "plain_text"
              },
              "required": true,
              "rows": 3,
              "tag": "input",
              "width": "fill"
            },
            {
              "behaviors": [
                {
                  "type": "callback",
                  "value": {
                    "deed": "incident_comment"
                  }
                }
              ],
              "element_id": "send",
              "form_action_type": "submit",
              "name": "send",
              "size": "small",
              "tag": "button",
              "text": {
                "content": "Send",
                "i18n_content": {
                  "en_us": "Send",
                  "zh_cn": "提交"
                },
                "tag": "plain_text"
              },
              "type": "primary"
            }
          ],
          "name": "form",
          "tag": "form"
        }
      ]
    }
    "#);
    let said = said(42, "Li Lei · <at id=all></at>", Some("two\nlines"))["body"].to_string();
    assert!(!said.contains("<at"), "{said}");
}

#[test]
fn everything_that_can_happen_has_a_sentence_in_both_languages() {
    let key = || crate::incident::alert::AlertKey::new("a");
    let (li, mei) = (PersonId(LI.into()), PersonId("mei".into()));
    let title = || "p99 is\n2.4 s".to_owned();
    let id = || crate::incident::IncidentId("17-b2".into());
    let until = at("10:02:05");
    let happened = [
        What::AlertFired {
            key: key(),
            title: title(),
            severity: Severity::Error,
            again: true,
        },
        What::AlertRecovered {
            key: key(),
            title: title(),
        },
        What::AlertLate {
            key: key(),
            title: title(),
        },
        What::AlertsCounted {
            firing: 40,
            total: 50,
        },
        What::Recovering,
        What::Relapsed,
        What::SeverityChanged {
            from: Severity::Warning,
            to: Severity::Critical,
        },
        What::Unacknowledged,
        What::Snoozed { until },
        What::Silenced { until },
        What::Woke { worse: true },
        What::Woke { worse: false },
        What::Resolved { firing: 2 },
        What::Reopened { reason: title() },
        What::Assigned { to: mei.clone() },
        What::ResponderAdded { who: mei },
        What::TitleChanged { to: title() },
        What::ImpactChanged { to: title() },
        What::Absorbed {
            other: id(),
            number: 17,
        },
        What::MergedInto {
            other: id(),
            number: 17,
        },
        What::Escalated { level: 2 },
        What::Paged { who: li, level: 2 },
        What::RoomOpened {
            chat: "oc_r".into(),
            name: "#42".into(),
        },
        What::RoomGone {
            chat: "oc_r".into(),
        },
    ];
    let mut names = Names::default();
    names.insert(PersonId(LI.into()), "Li Lei".into());
    let zone = TimeZone::UTC;
    let told = |language| {
        let telling = Telling {
            names: &names,
            zone: &zone,
            now: at("08:31:00"),
            language,
        };
        let lines = happened.iter().map(|what| {
            telling.line(&Entry {
                number: 1,
                at: at("08:02:05"),
                noted_at: at("08:02:05"),
                by: by_li(),
                what: what.clone(),
            })
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(told(Language::En), @r"
    08:02:05 fires again, error: p99 is 2.4 s
    08:02:05 recovered: p99 is 2.4 s
    08:02:05 a report that came late changed nothing: p99 is 2.4 s
    08:02:05 40 of 50 alerts fire; from here on they are counted
    08:02:05 nothing fires any more
    08:02:05 something fires again
    08:02:05 severity warning is now critical
    08:02:05 Li Lei gave it back
    08:02:05 Li Lei put it off until 10:02:05
    08:02:05 Li Lei silenced alerts like these until 10:02:05
    08:02:05 back before its time, because it became worse
    08:02:05 back, the time is over
    08:02:05 Li Lei closed it while 2 still fired
    08:02:05 Li Lei reopened it: p99 is 2.4 s
    08:02:05 Li Lei assigned it to mei
    08:02:05 Li Lei added mei
    08:02:05 Li Lei renamed it: p99 is 2.4 s
    08:02:05 Li Lei wrote the impact: p99 is 2.4 s
    08:02:05 Li Lei merged #17 into this one
    08:02:05 Li Lei merged it into #17
    08:02:05 escalated to level 2
    08:02:05 told Li Lei (level 2)
    08:02:05 war room opened: #42
    08:02:05 the war room was dissolved
    ");
    assert_snapshot!(told(Language::Zh), @r"
    08:02:05 告警再次触发（错误）：p99 is 2.4 s
    08:02:05 告警恢复：p99 is 2.4 s
    08:02:05 迟到的告警，未做改动：p99 is 2.4 s
    08:02:05 50 条告警中 40 条未恢复，此后只计数
    08:02:05 所有告警已恢复
    08:02:05 告警再次触发
    08:02:05 级别由警告变为严重
    08:02:05 Li Lei 取消认领
    08:02:05 Li Lei 暂缓至 10:02:05
    08:02:05 Li Lei 将同类告警静默至 10:02:05
    08:02:05 情况变差，提前结束暂缓
    08:02:05 暂缓时间已到
    08:02:05 Li Lei 关闭故障，仍有 2 条告警未恢复
    08:02:05 Li Lei 重新打开：p99 is 2.4 s
    08:02:05 Li Lei 指派给 mei
    08:02:05 Li Lei 邀请 mei
    08:02:05 Li Lei 修改标题：p99 is 2.4 s
    08:02:05 Li Lei 填写影响：p99 is 2.4 s
    08:02:05 Li Lei 将 #17 合并到本故障
    08:02:05 Li Lei 将本故障合并到 #17
    08:02:05 升级到第 2 级
    08:02:05 已通知 Li Lei（第 2 级）
    08:02:05 作战室已创建：#42
    08:02:05 作战室已解散
    ");
    let by_itself = Entry {
        number: 1,
        at: at("08:02:05"),
        noted_at: at("08:02:05"),
        by: By::clock(),
        what: What::Resolved { firing: 0 },
    };
    let telling = Telling {
        names: &names,
        zone: &zone,
        now: at("08:31:00"),
        language: Language::En,
    };
    assert_snapshot!(telling.line(&by_itself), @"08:02:05 resolved, nothing fires any more");
}
