//! The cards of action items: how many there are, the list of them, the forms that it asks by, and who is told
//! of what at publishing.
//!
//! The list shows plain names, since looking at it must ring nobody; only the card at publishing mentions people.

mod form;
mod list;
mod telling;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::{either, title};
use crate::{bot::card::markdown, config::Language};

pub use form::{Asks, Form, chosen_day, chosen_owner, written};
pub use list::{ItemView, ListCard};
pub use telling::{Mentioned, TellingCard};

/// How many characters of an item are shown at first.
const TEXT_CHARS: usize = 300;

/// The line of a report's card that counts its action items, with a button to their list.
pub fn count(all: usize, unowned: usize, language: Language, value: &Value) -> Value {
    let text = match unowned {
        0 => either(
            language,
            format!("**Action items**: {all}"),
            format!("**行动项**：{all}"),
        ),
        _ => either(
            language,
            format!("**Action items**: {all}, without an owner: {unowned}"),
            format!("**行动项**：{all}，无负责人：{unowned}"),
        ),
    };
    let label = either(language, "Action items…", "行动项…");
    let column = |element: Value| json!({"tag": "column", "width": "auto", "vertical_align": "center", "elements": [element]});
    json!({
        "tag": "column_set",
        "element_id": "actions",
        "flex_mode": "flow",
        "horizontal_spacing": "small",
        "columns": [
            column(markdown("actions_text", &text)),
            column(button(&label, value)),
        ],
    })
}

fn button(label: &str, value: &Value) -> Value {
    json!({
        "tag": "button",
        "size": "small",
        "type": "default",
        "text": {"tag": "plain_text", "content": label},
        "behaviors": [{"type": "callback", "value": value}],
    })
}

fn list_title(number: u32, language: Language) -> String {
    either(
        language,
        format!("Action items of #{number}"),
        format!("故障 #{number} 行动项"),
    )
}
