//! Freezes a room: what was said in it as a transcript, and what is on record about its incident.
//!
//! Everything that stands in the room is in the transcript. What is no part of what happened, our own cards and
//! what we were told to do, is marked as an [aside](asides), which nobody reads or cites.

mod alert_line;
mod asides;
mod bundles;
mod gathered;
mod message;

use jiff::Timestamp;

use crate::{
    bot::{
        Bot, handling,
        incidents::Case,
        war_room::{Progress, Trouble, role_name},
    },
    config::Language,
    feishu::ChatId,
    postmortem::{Confirmed, Records, Transcript, transcript::Room},
};

use super::pictures;

pub(super) use bundles::Bundles;
use gathered::Gathered;
use message::Known;

/// How much is read at once.
const PAGE: usize = 500;
/// How many people who came and went are named.
const COMINGS_MAX: usize = 2000;

/// The transcript of these rooms of an incident.
pub(super) async fn transcript(
    bot: &Bot,
    case: &Case,
    rooms: &[Progress],
    language: Language,
    bundles: Bundles,
) -> Result<Transcript, Trouble> {
    let mut gathered = Gathered::default();
    let mut chat = ChatId::new("");
    let pictures = pictures::kept(bot, case.number()).await?;
    for progress in rooms {
        let Some(room) = &progress.chat else { continue };
        chat = room.clone();
        let mut said = Vec::new();
        let record = bot.rooms().record();
        record.each(room, None, |one| said.push(one)).await?;
        let known = Known {
            pictures: &pictures,
            bundles: &bundles::of(bot, case.number(), room, &said, bundles, language).await?,
            applink: &bot.0.config.feishu.applink_url(),
        };
        for one in &said {
            let aside = asides::of(bot, one).await?;
            gathered.take(one, message::of(one, aside, bot.me(), &known));
        }
        for coming in record.comings(room, COMINGS_MAX).await? {
            gathered.meet(coming.person.as_str(), Some(&coming.name), false);
        }
        for (role, person) in &progress.roles {
            let role = role_name(role, language).to_owned();
            gathered.has_role(person.as_str(), role);
        }
    }
    let people = gathered.people(bot, &chat).await;
    let (room, zone) = (room(bot, case, &chat), bot.0.zone.clone());
    let at = Timestamp::now();
    Ok(Transcript::freeze(
        room,
        zone,
        at,
        people,
        gathered.messages,
    ))
}

/// The newest room of an incident. Only one that is still there can be looked at.
fn room(bot: &Bot, case: &Case, chat: &ChatId) -> Room {
    let name = case.room.as_ref().map(|room| room.name.clone());
    let open = case.open_room().and_then(|room| room.chat.as_ref());
    let is_there = open == Some(chat);
    Room {
        id: chat.to_string(),
        name: name.unwrap_or_default(),
        link: is_there.then(|| handling::room_link(bot, case)).flatten(),
    }
}

/// What is on record about an incident.
pub(super) async fn records(
    bot: &Bot,
    case: &Case,
    confirmed: Vec<Confirmed>,
) -> Result<Records, Trouble> {
    let mut timeline = Vec::new();
    loop {
        let after = timeline
            .last()
            .map_or(0, |entry: &crate::incident::Entry| entry.number);
        let incidents = bot.incidents();
        let page = incidents.timeline(case.number(), after, PAGE).await?;
        let is_last = page.len() < PAGE;
        timeline.extend(page);
        if is_last {
            break;
        }
    }
    Ok(Records {
        incident: case.incident.clone(),
        timeline,
        confirmed,
        actions: Vec::new(),
    })
}
