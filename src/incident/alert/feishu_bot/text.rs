//! The words of a message: plain text, rich text and cards of both schemas, walked without trusting their
//! shape.

use serde_json::Value;

use super::{Link, Message};
use crate::incident::alert::{bounds::LINKS_MAX, bounds::one_line, fields::Fields};

/// How deep a card is walked. Cards nest columns in columns; nobody nests them deeper than this.
const DEPTH_MAX: usize = 16;
/// How much text is gathered, in bytes. More would be cut later anyway.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// The first line is the title.
pub(super) fn of_text(text: String) -> Message {
    let text = without_mentions(&text);
    let (title, body) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    Message {
        title: one_line(title),
        body: body.trim().to_owned(),
        ..Message::default()
    }
}

/// Rich text, in the first language that is there.
pub(super) fn of_post(mut post: Fields) -> Option<Message> {
    let known = ["zh_cn", "en_us", "ja_jp", "zh_hk", "zh_tw"];
    let mut post = known
        .into_iter()
        .find_map(|language| post.object(language))?;
    let mut message = Message {
        title: post
            .text("title")
            .map(|title| one_line(&title))
            .unwrap_or_default(),
        ..Message::default()
    };
    for line in post.list("content") {
        gather(&line, &mut message, 0, true);
        line_end(&mut message.body);
    }
    Some(with_title(message))
}

/// A card, as an object or as text with an object in it.
pub(super) fn of_card(card: Value) -> Option<Message> {
    let card = match card {
        Value::String(text) => serde_json::from_str(&text).ok()?,
        card => card,
    };
    let mut message = Message::default();
    if let Some(header) = card.get("header") {
        message.colour = header
            .get("template")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let mut title = Message::default();
        gather(
            header.get("title").unwrap_or(&Value::Null),
            &mut title,
            0,
            false,
        );
        message.title = one_line(&title.body);
    }
    // Elements lie at the top in schema 1, in `body` in schema 2, and by language in `i18n_elements`.
    let by_language = card.get("i18n_elements").and_then(Value::as_object);
    let elements = [
        card.get("elements"),
        card.pointer("/body/elements"),
        by_language.and_then(|languages| languages.values().next()),
    ];
    for element in elements.into_iter().flatten() {
        gather(element, &mut message, 0, false);
    }
    message.body = without_mentions(message.body.trim());
    Some(with_title(message))
}

/// A message without a title has its first line for one.
fn with_title(message: Message) -> Message {
    if !message.title.is_empty() {
        return Message {
            body: message.body.trim().to_owned(),
            ..message
        };
    }
    let Message { colour, links, .. } = message;
    Message {
        colour,
        links,
        ..of_text(message.body)
    }
}

/// Gathers the texts and links below a value, in order. `inline`: its parts stand in one line.
fn gather(value: &Value, message: &mut Message, depth: usize, inline: bool) {
    if depth > DEPTH_MAX || message.body.len() > TEXT_BYTES_MAX {
        return;
    }
    match value {
        Value::Array(values) => {
            for value in values {
                gather(value, message, depth + 1, inline);
                if !inline {
                    line_end(&mut message.body);
                }
            }
        }
        Value::Object(map) => {
            let word = |name: &str| map.get(name).and_then(Value::as_str);
            let tag = word("tag").unwrap_or_default();
            // A button of schema 2 has its address in what it does.
            let opened = || map.get("behaviors")?.get(0)?.get("default_url")?.as_str();
            if let Some(url) = ["href", "url"].into_iter().find_map(word).or_else(opened)
                && message.links.len() < LINKS_MAX
            {
                let nested = map.get("text").and_then(|text| text.get("content"));
                let text = word("text").or(nested.and_then(Value::as_str));
                message.links.push(Link {
                    text: text.unwrap_or_default().to_owned(),
                    url: url.to_owned(),
                });
            }
            // The words of a button are an invitation to click, not part of what happened.
            if matches!(tag, "button" | "img" | "at") {
                return;
            }
            for name in ["text", "content"] {
                match map.get(name) {
                    Some(Value::String(text)) => message.body.push_str(text),
                    Some(value) => gather(value, message, depth + 1, inline),
                    None => {}
                }
            }
            for name in ["fields", "elements", "columns", "actions"] {
                if let Some(value) = map.get(name) {
                    line_end(&mut message.body);
                    gather(value, message, depth + 1, false);
                }
            }
        }
        _ => {}
    }
}

fn line_end(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Takes out `<at …>…</at>`: whom the sender wanted to call is not part of what happened.
fn without_mentions(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<at ") {
        kept.push_str(&rest[..start]);
        let mention = &rest[start..];
        let end = match mention.find("</at>") {
            Some(end) => end + "</at>".len(),
            None => mention.find('>').map_or(mention.len(), |end| end + 1),
        };
        rest = &mention[end..];
    }
    kept.push_str(rest);
    kept
}
