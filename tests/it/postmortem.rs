//! `nightjar postmortem` on three rooms of our own making, against answers worked out by hand.

use std::{fs, path::Path, process::Command};

use serde_json::{Map, Value, json};

/// What the program wrote, and what it said.
struct Written {
    markdown: String,
    events: Value,
    checks: Value,
    /// On standard error, while it worked.
    told: String,
    /// On standard output, at the end.
    said: String,
}

fn data(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/data/postmortem")
        .join(name)
        .display()
        .to_string()
}

fn answer(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(data(&format!("{name}.answer.json"))).unwrap())
        .unwrap()
}

fn postmortem(transcript: &str, incident: &str, options: &[&str]) -> Written {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args([
            "postmortem",
            "--transcript",
            transcript,
            "--incident",
            incident,
            "--out",
            folder,
        ])
        .args(options)
        .env_clear()
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    assert!(!out.path().join("postmortem.parts").exists());
    Written {
        markdown: read("postmortem.md"),
        events: serde_json::from_str(&read("events.json")).unwrap(),
        checks: serde_json::from_str(&read("checks.json")).unwrap(),
        told: String::from_utf8(output.stderr).unwrap(),
        said: String::from_utf8(output.stdout)
            .unwrap()
            .replace(folder, "DIR"),
    }
}

/// The list of milestones or metrics as one object.
fn by_name(list: &Value, name: &str, value: &str) -> Value {
    let pairs = list.as_array().unwrap().iter();
    let object: Map<String, Value> = pairs
        .map(|one| (one[name].as_str().unwrap().to_owned(), one[value].clone()))
        .collect();
    Value::Object(object)
}

fn check(name: &str, written: &Written, answer: &Value) {
    let facts = &written.events["facts"];
    assert_eq!(
        by_name(&facts["milestones"], "milestone", "at"),
        answer["milestones"],
        "{name}"
    );
    assert_eq!(
        by_name(&facts["metrics"], "name", "value"),
        answer["metrics"],
        "{name}"
    );
    for text in answer["holds"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        assert!(
            written.markdown.contains(text),
            "{name} lacks {text}:\n{}",
            written.markdown
        );
    }
    for text in answer["lacks"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        assert!(
            !written.markdown.contains(text),
            "{name} holds {text}:\n{}",
            written.markdown
        );
    }
    assert_ne!(
        written.checks["verdict"], "fail",
        "{name}: {:#}",
        written.checks
    );
}

#[test]
fn drafts_from_files_have_the_numbers_that_were_worked_out_by_hand() {
    for (name, language) in [("english", "en"), ("chinese", "zh"), ("mixed", "en")] {
        let incident = data(&format!("{name}.incident.json"));
        let written = postmortem(
            &data(&format!("{name}.ndjson")),
            &incident,
            &["--lang", language],
        );
        check(name, &written, &answer(name));
    }
}

#[test]
fn two_waves_conflicting_times_and_a_refuted_cause_are_told_as_such() {
    let written = postmortem(
        &data("mixed.ndjson"),
        &data("mixed.incident.json"),
        &["--template", "full"],
    );
    let facts = &written.events["facts"];
    assert_eq!(facts["waves"].as_array().unwrap().len(), 2);
    assert_eq!(facts["conflicts"][0]["times"].as_array().unwrap().len(), 2);
    let refuted = written.events["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| !event["refuted_by"].is_null())
        .count();
    assert_eq!(refuted, 1);
    assert!(written.markdown.contains("## Hypotheses Ruled Out"));
    assert_eq!(written.events["contradictions"][0]["about"], "number");
}

#[test]
fn five_thousand_messages_more_change_nothing_but_their_count() {
    let text = fs::read_to_string(data("mixed.ndjson")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.ndjson");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let second_wave = lines
        .iter()
        .position(|line| line.contains("2026-11-20T01:12:00Z"))
        .unwrap();
    lines.splice(second_wave..second_wave, small_talk(5000));
    fs::write(&file, lines.join("\n")).unwrap();
    let written = postmortem(file.to_str().unwrap(), &data("mixed.incident.json"), &[]);
    let mut answer = answer("mixed");
    answer["metrics"]["messages"] = json!(5018);
    check("long", &written, &answer);
}

/// So many messages of the quiet day between the waves, the same each time.
fn small_talk(count: u32) -> Vec<String> {
    let words = [
        "ok",
        "收到",
        "any news?",
        "see the dashboard",
        "没有变化",
        "still quiet",
        "lunch?",
        "一切如常",
    ];
    let mut seed = 7_u32;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    let line = |place: u32| {
        let second = place * 7;
        let at = format!(
            "2026-11-19T{:02}:{:02}:{:02}Z",
            2 + second / 3600,
            second / 60 % 60,
            second % 60
        );
        let author = ["ou_li", "ou_han", "ou_wang"][next() as usize % 3];
        let text = words[next() as usize % words.len()];
        json!({"id": format!("om_s{place}"), "at": at, "author": author, "text": text}).to_string()
    };
    (0..count).map(line).collect()
}

#[test]
fn how_far_it_is_is_told_in_sentences_of_the_reports_language() {
    let english = postmortem(&data("english.ndjson"), &data("english.incident.json"), &[]);
    assert!(
        english.told.starts_with("The facts of "),
        "{}",
        english.told
    );
    assert!(
        english
            .told
            .ends_with("6 of 6 sections are written.\nEvery line is held against its sources.\n"),
        "{}",
        english.told
    );
    assert!(
        english.said.starts_with(
            "wrote postmortem.md, events.json and checks.json to DIR; 0 requests, 0 tokens; checks: "
        ) && english.said.ends_with(" failed\n"),
        "{}",
        english.said
    );
    let chinese = postmortem(
        &data("chinese.ndjson"),
        &data("chinese.incident.json"),
        &["--lang", "zh"],
    );
    assert!(chinese.told.contains("已写好 6/6 节。"), "{}", chinese.told);
    assert!(chinese.said.contains("；核对：通过 "), "{}", chinese.said);
}

#[test]
fn the_configuration_says_what_no_option_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let text = "[feishu]\napp_id = \"cli_1\"\napp_secret = \"s\"\n[model]\nbase_url = \"http://127.0.0.1:9/v1\"\n[postmortem]\nmodel = \"none\"\ntemplate = \"full\"\n";
    fs::write(&config, text).unwrap();
    let run = |options: &[&str]| {
        let config = ["--config", config.to_str().unwrap()];
        postmortem(
            &data("english.ndjson"),
            &data("english.incident.json"),
            &[&config, options].concat(),
        )
    };
    let configured = run(&[]);
    assert!(configured.markdown.contains("## Hypotheses Ruled Out"));
    assert!(
        configured.said.contains("; 0 requests,"),
        "{}",
        configured.said
    );
    let asked = run(&[
        "--template",
        "default",
        "--host",
        "wiki.example",
        "--parallel",
        "2",
    ]);
    assert!(!asked.markdown.contains("## Hypotheses Ruled Out"));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.ndjson");
    let text = fs::read_to_string(data("english.ndjson")).unwrap();
    fs::write(
        &file,
        text.replace("\"author\": \"ou_ben\"", "\"author\": \"ou_nobody\""),
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args([
            "postmortem",
            "--transcript",
            file.to_str().unwrap(),
            "--incident",
            &data("english.incident.json"),
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("line 6: the author `ou_nobody` is not among the people"),
        "{said}"
    );
}
