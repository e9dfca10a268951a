//! The content of a message of any kind as plain text.
//!
//! What cannot be text becomes a short note in brackets, also for a kind that did not exist when this
//! was written: a reader of the history should know that something stood there. Nothing here fails.

use serde_json::Value;

use super::{Mention, Message};

/// How deep the parts of a card are followed.
const DEPTH_MAX: usize = 12;

/// The message's text. Mentions become `@name`, and those of `omitted` ids become nothing.
pub(super) fn plain(message: &Message, omitted: &[&str]) -> String {
    if message.deleted {
        return "[recalled]".into();
    }
    let json = serde_json::from_str(&message.content).unwrap_or(Value::Null);
    let names = Names::new(&message.mentions, omitted);
    let text = |key: &str| json[key].as_str().unwrap_or_default();
    match message.kind.as_str() {
        "text" => match json["text"].as_str() {
            Some(text) => names.put_into(text),
            // Not the JSON it should be: better the raw content than silence.
            None => names.put_into(&message.content),
        },
        "post" => post(&json, &names),
        "image" => "[image]".into(),
        "file" => note("file", text("file_name")),
        "folder" => note("folder", text("file_name")),
        "audio" => note("voice message", &seconds(&json["duration"])),
        "media" => note("video", text("file_name")),
        "sticker" => "[sticker]".into(),
        "interactive" => card(&json, &names),
        "share_chat" => "[shared group]".into(),
        "share_user" => "[shared contact]".into(),
        "system" => note("system", &system(&json)),
        "location" => note("location", text("name")),
        "video_chat" => note("video meeting", text("topic")),
        "todo" => note("task", post(&json["summary"], &names).trim()),
        "vote" => note("vote", &vote(&json)),
        "hongbao" => note("red packet", text("text")),
        "share_calendar_event" | "calendar" | "general_calendar" => {
            note("calendar event", text("summary"))
        }
        "merge_forward" => "[forwarded messages]".into(),
        kind => format!("[message of kind {kind}]"),
    }
}

/// A text as commands are read from it.
pub(super) fn command(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            // Spaces run together, as a mention that was taken out leaves two; lines stay.
            c if c.is_whitespace() && c != '\n' => {
                if !plain.ends_with([' ', '\n']) {
                    plain.push(' ');
                }
            }
            c => plain.push(c),
        }
    }
    let plain = plain.trim();
    match plain.strip_prefix('／') {
        Some(rest) => format!("/{rest}"),
        None => plain.to_owned(),
    }
}

fn note(what: &str, detail: &str) -> String {
    match detail.is_empty() {
        true => format!("[{what}]"),
        false => format!("[{what}: {detail}]"),
    }
}

/// The names that stand for mention keys.
struct Names<'a> {
    /// Longest key first, so that `@_user_1` does not eat the beginning of `@_user_10`.
    mentions: Vec<&'a Mention>,
    omitted: &'a [&'a str],
}

impl<'a> Names<'a> {
    fn new(mentions: &'a [Mention], omitted: &'a [&'a str]) -> Self {
        let mut mentions: Vec<_> = mentions.iter().collect();
        mentions.sort_by_key(|mention| std::cmp::Reverse(mention.key.len()));
        Self { mentions, omitted }
    }

    /// Puts names in place of keys. It goes through the text once, so a name that looks like a key stays.
    fn put_into(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // Every key begins so; all other `@` are the writer's own.
        while let Some(at) = rest.find("@_") {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (name, length) = self.at_start(rest).unwrap_or(("@_".into(), "@_".len()));
            out.push_str(&name);
            rest = &rest[length..];
        }
        out.push_str(rest);
        out
    }

    /// The name for the key that `text` begins with, and that key's length.
    fn at_start(&self, text: &str) -> Option<(String, usize)> {
        let is_key = |mention: &&&Mention| {
            let after = text.strip_prefix(mention.key.as_str());
            // `@_user_1` in front of a further digit is another key, which nobody told us of.
            !mention.key.is_empty()
                && after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_digit()))
        };
        match self.mentions.iter().find(is_key) {
            Some(mention) => Some((self.name(mention), mention.key.len())),
            None if text.starts_with("@_all") => Some(("@all".into(), "@_all".len())),
            None => None,
        }
    }

    fn name(&self, mention: &Mention) -> String {
        match &mention.id {
            Some(id) if self.omitted.contains(&id.as_str()) => String::new(),
            _ if mention.key == "@_all" => "@all".into(),
            _ => format!("@{}", mention.name),
        }
    }
}

/// A post: a title, and paragraphs of pieces. What is received has no language around it; what was
/// sent, and is read back by some, has.
fn post(json: &Value, names: &Names) -> String {
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
        pieces
            .map(|piece| post_piece(piece, names))
            .collect::<String>()
    });
    std::iter::once(title.to_owned())
        .filter(|title| !title.is_empty())
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

fn post_piece(piece: &Value, names: &Names) -> String {
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
        "code_block" => format!(
            "```{}\n{}\n```",
            text("language").to_lowercase(),
            text("text").trim_end()
        ),
        _ => names.put_into(text("text")),
    }
}

/// A card, either in the reduced form that the platform gives (`title`, and `elements` in lines) or whole.
fn card(json: &Value, names: &Names) -> String {
    let mut lines = Vec::new();
    card_lines(json, names, 0, &mut lines);
    lines.retain(|line| !line.trim().is_empty());
    // What the platform writes in place of a card that is too new for its reduced form.
    let hints = [
        "请升级至最新版本客户端",
        "Please upgrade to the latest version",
    ];
    if lines
        .iter()
        .any(|line| hints.iter().any(|hint| line.contains(hint)))
    {
        return "[card that cannot be read]".into();
    }
    match lines.is_empty() {
        true => "[card]".into(),
        false => format!("[card]\n{}", lines.join("\n")),
    }
}

fn card_lines(node: &Value, names: &Names, depth: usize, lines: &mut Vec<String>) {
    if depth > DEPTH_MAX {
        return;
    }
    match node {
        Value::String(text) => lines.push(names.put_into(text)),
        // A list of lists are lines; the pieces of one line belong together.
        Value::Array(parts) if depth > 0 && parts.iter().all(is_inline) => {
            let mut pieces = Vec::new();
            for part in parts {
                card_lines(part, names, depth + 1, &mut pieces);
            }
            lines.push(pieces.concat());
        }
        Value::Array(parts) => {
            for part in parts {
                card_lines(part, names, depth + 1, lines);
            }
        }
        Value::Object(part) => match part.get("tag").and_then(Value::as_str) {
            Some("img" | "image") => lines.push("[image]".into()),
            Some("hr") => lines.push("---".into()),
            Some("button") => lines.push(note("button", &words(&part["text"]))),
            Some("a" | "at") => lines.push(post_piece(node, names)),
            _ => {
                // In the order in which they are read.
                for key in [
                    "header", "title", "subtitle", "text", "content", "body", "fields", "columns",
                    "elements", "actions",
                ] {
                    if let Some(inner) = part.get(key) {
                        card_lines(inner, names, depth + 1, lines);
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

/// A text that may be wrapped in an object.
fn words(value: &Value) -> String {
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::feishu::{ChatId, MessageId, Sender, SenderKind};

    fn message(kind: &str, content: impl ToString, mentions: &[(&str, &str, &str)]) -> Message {
        let mention = |(key, id, name): &(&str, &str, &str)| Mention {
            key: key.to_string(),
            id: Some(id.to_string()),
            name: name.to_string(),
        };
        Message {
            id: MessageId::new("om_a"),
            chat_id: ChatId::new("oc_a"),
            root_id: None,
            parent_id: None,
            thread_id: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: None,
            kind: kind.into(),
            content: content.to_string(),
            mentions: mentions.iter().map(mention).collect(),
            sender: Sender {
                id: "ou_a".into(),
                kind: SenderKind::Person,
                tenant_key: None,
                name: None,
            },
            deleted: false,
            upper_message_id: None,
        }
    }

    #[test]
    fn every_kind_has_a_text() {
        for (kind, content, expected) in [
            (
                "text",
                json!({"text": "hi [x](https://x)"}),
                "hi [x](https://x)",
            ),
            ("image", json!({"image_key": "img_a"}), "[image]"),
            (
                "file",
                json!({"file_key": "f", "file_name": "a.txt"}),
                "[file: a.txt]",
            ),
            ("folder", json!({"file_name": "logs"}), "[folder: logs]"),
            (
                "audio",
                json!({"file_key": "f", "duration": 2000}),
                "[voice message: 2 s]",
            ),
            ("audio", json!({"duration": "1500"}), "[voice message: 2 s]"),
            ("media", json!({"file_name": "a.mp4"}), "[video: a.mp4]"),
            ("sticker", json!({"file_key": "f"}), "[sticker]"),
            ("share_chat", json!({"chat_id": "oc_b"}), "[shared group]"),
            ("share_user", json!({"user_id": "ou_b"}), "[shared contact]"),
            (
                "system",
                json!({"template": "{from_user} invited {to_chatters}.", "from_user": ["Li Lei"], "to_chatters": ["Han", "Tom"]}),
                "[system: Li Lei invited Han, Tom.]",
            ),
            (
                "system",
                json!({"divider_text": {"text": "New day"}}),
                "[system: New day]",
            ),
            (
                "location",
                json!({"name": "Office", "longitude": "1"}),
                "[location: Office]",
            ),
            (
                "video_chat",
                json!({"topic": "Standup"}),
                "[video meeting: Standup]",
            ),
            (
                "todo",
                json!({"task_id": "t", "summary": {"title": "", "content": [[{"tag": "text", "text": "Call them"}]]}}),
                "[task: Call them]",
            ),
            (
                "vote",
                json!({"topic": "Lunch?", "options": ["A", "B"]}),
                "[vote: Lunch? (A | B)]",
            ),
            ("hongbao", json!({"text": "[红包]"}), "[red packet: [红包]]"),
            (
                "calendar",
                json!({"summary": "Review"}),
                "[calendar event: Review]",
            ),
            (
                "merge_forward",
                json!({"content": "Merged and Forwarded Message"}),
                "[forwarded messages]",
            ),
            ("hologram", json!({}), "[message of kind hologram]"),
        ] {
            assert_eq!(message(kind, content, &[]).text(), expected, "{kind}");
        }
    }

    #[test]
    fn content_that_is_not_json_is_shown_as_it_is() {
        assert_eq!(message("text", "This message", &[]).text(), "This message");
        assert_eq!(
            message("merge_forward", "Merged and Forwarded Message", &[]).text(),
            "[forwarded messages]"
        );
        assert_eq!(message("file", "{", &[]).text(), "[file]");
    }

    #[test]
    fn a_recalled_message_says_so_whatever_it_was() {
        let mut message = message("text", "This message was recalled", &[]);
        message.deleted = true;
        assert_eq!(message.text(), "[recalled]");
    }

    #[test]
    fn mention_keys_become_names_longest_first_and_once() {
        let mentions = [
            ("@_user_1", "ou_1", "@_user_2"),
            ("@_user_10", "ou_10", "Ten"),
            ("@_user_2", "ou_2", "Two"),
        ];
        let content = json!({"text": "@_user_10 @_user_1 @_user_2 @_user_27 @_all a@_b @"});
        assert_eq!(
            message("text", content, &mentions).text(),
            "@Ten @@_user_2 @Two @_user_27 @all a@_b @"
        );
    }

    #[test]
    fn at_all_is_no_mention_of_anybody() {
        let message = message(
            "text",
            json!({"text": "@_all look"}),
            &[("@_all", "all", "Everyone")],
        );
        assert_eq!(message.text(), "@all look");
        assert!(!message.mentions_id(&["ou_bot", "cli_bot"]));
    }

    #[test]
    fn a_post_is_its_title_and_its_lines() {
        let content = json!({"title": "Report", "content": [
            [{"tag": "text", "text": "see "}, {"tag": "a", "text": "this", "href": "https://x"},
             {"tag": "at", "user_id": "@_user_1", "user_name": "Tom"}],
            [{"tag": "img", "image_key": "k"}],
            [{"tag": "code_block", "language": "GO", "text": "x := 1\n"}],
            [{"tag": "emotion", "emoji_type": "SMILE"}, {"tag": "at", "user_id": "all"}, {"tag": "new", "text": "!"}],
            [{"tag": "hr"}]
        ]});
        let expected =
            "Report\nsee [this](https://x)@Tommy\n[image]\n```go\nx := 1\n```\n[SMILE]@all!\n---";
        let mentions = [("@_user_1", "ou_1", "Tommy")];
        assert_eq!(message("post", &content, &mentions).text(), expected);
        let wrapped = json!({"zh_cn": content});
        assert_eq!(message("post", wrapped, &mentions).text(), expected);
    }

    #[test]
    fn a_card_is_read_in_its_reduced_form_and_whole() {
        let reduced = json!({"title": "Alert", "elements": [
            [{"tag": "text", "text": "CPU is "}, {"tag": "text", "text": "high"}],
            [{"tag": "button", "text": "Ack", "type": "primary"}],
            [{"tag": "img", "image_key": "k"}]
        ]});
        assert_eq!(
            message("interactive", reduced, &[]).text(),
            "[card]\nAlert\nCPU is high\n[button: Ack]\n[image]"
        );
        let whole = json!({"schema": "2.0", "header": {"title": {"tag": "plain_text", "content": "Alert"}},
            "body": {"elements": [{"tag": "markdown", "content": "**CPU** is high"},
                {"tag": "column_set", "columns": [{"tag": "column", "elements": [
                    {"tag": "button", "text": {"tag": "plain_text", "content": "Ack"}}]}]}]}});
        assert_eq!(
            message("interactive", whole, &[]).text(),
            "[card]\nAlert\n**CPU** is high\n[button: Ack]"
        );
    }

    #[test]
    fn a_card_without_text_is_still_a_card() {
        assert_eq!(message("interactive", "{}", &[]).text(), "[card]");
        let hint =
            json!({"elements": [[{"tag": "text", "text": "请升级至最新版本客户端，以查看内容"}]]});
        assert_eq!(
            message("interactive", hint, &[]).text(),
            "[card that cannot be read]"
        );
    }

    #[test]
    fn a_command_is_read_without_the_bots_own_mention_and_odd_spaces() {
        let mentions = [
            ("@_user_1", "ou_bot", "Nightjar"),
            ("@_user_2", "ou_2", "Tom"),
        ];
        for (text, expected) in [
            ("@_user_1\u{a0}/stop", "/stop"),
            ("@_user_1 ／新会话", "/新会话"),
            (
                "\u{200b}/page\u{3000} @_user_2 @_user_1 now\u{feff}",
                "/page @Tom now",
            ),
            ("@_user_1 first \n  second", "first \nsecond"),
            ("@_user_1", ""),
        ] {
            let message = message("text", json!({"text": text}), &mentions);
            assert_eq!(
                message.command_text(&["ou_bot", "cli_bot"]),
                expected,
                "{text:?}"
            );
        }
    }

    const KINDS: &str = "text|post|image|file|folder|audio|media|sticker|interactive|share_chat|system|\
        location|video_chat|todo|vote|hongbao|calendar|merge_forward|x";

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[@_user1{} é红]{0,12}".prop_map(Value::from),
        ];
        let key = "tag|text|content|title|elements|template|summary|options|duration|user_id|zh_cn|header";
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(key, inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_never_panics_on_any_json(kind in KINDS, json in any_json(), key in "[@_user1é]{0,9}") {
            let message = message(&kind, json, &[(&key, "ou_1", "Tom")]);
            let _ = (message.text(), message.command_text(&["ou_1"]));
        }

        #[test]
        fn text_never_panics_on_any_content(kind in KINDS, content: String) {
            let _ = message(&kind, content, &[]).command_text(&[]);
        }
    }
}
