//! A group was dissolved, or we were taken out of it: nothing can be said there any more.
//!
//! What was asked there is let go, without a word, and our memory of the chat with it: nobody can ask for
//! it again, and a group that takes us back begins anew, as people would expect of one they had sent away.

use tracing::info;

use crate::{
    bot::{Bot, memory::ChatKey, war_room},
    feishu::{ChatChange, Event},
};

use super::Trouble;

pub(super) async fn run(bot: &Bot, event: &Event, change: &ChatChange) -> Result<(), Trouble> {
    let chat = &change.chat_id;
    let waiting = bot.sessions().leave(chat);
    info!(chat.id = %chat, waiting = waiting.len(), "a chat is gone");
    for entry in waiting {
        bot.forget(&entry.key).await;
    }
    bot.0.chats.forget(chat);
    war_room::gone(bot, chat).await?;
    bot.0.settings.forget_chat(chat).await?;
    bot.0.past.forget_chat(chat).await?;
    let chat = ChatKey::new(&bot.0.me.app_id, &event.tenant_key, chat);
    Ok(bot.0.memory.forget_chat(&chat).await?)
}
