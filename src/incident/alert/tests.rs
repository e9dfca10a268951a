//! Every payload of `tests/data/alerts/`, and no panic on anything else.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

type Read = fn(&[u8]) -> Result<Batch, AlertError>;

/// The folders of payloads, and how a payload in them is read.
const FOLDERS: &[(&str, Read)] = &[
    ("alertmanager", alertmanager::read),
    ("grafana", grafana::read),
    ("nightingale", nightingale::read),
    ("pagerduty", pagerduty::read),
    ("pagerduty_change", pagerduty::read_change),
    ("flashduty", flashduty::read),
    ("flashduty_change", flashduty::read_change),
    ("cloudevents", read_cloudevent),
    ("feishu-bot", feishu_bot::read),
    ("generic", |body| generic::read(body, &mapping())),
];

fn folder(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/data/alerts").join(name)
}

/// The payloads of a folder by name, in order.
fn payloads(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut payloads: Vec<_> = fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    payloads.sort();
    assert!(!payloads.is_empty());
    payloads
}

fn mapping() -> generic::Mapping {
    toml::from_str(include_str!(
        "../../../tests/data/alerts/generic/mapping.toml"
    ))
    .unwrap()
}

/// A payload of CloudEvents is a request: its headers and its body.
fn read_cloudevent(request: &[u8]) -> Result<Batch, AlertError> {
    let Ok(Value::Object(request)) = serde_json::from_slice(request) else {
        return cloudevents::read(request, &[], None);
    };
    let headers = request
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let headers: Vec<(&str, &str)> = headers
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let body = match request.get("body") {
        Some(Value::String(text)) => text.clone(),
        Some(body) => body.to_string(),
        None => String::new(),
    };
    cloudevents::read(body.as_bytes(), &headers, None)
}

#[test]
fn every_payload_is_read_as_its_snapshot_says() {
    for (name, read) in FOLDERS {
        for (payload, body) in payloads(name) {
            let shown = match read(&body) {
                Ok(batch) => {
                    assert!(
                        !payload.starts_with("refused"),
                        "{name}/{payload} was taken"
                    );
                    json!(batch)
                }
                Err(error) => {
                    assert!(payload.starts_with("refused"), "{name}/{payload}: {error}");
                    json!({"status": error.status(), "error": error.to_string()})
                }
            };
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(folder(name));
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| insta::assert_json_snapshot!(payload, shown));
        }
    }
}

#[test]
fn a_recovery_has_the_key_of_its_alert() {
    let check = |folder: &str, firing: &str, recovered: &str| {
        let (_, read) = FOLDERS.iter().find(|(name, _)| *name == folder).unwrap();
        let key = |payload: &str| {
            let payloads = payloads(folder);
            let (_, body) = payloads.iter().find(|(name, _)| name == payload).unwrap();
            let alert = read(body).unwrap().alerts.remove(0);
            (alert.key, alert.status)
        };
        let (firing, recovered) = (key(firing), key(recovered));
        assert_eq!(firing.0, recovered.0, "{folder}");
        assert_eq!(
            (firing.1, recovered.1),
            (Status::Firing, Status::Resolved),
            "{folder}"
        );
    };
    check("alertmanager", "firing", "recovered");
    check("grafana", "firing", "recovered");
    check("nightingale", "firing", "recovered");
    check("pagerduty", "trigger", "resolve");
    check("flashduty", "firing", "recovered");
    check("cloudevents", "structured", "recovered");
    check("feishu-bot", "text", "text_recovered");
    check("feishu-bot", "card", "card_recovered");
    check("generic", "firing", "recovered");
}

#[test]
fn a_secret_of_the_body_is_not_kept() {
    let check = |folder: &str, secret: &str| {
        let (_, read) = FOLDERS.iter().find(|(name, _)| *name == folder).unwrap();
        let mut seen = false;
        for (payload, body) in payloads(folder) {
            seen |= String::from_utf8_lossy(&body).contains(secret);
            let shown = format!("{:?}", read(&body));
            assert!(!shown.contains(secret), "{folder}/{payload}");
        }
        assert!(seen, "{folder}");
    };
    check("pagerduty", "R0UT1NGKEY");
    check("pagerduty_change", "R0UT1NGKEY");
    check("flashduty", "S3CRET");
    check("feishu-bot", "rJ7XCjxhq");
    check("cloudevents", "not-kept");
    check("alertmanager", "hunter2");
}

#[test]
fn pagerduty_is_answered_as_it_answers() {
    let body = br#"{"routing_key":"r","event_action":"resolve","dedup_key":"k"}"#;
    let batch = pagerduty::read(body).unwrap();
    insta::assert_snapshot!(
        pagerduty::accepted(&batch),
        @r#"{"dedup_key":"k","message":"Event processed","status":"success"}"#
    );
    assert_eq!(pagerduty::routing_key(body).as_deref(), Some("r"));
    assert_eq!(pagerduty::routing_key(b"{}"), None);
    let error = pagerduty::read(b"{}").unwrap_err();
    insta::assert_snapshot!(
        pagerduty::refused(&error),
        @r#"{"errors":["`event_action` must be one of trigger, acknowledge, resolve"],"message":"Event object is invalid","status":"invalid event"}"#
    );
}

#[test]
fn a_custom_robot_is_answered_as_the_platform_answers() {
    insta::assert_snapshot!(
        feishu_bot::accepted(),
        @r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#
    );
    let error = feishu_bot::read(b"{}").unwrap_err();
    insta::assert_snapshot!(
        feishu_bot::refused(&error),
        @r#"{"code":9499,"data":{},"msg":"`msg_type` must be one of text, post, interactive"}"#
    );
}

#[test]
fn a_preview_says_what_becomes_of_a_payload_and_why() {
    let (_, body) = payloads("generic").swap_remove(1);
    let previews = generic::preview(&body, &mapping()).unwrap();
    let lines: Vec<String> = previews
        .iter()
        .flat_map(|preview| &preview.reasons)
        .map(|reason| format!("{}: {}", reason.part, reason.why))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    labels_from: nothing at $.tags
    labels.check: $.check.name is `ping`
    labels.host: $.host is `gw-1`
    title: $.check.name is `ping`
    description: nothing at $.text; there is no default
    source: the default is `the old monitor`
    link: nothing at $.href; there is no default
    value: nothing at $.reading; there is no default
    severity: nothing at $.prio; the default is `P3`
    severity: that word means warning
    status: $.state is `OK`
    status: that word means resolved
    ends_at: $.until is 2026-03-01T08:30:00Z
    key: `key` makes `12/gw-1`
    labels_from: $.tags is null, not an object
    labels.check: $.check.name is `if`
    labels.host: $.host is `gw-2`
    title: $.check.title is `Interface flaps`
    description: nothing at $.text; there is no default
    source: the default is `the old monitor`
    link: nothing at $.href; there is no default
    value: nothing at $.reading; there is no default
    severity: $.prio is `blue`
    severity: not in `severities`, and no word we know: taken for a warning
    status: $.state is `WIRD`
    status: `statuses` says firing
    key: `key` makes `13/gw-2`
    ");
    // The preview is the reading.
    let alerts: Vec<Alert> = previews.into_iter().map(|preview| preview.alert).collect();
    assert_eq!(alerts, generic::read(&body, &mapping()).unwrap().alerts);
}

#[test]
fn a_mapping_in_configuration_is_checked() {
    let check = |text: &str, expected: &str| {
        let said = match toml::from_str::<generic::Mapping>(text) {
            Ok(mapping) => mapping.problems().join("; "),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(said, expected, "{text}");
    };
    check("title = \"a\"", "");
    check("", "title is missing: say where an alert's title is");
    check(
        "title = \"a\"\ntime = { zone = \"Mars\" }",
        "time.zone is not a time zone: write it like Asia/Shanghai",
    );
    check(
        "title = 7",
        "expected a path, a list of paths, or { path = …, default = … }",
    );
    let written = toml::to_string(&mapping()).unwrap();
    assert_eq!(
        toml::from_str::<generic::Mapping>(&written).unwrap(),
        mapping()
    );
}

#[test]
fn cloudevents_can_be_read_by_a_mapping() {
    let mapping = toml::from_str("title = \"data.what\"\nkey = [\"data.id\"]").unwrap();
    let event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t.resolved",
        "data": {"what": "It is late", "id": 4}});
    let batch = cloudevents::read(event.to_string().as_bytes(), &[], Some(&mapping)).unwrap();
    let alert = &batch.alerts[0];
    assert_eq!(
        (alert.title.as_str(), alert.key.as_str()),
        ("It is late", "4")
    );
    assert_eq!(alert.status, Status::Resolved);
}

#[test]
fn more_alerts_than_are_taken_are_counted() {
    let alerts: Vec<Value> = (0..ALERTS_MAX + 7)
        .map(|number| json!({"labels": {"number": number}}))
        .collect();
    let body = json!({"alerts": alerts, "truncatedAlerts": 3}).to_string();
    let batch = alertmanager::read(body.as_bytes()).unwrap();
    assert_eq!((batch.alerts.len(), batch.left_out), (ALERTS_MAX, 10));
}

#[test]
fn reports_are_ordered_by_their_own_time_but_never_by_a_time_to_come() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (early, now, late) = (
        at("2026-03-01T08:00:00Z"),
        at("2026-03-01T09:00:00Z"),
        at("2026-03-01T10:00:00Z"),
    );
    let alert = Alert::new(Format::Generic, AlertKey::new("k"));
    let firing = Alert {
        starts_at: Some(early),
        ..alert.clone()
    };
    let resolved = Alert {
        status: Status::Resolved,
        ..firing.clone()
    };
    assert_eq!(alert.order(now), now);
    assert_eq!(firing.order(now), early);
    assert_eq!(resolved.order(now), now);
    assert_eq!(
        Alert {
            ends_at: Some(early),
            ..resolved
        }
        .order(now),
        early
    );
    assert_eq!(
        Alert {
            starts_at: Some(late),
            ..alert.clone()
        }
        .order(now),
        now
    );
    assert_eq!(
        Alert {
            as_of: Some(early),
            ..alert
        }
        .order(now),
        early
    );
}

/// Some payload, cut somewhere or with something put into it.
fn mutated() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let all: Vec<(usize, Vec<u8>)> = FOLDERS
        .iter()
        .enumerate()
        .flat_map(|(at, (name, _))| payloads(name).into_iter().map(move |(_, body)| (at, body)))
        .filter(|(_, body)| body.len() < 8192)
        .collect();
    let pieces = prop::sample::select(vec![
        "null",
        "[]",
        "{}",
        "\"\"",
        "-1",
        "1e999",
        "9223372036854775807",
        "\"\\u0000\"",
        "\"é🔥\"",
        "true",
        ",",
        "}",
        "]",
        ":",
        "\"0001-01-01T00:00:00Z\"",
        "\"-009999-01-02T01:59:59Z\"",
    ]);
    let spot = any::<prop::sample::Index>();
    (prop::sample::select(all), spot.clone(), spot, pieces).prop_map(
        |((at, body), from, to, piece)| {
            // Whole values are replaced as often as bytes: after a colon, up to the next comma.
            let text = String::from_utf8_lossy(&body).into_owned();
            let colons: Vec<usize> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
            let body = if colons.is_empty() || to.index(2) == 0 {
                let mut bytes = body;
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                bytes.splice(from.min(to)..from.max(to), piece.bytes());
                bytes
            } else {
                let start = colons[from.index(colons.len())];
                let rest = &text[start..];
                let end = rest.find([',', '\n']).unwrap_or(rest.len());
                format!("{}{piece}{}", &text[..start], &rest[end..]).into_bytes()
            };
            (at, body)
        },
    )
}

fn is_within_bounds(batch: &Batch) {
    for alert in &batch.alerts {
        assert!(!alert.title.is_empty());
        assert!(alert.key.as_str().len() <= KEY_BYTES_MAX);
        let size = serde_json::to_string(alert).unwrap().len();
        assert!(size < 64 * 1024, "{size} bytes");
        let again: Alert = serde_json::from_value(json!(alert)).unwrap();
        assert_eq!(&again, alert);
        alert.order(Timestamp::UNIX_EPOCH);
    }
}

proptest! {
    #[test]
    fn nothing_that_is_sent_makes_us_panic((at, body) in mutated()) {
        if let Ok(batch) = FOLDERS[at].1(&body) {
            is_within_bounds(&batch);
        }
    }

    #[test]
    fn no_bytes_make_us_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, read) in FOLDERS {
            if let Ok(batch) = read(&body) {
                is_within_bounds(&batch);
            }
        }
        let _ = feishu_bot::check_sign(&body, "secret", Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_payload_of_another_format_does_not_make_us_panic((_, body) in mutated()) {
        for (_, read) in FOLDERS {
            if let Ok(batch) = read(&body) {
                is_within_bounds(&batch);
            }
        }
    }
}
