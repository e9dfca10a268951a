//! A card, either in the reduced form that the platform gives (`title`, and `elements` in lines) or whole.

use serde_json::Value;

use super::{
    alert,
    notes::{note, words},
    post,
    rename::Names,
};

/// How deep the parts of a card are followed.
const DEPTH_MAX: usize = 12;

/// What the platform writes in place of a card that is too new for its reduced form.
const UPGRADE_HINTS: [&str; 2] = [
    "请升级至最新版本客户端",
    "Please upgrade to the latest version",
];

/// What a card says, line by line; an alert's labels and values, where it is one.
pub(super) fn text(json: &Value, names: &Names) -> String {
    let mut lines = Vec::new();
    collect(json, names, 0, &mut lines);
    lines.retain(|line| !line.trim().is_empty());
    let says = |hint: &&str| lines.iter().any(|line| line.contains(*hint));
    if UPGRADE_HINTS.iter().any(says) {
        return "[card that cannot be read]".into();
    }
    if let Some(alert) = alert::read(&lines) {
        return alert;
    }
    match lines.is_empty() {
        true => "[card]".into(),
        false => format!("[card]\n{}", lines.join("\n")),
    }
}

fn collect(node: &Value, names: &Names, depth: usize, lines: &mut Vec<String>) {
    if depth > DEPTH_MAX {
        return;
    }
    match node {
        Value::String(text) => lines.push(names.put_into(text)),
        // A list of lists are lines; the pieces of one line belong together.
        Value::Array(parts) if depth > 0 && parts.iter().all(is_inline) => {
            lines.push(post::joined(parts.iter(), names));
        }
        Value::Array(parts) => {
            for part in parts {
                collect(part, names, depth + 1, lines);
            }
        }
        Value::Object(part) => match part.get("tag").and_then(Value::as_str) {
            Some("img" | "image") => lines.push("[image]".into()),
            Some("hr") => lines.push("---".into()),
            Some("button") => lines.push(button(node)),
            Some("table") => table(node, lines),
            Some("a" | "at") => lines.push(post::piece(node, names)),
            _ => {
                // In the order in which they are read.
                for key in [
                    "header", "title", "subtitle", "text", "content", "body", "fields", "columns",
                    "elements", "actions",
                ] {
                    if let Some(inner) = part.get(key) {
                        collect(inner, names, depth + 1, lines);
                    }
                }
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a card's part is a piece of a line, as in the reduced form.
fn is_inline(part: &Value) -> bool {
    matches!(part["tag"].as_str(), Some("text" | "a" | "at" | "emotion"))
}

/// A button, with the address that it opens.
fn button(part: &Value) -> String {
    let mut behaviors = part["behaviors"].as_array().into_iter().flatten();
    let opens = behaviors.find_map(|one| one["default_url"].as_str());
    let url = part["url"].as_str().or(part["multi_url"]["url"].as_str());
    let text = note("button", &words(&part["text"]));
    match opens.or(url).filter(|url| url.starts_with("http")) {
        Some(url) => format!("{text}({url})"),
        None => text,
    }
}

/// The rows of a table, under the names of its columns.
fn table(part: &Value, lines: &mut Vec<String>) {
    let columns: Vec<&Value> = part["columns"].as_array().into_iter().flatten().collect();
    let row = |cell: &dyn Fn(&str, &Value) -> String| {
        let cells = columns.iter().map(|column| {
            let name = column["name"].as_str().unwrap_or_default();
            cell(name, column)
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    lines.push(row(&|name, column| {
        let shown = column["display_name"].as_str();
        shown.unwrap_or(name).to_owned()
    }));
    for values in part["rows"].as_array().into_iter().flatten() {
        lines.push(row(&|name, _| match &values[name] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }));
    }
}
