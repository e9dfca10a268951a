//! What an incident's card looks like: what all tests of it work with.

mod platform;
mod states;
mod story;

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
