//! What a press of a button does. For now there is one button: Stop.
//!
//! A press is answered at once, with a line that only the one who pressed sees, and is not kept: after a
//! crash there is nothing left to stop. What the button carries is looked up and never believed.
//!
//! Everybody in the chat may stop a turn, and not only who asked. On call it is often somebody else who
//! sees that an answer goes the wrong way, and `/stop` has always been for all. That the one who presses
//! is of the chat needs no question to the platform: it says where the card stands, and a card that
//! streams cannot be passed on to another chat.

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tracing::info;

use crate::feishu::{Answer, Click};

use super::{Bot, card::answer::STOP_VALUE, phrase::Phrase, session::Stop};
use crate::config::Language;

/// Does what the press asks, and answers it.
pub(super) fn answer(bot: &Bot, click: &Click, answer: oneshot::Sender<Answer>) {
    let stop = match turn_of(&click.value) {
        Some(id) => bot
            .sessions()
            .press(&id, click.chat_id.as_ref(), click.operator.clone()),
        None => Stop::TooLate,
    };
    let (kind, phrase) = match &stop {
        Stop::Begun(_) => ("success", Phrase::Stopping),
        Stop::UnderWay => ("info", Phrase::StoppingAlready),
        Stop::TooLate => ("info", Phrase::StopTooLate),
    };
    // The platform wants the answer before the card changes (feishu-wire 4.8).
    let _ = answer.send(Answer::DoneWith(toast(kind, &phrase)));
    if let Stop::Begun(running) = stop {
        info!(message.id = %running.question, "a turn is stopped by its button");
        running.cancel.cancel();
    }
}

/// The id of the turn whose button was pressed. Values come back as objects or as text.
fn turn_of(value: &Value) -> Option<String> {
    let id = |value: &Value| Some(value.get(STOP_VALUE)?.as_str()?.to_owned());
    match value {
        Value::String(text) => id(&serde_json::from_str(text).ok()?),
        value => id(value),
    }
}

/// A line on the screen of the one who pressed, in their client's language.
fn toast(kind: &str, phrase: &Phrase<'_>) -> Value {
    let (english, chinese) = (phrase.text(Language::En), phrase.text(Language::Zh));
    json!({"toast": {
        "type": kind,
        "content": english,
        "i18n": {"en_us": english, "zh_cn": chinese},
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_named_by_an_object_or_by_text_and_by_nothing_else() {
        let check = |value: Value, expected: Option<&str>| {
            assert_eq!(turn_of(&value).as_deref(), expected, "{value}");
        };
        check(json!({"stop": "a1"}), Some("a1"));
        check(json!("{\"stop\":\"a1\"}"), Some("a1"));
        check(json!("a1"), None);
        check(json!({"stop": ["a1"]}), None);
        check(json!({"page": "a1"}), None);
        check(json!(null), None);
        check(json!("{"), None);
    }
}
