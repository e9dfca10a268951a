//! A post: rich text in paragraphs of pieces, as Markdown that says the same.

use serde_json::Value;

use super::rename::{Names, runs_on};

/// A post: a title, and paragraphs of pieces. What is received has no language around it; what was
/// sent, and is read back by some, has.
pub(super) fn text(json: &Value, names: &Names) -> String {
    let languages = json
        .as_object()
        .into_iter()
        .flat_map(|object| object.values());
    let json = match json["content"].is_array() {
        true => json,
        false => languages
            .into_iter()
            .find(|inner| inner["content"].is_array())
            .unwrap_or(json),
    };
    let title = json["title"].as_str().unwrap_or_default();
    let paragraphs = json["content"].as_array().into_iter().flatten();
    let lines = paragraphs.map(|paragraph| {
        let pieces = paragraph.as_array().into_iter().flatten();
        joined(pieces, names)
    });
    std::iter::once(title.to_owned())
        .filter(|title| !title.is_empty())
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The pieces of a line. A mention has no space of its own after it.
pub(super) fn joined<'a>(pieces: impl Iterator<Item = &'a Value>, names: &Names) -> String {
    let mut line = String::new();
    let mut mentioned = String::new();
    for part in pieces {
        let text = piece(part, names);
        if runs_on(&mentioned, &text) {
            line.push(' ');
        }
        line.push_str(&text);
        mentioned = match part["tag"] == "at" {
            true => text,
            false => String::new(),
        };
    }
    line
}

/// One piece of a line.
pub(super) fn piece(piece: &Value, names: &Names) -> String {
    let text = |key: &str| piece[key].as_str().unwrap_or_default();
    match text("tag") {
        "a" if !text("href").is_empty() => format!("[{}]({})", text("text"), text("href")),
        "at" => match names.at_start(text("user_id")) {
            Some((name, _)) => name,
            None if text("user_id") == "all" => "@all".into(),
            None => format!("@{}", text("user_name")),
        },
        "img" => "[image]".into(),
        "media" => "[video]".into(),
        "emotion" => format!("[{}]", text("emoji_type")),
        "hr" => "---".into(),
        "code_block" => code(text("language"), text("text")),
        _ => names.put_into(text("text")),
    }
}

/// Code in a fence that is longer than any in the code, indentation and all.
fn code(language: &str, code: &str) -> String {
    let code = code.trim_end();
    let mut fence = "```".to_owned();
    while code.contains(&fence) {
        fence.push('`');
    }
    let language = language.to_lowercase();
    format!("{fence}{language}\n{code}\n{fence}")
}
