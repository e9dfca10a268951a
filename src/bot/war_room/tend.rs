//! One look at one incident: what should be there and is not is made so. Each step does nothing where nothing
//! is to be done, so a look can end anywhere and begin anew.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, warn};

use crate::{
    bot::{
        Bot,
        incidents::{Case, Place, Room, RoomState},
    },
    feishu::{self, ChatId, Class},
    incident::{By, Channel},
};

use super::{
    Progress, Trouble, ending, fill, gone, make, members,
    name::name,
    opening, operations, remind,
    rules::{self, Wants},
};

/// How long until it is looked again whether the card is there.
const CARD_WAIT: Duration = Duration::from_secs(2);

/// When it is to be looked again.
#[derive(Debug, Default)]
pub(super) struct Next(Option<Timestamp>);

impl Next {
    /// Not later than this.
    pub(super) fn at(&mut self, at: Timestamp) {
        self.0 = Some(self.0.map_or(at, |next| next.min(at)));
    }

    /// Not later than after this time.
    pub(super) fn after(&mut self, wait: Duration) {
        self.at(Timestamp::now().checked_add(wait).unwrap_or(Timestamp::MAX));
    }
}

/// Looks at an incident, and gives when it is to be looked at again though nothing changes.
pub(super) async fn look(bot: &Bot, number: u32) -> Result<Option<Timestamp>, Trouble> {
    let Some(case) = bot.incidents().numbered(number).await? else {
        return Ok(None);
    };
    let Some(room) = &case.room else {
        return by_rule(bot, &case).await;
    };
    match (room.state, &room.chat) {
        (RoomState::Wanted, _) if !case.incident.is_open() => {
            let by = By::clock();
            let incidents = bot.incidents();
            incidents.set_room(by, case.id(), None, Vec::new()).await?;
            Ok(None)
        }
        (RoomState::Wanted, _) => make::make(bot, &case, room).await.map(|()| None),
        (RoomState::Open, Some(chat)) => match tend(bot, &case, room, chat).await {
            Err(Trouble::Platform(error)) if is_about_gone_chat(&error) => {
                debug!(%error, "a war room is gone");
                gone(bot, chat).await.map(|()| None)
            }
            looked => looked,
        },
        (RoomState::Gone, Some(chat)) => {
            // A crash may have left it half forgotten.
            gone(bot, chat).await.map(|()| None)
        }
        (RoomState::Open | RoomState::Gone, None) => Ok(None),
    }
}

/// Gives an incident a room where a rule says so.
async fn by_rule(bot: &Bot, case: &Case) -> Result<Option<Timestamp>, Trouble> {
    let config = &bot.0.config.incidents.rooms;
    let (incident, integration) = (&case.incident, case.integration.as_deref());
    match rules::wants(
        config,
        incident,
        &case.labels(),
        integration,
        Timestamp::now(),
    ) {
        Wants::Nothing => Ok(None),
        Wants::Later(at) => Ok(Some(at)),
        Wants::Room => {
            super::open(bot, case.id(), None, Channel::Clock).await?;
            Ok(None)
        }
    }
}

async fn tend(
    bot: &Bot,
    case: &Case,
    room: &Room,
    chat: &ChatId,
) -> Result<Option<Timestamp>, Trouble> {
    let progress = bot.rooms().progress(case.number(), room.generation).await?;
    let Some(progress) = progress else {
        warn!("nothing is known of a room, and it is left as it is");
        return Ok(None);
    };
    let mut next = Next::default();
    rename(bot, case, room, chat).await?;
    let progress = members::invite(bot, case, &progress, chat).await?;
    opening::say(bot, case, &progress, chat).await?;
    pin_card(bot, case, &progress, chat, &mut next).await?;
    operations::tell(bot, case, &progress, chat, &mut next).await?;
    fill::when_due(bot, case, &progress, chat, &mut next).await?;
    remind::when_due(bot, case, &progress, chat, &mut next).await?;
    ending::see_to(bot, case, &progress, chat).await?;
    Ok(next.0)
}

/// Calls the room as its incident is called now.
async fn rename(bot: &Bot, case: &Case, room: &Room, chat: &ChatId) -> Result<(), Trouble> {
    let name = name(&bot.0.config.incidents.rooms.name, &case.incident);
    if name == room.name {
        return Ok(());
    }
    match bot.0.feishu.at(Class::Sign).rename_group(chat, &name).await {
        Ok(()) => bot.0.chats.forget(chat),
        Err(error) if error.is_transient() || is_about_gone_chat(&error) => {
            return Err(error.into());
        }
        // Somebody else owns it by now, or the name is not liked. It keeps the one that it has.
        Err(error) => warn!(%error, "a room cannot be renamed"),
    }
    let _alone = bot.rooms().alone.with(&case.id().0).await;
    let now = bot.incidents().get(case.id()).await?;
    if let Some(now) = now
        && let Some(still) = now.room.as_ref().filter(|it| it.chat == room.chat)
    {
        let renamed = Room {
            name,
            ..still.clone()
        };
        let incidents = bot.incidents();
        incidents
            .set_room(By::clock(), case.id(), Some(renamed), Vec::new())
            .await?;
    }
    Ok(())
}

/// Has the incident's card shown in the room, and pins it once it is there. A card that takes its place is
/// pinned too.
async fn pin_card(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
    next: &mut Next,
) -> Result<(), Trouble> {
    let place = Place::Chat(chat.clone());
    let incidents = bot.incidents();
    if !case.places.contains(&place) {
        incidents.show_in(case.id(), place.clone()).await?;
    }
    let Some(card) = incidents.card_in(case.number(), &place).await? else {
        if case.incident.is_open() {
            next.after(CARD_WAIT);
        }
        return Ok(());
    };
    if progress.pinned.as_ref() == Some(&card) {
        return Ok(());
    }
    match bot.0.feishu.at(Class::Sign).pin(&card).await {
        Ok(()) => {}
        Err(error) if error.is_transient() || is_about_gone_chat(&error) => {
            return Err(error.into());
        }
        Err(error) => warn!(%error, "the card of an incident cannot be pinned"),
    }
    bot.rooms()
        .update(&progress.key(), |progress| {
            progress.pinned = Some(card.clone())
        })
        .await?;
    Ok(())
}

/// Whether an error says that the group is dissolved, or that we are not in it.
pub(super) fn is_about_gone_chat(error: &feishu::Error) -> bool {
    let code = error.refusal().map(|refusal| refusal.code);
    matches!(code, Some(230002 | 232009 | 232011 | 99992356))
}
