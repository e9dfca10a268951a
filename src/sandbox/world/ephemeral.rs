//! Cards that one member of a group sees and nobody else. They are in no history, and no event tells of them.

use serde_json::Value;

use super::{
    super::{card, limits::Rule, refusal::Refusal},
    Author, Card, ChatKind, Saying, World,
};

impl World {
    /// Shows a card to one member of a group, and answers its message_id.
    pub(in crate::sandbox) fn whisper(
        &mut self,
        chat_id: &str,
        open_id: &str,
        card: &Value,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let chat = self.usable_chat(chat_id)?;
        if chat.kind == ChatKind::P2p {
            return Err(Refusal::parameter("chat_id must be that of a group"));
        }
        if !chat.members.iter().any(|member| member == open_id) {
            return Err(Refusal::parameter("the user is not in the chat"));
        }
        self.limits.take(&[Rule::ephemeral(chat_id)], now_ms)?;
        let card = card::parse(&card.to_string()).map_err(card::Fault::for_message)?;
        let place = self.say(
            Saying {
                author: Author::Us,
                chat_id: chat_id.to_owned(),
                reply_to: None,
                in_thread: false,
                msg_type: "interactive".to_owned(),
                content: card.to_string(),
                card: Some(Card::Json(card)),
                mentions: Vec::new(),
            },
            now_ms,
        );
        let message_id = self.messages.at(place).message_id.clone();
        if let Some(message) = self.messages.get_mut(&message_id) {
            message.only_for = Some(open_id.to_owned());
        }
        Ok(message_id)
    }

    /// Takes such a card away again. People see no trace of it.
    pub(in crate::sandbox) fn take_whisper_back(
        &mut self,
        message_id: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let message = self.messages.get(message_id);
        let message = message.filter(|message| message.only_for.is_some() && !message.recalled);
        let message = message.ok_or_else(Refusal::no_such_message)?;
        let chat_id = message.chat_id.clone();
        self.usable_chat(&chat_id)?;
        if let Some(message) = self.messages.get_mut(message_id) {
            message.recalled = true;
            message.updated_ms = now_ms;
        }
        self.tell("message", Some(&chat_id), Some(message_id));
        Ok(())
    }
}
