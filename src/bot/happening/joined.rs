//! We were taken into a group: a short welcome, once for each time.
//!
//! It is the moment in which a missing permission is best told, so the history is probed. The event's `name`
//! is not used: the platform says that it is the group's, and some have seen the bot's there (feishu-wire,
//! Appendix C). A group with people of other organisations gets no welcome; what we are and lack is not
//! for strangers.

use tracing::{debug, warn};

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        markdown, notice,
        phrase::Phrase,
        war_room,
    },
    feishu::{ChatChange, ChatId, Class, Container, Error, Event, ListMessages, Recipient},
};

use super::Trouble;

/// What reading a group's history needs, where the refusal does not say it.
const HISTORY_SCOPE: &str = "im:message.group_msg";

pub(super) async fn run(bot: &Bot, event: &Event, change: &ChatChange) -> Result<(), Trouble> {
    let chat = &change.chat_id;
    bot.0.chats.forget(chat);
    if change.is_external {
        debug!(chat.id = %chat, "no welcome for a group with other organisations");
        return Ok(());
    }
    let group = bot.0.chats.get(chat).await;
    if bot.rooms().is_room(chat) || group.is_some_and(|group| war_room::is_made_by_us(&group)) {
        debug!(chat.id = %chat, "a war room has its own first message");
        return Ok(());
    }
    if let Some(person) = &change.operator
        && let Err(denied) = bot.access().role(person, Some(chat)).await
    {
        debug!(chat.id = %chat, why = denied.name(), "no welcome where we may not answer");
        return Ok(());
    }
    let language = bot.0.conversation.language;
    let name = markdown::escape(&bot.0.me.name);
    let title = Phrase::GreetingTitle {
        name: &bot.0.me.name,
    }
    .text(language);
    let mut text = Phrase::Welcome { name: &name }.text(language);
    if let Some(scope) = missing_for_history(bot, chat).await {
        let phrase = Phrase::WelcomeWithoutHistory { scope: &scope };
        text = format!("{text}\n\n{}", phrase.text(language));
    }
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    let (to, purpose) = (
        Recipient::Chat(chat.clone()),
        format!("welcome/{}", event.id),
    );
    match notice::tell(bot, Class::Sign, &to, &purpose, &notice).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_transient() => Err(Trouble::Platform(error)),
        // Already taken out again, or not allowed to speak.
        Err(error) => {
            warn!(%error, chat.id = %chat, "a group could not be welcomed");
            Ok(())
        }
    }
}

/// The permission without which the group's history cannot be read, if that is what is missing.
async fn missing_for_history(bot: &Bot, chat: &ChatId) -> Option<String> {
    let newest = ListMessages {
        container: Container::Chat(chat.clone()),
        since: None,
        until: None,
        newest_first: true,
        page_size: 1,
        page_token: None,
    };
    match bot.0.feishu.messages(&newest).await {
        Err(Error::Forbidden(refusal)) => {
            let scope = refusal.scopes.into_iter().next();
            Some(scope.unwrap_or_else(|| HISTORY_SCOPE.to_owned()))
        }
        Ok(_) | Err(_) => None,
    }
}
