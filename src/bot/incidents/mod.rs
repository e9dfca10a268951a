//! The incidents: one task writes them, everybody reads them, and what is to be done about them is kept
//! before it is done.
//!
//! ```text
//!  alert ─┐                       ┌─ one batch, flushed ─▶ whoever asked is answered
//!  deed  ─┼─▶ keeper ─ rules ─▶ ──┤
//!  time  ─┘                       └─ who follows changes ─▶ cards, pages, war rooms
//! ```
//! - [`Incidents`] is the handle: it takes alerts before there is a bot, so that they are kept while the
//!   platform cannot be reached.
//! - The [`keeper`] is the only one who changes a [`Case`]. Orders that wait together share one flush. If the
//!   store fails nothing has happened, and whoever asked is told so.
//! - What follows is not a queue but a difference: a card shows version 6 and the case is at 9; a page is
//!   kept until somebody was told. So a crash anywhere is made good by looking again.

mod alerts;
mod cards;
mod draft;
mod follow;
mod keeper;
mod orders;
mod pages;
mod records;
mod routes;
mod sweep;
#[cfg(test)]
mod tests;
mod timers;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::{
    config::Config,
    feishu::{ChatId, MessageId},
    incident::{
        By, Deed, Entry, IncidentId, Refusal, Tracked, What, alert::Batch, noise::Silence,
        schedule::Schedule, severity::Severity,
    },
    store::{self, Collection, Store},
    telemetry::Metrics,
};

pub use keeper::Keeper;
pub use records::{Case, Pager, Place, Room, RoomState, Unreached, Why};

pub(super) use cards::run as draw_cards;
pub(super) use follow::Follower;
pub(super) use pages::{known_account, run as send_pages};

use super::{Bot, alone::Guard};

use records::{Belongs, KeptAlert, KeptEntry, digits};

/// How many orders may wait for the keeper. Whoever finds no room is told to come again.
const ORDERS_MAX: usize = 1024;

/// How many alerts are kept in one batch. The worst have 64 KiB, and a batch can have 8 MiB.
const PART_MAX: usize = 100;

/// The incidents. Clones are the same.
#[derive(Clone)]
pub struct Incidents(Arc<Register>);

struct Register {
    orders: mpsc::Sender<Order>,
    /// Those that are not over, as they were last committed.
    open: Mutex<BTreeMap<u32, Arc<Case>>>,
    /// Those that the last round changed, also those that are over since.
    recent: Mutex<BTreeMap<u32, Arc<Case>>>,
    /// The silences that hold or will.
    silences: Mutex<Vec<Silence>>,
    followers: follow::Followers,
    store: Store,
    schedules: BTreeMap<String, Schedule>,
}

/// Why an order was not carried out. Nothing has happened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules say no; people are told why.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// There is no such incident.
    #[error("there is no such incident")]
    Unknown,
    /// There is nobody further to tell.
    #[error("there is nobody further to tell")]
    NobodyFurther,
    /// There is no such silence.
    #[error("there is no such silence")]
    NoSuchSilence,
    /// Too much waits already, or we are ending. Ask again.
    #[error("too much waits already")]
    Busy,
    /// It could not be kept. Ask again.
    #[error("it could not be kept")]
    NotKept,
}

/// Something that was carried out and kept.
#[derive(Debug, Clone)]
pub struct Done {
    /// The incident afterwards.
    pub case: Arc<Case>,
}

/// What became of the alerts of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// How many reports were kept.
    pub alerts: usize,
    /// How many incidents they opened.
    pub opened: usize,
    /// How many of them nobody is told of, because of a silence or another incident.
    pub hushed: usize,
}

/// Where the answer to an order goes.
type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Something that the keeper is asked for.
enum Order {
    Take {
        integration: String,
        batch: Batch,
        reply: Reply<Taken>,
    },
    Declare {
        by: By,
        title: String,
        severity: Severity,
        /// The group in which it was declared; its card goes there, too.
        chat: Option<ChatId>,
        reply: Reply<Done>,
    },
    Change {
        incident: IncidentId,
        change: Change,
        reply: Reply<Done>,
    },
    Merge {
        by: By,
        into: IncidentId,
        other: IncidentId,
        reply: Reply<Done>,
    },
    Silence {
        silence: Silence,
        reply: Reply<()>,
    },
    Lift {
        name: String,
        reply: Reply<()>,
    },
    Paged {
        key: String,
        outcome: PageOutcome,
        reply: Reply<()>,
    },
}

/// A change of one incident.
enum Change {
    /// Somebody does something.
    Deed(By, Deed),
    /// Something belongs into the timeline.
    Note(By, Vec<What>),
    /// Somebody wants the next level told now.
    Escalate(By),
    /// Its card is to be shown here, too.
    ShowIn(Place),
    /// Its war room is another now, with what belongs into the timeline.
    Room(By, Box<Option<Room>>, Vec<What>),
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PageOutcome {
    /// They were told; by this open_id or chat id.
    Told { place: Place },
    /// They cannot be told.
    Failed { why: Why },
    /// They need not be told any more.
    Moot,
}

impl Incidents {
    /// Reads what is open, and makes the handle and the task that writes.
    pub async fn open(
        store: &Store,
        config: &Config,
        metrics: Metrics,
    ) -> Result<(Self, Keeper), store::Error> {
        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let incidents = Self(Arc::new(Register {
            orders,
            open: Mutex::default(),
            recent: Mutex::default(),
            silences: Mutex::default(),
            followers: follow::Followers::default(),
            store: store.clone(),
            schedules: config.incidents.schedules.clone(),
        }));
        let keeper = Keeper::open(incidents.clone(), waiting, config, metrics).await?;
        Ok((incidents, keeper))
    }

    /// Takes what one request of a sender brought. It is flushed when this returns.
    ///
    /// A large batch is taken in parts. If a later one fails, the sender sends all of it again, and what was
    /// taken is taken once.
    pub async fn take(&self, integration: &str, batch: Batch) -> Result<Taken, Error> {
        let mut taken = Taken::default();
        let (mut alerts, mut changes) = (batch.alerts.into_iter(), batch.changes.into_iter());
        loop {
            let batch = Batch {
                alerts: alerts.by_ref().take(PART_MAX).collect(),
                changes: changes.by_ref().take(PART_MAX).collect(),
                ..Batch::default()
            };
            if batch.alerts.is_empty() && batch.changes.is_empty() {
                return Ok(taken);
            }
            let integration = integration.to_owned();
            let part = self
                .ask(|reply| Order::Take {
                    integration,
                    batch,
                    reply,
                })
                .await?;
            taken.alerts += part.alerts;
            taken.opened += part.opened;
            taken.hushed += part.hushed;
        }
    }

    /// Declares an incident without an alert. Its card goes to `chat`, and to wherever routes say.
    pub async fn declare(
        &self,
        by: By,
        title: &str,
        severity: Severity,
        chat: Option<ChatId>,
    ) -> Result<Done, Error> {
        self.ask(|reply| Order::Declare {
            by,
            title: title.to_owned(),
            severity,
            chat,
            reply,
        })
        .await
    }

    /// Does something that a person wants, who may do it.
    pub async fn act(&self, by: By, incident: &IncidentId, deed: Deed) -> Result<Done, Error> {
        self.change(incident, Change::Deed(by, deed)).await
    }

    /// Enters something into the timeline that changes nothing else.
    pub async fn note(
        &self,
        by: By,
        incident: &IncidentId,
        what: Vec<What>,
    ) -> Result<Done, Error> {
        self.change(incident, Change::Note(by, what)).await
    }

    /// Has the next level told now.
    pub async fn escalate(&self, by: By, incident: &IncidentId) -> Result<Done, Error> {
        self.change(incident, Change::Escalate(by)).await
    }

    /// Has the card shown in another place, too.
    pub async fn show_in(&self, incident: &IncidentId, place: Place) -> Result<Done, Error> {
        self.change(incident, Change::ShowIn(place)).await
    }

    /// Changes the war room, with what belongs into the timeline. `None` forgets it. In one that is gone the
    /// card is not kept up any more.
    pub async fn set_room(
        &self,
        by: By,
        incident: &IncidentId,
        room: Option<Room>,
        what: Vec<What>,
    ) -> Result<Done, Error> {
        self.change(incident, Change::Room(by, Box::new(room), what))
            .await
    }

    /// Makes `other` part of `into`.
    pub async fn merge(
        &self,
        by: By,
        into: &IncidentId,
        other: &IncidentId,
    ) -> Result<Done, Error> {
        let (into, other) = (into.clone(), other.clone());
        self.ask(|reply| Order::Merge {
            by,
            into,
            other,
            reply,
        })
        .await
    }

    /// Sets a silence that was checked, in place of one of the same name.
    pub async fn silence(&self, silence: Silence) -> Result<(), Error> {
        self.ask(|reply| Order::Silence { silence, reply }).await
    }

    /// Ends a silence. What it hushed and still fires is told of at once.
    pub async fn lift(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.ask(|reply| Order::Lift { name, reply }).await
    }

    /// Those that are not over, by number.
    pub fn list_open(&self) -> Vec<Arc<Case>> {
        self.lock_open().values().cloned().collect()
    }

    /// The last ones, also those that are over, the newest first.
    pub async fn latest(&self, limit: usize) -> Result<Vec<Arc<Case>>, store::Error> {
        // Numbers count up, so the last ones are found from the counter.
        let counter = self.0.store.collection::<records::Counter>();
        let last = counter.get("last").await?.map_or(0, |counter| counter.last);
        let mut found = Vec::new();
        let mut missing = 0;
        for number in (1..=last).rev() {
            match self.numbered(number).await? {
                Some(case) => found.push(case),
                None => missing += 1,
            }
            // What was swept away is older than all that is there.
            if found.len() >= limit || missing > 1000 {
                break;
            }
        }
        Ok(found)
    }

    /// By the number that people say.
    pub async fn numbered(&self, number: u32) -> Result<Option<Arc<Case>>, store::Error> {
        if let Some(case) = self.lock_open().get(&number) {
            return Ok(Some(case.clone()));
        }
        let cases = self.0.store.collection::<Case>();
        Ok(cases.get(&digits(number)).await?.map(Arc::new))
    }

    /// By its identity.
    pub async fn get(&self, id: &IncidentId) -> Result<Option<Arc<Case>>, store::Error> {
        let Some(number) = number_of(id) else {
            return Ok(None);
        };
        let case = self.numbered(number).await?;
        // After a store was lost numbers begin anew, and an old card means another incident.
        Ok(case.filter(|case| case.id() == id))
    }

    /// The entries after this one, in order, at most `limit`.
    pub async fn timeline(
        &self,
        number: u32,
        after: u32,
        limit: usize,
    ) -> Result<Vec<Entry>, store::Error> {
        let entries: Collection<KeptEntry> = self.0.store.collection();
        let prefix = format!("{}/", digits(number));
        let after = format!("{prefix}{}", digits(after));
        let found = entries.scan(&prefix, Some(&after), limit).await?;
        Ok(found
            .into_iter()
            .map(|(_, KeptEntry(entry))| entry)
            .collect())
    }

    /// The alerts that belong to it or did, by integration and key, at most `limit`.
    pub async fn alerts(&self, number: u32, limit: usize) -> Result<Vec<Tracked>, store::Error> {
        let index: Collection<Belongs> = self.0.store.collection();
        let alerts: Collection<KeptAlert> = self.0.store.collection();
        let prefix = format!("{}/", digits(number));
        let mut found = Vec::new();
        for (key, _) in index.scan(&prefix, None, limit).await? {
            if let Some(KeptAlert(tracked)) = alerts.get(&key[prefix.len()..]).await? {
                found.push(tracked);
            }
        }
        Ok(found)
    }

    /// The alert that was last told of.
    pub async fn latest_alert(&self, case: &Case) -> Result<Option<Tracked>, store::Error> {
        let Some(key) = &case.incident.latest else {
            return Ok(None);
        };
        let Some(integration) = &case.integration else {
            return Ok(None);
        };
        let alerts: Collection<KeptAlert> = self.0.store.collection();
        let found = alerts.get(&format!("{integration}/{key}")).await?;
        Ok(found.map(|KeptAlert(tracked)| tracked))
    }

    /// The silences that hold or will, by name.
    pub fn silences(&self) -> Vec<Silence> {
        self.lock_silences().clone()
    }

    /// The schedules of the configuration, by name.
    pub fn schedules(&self) -> &BTreeMap<String, Schedule> {
        &self.0.schedules
    }

    /// The open incident whose open war room this chat is.
    pub fn of_room(&self, chat: &ChatId) -> Option<Arc<Case>> {
        let open = self.lock_open();
        let mut cases = open.values();
        cases
            .find(|case| {
                let room = case.room.as_ref();
                room.is_some_and(|room| room.chat.as_ref() == Some(chat))
            })
            .cloned()
    }

    /// The message that shows its card in a place, once it was sent.
    pub(super) async fn card_in(
        &self,
        number: u32,
        place: &Place,
    ) -> Result<Option<MessageId>, store::Error> {
        let cards: Collection<records::DrawnCard> = self.0.store.collection();
        let drawn = cards.get(&cards::key(number, place)).await?;
        Ok(drawn.and_then(|drawn| drawn.message))
    }

    /// Is told of every incident that changes from now on, and of all that are open now.
    pub(super) fn follow(&self) -> Follower {
        let open = self.lock_open().keys().copied().collect();
        self.0.followers.join(open)
    }

    /// Tells what became of a page.
    async fn paged(&self, key: &str, outcome: PageOutcome) -> Result<(), Error> {
        let key = key.to_owned();
        self.ask(|reply| Order::Paged {
            key,
            outcome,
            reply,
        })
        .await
    }

    async fn change(&self, incident: &IncidentId, change: Change) -> Result<Done, Error> {
        let incident = incident.clone();
        self.ask(|reply| Order::Change {
            incident,
            change,
            reply,
        })
        .await
    }

    /// Gives the keeper an order and waits until it is kept. Never waits for room.
    async fn ask<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, Error> {
        let (reply, answered) = oneshot::channel();
        let orders = &self.0.orders;
        orders.try_send(order(reply)).map_err(|_| Error::Busy)?;
        // It goes without an answer where the keeper could not even read what it needs.
        answered.await.unwrap_or(Err(Error::NotKept))
    }

    fn lock_open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Arc<Case>>> {
        let open = &self.0.open;
        open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_recent(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Arc<Case>>> {
        let recent = &self.0.recent;
        recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_silences(&self) -> std::sync::MutexGuard<'_, Vec<Silence>> {
        let silences = &self.0.silences;
        silences.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until nobody draws the card in a place. While the guard lives, nobody does.
pub(super) async fn drawing(bot: &Bot, number: u32, place: &Place) -> Guard {
    bot.0.drawing.with(&cards::key(number, place)).await
}

/// The identity of a new incident: its number, and something that no other store has given.
fn identity(number: u32) -> IncidentId {
    let random = uuid::Uuid::new_v4().simple().to_string();
    IncidentId(format!("{number}-{}", &random[..12]))
}

/// The number within an identity.
fn number_of(id: &IncidentId) -> Option<u32> {
    id.0.split('-').next()?.parse().ok()
}

/// Now, to the millisecond: what is kept is what was decided by.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
