//! What people do with incidents, however they ask for it: what the buttons of cards and the commands share.
//!
//! ```text
//! click ───┐
//!          ├─▶ may ─▶ Hand ─▶ bot::incidents ─▶ Told, a sentence for whoever asked
//! command ─┘
//! ```
//! The rules decide what an incident's state allows, and of two people the first one acts; here it is put
//! into words, with the name of whoever was first.

mod picture;
mod right;
mod told;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::warn;

use crate::{
    feishu::{ChatId, Class, OpenId, Recipient},
    incident::{By, Channel, Deed, Entry, PersonId, What, noise::Silence},
};

use super::{
    Bot,
    card::{
        Notice,
        incident::{Names, open_id, people_of},
        notice::Template,
    },
    incidents::{self, Case, Place},
    markdown, notice,
    people::stand_in,
};

pub(super) use picture::{facts, language, names, picture, room_link, story, timeline};
pub(super) use right::{Right, may};
pub(super) use told::{Told, Tone};

/// How long a sentence may wait for a name.
const NAME_WITHIN: Duration = Duration::from_secs(1);

/// Somebody who does something, and where.
#[derive(Clone)]
pub(super) struct Hand<'a> {
    pub bot: &'a Bot,
    /// Who.
    pub person: &'a OpenId,
    /// The chat in which they do it.
    pub chat: &'a ChatId,
    /// Who, and through what, for the timeline.
    pub by: By,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Handled {
    /// What is said.
    pub told: Told,
    /// The incident afterwards, where something was done to it.
    pub case: Option<Arc<Case>>,
}

impl Handled {
    /// Nothing was done.
    pub(super) fn of(told: Told) -> Self {
        Self { told, case: None }
    }
}

impl<'a> Hand<'a> {
    /// Somebody at a card in `place`, of this incident.
    pub(super) fn at_card(
        bot: &'a Bot,
        person: &'a OpenId,
        chat: &'a ChatId,
        place: &Place,
        case: &Case,
    ) -> Self {
        let room = case.room.as_ref().and_then(|room| room.chat.as_ref());
        let channel = match place {
            Place::Person(_) => Channel::DirectMessage,
            Place::Chat(chat) if room == Some(chat) => Channel::WarRoom,
            Place::Chat(_) => Channel::Card,
        };
        Self::through(bot, person, chat, channel)
    }

    /// Somebody, through this.
    pub(super) fn through(
        bot: &'a Bot,
        person: &'a OpenId,
        chat: &'a ChatId,
        channel: Channel,
    ) -> Self {
        Self {
            bot,
            person,
            chat,
            by: By::person(person.as_str(), channel),
        }
    }

    /// Does something to an incident.
    pub(super) async fn act(&self, case: &Case, deed: Deed) -> Handled {
        let incidents = self.bot.incidents();
        match incidents
            .act(self.by.clone(), case.id(), deed.clone())
            .await
        {
            Ok(done) => {
                self.tell_whom_it_concerns(&done.case, &deed);
                let told = self.done(&done.case, &deed).await;
                let case = Some(done.case);
                Handled { told, case }
            }
            Err(error) => self.refused(case, &error).await,
        }
    }

    /// Has the next level told.
    pub(super) async fn escalate(&self, case: &Case) -> Handled {
        let incidents = self.bot.incidents();
        match incidents.escalate(self.by.clone(), case.id()).await {
            Ok(done) => Handled {
                told: told::escalated(case.number()),
                case: Some(done.case),
            },
            Err(error) => self.refused(case, &error).await,
        }
    }

    /// Makes `other` part of `into`.
    pub(super) async fn merge(&self, into: &Case, other: &Case) -> Handled {
        let incidents = self.bot.incidents();
        let merged = incidents
            .merge(self.by.clone(), into.id(), other.id())
            .await;
        match merged {
            Ok(done) => Handled {
                told: told::merged(other.number(), into.number()),
                case: Some(done.case),
            },
            Err(error) => self.refused(into, &error).await,
        }
    }

    /// Silences alerts like those of an incident. Nobody has it for that.
    pub(super) async fn silence_like(&self, case: &Case, time: Duration) -> Handled {
        let silence = Silence::of_incident(&case.incident, self.by.clone(), now(), time);
        let until = silence.until;
        let told = self.silence(silence).await;
        if told.tone != Tone::Done {
            return Handled::of(told);
        }
        let what = vec![What::Silenced { until }];
        let incidents = self.bot.incidents();
        let noted = incidents.note(self.by.clone(), case.id(), what).await;
        if let Err(error) = &noted {
            warn!(%error, "a silence holds and its incident does not say so");
        }
        Handled {
            told: told::silenced_like(case.number(), until, &self.bot.0.zone),
            case: noted.ok().map(|done| done.case),
        }
    }

    /// Sets a silence, if it can be set.
    pub(super) async fn silence(&self, silence: Silence) -> Told {
        if let Err(error) = silence.check() {
            return told::cannot_silence(error);
        }
        let until = silence.until;
        match self.bot.incidents().silence(silence).await {
            Ok(()) => told::silenced(until, &self.bot.0.zone),
            Err(error) => Told::failed(&error),
        }
    }

    /// Why something was not done, with the names and numbers that belong to it.
    pub(super) async fn refused(&self, case: &Case, error: &incidents::Error) -> Handled {
        let names = match error {
            incidents::Error::Refused(refusal) => self.names_in(refusal).await,
            _ => Names::default(),
        };
        let other = match error {
            incidents::Error::Refused(crate::incident::Refusal::Merged(id)) => {
                let other = self.bot.incidents().get(id).await;
                other.ok().flatten().map(|other| other.number())
            }
            _ => None,
        };
        Handled::of(told::refused(case, error, &names, other))
    }

    async fn names_in(&self, refusal: &crate::incident::Refusal) -> Names {
        let crate::incident::Refusal::AlreadyAcknowledged(had) = refusal else {
            return Names::default();
        };
        let crate::incident::Actor::Person(person) = &had.by.actor else {
            return Names::default();
        };
        let mut names = Names::default();
        names.insert(person.clone(), self.name(person).await);
        names
    }

    async fn done(&self, case: &Case, deed: &Deed) -> Told {
        let whom = match deed {
            Deed::Assign(person) | Deed::AddResponder(person) => self.name(person).await,
            _ => String::new(),
        };
        let is_self = matches!(deed, Deed::Assign(to) if to.0 == self.person.as_str());
        told::done(case, deed, &whom, is_self, &self.bot.0.zone)
    }

    /// What somebody is called, as far as that is known soon.
    async fn name(&self, person: &PersonId) -> String {
        let Some(id) = open_id(person) else {
            return person.0.clone();
        };
        timeout(NAME_WITHIN, self.bot.0.people.name(&id, self.chat))
            .await
            .unwrap_or_else(|_| stand_in(id.as_str()))
    }

    /// Whoever is given something hears of it in their own chat: a card that changes makes no sound.
    fn tell_whom_it_concerns(&self, case: &Arc<Case>, deed: &Deed) {
        let (Deed::Assign(person) | Deed::AddResponder(person)) = deed else {
            return;
        };
        let Some(whom) = open_id(person).filter(|whom| whom != self.person) else {
            return;
        };
        let (bot, case, chat) = (self.bot.clone(), case.clone(), self.chat.clone());
        let (by, is_assigned) = (self.person.clone(), matches!(deed, Deed::Assign(_)));
        self.bot.sessions().beside(async move {
            tell(&bot, &case, &by, &whom, &chat, is_assigned).await;
        });
    }
}

/// Tells somebody that an incident is theirs, or that they should help.
async fn tell(bot: &Bot, case: &Case, by: &OpenId, whom: &OpenId, chat: &ChatId, assigned: bool) {
    let name = bot.0.people.name(by, chat).await;
    let language = language(bot, &Place::Person(whom.clone())).await;
    let told = told::wanted(case, &markdown::escape(&name), assigned);
    let notice = Notice {
        title: Some(&format!("#{}", case.number())),
        text: told.text(language),
        template: Template::Orange,
    };
    let to = Recipient::Person(whom.clone());
    // Once for each time: the entry that was just made has a number of its own.
    let purpose = format!("incident/{}/wanted/{}", case.id(), case.incident.entries);
    if let Err(error) = notice::tell(bot, Class::Page, &to, &purpose, &notice).await {
        warn!(%error, "somebody is wanted on an incident and does not know");
    }
}

/// Now, to the millisecond, as what is kept.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The names of everybody who is needed to show an incident and these entries, as far as they are known soon.
async fn names_of(bot: &Bot, case: &Case, entries: &[Entry], chat: &ChatId) -> Names {
    let ids = people_of(&case.incident, entries);
    names(bot, &ids, chat).await
}
