//! Holds the table of who may import whom.
//!
//! Arrows between the modules point one way; a circle is why one change touches nine files. The table
//! is the one in `src/lib.rs`, and this test is what makes it true.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A module, and what it may name. `telemetry` may be named by everyone.
const LAW: &[(&str, &[&str])] = &[
    ("duration", &[]),
    ("config", &["incident", "duration"]),
    ("incident", &["duration"]),
    ("prompt", &[]),
    ("sandbox", &[]),
    ("telemetry", &["config"]),
    ("feishu", &["config"]),
    ("llm", &["config"]),
    ("store", &["config"]),
    ("agent", &["llm", "prompt", "config"]),
    ("postmortem", &["incident", "llm", "prompt", "config"]),
    ("tools", &["agent", "incident", "store", "config"]),
    (
        "bot",
        &[
            "agent",
            "doctor",
            "postmortem",
            "incident",
            "feishu",
            "store",
            "prompt",
            "duration",
            "config",
        ],
    ),
    (
        "web",
        &["bot", "postmortem", "feishu", "incident", "store", "config"],
    ),
    ("doctor", &["feishu", "llm", "store", "config"]),
];

/// They join the parts, so they may name everything.
const FREE: &[&str] = &["app", "cli", "main", "lib"];

#[test]
fn modules_import_only_what_the_table_allows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    for file in rust_files(&src) {
        let module = module_of(file.strip_prefix(&src).unwrap());
        if FREE.contains(&module.as_str()) {
            continue;
        }
        let (_, allowed) = LAW
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| {
                panic!("`{module}` is not in the table: add it there and in src/lib.rs")
            });
        for named in names_after_crate(&fs::read_to_string(&file).unwrap()) {
            // The sandbox may not even look at our telemetry: it is the other side of the wire.
            let free = named == module || (named == "telemetry" && module != "sandbox");
            if !free && !allowed.contains(&named.as_str()) {
                offences.push(format!("{} names crate::{named}", file.display()));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "against the import table:\n{}",
        offences.join("\n")
    );
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    let check = |text: &str, expected: &[&str]| {
        let expected: BTreeSet<String> = expected.iter().map(|name| name.to_string()).collect();
        assert_eq!(names_after_crate(text), expected, "{text}");
    };
    check("use crate::config::Config;", &["config"]);
    check(
        "use crate::{config::{A, B}, llm, store::{self}};",
        &["config", "llm", "store"],
    );
    check("fn f() -> crate::bot::Bot {}", &["bot"]);
    check(
        "// use crate::web;\n/// See [`crate::web`].\nlet url = \"http://x\"; crate::llm::f();",
        &["llm"],
    );
    check("use $crate::bot::Bot;", &["bot"]);
    check("let notcrate::bot = 1;", &[]);
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `bot/card/mod.rs` belongs to `bot`, `config.rs` to `config`.
fn module_of(path: &Path) -> String {
    let first = path
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// What follows `crate::` anywhere outside comments, also in groups.
fn names_after_crate(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend(head(rest)),
        }
    }
    names
}

/// The first name of each item of a group, `a::{b, c}, d` giving `a` and `d`.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.extend(head(&group[start..at]));
                return heads;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.extend(head(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> Option<String> {
    let name: String = path
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    // An item of the crate's root begins with a capital; there is none, but a macro may.
    (!name.is_empty() && name.starts_with(char::is_lowercase)).then_some(name)
}
