//! Pinned messages of a group. Pinning again changes nothing, and neither does taking off what is not pinned.

use super::{
    super::{limits::Rule, refusal::Refusal},
    Author, BotRole, Message, World,
};

/// Who pinned a message, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Pin {
    pub(in crate::sandbox) by: Author,
    pub(in crate::sandbox) at_ms: i64,
}

impl World {
    /// Pins a message, whoever does it; one that is pinned stays as it is.
    pub(in crate::sandbox) fn pin(&mut self, message_id: &str, by: Author, now_ms: i64) {
        let pin = Pin { by, at_ms: now_ms };
        self.change_pin(message_id, |pinned| {
            pinned.get_or_insert(pin);
        });
    }

    /// Takes a pin off, whoever put it there.
    pub(in crate::sandbox) fn unpin(&mut self, message_id: &str) {
        self.change_pin(message_id, |pinned| *pinned = None);
    }

    fn change_pin(&mut self, message_id: &str, change: impl FnOnce(&mut Option<Pin>)) {
        if let Some(message) = self.messages.get_mut(message_id) {
            change(&mut message.pin);
            let chat_id = message.chat_id.clone();
            self.tell("message", Some(&chat_id), Some(message_id));
        }
    }

    /// Whether our bot may pin this message, or take it off: 5 times a second, and only where it may.
    pub(in crate::sandbox) fn check_pin(
        &mut self,
        message_id: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let chat_id = self.reply_target(message_id)?.chat_id.clone();
        let chat = self.usable_chat(&chat_id)?;
        if chat.settings.is_for_owners("pin_manage_setting") && chat.bot_role == BotRole::Member {
            return Err(Refusal::new(
                230_046,
                "The operator has no permission to pin messages in this chat.",
            ));
        }
        self.limits.take(&[Rule::pin(message_id)], now_ms)
    }

    /// What is pinned in a chat, the newest pin first.
    pub(in crate::sandbox) fn pinned(&self, chat_id: &str) -> Vec<(&Message, &Pin)> {
        let messages = self.all_messages(Some(chat_id)).into_iter();
        let mut pinned: Vec<(&Message, &Pin)> = messages
            .filter(|message| !message.recalled)
            .filter_map(|message| Some((message, message.pin.as_ref()?)))
            .collect();
        pinned.sort_by_key(|(_, pin)| std::cmp::Reverse(pin.at_ms));
        pinned
    }
}
