//! Somebody opened the direct chat: a greeting, once in a lifetime, and none for who has spoken to us before.

use tracing::warn;

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        memory::SessionKey,
        notice,
        phrase::Phrase,
    },
    feishu::{ChatId, Class, Event, OpenId, Recipient},
};

use super::Trouble;

pub(super) async fn run(
    bot: &Bot,
    event: &Event,
    person: &OpenId,
    chat: &ChatId,
) -> Result<(), Trouble> {
    if bot.0.acquaintances.knows(person).await? {
        return Ok(());
    }
    // A greeting invites to ask. Who may not is greeted when they may.
    if bot.access().role(person, None).await.is_err() {
        return Ok(());
    }
    // An older version kept no acquaintances, but it remembered what was said.
    let session = SessionKey::new(&bot.0.me.app_id, &event.tenant_key, chat, None);
    let have_spoken = !bot.0.memory.recall(&session).await?.exchanges.is_empty();
    if !have_spoken {
        greet(bot, person).await?;
    }
    let mut batch = bot.store().batch();
    bot.0
        .acquaintances
        .meet(person, Some(chat), &mut batch)
        .await?;
    Ok(bot.store().commit(batch).await?)
}

async fn greet(bot: &Bot, person: &OpenId) -> Result<(), Trouble> {
    let language = bot.0.conversation.language;
    let title = Phrase::GreetingTitle {
        name: &bot.0.me.name,
    }
    .text(language);
    let text = Phrase::Greeting.text(language);
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    let (to, purpose) = (
        Recipient::Person(person.clone()),
        format!("greeting/{person}"),
    );
    match notice::tell(bot, Class::Sign, &to, &purpose, &notice).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_transient() => Err(Trouble::Platform(error)),
        Err(error) => {
            warn!(%error, "somebody could not be greeted");
            Ok(())
        }
    }
}
