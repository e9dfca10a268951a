//! The configuration as people write it.

use secrecy::ExposeSecret;

use super::*;

const LEAST: &str = "[feishu]\napp_id = \"cli_a\"\napp_secret = \"s3cret\"\n";

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()));
    Config::parse("test", text, variables).map_err(|error| error.to_string())
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    let text = include_str!("../../config.example.toml");
    let example = parse(text, &[]).unwrap();
    let shown: toml::Table = text.parse().unwrap();
    let defaults: toml::Table = Config::default().effective().parse().unwrap();

    fn check(path: &str, default: &toml::Table, shown: &toml::Table) {
        for (key, value) in default {
            let path = format!("{path}{key}");
            let shown = shown
                .get(key)
                .unwrap_or_else(|| panic!("`{path}` is not shown"));
            if let (toml::Value::Table(default), toml::Value::Table(shown)) = (value, shown) {
                check(&format!("{path}."), default, shown);
            }
        }
    }
    check("", &defaults, &shown);

    let mut effective: toml::Table = example.effective().parse().unwrap();
    let feishu = effective["feishu"].as_table_mut().unwrap();
    feishu.insert("app_id".into(), "".into());
    feishu.insert("app_secret".into(), "".into());
    assert_eq!(
        effective, defaults,
        "a default differs from what the example says"
    );
    // Keys that are empty by default cannot be shown as values, so they stand there as comments.
    for key in [
        "base_url",
        "app_secret_file",
        "verification_token_file",
        "encrypt_key_file",
        "api_key_file",
        "file",
    ] {
        assert!(
            text.contains(&format!("# {key} = ")),
            "`{key}` is not shown"
        );
    }
}

#[test]
fn what_the_example_shows_in_comments_is_a_configuration_too() {
    let text = include_str!("../../config.example.toml");
    let is_example = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        let is_key = line.contains(" = ") && !key.is_empty();
        line.starts_with('[') || is_key && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let from = text.find("[alerts]").unwrap();
    let until = text[from..].find("\n[agent]").unwrap() + from;
    // The list that is empty by default and its members cannot both be there.
    let lines = text[from..until].lines();
    let lines = lines.filter(|line| !line.ends_with(" = []"));
    let shown: Vec<&str> = lines
        .map(|line| {
            line.strip_prefix("# # ")
                .or(line.strip_prefix("# "))
                .unwrap_or(line)
        })
        .filter(|line| is_example(line) && !line.contains("_file = "))
        .collect();
    let config = parse(&format!("{LEAST}{}", shown.join("\n")), &[]).unwrap();
    let mapping = config.alerts.integrations[0].mapping.as_ref().unwrap();
    assert_eq!(mapping.labels.len(), 1);
    let incidents = &config.incidents;
    assert!(incidents.catch_all.is_some() && incidents.catch_all_policy.is_some());
    assert_eq!(incidents.grouping.len(), 1);
    assert_eq!(incidents.inhibitions.len(), 1);
    assert_eq!(incidents.routes[0].chats.len(), 1);
    assert_eq!(incidents.policies["primary"].levels.len(), 2);
    assert_eq!(incidents.schedules["primary"].overrides.len(), 1);
}

#[test]
fn a_misspelt_key_is_named() {
    let error = parse(&format!("{LEAST}[reply]\nredraw_evry = \"1s\"\n"), &[]).unwrap_err();
    assert!(error.contains("redraw_evry"), "{error}");
}

#[test]
fn no_error_shows_a_secret() {
    for text in [
        "[feishu]\napp_id = \"cli_a\"\napp_secret = 'hunter2\n",
        "[feishu]\napp_id = \"cli_a\"\napp_secret = [\"hunter2\"]\n",
        "[feishu]\napp_id = \"cli_a\"\napp_secret = \"hunter2 \"\n",
    ] {
        let error = parse(text, &[]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
    let config = parse(LEAST, &[]).unwrap();
    assert!(!format!("{config:?}{}", config.effective()).contains("s3cret"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = parse(
        LEAST,
        &[
            ("NIGHTJAR__FEISHU__APP_SECRET", "12345"),
            ("NIGHTJAR__CONVERSATION__WAITING_MAX", "3"),
            ("NIGHTJAR__REPLY__REACTIONS__DONE", "OK"),
            ("UNRELATED", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.feishu.app_secret.expose_secret(), "12345");
    assert_eq!(config.conversation.waiting_max, 3);
    assert_eq!(config.reply.reactions.done, "OK");
}

#[test]
fn all_problems_are_told_at_once() {
    let error = parse("[agent]\nsteps_max = 0\n[model]\nname = \"\"\n", &[]).unwrap_err();
    for key in [
        "feishu.app_id",
        "feishu.app_secret",
        "agent.steps_max",
        "model.name",
    ] {
        assert!(error.contains(key), "{key} is not in: {error}");
    }
}

#[test]
fn durations_are_read_and_written_alike() {
    for (text, secs) in [
        ("400ms", 0.4),
        ("10s", 10.0),
        ("2m 30s", 150.0),
        ("1d", 86400.0),
    ] {
        let config = parse(&format!("{LEAST}[agent]\ntime_max = \"{text}\"\n"), &[]).unwrap();
        assert_eq!(config.agent.time_max.as_secs_f64(), secs);
        let again: toml::Table = config.effective().parse().unwrap();
        let written = again["agent"]["time_max"].as_str().unwrap().to_owned();
        let config = parse(&format!("{LEAST}[agent]\ntime_max = \"{written}\"\n"), &[]).unwrap();
        assert_eq!(config.agent.time_max.as_secs_f64(), secs);
    }
}

#[test]
fn a_secret_can_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "from-file\n").unwrap();
    let text = format!("[feishu]\napp_id = \"cli_a\"\napp_secret_file = {file:?}\n");
    assert_eq!(
        parse(&text, &[]).unwrap().feishu.app_secret.expose_secret(),
        "from-file"
    );
    std::fs::remove_file(&file).unwrap();
    assert!(parse(&text, &[]).unwrap_err().contains("app_secret_file"));
}

#[test]
fn webhooks_need_something_that_tells_who_posts() {
    for mode in ["webhook", "both"] {
        let text = format!("{LEAST}events = {mode:?}\n");
        let error = parse(&text, &[]).unwrap_err();
        assert!(error.contains("feishu.verification_token"), "{error}");
        for key in ["VERIFICATION_TOKEN", "ENCRYPT_KEY"] {
            let name = format!("NIGHTJAR__FEISHU__{key}");
            let config = parse(&text, &[(&name, "123456")]).unwrap();
            assert!(!config.effective().contains("123456"), "{key} is shown");
        }
    }
    assert!(parse(&format!("{LEAST}events = \"long_connection\"\n"), &[]).is_ok());
}

#[test]
fn a_clock_skew_that_protects_from_nothing_is_refused() {
    for wrong in ["1s", "9h"] {
        let text = format!("{LEAST}webhook_clock_skew_max = {wrong:?}\n");
        let error = parse(&text, &[]).unwrap_err();
        assert!(error.contains("webhook_clock_skew_max"), "{error}");
    }
}
