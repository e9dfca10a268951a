//! Cards: state in, JSON out.
//!
//! Card JSON 2.0, with documented properties only, because the platform refuses a card for one that it
//! does not know (feishu-wire.md section 7.5). Nothing here sends anything.

pub mod answer;
pub mod choice;
pub mod incident;
pub mod notice;
pub mod report;
pub mod room;
mod words;

use serde_json::{Value, json};

pub use answer::AnswerCard;
pub use notice::Notice;

/// How many bytes a card may have here. The platform's limit is 30 KB (200860); how exactly it counts is
/// not written down, so some room is left.
pub const CARD_BYTES_MAX: usize = 28_000;

/// How many bytes a card is as the platform counts it: its JSON, in UTF-8, escapes included.
pub fn size_bytes(card: &Value) -> usize {
    card.to_string().len()
}

/// A `markdown` component.
fn markdown(element_id: &str, content: &str) -> Value {
    json!({"tag": "markdown", "element_id": element_id, "content": content})
}

/// A `markdown` component in the size of a note. Grey is the text's business.
fn small_markdown(element_id: &str, content: &str) -> Value {
    let mut element = markdown(element_id, content);
    element["text_size"] = json!("notation");
    element
}

/// Dialect text in grey. One line of it: a tag that spans lines would not survive a list or a table.
fn grey(line: &str) -> String {
    format!("<font color='grey'>{line}</font>")
}

/// At most `chars_max` characters of a text, with `…` where it was cut.
pub(super) fn shorten(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => {
            let short: String = text.chars().take(chars_max.saturating_sub(1)).collect();
            format!("{}…", short.trim_end())
        }
    }
}
