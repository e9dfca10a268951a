//! Messages that hold no text of their own, as a short note each.

use serde_json::Value;

use super::{post, rename::Names};

/// The note for a message of this kind.
pub(super) fn text(kind: &str, json: &Value, names: &Names) -> String {
    let text = |key: &str| json[key].as_str().unwrap_or_default();
    match kind {
        "image" => "[image]".into(),
        "file" => note("file", text("file_name")),
        "folder" => note("folder", text("file_name")),
        "audio" => note("voice message", &seconds(&json["duration"])),
        "media" => note("video", text("file_name")),
        "sticker" => "[sticker]".into(),
        "share_chat" => "[shared group]".into(),
        "share_user" => "[shared contact]".into(),
        "system" => note("system", &system(json)),
        "location" => note("location", text("name")),
        "video_chat" => note("video meeting", text("topic")),
        "todo" => note("task", post::text(&json["summary"], names).trim()),
        "vote" => note("vote", &vote(json)),
        "hongbao" => note("red packet", text("text")),
        "share_calendar_event" | "calendar" | "general_calendar" => {
            note("calendar event", text("summary"))
        }
        "merge_forward" => "[forwarded messages]".into(),
        kind => format!("[message of kind {kind}]"),
    }
}

/// A note in brackets, with a detail where there is one.
pub(super) fn note(what: &str, detail: &str) -> String {
    match detail.is_empty() {
        true => format!("[{what}]"),
        false => format!("[{what}: {detail}]"),
    }
}

/// A text that may be wrapped in an object.
pub(super) fn words(value: &Value) -> String {
    let text = value.as_str().or_else(|| value["content"].as_str());
    text.unwrap_or_default().to_owned()
}

/// A system message: a sentence with `{places}`, and members of those names that fill them.
fn system(json: &Value) -> String {
    let template = json["template"].as_str().unwrap_or_default();
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((place, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        out.push_str(&fill(&json[place]));
        rest = after;
    }
    out.push_str(rest);
    match out.is_empty() {
        true => words(&json["divider_text"]["text"]),
        false => out,
    }
}

fn fill(value: &Value) -> String {
    match value {
        Value::Array(names) => names.iter().map(words).collect::<Vec<_>>().join(", "),
        other => words(other),
    }
}

fn vote(json: &Value) -> String {
    let options = json["options"].as_array().into_iter().flatten();
    let options = options.map(words).collect::<Vec<_>>().join(" | ");
    let topic = json["topic"].as_str().unwrap_or_default();
    match options.is_empty() {
        true => topic.to_owned(),
        false => format!("{topic} ({options})"),
    }
}

fn seconds(milliseconds: &Value) -> String {
    let text = milliseconds.as_str().and_then(|text| text.parse().ok());
    match milliseconds.as_u64().or(text) {
        Some(milliseconds) => format!("{} s", milliseconds.div_ceil(1000)),
        None => String::new(),
    }
}
