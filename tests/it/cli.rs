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
