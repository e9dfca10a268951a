//! The content of a message of any kind as plain text, a file for each kind that needs one.
//!
//! What cannot be text becomes a short note in brackets, also for a kind that did not exist when this
//! was written: a reader of the history should know that something stood there. Nothing here fails.

mod alert;
mod attachment;
mod card;
mod forwarded;
mod notes;
mod post;
mod rename;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::Message;
use rename::Names;

pub use attachment::{Attachment, AttachmentKind};
pub use forwarded::{Forwarded, Node};

pub(super) use attachment::of as attachments;

/// The message's text. Mentions become `@name`, and those of `omitted` ids become nothing.
pub(super) fn plain(message: &Message, omitted: &[&str]) -> String {
    if message.deleted {
        return "[recalled]".into();
    }
    let json = serde_json::from_str(&message.content).unwrap_or(Value::Null);
    let names = Names::new(&message.mentions, omitted);
    match message.kind.as_str() {
        "text" => match json["text"].as_str() {
            Some(text) => names.put_into(text),
            // Not the JSON it should be: better the raw content than silence.
            None => names.put_into(&message.content),
        },
        "post" => post::text(&json, &names),
        "interactive" => card::text(&json, &names),
        kind => notes::text(kind, &json, &names),
    }
}

/// A text as commands are read from it. A command is one line, so only the first is put in order; below it
/// spaces may be the indentation of code.
pub(super) fn command(text: &str) -> String {
    let is_invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let mut plain = String::with_capacity(text.len());
    let mut is_first_line = true;
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        match c {
            '\n' => {
                is_first_line &= plain.trim().is_empty();
                plain.push('\n');
            }
            // Spaces run together, as a mention that was taken out leaves two.
            c if c.is_whitespace() && is_first_line => {
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
