use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::json;

use super::*;
use crate::incident::{
    Acknowledgement, By, Channel, PersonId, State, What,
    alert::{Alert, Link, pagerduty},
    severity::Tally,
};

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
    use_it(&View {
        case,
        latest,
        tail: &entries,
        names: &names,
        merged_into: Some(17),
        silenced_until: None,
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
    assert_snapshot!(in_both(&case, Some(&latest(|_| {}))), @"");
}

#[test]
fn what_somebody_has_is_calm_and_says_who() {
    let case = case(acknowledged);
    assert_snapshot!(in_both(&case, None), @"");
}

#[test]
fn what_is_put_off_says_until_when() {
    let case = case(|case| {
        case.incident.state = State::Snoozed {
            until: at("10:02:05"),
            severity: Severity::Critical,
        };
    });
    assert_snapshot!(in_both(&case, None), @"");
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
    }))), @"");
}

#[test]
fn what_is_over_can_be_reopened() {
    let case = case(|case| {
        resolved(case);
        case.incident.closed_by_hand = true;
    });
    assert_snapshot!(in_both(&case, None), @"");
}

#[test]
fn what_was_merged_points_to_where_it_goes_on() {
    let case = case(|case| {
        resolved(case);
        case.incident.merged_into = Some(crate::incident::IncidentId("17-b2".into()));
    });
    assert_snapshot!(in_both(&case, None), @"");
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
    assert_snapshot!(in_both(&case, None), @"");
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
    assert_json_snapshot!(drawn(&case, None, Language::En)["body"]["elements"][2], @"");
    let open = self::case(|_| {});
    assert_json_snapshot!(drawn(&open, None, Language::En)["body"]["elements"][4]["columns"][2], @"");
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
    assert_snapshot!(told(Language::En), @"");
    assert_snapshot!(told(Language::Zh), @"");
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
    assert_json_snapshot!(form.render()["body"], @"");
    let said = said(42, "Li Lei · <at id=all></at>", Some("two\nlines")).to_string();
    assert!(!said.contains("<at"), "{said}");
}
