//! The command line: what each command prints, and what it ends with.

use std::process::{Command, Output};

fn nightjar(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args(args)
        .env_clear()
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// A configuration in a file of its own, checked.
fn check(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    nightjar(&["config", "check", file.to_str().unwrap()])
}

#[test]
fn the_example_is_a_configuration_and_its_secret_is_masked() {
    let output = nightjar(&["config", "check", "config.example.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let printed = said(&output);
    assert!(printed.contains("app_secret = \"***\""), "{printed}");
    assert!(!printed.contains("replace-me"), "{printed}");
    assert!(
        printed.parse::<toml::Table>().is_ok(),
        "what is printed can be used: {printed}"
    );
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_by_key_and_never_by_value() {
    let least = "[feishu]\napp_id = \"cli_a\"\napp_secret = \"hunter2\"\n";
    for (text, named) in [
        (format!("{least}[replies]\n"), "replies"),
        (
            format!("{least}[agent]\nsteps_max = \"many\"\n"),
            "agent.steps_max",
        ),
        (
            format!("{least}[reply]\nredraw_every = \"soon\"\n"),
            "reply.redraw_every",
        ),
        (
            format!("{least}[reply.reactions]\ndone = \"ROCKET\"\n"),
            "reply.reactions.done",
        ),
        (
            format!("{least}[conversation]\ntime_zone = \"Mars/Base\"\n"),
            "conversation.time_zone",
        ),
        (
            "[feishu]\napp_id = \"cli_a\"\n".to_owned(),
            "feishu.app_secret",
        ),
        ("[feishu\n".to_owned(), "line 1"),
    ] {
        let output = check(&text);
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}\n{printed}");
        assert!(printed.contains(named), "{named} is not named: {printed}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}

#[test]
fn wrong_use_ends_with_2_and_a_missing_file_with_1() {
    for args in [
        &["fly"][..],
        &["run"],
        &["run", "--config"],
        &["sandbox", "--listen", "nowhere"],
        &["doctor"],
        &["doctor", "--config", "x", "--chat", "general"],
        &["doctor", "--config", "x", "--lang", "de"],
        &[],
    ] {
        assert_eq!(nightjar(args).status.code(), Some(2), "{args:?}");
    }
    let output = nightjar(&["run", "--config", "/nowhere/config.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("/nowhere/config.toml"),
        "{}",
        said(&output)
    );
}

#[test]
fn help_explains_each_command() {
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["sandbox", "--help"],
        &["config", "check", "--help"],
        &["doctor", "--help"],
    ] {
        let output = nightjar(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(said(&output).contains("Usage"), "{args:?}");
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = nightjar(&["sandbox", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&address), "{}", said(&output));
}

const MONITOR: &str = r#"
[feishu]
app_id = "cli_a"
app_secret = "hunter2"
[[alerts.integrations]]
name = "old-monitor"
key = "0123456789abcdef0"
[alerts.integrations.mapping]
alerts = "events"
key = ["id"]
title = "name"
severity = { path = "prio", default = "P3" }
status = "state"
labels_from = ["tags"]
[incidents]
catch_all = "oc_all"
[[incidents.grouping]]
matchers = 'cluster="gz"'
by = ["cluster"]
[[incidents.routes]]
name = "gateway"
matchers = 'service="gateway"'
chats = ["oc_gateway"]
"#;

const EVENTS: &str = r#"{"events": [
    {"id": 1, "name": "ping", "prio": "P1", "state": "open", "tags": {"service": "gateway", "cluster": "gz"}},
    {"id": 2, "name": "disk", "state": "closed", "tags": {"service": "db"}}
]}"#;

/// What would become of a body.
fn preview(body: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (config, file) = (
        folder.path().join("config.toml"),
        folder.path().join("body"),
    );
    std::fs::write(&config, MONITOR).unwrap();
    std::fs::write(&file, body).unwrap();
    let (config, file) = (config.to_str().unwrap(), file.to_str().unwrap());
    let args = ["config", "preview-alert", "--config", config, file];
    nightjar(&[&args[..], more].concat())
}

#[test]
fn a_preview_says_how_an_alert_is_read_and_who_would_be_told() {
    let output = preview(EVENTS, &["--integration", "old-monitor"]);
    insta::assert_snapshot!(said(&output), @r"
    Alert 1 of 2
      title        ping
      status       firing
      severity     critical
      key          1
      labels       cluster=gz, service=gateway
      one incident with alerts that agree in cluster=gz
      told         gateway: oc_gateway
      because      labels_from: 2 labels at $.tags
                   title: $.name is `ping`
                   severity: $.prio is `P1`
                   severity: that word means critical
                   status: $.state is `open`
                   status: that word means firing
                   key: `key` makes `1`

    Alert 2 of 2
      title        disk
      status       resolved
      severity     warning
      key          2
      labels       service=db
      one incident with alerts that agree in service=db
      told         no route takes it, so the catch-all: oc_all
      because      labels_from: 1 labels at $.tags
                   title: $.name is `disk`
                   severity: nothing at $.prio; the default is `P3`
                   severity: that word means warning
                   status: $.state is `closed`
                   status: that word means resolved
                   key: `key` makes `2`
    ");
    let output = preview(EVENTS, &["--integration", "old-monitor", "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["alerts"][0]["routes"][0]["name"], "gateway");
    assert_eq!(shown["alerts"][1]["group"]["service"], "db");
    assert_eq!(shown["alerts"][1]["alert"]["status"], "resolved");
}

#[test]
fn a_preview_that_cannot_be_says_why() {
    for (body, more, sentence) in [
        ("hello", &["--integration", "old-monitor"][..], "not JSON"),
        (
            "{}",
            &["--integration", "prometheus"],
            "there are: old-monitor",
        ),
        (
            "{}",
            &["--integration", "old-monitor", "--format", "grafana"],
            "there is no `alerts` in the body",
        ),
        (
            "{}",
            &["--integration", "old-monitor", "--format", "slack"],
            "it is one of alertmanager",
        ),
    ] {
        let output = preview(body, more);
        assert_ne!(output.status.code(), Some(0));
        let said = said(&output);
        assert!(said.contains(sentence), "{sentence} is not in {said}");
    }
    let headers = [
        "ce-specversion: 1.0",
        "ce-id: 1",
        "ce-source: /a",
        "ce-type: b.failed",
    ];
    let headers = headers.iter().flat_map(|header| ["--header", header]);
    let format = ["--integration", "old-monitor", "--format", "cloudevents"];
    let more: Vec<&str> = format.into_iter().chain(headers).collect();
    let output = preview("{\"name\": \"disk\"}", &more);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_template_that_cannot_be_read_is_told_with_its_file_and_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.md");
    std::fs::write(&broken, "nothing").unwrap();
    let templates = folder.path().display();
    let least = "[feishu]\napp_id = \"cli_a\"\napp_secret = \"hunter2\"\n";
    let why = format!("{}: there is no heading", broken.display());
    // One that nobody has to use is told of; the one that is used must be right.
    let text = format!("{least}[postmortem]\ntemplates = \"{templates}\"\n");
    let output = check(&text);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = format!("a template cannot be used: {why}");
    assert!(said(&output).contains(&told), "{}", said(&output));
    let output = check(&format!("{text}template = \"broken\"\n"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&why), "{}", said(&output));
    let output = check(&format!("{text}template = \"gone\"\n"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("postmortem.template"),
        "{}",
        said(&output)
    );
}
