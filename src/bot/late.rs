//! What somebody is told who pressed a button when the bot has no answer in time.
//!
//! The platform waits three seconds for the answer to a press and does not ask again, so whoever carries
//! the answer gives this one in its place. The press itself is still worked on.

use serde_json::{Value, json};

use super::phrase::Phrase;
use crate::config::Language;

/// A line on the screen of the one who pressed; the card stays as it is.
pub fn reply() -> Value {
    let phrase = Phrase::TakesLonger;
    let (english, chinese) = (phrase.text(Language::En), phrase.text(Language::Zh));
    json!({"toast": {
        "type": "info",
        "content": english,
        "i18n": {"en_us": english, "zh_cn": chinese},
    }})
}
