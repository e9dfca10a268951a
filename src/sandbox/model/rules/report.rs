//! The requests of a post-mortem, answered by words: which lines of a room say something, and as what.
//!
//! They know little, so they say little: an event is a message as it stands, a section is its events.

use serde_json::{Value, json};

use super::{Reply, has};

/// What stands before the lines of a room, and before the events of a section.
const LINES: &str = "The lines to read:";
const EVENTS: &str = "The events, in the order of their times:";
/// What stands in requests to put something right: rules have nothing better to say.
const SECTION_AGAIN: &str = "Write the whole section once more";
const EVENTS_AGAIN: [&str; 2] = [
    "Answer with these events only",
    "Answer with what it says as JSON",
];
/// How a section for people outside is called. It may name nobody, and rules know no other words.
const OUTSIDE: [&str; 2] = ["People Outside", "对外"];
/// What stands beside an image of a room.
const IMAGE: &str = "The image to describe is called";
/// How many events a section names.
const NAMED_MAX: usize = 6;

/// Words that tell what a message is about, the more telling first; compared in lower case.
const KINDS: &[(&str, &str, &[&str])] = &[
    (
        "action_item",
        "stated",
        &["todo", "action item", "待办", "后续要", "to do:"],
    ),
    (
        "ruled_out",
        "refuted",
        &[
            "ruled out",
            "is not the cause",
            "not the cause",
            "排除",
            "不是原因",
        ],
    ),
    (
        "cause",
        "stated",
        &[
            "root cause",
            "was caused by",
            "was the cause",
            "根因",
            "原因是",
        ],
    ),
    (
        "hypothesis",
        "suspected",
        &["maybe", "i suspect", "might be", "怀疑", "可能是"],
    ),
    (
        "mitigation",
        "stated",
        &[
            "mitigated",
            "rolled back",
            "restarted",
            "scaled up",
            "缓解了",
            "已回滚",
            "已重启",
            "已扩容",
        ],
    ),
    (
        "resolution",
        "stated",
        &[
            "back to normal",
            "resolved",
            "recovered",
            "恢复正常",
            "已解决",
        ],
    ),
    (
        "change",
        "stated",
        &["deployed", "released", "发布了", "上线了"],
    ),
    (
        "impact",
        "stated",
        &["fail", "cannot", "timing out", "失败", "无法", "超时"],
    ),
    (
        "acknowledgement",
        "stated",
        &[
            "i'm on it",
            "i am on it",
            "looking into",
            "我来处理",
            "我来看",
        ],
    ),
    ("observation", "stated", &["i see", "shows", "看到", "显示"]),
];

/// The reply, where the request is one of a post-mortem.
pub(super) fn reply(asked: &str) -> Option<Reply> {
    let text = if asked.starts_with(IMAGE) {
        "An image. Rules cannot look at images.".to_owned()
    } else if let Some((_, lines)) = asked.split_once(LINES) {
        json!({ "events": events(&quoted(lines)) }).to_string()
    } else if let Some((head, events)) = asked.split_once(EVENTS) {
        match has(head, &OUTSIDE) {
            true => "NOTHING".to_owned(),
            false => section(&quoted(events)),
        }
    } else if asked.contains(SECTION_AGAIN) {
        "NOTHING".to_owned()
    } else if has(asked, &EVENTS_AGAIN) {
        json!({ "events": [] }).to_string()
    } else {
        return None;
    };
    Some(Reply {
        text: Some(text),
        ..Reply::default()
    })
}

/// The lines between the first marks.
fn quoted(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    let inside = lines
        .skip_while(|line| !line.starts_with("<quoted-"))
        .skip(1);
    inside
        .take_while(|line| !line.starts_with("</quoted-"))
        .collect()
}

fn events(lines: &[&str]) -> Vec<Value> {
    lines.iter().filter_map(|line| event(line)).collect()
}

/// The event of a line such as `[m3] 14:02:00 Li Lei (to m1): I'm on it`.
fn event(line: &str) -> Option<Value> {
    let (alias, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (head, text) = rest.split_once(": ")?;
    let is_time = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let name: Vec<&str> = head
        .split(" (")
        .next()?
        .split_whitespace()
        .skip_while(is_time)
        .collect();
    let lower = text.to_lowercase();
    let (kind, certainty, _) = KINDS.iter().find(|(_, _, words)| has(&lower, words))?;
    let is_bot = name.first() == Some(&"alert");
    Some(json!({
        "kind": kind,
        "actor": (!is_bot).then(|| name.join(" ")),
        "text": text,
        "messages": [alias],
        "time_source": "message",
        "time": null,
        "certainty": certainty,
        "owner": null,
        "due": null,
    }))
}

/// Lines such as `- Li Lei: I'm on it [m3]` of events such as `… | acknowledged | stated | Li Lei | I'm on it [m3]`.
fn section(events: &[&str]) -> String {
    let lines = events.iter().filter_map(|event| {
        let mut fields = event.splitn(5, " | ").skip(3);
        let (actor, text) = (fields.next()?, fields.next()?);
        Some(match actor {
            "-" => format!("- {text}"),
            actor => format!("- {actor}: {text}"),
        })
    });
    let lines: Vec<String> = lines.take(NAMED_MAX).collect();
    match lines.is_empty() {
        true => "NOTHING".to_owned(),
        false => lines.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_becomes_events_and_events_a_section() {
        let said = |asked: &str| reply(asked).and_then(|reply| reply.text);
        let room = "The lines to read:\n<quoted-1>\n[m1] 2026-11-21 14:02:00 Li Lei (to m0): I'm on it\n[m2] 14:03:00 Han: lunch?\n</quoted-1>";
        let events: Value = serde_json::from_str(&said(room).unwrap()).unwrap();
        let events = events["events"].as_array().unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (&events[0]["actor"], &events[0]["kind"]),
            (&json!("Li Lei"), &json!("acknowledgement"))
        );
        let section = "The events, in the order of their times:\n<quoted-1>\n14:02 | taken | stated | Li Lei | I'm on it [m1]\n</quoted-1>";
        assert_eq!(said(section).as_deref(), Some("- Li Lei: I'm on it [m1]"));
        assert_eq!(said("what is wrong?"), None);
        let outside = format!("The section is called For People Outside.\n{section}");
        assert_eq!(said(&outside).as_deref(), Some("NOTHING"));
    }

    #[test]
    fn what_does_not_hold_is_left_out() {
        let check = |asked: &str, expected: &str| {
            let said = reply(asked).and_then(|reply| reply.text);
            assert_eq!(said.as_deref(), Some(expected), "{asked}");
        };
        check(
            include_str!("../../../../prompts/postmortem_rewrite.md"),
            "NOTHING",
        );
        check(
            include_str!("../../../../prompts/postmortem_repair.md"),
            r#"{"events":[]}"#,
        );
        check(
            include_str!("../../../../prompts/postmortem_as_json.md"),
            r#"{"events":[]}"#,
        );
    }
}
