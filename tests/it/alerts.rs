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
    assert_snapshot!(told, @r##"
    alertmanager.firing: 202
        triggered critical 1/1 Error rate of checkout on 10.1.2.3:8080 is 7.3%
    alertmanager.mixed: 202
        triggered critical 2/2 Error rate of checkout on 10.1.2.3:8080 is 7.3%
    alertmanager.odd_bounds: 202
        triggered critical 1/1 长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长
    alertmanager.odd_duplicates: 202
        recovering critical 0/1 Error rate of checkout on web-1 is 7.3%
    alertmanager.odd_missing: 202
        triggered warning 1/1 Untitled alert
        triggered warning 1/1 node
        triggered warning 1/1 a sentence only
    alertmanager.odd_order: 202
    alertmanager.odd_types: 202
        triggered warning 1/1 7
    alertmanager.odd_unicode: 202
        triggered critical 1/1 磁盘  将满  🔥
    alertmanager.odd_unknown: 202
        triggered critical 1/1 Error rate of checkout on web-1 is 7.3%
    alertmanager.odd_zones: 202
    alertmanager.recovered: 202
    alertmanager.refused_custom: 400
    alertmanager.refused_list: 400
    alertmanager.refused_not_json: 400
    cloudevents.batch: 202
        triggered critical 1/1 The login page does not answer
    cloudevents.binary: 202
        triggered warning 1/1 登录
    cloudevents.binary_text: 202
        triggered warning 1/1 disk.full
    cloudevents.odd: 202
    cloudevents.recovered: 202
    cloudevents.refused_avro: 415
    cloudevents.refused_no_source: 400
    cloudevents.refused_version: 400
    cloudevents.structured: 202
        triggered critical 1/1 The login page does not answer
    feishu-bot.card: 200 code 0
        triggered critical 1/1 [FIRING:3] DiskWillFill
    feishu-bot.card_recovered: 200 code 0
    feishu-bot.card_schema2: 200 code 0
        triggered warning 1/1 Login is slow
    feishu-bot.odd_no_title: 200 code 0
        triggered warning 1/1 first line
    feishu-bot.post: 200 code 0
        triggered error 1/1 [P2] 订单积压
    feishu-bot.refused_empty: 200 code 9499
    feishu-bot.refused_image: 200 code 9499
    feishu-bot.refused_template: 200 code 9499
    feishu-bot.refused_type: 200 code 9499
    feishu-bot.text: 200 code 0
        triggered critical 1/1 【告警】支付网关 5xx 比例 8.2%
    feishu-bot.text_recovered: 200 code 0
    flashduty.firing: 200
        triggered critical 1/1 gz / db-01 / connections
    flashduty.no_key: 200
        triggered info 1/1 gz / db-01 / connections
    flashduty.odd: 200
        triggered warning 1/1 missing / x / cluster
    flashduty.plain_title: 200
        triggered warning 1/1 Too many connections
    flashduty.recovered: 200
    flashduty.refused_nothing: 400
    flashduty.refused_status: 400
    flashduty_change.deploy: 200
    flashduty_change.refused: 400
    generic.firing: 202
        triggered critical 1/1 ping
    generic.mixed: 202
        triggered warning 1/1 Interface flaps
    generic.odd: 202
        triggered warning 1/1 Untitled alert
        triggered warning 1/1 ["a","b"]
    generic.recovered: 202
    generic.refused_nothing: 400
    generic.refused_shape: 400
    grafana.firing: 202
        triggered warning 1/1 settlement holds 1520 messages
    grafana.mixed: 202
        triggered warning 1/1 settlement holds 1520 messages
    grafana.no_data: 202
        triggered warning 1/1 Queue depth: the query brings no data, so the rule
    grafana.odd_missing: 202
        triggered warning 1/1 Untitled alert
    grafana.odd_old_values: 202
        triggered warning 2/2 settlement holds 1520 messages
    grafana.query_error: 202
        triggered warning 1/1 Queue depth: the query fails, so the rule sees not
    grafana.recovered: 202
    grafana.refused_custom: 400
    nightingale.firing: 202
        triggered critical 1/1 机器 CPU 使用率过高
    nightingale.mixed: 202
        triggered critical 2/2 机器 CPU 使用率过高
    nightingale.odd_duplicates: 202
        triggered critical 1/1 机器 CPU 使用率过高
    nightingale.odd_tags: 202
        triggered critical 5/5 机器 CPU 使用率过高
    nightingale.odd_types: 202
        triggered warning 1/1 Nightingale alert
    nightingale.recovered: 202
    nightingale.recovered_with_time: 202
    nightingale.refused_empty_objects: 400
    nightingale.refused_text: 400
    pagerduty.acknowledge: 202
    pagerduty.odd_types: 202
        triggered warning 1/1 SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS
    pagerduty.odd_unknown: 202
        triggered info 1/1 Disk
    pagerduty.refused_action: 400
    pagerduty.refused_no_summary: 400
    pagerduty.refused_resolve_without_key: 400
    pagerduty.resolve: 202
    pagerduty.resolve_with_payload: 202
    pagerduty.trigger: 202
        triggered error 1/1 Replication on db-1 is 340 s behind
    pagerduty.trigger_without_key: 202
        triggered error 1/1 Replication on db-1 is 340 s behind
    pagerduty_change.deploy: 202
    pagerduty_change.refused: 400
    "##);
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
    assert_snapshot!(told, @r##"
    alertmanager: ["recovering critical 0/1 Error rate of checkout on 10.1.2.3:8080 is 7.3%"]; turned round: []
    cloudevents: ["recovering critical 0/1 The login page does not answer"]; turned round: []
    feishu-bot: ["recovering critical 0/1 [FIRING:3] DiskWillFill"]; turned round: ["triggered critical 1/1 [FIRING:3] DiskWillFill"]
    flashduty: ["recovering critical 0/1 gz / db-01 / connections"]; turned round: ["triggered critical 1/1 gz / db-01 / connections"]
    generic: ["recovering critical 0/1 ping"]; turned round: []
    grafana: ["recovering warning 0/1 settlement holds 1520 messages"]; turned round: []
    nightingale: ["recovering critical 0/1 机器 CPU 使用率过高"]; turned round: []
    pagerduty: ["recovering error 0/1 Replication on db-1 is 340 s behind"]; turned round: []
    "##);
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
    assert_snapshot!(told, @r##"
    taken: 202 {"alerts":1,"changes":0,"hushed":0,"left_out":0,"notes":[],"opened":1,"status":"accepted"}
    taken compressed: 202 {"alerts":1,"changes":0,"hushed":0,"left_out":0,"notes":[],"opened":0,"status":"accepted"}
    taken signed: 202 {"alerts":1,"changes":0,"hushed":0,"left_out":0,"notes":[],"opened":1,"status":"accepted"}
    unknown key: 401 {"error":"no integration has this key: compare it with `key` in [[alerts.integrations]]","status":"refused"}
    unknown format: 404 There is no such address. It ends in the format that is sent: /alerts/<key>/ and one of alertmanager, grafana, nightingale, pagerduty, flashduty, cloudevents, feishu-bot, generic; for changes pagerduty/change or flashduty/change.
    no format: 404 There is no such address. It ends in the format that is sent: /alerts/<key>/ and one of alertmanager, grafana, nightingale, pagerduty, flashduty, cloudevents, feishu-bot, generic; for changes pagerduty/change or flashduty/change.
    no changes: 404 There is no such address. It ends in the format that is sent: /alerts/<key>/ and one of alertmanager, grafana, nightingale, pagerduty, flashduty, cloudevents, feishu-bot, generic; for changes pagerduty/change or flashduty/change.
    nobody's routing key: 401 {"errors":["no integration has this key: compare it with `key` in [[alerts.integrations]]"],"message":"Event object is invalid","status":"invalid event"}
    no routing key: 401 {"errors":["no integration has this key: compare it with `key` in [[alerts.integrations]]"],"message":"Event object is invalid","status":"invalid event"}
    not JSON: 400 {"error":"the body is not JSON (line 1, column 1): configure this address as `url` of `webhook_configs` in Alertmanager, with the default payload","status":"refused"}
    nothing: 400 {"error":"the body is empty: configure this address as `url` of `webhook_configs` in Alertmanager, with the default payload","status":"refused"}
    no mapping: 400 {"error":"this integration has no `mapping`, which says where things are in JSON of its own kind","status":"refused"}
    brotli: 415 {"error":"of the values for Content-Encoding only gzip is taken, and only once","status":"refused"}
    not gzip: 400 {"error":"the body is not gzip, as its Content-Encoding says","status":"refused"}
    a bomb: 413 {"error":"the body has more than the 1024 KiB of `body_kib_max`: send fewer alerts at once, or raise it","status":"refused"}
    unsigned: 401 {"error":"this integration has a `signature_secret`: send X-Nightjar-Signature: sha256=<hex of the HMAC-SHA256 of the body with it>","status":"refused"}
    signed wrong: 401 {"error":"this integration has a `signature_secret`: send X-Nightjar-Signature: sha256=<hex of the HMAC-SHA256 of the body with it>","status":"refused"}
    too large: 413 {"error":"the body has more than the 1 KiB of `body_kib_max`: send fewer alerts at once, or raise it","status":"refused"}
    not allowed: 403 {"error":"this integration may not send this format: add it to its `formats`, or use another address","status":"refused"}
    robot unsigned: 200 {"code":19021,"data":{},"msg":"this address wants messages signed: send `timestamp` and `sign` too"}
    robot of nobody: 200 {"code":19001,"data":{},"msg":"no integration has this key: compare it with `key` in [[alerts.integrations]]"}
    the first of the minute: 200 {"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}
    the second: 429 (again after 60 s) {"error":"this integration sends more often than its `requests_per_minute`","status":"refused"}
    also as a robot: 429 (again after 60 s) {"code":11232,"data":{},"msg":"this integration sends more often than its `requests_per_minute`"}
    "##);

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
