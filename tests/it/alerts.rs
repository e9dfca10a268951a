//! Alerts over HTTP: what each sender's payloads become, and who is turned away.

use std::{fmt::Write as _, fs, io::Write as _, path::PathBuf, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use hmac::{Hmac, KeyInit, Mac};
use insta::assert_snapshot;
use nightjar::bot::incidents::{Case, Incidents};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::{ALERTS_KEY, World};

/// A folder of golden payloads, and where they are posted to.
const FOLDERS: [(&str, &str); 10] = [
    ("alertmanager", "/alerts/KEY/alertmanager"),
    ("cloudevents", "/alerts/KEY/cloudevents"),
    ("feishu-bot", "/alerts/KEY/feishu-bot"),
    ("flashduty", "/alerts/KEY/flashduty"),
    ("flashduty_change", "/alerts/KEY/flashduty/change"),
    ("generic", "/alerts/KEY/generic"),
    ("grafana", "/alerts/KEY/grafana"),
    ("nightingale", "/alerts/KEY/nightingale"),
    ("pagerduty", "/v2/enqueue"),
    ("pagerduty_change", "/v2/change/enqueue"),
];

/// One payload with an integration of its own, so that none has to do with another.
struct Payload {
    name: String,
    key: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/alerts")
        .join(path)
}

impl Payload {
    /// Every payload there is.
    fn all() -> Vec<Self> {
        let of_folder = |(folder, path): (&str, &str)| {
            let files = fs::read_dir(data(folder)).unwrap();
            let mut names: Vec<String> = files
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
                .collect();
            names.sort();
            assert!(!names.is_empty(), "{folder}");
            let read = |name: String| Self::read(folder, &name, path);
            names.into_iter().map(read).collect::<Vec<_>>()
        };
        FOLDERS.into_iter().flat_map(of_folder).collect()
    }

    fn read(folder: &str, name: &str, path: &str) -> Self {
        let mut body = fs::read(data(&format!("{folder}/{name}.json"))).unwrap();
        let mut headers = Vec::new();
        let name = format!("{folder}.{name}");
        let key = format!("key-of-{name}-0123456789");
        if folder == "cloudevents" {
            let request: Value = serde_json::from_slice(&body).unwrap();
            body = match &request["body"] {
                Value::String(text) => text.clone().into_bytes(),
                body => body.to_string().into_bytes(),
            };
            let told = request["headers"].as_object().into_iter().flatten();
            headers = told
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect();
        }
        // The key that is in the payload is nobody's here.
        if let (true, Ok(Value::Object(mut event))) = (
            folder.starts_with("pagerduty"),
            serde_json::from_slice(&body),
        ) {
            event.insert("routing_key".to_owned(), json!(key));
            body = Value::Object(event).to_string().into_bytes();
        }
        let path = path.replace("KEY", &key);
        Self {
            name,
            key,
            path,
            headers,
            body,
        }
    }

    /// Gives the status and the code or the counts of the answer.
    async fn post(&self, world: &World) -> String {
        let mut request = reqwest::Client::new()
            .post(world.web_url(&self.path))
            .body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        match &body["code"] {
            Value::Null => status.to_string(),
            code => format!("{status} code {code}"),
        }
    }
}

/// A world in which every payload may be posted.
async fn world_of(payloads: &[Payload]) -> World {
    let mapping: toml::Table = fs::read_to_string(data("generic/mapping.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let integrations = payloads.iter().map(|payload| {
        let mut integration = toml::Table::new();
        integration.insert("name".to_owned(), payload.name.as_str().into());
        integration.insert("key".to_owned(), payload.key.as_str().into());
        if payload.name.starts_with("generic") {
            integration.insert("mapping".to_owned(), mapping.clone().into());
        }
        toml::Value::from(integration)
    });
    let integrations: Vec<toml::Value> = integrations.collect();
    let mut alerts = toml::Table::new();
    alerts.insert("integrations".to_owned(), integrations.into());
    let mut settings = toml::Table::new();
    settings.insert("alerts".to_owned(), alerts.into());
    World::start_with(&settings.to_string()).await
}

/// The open incidents of an integration, a line each.
fn incidents_of(incidents: &Incidents, integration: &str) -> Vec<String> {
    let open = incidents.list_open().into_iter();
    let own = open.filter(|case| case.integration.as_deref() == Some(integration));
    own.map(|case| line(&case)).collect()
}

fn line(case: &Arc<Case>) -> String {
    let incident = &case.incident;
    let state = match (&incident.state, incident.recovering_since) {
        (_, Some(_)) => "recovering".to_owned(),
        (state, None) => serde_json::to_value(state).unwrap()["state"]
            .as_str()
            .unwrap()
            .to_owned(),
    };
    let title: String = incident.title.chars().take(50).collect();
    format!(
        "{state} {} {}/{} {title}",
        incident.severity,
        incident.firing.total(),
        incident.alerts
    )
}

#[tokio::test]
async fn each_sender_s_payloads_make_the_right_incidents_and_the_second_time_none() {
    let payloads = Payload::all();
    let world = world_of(&payloads).await;
    let mut told = String::new();
    for payload in &payloads {
        let answer = payload.post(&world).await;
        let incidents = incidents_of(world.incidents(), &payload.name);
        let _ = writeln!(told, "{}: {answer}", payload.name);
        for line in &incidents {
            let _ = writeln!(told, "    {line}");
        }
        assert_eq!(answer, payload.post(&world).await, "{}", payload.name);
        let again = incidents_of(world.incidents(), &payload.name);
        assert_eq!(incidents, again, "{}", payload.name);
    }
    assert_snapshot!(told, @"");
    world.finish().await;
}

/// Posts payloads of one folder as the same sender, and shows its incidents.
async fn in_order(world: &World, folder: &str, names: [&str; 2]) -> Vec<String> {
    let (_, path) = FOLDERS.iter().find(|(name, _)| *name == folder).unwrap();
    let all = names.map(|name| Payload::read(folder, name, path));
    for payload in &all {
        let mut as_first = Payload::read(folder, payload.name.rsplit_once('.').unwrap().1, path);
        as_first.path = all[0].path.clone();
        if folder == "pagerduty" {
            let mut event: Value = serde_json::from_slice(&as_first.body).unwrap();
            event["routing_key"] = json!(all[0].key);
            as_first.body = event.to_string().into_bytes();
        }
        as_first.post(world).await;
    }
    incidents_of(world.incidents(), &all[0].name)
}

#[tokio::test]
async fn a_recovery_ends_its_alert_and_one_that_comes_first_keeps_it_from_beginning() {
    let world = world_of(&Payload::all()).await;
    let mut told = String::new();
    for (folder, firing, recovered) in [
        ("alertmanager", "firing", "recovered"),
        ("cloudevents", "structured", "recovered"),
        ("feishu-bot", "card", "card_recovered"),
        ("flashduty", "firing", "recovered"),
        ("generic", "firing", "recovered"),
        ("grafana", "firing", "recovered"),
        ("nightingale", "firing", "recovered"),
        ("pagerduty", "trigger", "resolve"),
    ] {
        let usual = in_order(&world, folder, [firing, recovered]).await;
        let turned = in_order(&world, folder, [recovered, firing]).await;
        let _ = writeln!(told, "{folder}: {usual:?}; turned round: {turned:?}");
    }
    assert_snapshot!(told, @"");
    world.finish().await;
}

const STRICT: &str = r#"
[[alerts.integrations]]
name = "strict"
key = "strict-0123456789ab"
formats = ["alertmanager", "feishu-bot"]
signature_secret = "demo-secret"
robot_secret = "robot-secret"
body_kib_max = 1
[[alerts.integrations]]
name = "slow"
key = "slow-0123456789ab"
requests_per_minute = 1
[[alerts.integrations]]
name = "plain"
key = "plain-0123456789ab"
"#;

/// Somebody who posts whatever they like.
struct Sender<'a> {
    world: &'a World,
    told: String,
}

impl Sender<'_> {
    /// Posts, and notes what was answered.
    async fn posts(&mut self, what: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) {
        let http = reqwest::Client::new();
        let mut request = http.post(self.world.web_url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let again = match answer.headers().get("retry-after") {
            Some(seconds) => format!(" (again after {} s)", seconds.to_str().unwrap()),
            None => String::new(),
        };
        let text = answer.text().await.unwrap();
        let _ = writeln!(self.told, "{what}: {status}{again} {}", text.trim_end());
    }
}

fn signature(body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(b"demo-secret").unwrap();
    let digest = mac.chain_update(body).finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// One alert as Alertmanager tells of it.
fn alert(instance: &str) -> Vec<u8> {
    let labels = json!({"alertname": "PoolFull", "service": "checkout", "severity": "critical", "instance": instance});
    json!({"version": "4", "alerts": [{"status": "firing", "labels": labels}]})
        .to_string()
        .into_bytes()
}

#[tokio::test]
async fn who_is_turned_away_is_told_why() {
    let world = World::start_with(STRICT).await;
    let told = String::new();
    let world_ref = &world;
    let mut sender = Sender {
        world: world_ref,
        told,
    };
    let (plain, strict) = (
        "/alerts/plain-0123456789ab/alertmanager",
        "/alerts/strict-0123456789ab/alertmanager",
    );
    let one = alert("a");
    let signed = signature(&one);
    let long = vec![b' '; 1025];
    let long_signed = signature(&long);
    let packed = gzip(&one);
    let bomb = gzip(&vec![b' '; 2 << 20]);
    let robot = br#"{"msg_type": "text", "content": {"text": "disk full"}}"#.to_vec();
    let robot_signed = signature(&robot);
    let event = br#"{"routing_key": "nobody", "event_action": "trigger"}"#.to_vec();
    let sign = "x-nightjar-signature";
    let encoding = "content-encoding";

    sender.posts("taken", plain, &[], one.clone()).await;
    sender
        .posts(
            "taken compressed",
            plain,
            &[(encoding, "gzip")],
            packed.clone(),
        )
        .await;
    sender
        .posts("taken signed", strict, &[(sign, &signed)], one.clone())
        .await;
    sender
        .posts(
            "unknown key",
            "/alerts/plain-0123456789a/alertmanager",
            &[],
            one.clone(),
        )
        .await;
    sender
        .posts(
            "unknown format",
            "/alerts/plain-0123456789ab/slack",
            &[],
            one.clone(),
        )
        .await;
    sender
        .posts("no format", "/alerts/plain-0123456789ab", &[], one.clone())
        .await;
    sender
        .posts(
            "no changes",
            "/alerts/plain-0123456789ab/grafana/change",
            &[],
            one.clone(),
        )
        .await;
    sender
        .posts("nobody's routing key", "/v2/enqueue", &[], event.clone())
        .await;
    sender
        .posts("no routing key", "/v2/enqueue", &[], b"{}".to_vec())
        .await;
    sender
        .posts("not JSON", plain, &[], b"hello".to_vec())
        .await;
    sender.posts("nothing", plain, &[], Vec::new()).await;
    sender
        .posts(
            "no mapping",
            "/alerts/plain-0123456789ab/generic",
            &[],
            b"{}".to_vec(),
        )
        .await;
    sender
        .posts("brotli", plain, &[(encoding, "br")], one.clone())
        .await;
    sender
        .posts("not gzip", plain, &[(encoding, "gzip")], one.clone())
        .await;
    sender
        .posts("a bomb", plain, &[(encoding, "gzip")], bomb)
        .await;
    sender.posts("unsigned", strict, &[], one.clone()).await;
    sender
        .posts("signed wrong", strict, &[(sign, &long_signed)], one.clone())
        .await;
    sender
        .posts("too large", strict, &[(sign, &long_signed)], long)
        .await;
    sender
        .posts(
            "not allowed",
            "/alerts/strict-0123456789ab/grafana",
            &[(sign, &signed)],
            one.clone(),
        )
        .await;
    sender
        .posts(
            "robot unsigned",
            "/alerts/strict-0123456789ab/feishu-bot",
            &[(sign, &robot_signed)],
            robot.clone(),
        )
        .await;
    sender
        .posts(
            "robot of nobody",
            "/alerts/nobody/feishu-bot",
            &[],
            robot.clone(),
        )
        .await;
    sender
        .posts(
            "the first of the minute",
            "/alerts/slow-0123456789ab/feishu-bot",
            &[],
            robot.clone(),
        )
        .await;
    sender
        .posts(
            "the second",
            "/alerts/slow-0123456789ab/alertmanager",
            &[],
            one.clone(),
        )
        .await;
    sender
        .posts(
            "also as a robot",
            "/alerts/slow-0123456789ab/feishu-bot",
            &[],
            robot,
        )
        .await;
    let told = std::mem::take(&mut sender.told);
    // Which tenth of a second it is does not matter.
    let told = told.replace("again after 59 s", "again after 60 s");
    assert_snapshot!(told, @"");

    // The same words for every key, and for none.
    let look = async |path: &str| {
        let answer = reqwest::get(world_ref.web_url(path)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let seen = look(plain).await;
    assert_eq!(seen, look("/alerts/nobody/alertmanager").await);
    assert_snapshot!(format!("{} {}", seen.0, seen.1), @"200 Nightjar is here. POST what Prometheus Alertmanager sends to a webhook to this address. Whether its key is right is said to a POST only.");

    let numbers = look("/metrics").await.1;
    assert!(!numbers.contains("0123456789"), "a key is in the metrics");
    for line in [
        "nightjar_alerts_total{integration=\"plain\",format=\"alertmanager\",outcome=\"told\"} 2",
        "nightjar_alert_requests_total{integration=\"\",format=\"pagerduty\",outcome=\"unknown_key\"} 2",
        "nightjar_alert_requests_total{integration=\"strict\",format=\"alertmanager\",outcome=\"bad_signature\"} 2",
        "nightjar_alert_requests_total{integration=\"slow\",format=\"alertmanager\",outcome=\"too_fast\"} 1",
        "nightjar_alert_request_seconds_count 21",
    ] {
        assert!(numbers.contains(line), "{line} is not in {numbers}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_alert_is_told_of_in_the_group_and_its_end_too() {
    let mut world = World::without_bot("").await;
    let (chat, _) = world.room().await;
    world.set(&format!(
        "[incidents]\ncatch_all = \"{chat}\"\nquiet = \"0s\"\n"
    ));
    world.start_bot().await;
    let path = format!("/alerts/{ALERTS_KEY}/alertmanager");
    let url = world.web_url(&path);
    let http = reqwest::Client::new();
    let post = async |status: &str| {
        let alert = json!({"status": status, "labels": {"alertname": "PoolFull", "severity": "critical"},
            "startsAt": "2026-03-01T08:00:00Z",
            "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-03-01T08:10:00Z" }});
        let answer = http
            .post(&url)
            .json(&json!({"version": "4", "alerts": [alert]}));
        assert_eq!(answer.send().await.unwrap().status(), 202);
    };
    post("firing").await;
    let card = world
        .until("the card is there", async || {
            let seen = world.messages(Some(&chat)).await;
            seen.into_iter()
                .find(|one| one.is_by_bot() && one.card.is_some())
        })
        .await;
    assert!(card.text.contains("PoolFull"), "{}", card.text);
    post("resolved").await;
    let is_over = async || world.incidents().list_open().is_empty().then_some(());
    world.until("the incident is over", is_over).await;
    world.finish().await;
}
