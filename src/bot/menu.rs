//! The bot's menu: a press of an entry is the command that its key names, as if it had been typed.
//!
//! A press is no message, so one is made up for it, in the direct chat of whoever pressed. Nothing can reply
//! to it; the answer is sent to the person (see [`notice::Place`](super::notice::Place)).

use jiff::Timestamp;
use serde_json::json;

use crate::feishu::{ChatId, Event, Message, MessageId, OpenId, Sender, SenderKind};

use super::command;

/// The message that a press of the entry `key` stands for. `None` where the key is no word for a command.
/// Without a direct chat there was never a session with this person, and the stand-in finds none.
pub(super) fn message(
    event: &Event,
    person: &OpenId,
    key: &str,
    direct: Option<ChatId>,
) -> Option<Message> {
    let text = words(key)?;
    Some(Message {
        id: MessageId::new(event.id.as_str()),
        chat_id: direct.unwrap_or_else(|| ChatId::new(person.as_str())),
        root_id: None,
        parent_id: None,
        thread_id: None,
        created_at: event.created_at.unwrap_or_else(Timestamp::now),
        updated_at: None,
        kind: "text".into(),
        content: json!({"text": text}).to_string(),
        mentions: Vec::new(),
        sender: Sender {
            id: person.as_str().to_owned(),
            kind: SenderKind::Person,
            tenant_key: Some(event.tenant_key.clone()),
            name: None,
        },
        deleted: false,
        upper_message_id: None,
        link: None,
    })
}

/// Whether a press of the entry `key` means something to us. Another service may share the app.
pub(super) fn is_command(key: &str) -> bool {
    words(key).is_some()
}

/// A key as the command it names. Whoever set the menu up may have written the slash or not.
fn words(key: &str) -> Option<String> {
    let text = format!("/{}", key.trim().trim_start_matches(['/', '／']));
    // What is no command would be taken for a question, which nobody asked.
    command::parse(&text).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_of_a_command_in_either_language() {
        let check = |key: &str, expected: Option<&str>| {
            assert_eq!(words(key).as_deref(), expected, "{key}");
        };
        check("help", Some("/help"));
        check("/Help ", Some("/Help"));
        check("／帮助", Some("/帮助"));
        // An unknown command, which is answered as one.
        check("dashboard", Some("/dashboard"));
        check("open.dashboard", None);
        check("", None);
    }
}
