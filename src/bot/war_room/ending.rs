//! What becomes of a room when its incident is over: it is asked for once, and done when somebody has said so.
//!
//! A room is dissolved only after its whole history was read once more, since afterwards nobody can.

use tracing::{info, warn};

use crate::{
    bot::{
        Bot,
        card::{
            notice::{Notice, Template},
            room::{EndingCard, RoomControls},
        },
        incidents::Case,
        markdown::escape,
        notice,
    },
    config::Language,
    feishu::{ChatId, Class, OpenId, Outgoing, Recipient},
};

use super::{
    Ending, Progress, Trouble,
    fill::{self, Reach},
    gone,
    tend::is_about_gone_chat,
};

/// Asks what is to become of the room of an incident that is over, and does what was said.
pub(super) async fn see_to(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
) -> Result<(), Trouble> {
    let round = case.incident.round;
    let is_over = !case.incident.is_open();
    if is_over && progress.ended_round != Some(round) {
        // Of what is said from now on little is heard, so what was said is made whole first.
        fill::fill(bot, progress, chat, Reach::Whole).await?;
        let purpose = progress.purpose(&format!("ending/{round}"));
        ask_what_becomes(bot, progress, chat, &purpose).await?;
        bot.rooms()
            .update(&progress.key(), |progress| {
                progress.ended_round = Some(round)
            })
            .await?;
    }
    if let Some(Ending::Dissolving { .. }) = &progress.ending {
        dissolve(bot, progress, chat).await?;
    }
    Ok(())
}

/// Puts the card with the choice into the room.
pub(in crate::bot) async fn ask_what_becomes(
    bot: &Bot,
    progress: &Progress,
    chat: &ChatId,
    purpose: &str,
) -> Result<(), Trouble> {
    let controls = bot
        .0
        .clicks
        .room_controls(&progress.key(), &progress.incident, chat);
    let card = card(progress, Some(&controls), None).render();
    let to = Recipient::Chat(chat.clone());
    let feishu = bot.0.feishu.at(Class::Sign);
    let uuid = notice::purpose_id(purpose);
    feishu.send(&to, &Outgoing::CardJson(card), &uuid).await?;
    Ok(())
}

/// The card with the choice, or with what was chosen.
fn card<'a>(
    progress: &Progress,
    controls: Option<&'a RoomControls>,
    chosen: Option<&'a str>,
) -> EndingCard<'a> {
    EndingCard {
        number: progress.number,
        language: progress.language,
        controls,
        chosen,
    }
}

/// Keeps what somebody chose, unless somebody was first. Gives the ending that holds, and the card as it is then.
pub(in crate::bot) async fn decide(
    bot: &Bot,
    key: &str,
    ending: Ending,
    name: &str,
) -> Result<Option<(Ending, serde_json::Value)>, crate::store::Error> {
    let updated = bot
        .rooms()
        .update(key, |progress| {
            // A room that was kept can still be dissolved.
            let is_decided = matches!(progress.ending, Some(Ending::Dissolving { .. }));
            if !is_decided {
                progress.ending = Some(ending.clone());
            }
        })
        .await?;
    let Some(progress) = updated.filter(|progress| !progress.is_gone) else {
        return Ok(None);
    };
    bot.rooms().look_at(progress.number);
    let holds = progress.ending.clone().unwrap_or(ending);
    let name = escape(name);
    let chosen = match (&holds, progress.language) {
        (Ending::Kept { .. }, Language::En) => format!("{name} keeps the room."),
        (Ending::Kept { .. }, Language::Zh) => format!("{name} 选择保留群聊。"),
        (_, Language::En) => format!("{name} has the room dissolved."),
        (_, Language::Zh) => format!("{name} 选择解散群聊。"),
    };
    let still = match holds {
        Ending::Kept { .. } => progress.chat.as_ref(),
        _ => None,
    };
    let controls = still.map(|chat| bot.0.clicks.room_controls(key, &progress.incident, chat));
    let card = card(&progress, controls.as_ref(), Some(&chosen)).render();
    Ok(Some((holds, card)))
}

async fn dissolve(bot: &Bot, progress: &Progress, chat: &ChatId) -> Result<(), Trouble> {
    fill::fill(bot, progress, chat, Reach::Whole).await?;
    match bot.0.feishu.at(Class::Sign).dissolve_group(chat).await {
        Ok(()) => {
            info!(chat.id = %chat, "a war room was dissolved");
            gone(bot, chat).await
        }
        Err(error) if is_about_gone_chat(&error) => gone(bot, chat).await,
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            warn!(%error, "a war room cannot be dissolved");
            say_that_it_stays(bot, progress, chat).await
        }
    }
}

/// Somebody else owns the group by now.
async fn say_that_it_stays(bot: &Bot, progress: &Progress, chat: &ChatId) -> Result<(), Trouble> {
    let owner: Option<OpenId> = bot.0.chats.get(chat).await.and_then(|chat| chat.owner);
    let name = match &owner {
        Some(owner) => escape(&bot.0.people.name(owner, chat).await),
        None => String::new(),
    };
    let text = match (progress.language, owner.is_some()) {
        (Language::En, true) => {
            format!("I may not dissolve this group: it belongs to {name}, who can.")
        }
        (Language::En, false) => "Feishu does not let me dissolve this group.".to_owned(),
        (Language::Zh, true) => format!("我无权解散本群：群主是 {name}，可由其解散。"),
        (Language::Zh, false) => "飞书不允许我解散本群。".to_owned(),
    };
    let said = Notice {
        title: None,
        text: &text,
        template: Template::Orange,
    };
    let to = Recipient::Chat(chat.clone());
    notice::tell(bot, Class::Sign, &to, &progress.purpose("stays"), &said).await?;
    bot.rooms()
        .update(&progress.key(), |progress| {
            progress.ending = Some(Ending::Undissolvable);
        })
        .await?;
    Ok(())
}
