//! A message was recalled: nobody wants its answer any more, and what it said is to be forgotten.
//!
//! The platform hides it from then on; we forget the exchange that answered it as well, since the answer
//! quotes it. What other answers took from it while it stood in the chat cannot be known, and stays. That it
//! was recalled is noted with the event itself, in one write (see [`Inbox::put_recalled`]), so that the
//! message is not answered should it come later, nor remembered by a turn that is just ending.
//!
//! [`Inbox::put_recalled`]: super::super::inbox::Inbox::put_recalled

use crate::{
    bot::{Bot, memory::ChatKey},
    feishu::{ChatId, Event, MessageId},
    store,
};

use super::Trouble;

pub(super) async fn run(
    bot: &Bot,
    event: &Event,
    chat: &ChatId,
    message: &MessageId,
) -> Result<(), Trouble> {
    // Done before, unless this was left by an earlier process.
    bot.withdraw(message).await;
    let chat = ChatKey::new(&bot.0.me.app_id, &event.tenant_key, chat);
    Ok(forget_message(bot, &chat, message).await?)
}

/// Forgets what a message said, wherever we keep it. Whoever keeps something else by a message's id forgets
/// it here too.
pub(in crate::bot) async fn forget_message(
    bot: &Bot,
    chat: &ChatKey,
    message: &MessageId,
) -> Result<(), store::Error> {
    bot.0.memory.forget_message(chat, message).await
}
