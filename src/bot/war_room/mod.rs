//! War rooms: a group made for one incident, with the people who work on it.
//!
//! ```text
//!  card, /warroom, rule ─▶ open ─▶ Case.room = Wanted ─┐
//!  anything that happens to an incident ───────────────┼─▶ lookout ─▶ tend: what should be there, and is not?
//!  time, words and presses in the room ────────────────┘                make, fill, name, tell, remind, end
//!
//!  messages, reactions, comings in the room ─▶ record ─▶ summary, catch-up, marks, post-mortem
//! ```
//! - What should be is in the incident's [`Case`]; what was done is in the room's
//!   [`Progress`]. Looking again makes good whatever a crash left, and a look that finds nothing does nothing.
//! - What is sent has a purpose that is the same in every process, so that it stands in the room once.
//! - The [`record`] is kept before an event is acknowledged and is read by room, so no room's words are in
//!   another's answer.

mod asked;
mod catch_up;
mod ending;
mod events;
mod fill;
mod joined;
mod lookout;
mod make;
mod marks;
mod members;
mod name;
mod opening;
mod operations;
mod progress;
pub(in crate::bot) mod record;
mod remind;
mod rules;
mod tend;
#[cfg(test)]
mod tests;
mod told_line;
mod whole;
mod words;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{
    config::Language,
    feishu::{self, Chat, ChatId, OpenId},
    incident::{By, Channel, IncidentId, PersonId, What},
    store::{self, Collection, Store},
};

use super::{
    Bot,
    alone::Alone,
    incidents::{self, Case, Room, RoomState},
};

pub(super) use asked::told;
pub(super) use catch_up::summary;
pub(super) use ending::{ask_what_becomes, decide as decide_ending};
pub(super) use events::{heard_in, is_for_record, is_room_event, take};
pub(super) use lookout::run;
pub(super) use progress::{Ending, Invitation, Progress};
pub(super) use whole::{heard, renewed, whole};
pub(super) use words::{mark_name, role_name};

use record::Transcripts;

/// How much is read at once.
const PAGE: usize = 200;

/// What the bot knows of its rooms.
pub(super) struct Rooms {
    progress: Collection<Progress>,
    record: Transcripts,
    /// The rooms that are there, by their group.
    there: Mutex<HashMap<ChatId, String>>,
    /// When a person last said or did something in a room, as far as this process knows.
    heard: Mutex<HashMap<ChatId, Timestamp>>,
    /// When the history of a room was last read in this process.
    filled: Mutex<HashMap<ChatId, Timestamp>>,
    /// The last summaries, for those who join together.
    summaries: Mutex<HashMap<ChatId, catch_up::Kept>>,
    /// Incidents whose rooms are to be looked at.
    nudged: Mutex<BTreeSet<u32>>,
    nudge: Notify,
    /// Who decides about the room of an incident.
    alone: Alone,
}

/// What became of the wish for a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opened {
    /// It is being made.
    Wanted,
    /// Somebody asked before, and it is being made.
    UnderWay,
    /// It is there already; whoever asked is invited.
    There(ChatId),
    /// The incident is over, or part of another one.
    Over,
}

/// Why work on a room could not be done now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The platform.
    #[error(transparent)]
    Platform(#[from] feishu::Error),
    /// The keeper of incidents.
    #[error(transparent)]
    Incidents(#[from] incidents::Error),
}

/// Has a room made for an incident. What was wished is kept when this returns; the room comes later.
pub(super) async fn open(
    bot: &Bot,
    incident: &IncidentId,
    asked_by: Option<OpenId>,
    channel: Channel,
) -> Result<Opened, Trouble> {
    let set = match &asked_by {
        Some(person) => bot.0.settings.of_person(person).await.language,
        None => None,
    };
    open_in(bot, incident, asked_by, channel, set).await
}

/// As [`open`], where the language of the room is known from who asked.
pub(super) async fn open_in(
    bot: &Bot,
    incident: &IncidentId,
    asked_by: Option<OpenId>,
    channel: Channel,
    language: Option<Language>,
) -> Result<Opened, Trouble> {
    let _alone = bot.rooms().alone.with(&incident.0).await;
    let case = bot.incidents().get(incident).await?;
    let case = case.ok_or(incidents::Error::Unknown)?;
    if let Some(room) = &case.room {
        match (room.state, &room.chat) {
            (RoomState::Open, Some(chat)) => {
                if let Some(person) = &asked_by {
                    bot.rooms().want(&case, person).await?;
                }
                return Ok(Opened::There(chat.clone()));
            }
            (RoomState::Wanted, _) => return Ok(Opened::UnderWay),
            (RoomState::Open | RoomState::Gone, _) => {}
        }
    }
    if !case.incident.is_open() || case.incident.merged_into.is_some() {
        return Ok(Opened::Over);
    }
    let before = case.room.as_ref().map_or(0, |room| room.generation);
    let by = by(asked_by.as_ref(), channel);
    let room = Room {
        state: RoomState::Wanted,
        generation: before + 1,
        chat: None,
        name: String::new(),
        asked_by,
        channel,
        language,
        since: Timestamp::now(),
    };
    let room = Some(room);
    bot.incidents()
        .set_room(by, incident, room, Vec::new())
        .await?;
    Ok(Opened::Wanted)
}

/// Who did something: a person through a channel, or a rule.
fn by(person: Option<&OpenId>, channel: Channel) -> By {
    match person {
        Some(person) => By::person(person.as_str(), channel),
        None => By::clock(),
    }
}

/// A group is not there any more, or we are not in it. What was said in it is kept, and a new one may be made.
pub(super) async fn gone(bot: &Bot, chat: &ChatId) -> Result<(), Trouble> {
    let Some(progress) = bot.rooms().of(chat).await? else {
        return Ok(());
    };
    let _alone = bot.rooms().alone.with(&progress.incident.0).await;
    let case = bot.incidents().get(&progress.incident).await?;
    if let Some(case) = case
        && let Some(room) = &case.room
        && room.chat.as_ref() == Some(chat)
        && room.state != RoomState::Gone
    {
        let gone = Room {
            state: RoomState::Gone,
            ..room.clone()
        };
        let by = match &progress.ending {
            Some(Ending::Dissolving { by }) => By::person(by.as_str(), Channel::WarRoom),
            _ => By::clock(),
        };
        let what = What::RoomGone {
            chat: chat.as_str().to_owned(),
        };
        let incidents = bot.incidents();
        incidents
            .set_room(by, case.id(), Some(gone), vec![what])
            .await?;
    }
    bot.rooms()
        .update(&progress.key(), |progress| progress.is_gone = true)
        .await?;
    bot.rooms().leave(chat);
    Ok(())
}

/// The incident whose room this group is, also when the incident is over.
pub(super) async fn incident_of(bot: &Bot, chat: &ChatId) -> Option<Arc<Case>> {
    let incidents = bot.incidents();
    if let Some(case) = incidents.of_room(chat) {
        return Some(case);
    }
    let progress = bot.rooms().of(chat).await.ok().flatten()?;
    incidents.get(&progress.incident).await.ok().flatten()
}

/// Whether a group is one of ours, also where its making was not noted yet.
pub(super) fn is_made_by_us(chat: &Chat) -> bool {
    let mark = chat
        .description
        .rsplit_once('[')
        .and_then(|(_, mark)| mark.strip_suffix(']'));
    let parts = mark.and_then(|mark| mark.rsplit_once('/'));
    chat.owner.is_none()
        && parts
            .is_some_and(|(id, generation)| id.contains('-') && generation.parse::<u32>().is_ok())
}

impl Rooms {
    /// Opens the collections.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            progress: store.collection(),
            record: Transcripts::new(store),
            there: Mutex::default(),
            heard: Mutex::default(),
            filled: Mutex::default(),
            summaries: Mutex::default(),
            nudged: Mutex::default(),
            nudge: Notify::new(),
            alone: Alone::default(),
        }
    }

    /// Reads which groups are rooms. Before it nothing is known to be one.
    pub(super) async fn open(&self) -> Result<(), store::Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self.progress.scan("", after.as_deref(), PAGE).await?;
            for (key, progress) in &page {
                if let (Some(chat), false) = (&progress.chat, progress.is_gone) {
                    lock(&self.there).insert(chat.clone(), key.clone());
                    // Its incident may be over, and something may still be to be done.
                    lock(&self.nudged).insert(progress.number);
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
                _ => break,
            }
        }
        self.nudge.notify_one();
        Ok(())
    }

    /// What was said in rooms.
    pub(super) fn record(&self) -> &Transcripts {
        &self.record
    }

    /// Whether a group is a room that is there.
    pub(super) fn is_room(&self, chat: &ChatId) -> bool {
        lock(&self.there).contains_key(chat)
    }

    /// Whether there is any room.
    pub(super) fn is_any(&self) -> bool {
        !lock(&self.there).is_empty()
    }

    /// How far the work on the room of this group is.
    pub(super) async fn of(&self, chat: &ChatId) -> Result<Option<Progress>, store::Error> {
        let key = lock(&self.there).get(chat).cloned();
        match key {
            Some(key) => self.progress.get(&key).await,
            None => Ok(None),
        }
    }

    /// How far the work on a room is.
    async fn progress(
        &self,
        number: u32,
        generation: u32,
    ) -> Result<Option<Progress>, store::Error> {
        self.progress.get(&progress::key(number, generation)).await
    }

    /// Keeps how far the work on a new room is.
    async fn begin(&self, progress: &Progress) -> Result<(), store::Error> {
        let key = progress.key();
        // Where somebody else was first, theirs stays.
        self.progress
            .compare_and_swap(&key, None, Some(progress))
            .await
            .map(drop)
    }

    /// Changes how far the work on a room is, durably, and gives it as it is then.
    pub(super) async fn update(
        &self,
        key: &str,
        change: impl Fn(&mut Progress),
    ) -> Result<Option<Progress>, store::Error> {
        loop {
            let Some(known) = self.progress.get(key).await? else {
                return Ok(None);
            };
            let mut changed = known.clone();
            change(&mut changed);
            if changed == known
                || self
                    .progress
                    .compare_and_swap(key, Some(&known), Some(&changed))
                    .await?
            {
                return Ok(Some(changed));
            }
        }
    }

    /// Somebody should be in the room of a case.
    async fn want(&self, case: &Case, person: &OpenId) -> Result<(), store::Error> {
        let generation = case.room.as_ref().map_or(0, |room| room.generation);
        self.update(&progress::key(case.number(), generation), |progress| {
            if progress.wanted.len() < progress::INVITED_MAX {
                progress.wanted.insert(person.as_str().to_owned());
            }
        })
        .await?;
        self.look_at(case.number());
        Ok(())
    }

    /// Somebody does a job in a room from now on. Gives whether that is new.
    pub(super) async fn give_role(
        &self,
        progress: &Progress,
        role: &str,
        person: &OpenId,
    ) -> Result<bool, store::Error> {
        let is_new = progress.roles.get(role) != Some(person);
        self.update(&progress.key(), |progress| {
            progress.roles.insert(role.to_owned(), person.clone());
            progress.wanted.insert(person.as_str().to_owned());
        })
        .await?;
        Ok(is_new)
    }

    /// Has the room of an incident looked at.
    pub(super) fn look_at(&self, number: u32) {
        lock(&self.nudged).insert(number);
        self.nudge.notify_one();
    }

    /// A group is a room from now on.
    fn enter(&self, chat: &ChatId, key: String) {
        lock(&self.there).insert(chat.clone(), key);
    }

    /// A group is no room any more.
    fn leave(&self, chat: &ChatId) {
        lock(&self.there).remove(chat);
        lock(&self.heard).remove(chat);
        lock(&self.filled).remove(chat);
        lock(&self.summaries).remove(chat);
    }

    /// A person said or did something.
    fn note_heard(&self, chat: &ChatId, at: Timestamp) {
        let mut heard = lock(&self.heard);
        let last = heard.entry(chat.clone()).or_insert(at);
        *last = (*last).max(at);
    }

    fn last_heard(&self, chat: &ChatId) -> Option<Timestamp> {
        lock(&self.heard).get(chat).copied()
    }

    /// Forgets rooms that are gone, with all that was said in them, once their incident is forgotten.
    pub(super) async fn sweep(
        &self,
        incidents: &incidents::Incidents,
    ) -> Result<usize, store::Error> {
        let mut after: Option<String> = None;
        let mut removed = 0;
        loop {
            let page = self.progress.scan("", after.as_deref(), PAGE).await?;
            for (key, progress) in &page {
                if progress.is_gone && incidents.numbered(progress.number).await?.is_none() {
                    if let Some(chat) = &progress.chat {
                        removed += self.record.forget(chat).await?;
                    }
                    self.progress.delete(key).await?;
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
                _ => return Ok(removed),
            }
        }
    }
}

impl Bot {
    /// The war rooms.
    pub(super) fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }
}

/// The account of somebody whom an incident names.
async fn account(bot: &Bot, person: &PersonId) -> Option<OpenId> {
    incidents::known_account(bot, person).await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here can panic half way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
