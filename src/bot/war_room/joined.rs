//! Who joins later is told what happened so far, where nobody else reads it.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, warn};

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        notice,
    },
    config::Language,
    feishu::{Class, Membership, OpenId, Recipient},
};

use super::{Progress, Trouble, catch_up};

/// Whoever comes within this time after the room was made has missed nothing.
const BEGINNING: Duration = Duration::from_secs(60);

/// Tells those who came what they missed, each once for each coming.
pub(super) async fn greet(bot: &Bot, change: &Membership, at: Timestamp) -> Result<(), Trouble> {
    if !bot.0.config.incidents.rooms.catch_up {
        return Ok(());
    }
    let Some(progress) = bot.rooms().of(&change.chat_id).await? else {
        return Ok(());
    };
    let opened = progress.opened_at.unwrap_or(at);
    if at.duration_since(opened) < jiff::SignedDuration::try_from(BEGINNING).unwrap_or_default() {
        return Ok(());
    }
    for (person, _) in &change.people {
        let is_done = bot
            .rooms()
            .record()
            .has_come(&change.chat_id, person, at)
            .await?;
        if !is_done && !bot.me().is(person.as_str()) {
            tell(bot, &progress, change, person, at).await;
        }
    }
    Ok(())
}

/// Tells one of them. Nobody waits for it, so what fails is only logged.
async fn tell(bot: &Bot, progress: &Progress, change: &Membership, person: &OpenId, at: Timestamp) {
    let chat = &change.chat_id;
    let language = bot.0.settings.of_person(person).await.language;
    let language = language.unwrap_or(progress.language);
    let summary = match catch_up::summary(bot, progress, chat, language).await {
        Ok(summary) => summary,
        Err(error) => return warn!(%error, "nobody tells a newcomer what happened"),
    };
    let title = match language {
        Language::En => format!("#{} so far", progress.number),
        Language::Zh => format!("故障 #{} 目前的进展", progress.number),
    };
    let text = summary.whole(language);
    let said = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    let whispered = bot
        .0
        .feishu
        .at(Class::Sign)
        .whisper(chat, person, &said.render())
        .await;
    let Err(error) = whispered else { return };
    debug!(%error, "a card for one person is refused; writing to them directly");
    let to = Recipient::Person(person.clone());
    let purpose = progress.purpose(&format!("caught-up/{person}/{at}"));
    if let Err(error) = notice::tell(bot, Class::Sign, &to, &purpose, &said).await {
        warn!(%error, "nobody tells a newcomer what happened");
    }
}
