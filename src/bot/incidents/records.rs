//! What is kept of incidents. An incident is a record with what is done about it beside it; its timeline, its
//! alerts and its cards are records of their own, so that none of them grows.
//!
//! | collection | key | |
//! |---|---|---|
//! | `incident` | number | [`Case`] |
//! | `incident_entry` | number / entry | [`KeptEntry`] |
//! | `incident_alert` | number / integration / alert | [`Belongs`] |
//! | `incident_page` | number / beginning / policy / step / whom | [`Page`], until it is done |
//! | `incident_card` | number / place | [`DrawnCard`] |
//! | `incident_group` | group | [`NewestOfGroup`] |
//! | `alert` | integration / alert | [`KeptAlert`] |
//! | `alert_hushed` | integration / alert | [`Hushed`] |
//! | `change` | time / integration / change | [`KeptChange`] |
//! | `silence` | name | [`KeptSilence`] |
//!
//! Numbers are written with ten digits, so that they are in order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::Language,
    feishu::{ChatId, MessageId, OpenId},
    incident::{
        Channel, Entry, Incident, IncidentId, Tracked,
        alert::Change,
        noise::Silence,
        routing::{Paging, Target},
        severity::Severity,
    },
    store::Record,
};

/// An incident, and what is done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The incident itself, as the rules have it.
    pub incident: Incident,
    /// The integration whose alert opened it; nobody's where a person declared it.
    #[serde(default)]
    pub integration: Option<String>,
    /// Goes up whenever something changes that cards show.
    #[serde(default)]
    pub version: u64,
    /// When the rules want to look at it again.
    #[serde(default)]
    pub wake_at: Option<Timestamp>,
    /// The escalations that run.
    #[serde(default)]
    pub pagers: Vec<Pager>,
    /// Where its card is, or is to be.
    #[serde(default)]
    pub places: Vec<Place>,
    /// How bad it was when it was last decided who is told. When it becomes worse, that is decided anew.
    #[serde(default)]
    pub routed_as: Option<Severity>,
    /// Whether no route took it.
    #[serde(default)]
    pub unrouted: bool,
    /// Who should have been told and could not be, the last ones.
    #[serde(default)]
    pub unreached: Vec<Unreached>,
    /// Its war room.
    #[serde(default)]
    pub room: Option<Room>,
}

/// How many people who could not be told are kept.
pub(super) const UNREACHED_MAX: usize = 10;
/// How many places can have a card of one incident.
pub(super) const PLACES_MAX: usize = 50;

impl Case {
    /// A case of an incident that was just opened.
    pub(super) fn new(incident: Incident, integration: Option<String>) -> Self {
        Self {
            incident,
            integration,
            version: 0,
            wake_at: None,
            pagers: Vec::new(),
            places: Vec::new(),
            routed_as: None,
            unrouted: false,
            unreached: Vec::new(),
            room: None,
        }
    }

    /// Its identity.
    pub fn id(&self) -> &IncidentId {
        &self.incident.id
    }

    /// What people call it, without the `#`.
    pub fn number(&self) -> u32 {
        self.incident.number
    }

    /// The labels that routes see.
    pub fn labels(&self) -> crate::incident::labels::Labels {
        super::routes::labels(self)
    }

    /// Whether this place is its war room, open or gone.
    pub fn is_room(&self, place: &Place) -> bool {
        let room = self.room.as_ref().and_then(|room| room.chat.as_ref());
        matches!(place, Place::Chat(chat) if Some(chat) == room)
    }

    /// Whether this place was its war room, and is not any more.
    pub fn is_gone_room(&self, place: &Place) -> bool {
        let is_gone = |room: &Room| room.state == RoomState::Gone;
        self.room.as_ref().is_some_and(is_gone) && self.is_room(place)
    }

    /// Its open war room.
    pub fn open_room(&self) -> Option<&Room> {
        self.room
            .as_ref()
            .filter(|room| room.state == RoomState::Open)
    }
}

/// One escalation that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pager {
    /// The policy, by its name in the configuration.
    pub policy: String,
    /// How far it is.
    pub paging: Paging,
    /// How many of those who were told last have not been reached yet.
    #[serde(default)]
    pub pending: u32,
    /// Whether one of them was reached.
    #[serde(default)]
    pub reached: bool,
}

/// Where a card is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A group, also a war room.
    Chat(ChatId),
    /// The direct chat with a person. Its card is first sent by a page.
    Person(OpenId),
}

impl Place {
    /// The place within keys and purposes.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Chat(id) => id.as_str(),
            Self::Person(id) => id.as_str(),
        }
    }
}

/// Somebody who should have been told and could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// Who, as the configuration names them.
    pub who: String,
    /// Why not.
    pub why: Why,
}

/// Why somebody could not be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No Feishu account is known for them.
    Unlinked,
    /// Nobody is on call by that schedule.
    NobodyOnCall,
    /// The platform does not let us write to them.
    Refused,
}

impl Why {
    /// The word that timeline entries keep.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::NobodyOnCall => "nobody_on_call",
            Self::Refused => "refused",
        }
    }
}

/// A war room: a group made for one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// How far it is.
    pub state: RoomState,
    /// Which of the incident's rooms it is, from 1. In the purpose of its making.
    pub generation: u32,
    /// The group, once there is one.
    #[serde(default)]
    pub chat: Option<ChatId>,
    /// What it is called now.
    #[serde(default)]
    pub name: String,
    /// Who asked for it; nobody where a rule did.
    #[serde(default)]
    pub asked_by: Option<OpenId>,
    /// Through what it was asked for.
    #[serde(default = "by_the_clock")]
    pub channel: Channel,
    /// The language of who asked; that of the configuration without it.
    #[serde(default)]
    pub language: Option<Language>,
    /// Since when.
    pub since: Timestamp,
}

fn by_the_clock() -> Channel {
    Channel::Clock
}

/// How far a war room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomState {
    /// It is to be made.
    Wanted,
    /// It is there.
    Open,
    /// It was dissolved. What was said in it is kept.
    Gone,
}

/// A timeline entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptEntry(pub Entry);

/// That an alert belongs to an incident, or did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Belongs {}

/// Somebody who is to be told. Removed when they were, or need not be any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Page {
    /// Of what.
    pub incident: u32,
    /// By which policy.
    pub policy: String,
    /// Which paging it belongs to.
    pub began_at: Timestamp,
    /// The step, from 0, over all repetitions.
    pub step: u32,
    /// The level, from 1.
    pub level: u32,
    /// Who, with schedules looked up already.
    pub whom: Target,
}

impl Page {
    /// Its key, and the purpose of what is sent for it.
    pub(super) fn key(&self) -> String {
        let (kind, whom) = match &self.whom {
            Target::Person(person) => ("person", person.0.as_str()),
            Target::Schedule(schedule) => ("schedule", schedule.as_str()),
            Target::Chat(chat) => ("chat", chat.as_str()),
        };
        let began = self.began_at.as_millisecond();
        let (number, step) = (digits(self.incident), digits(self.step));
        format!("{number}/{began}/{}/{step}/{kind}/{whom}", self.policy)
    }
}

/// A card that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DrawnCard {
    /// Which of the cards in this place it is, from 1: one that cannot be changed any more is replaced.
    pub generation: u32,
    /// The message, once it was sent.
    #[serde(default)]
    pub message: Option<MessageId>,
    /// The chat that it stands in, as far as that is known.
    #[serde(default)]
    pub chat: Option<ChatId>,
    /// The version that it shows.
    #[serde(default)]
    pub shown: u64,
    /// When it was sent.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    /// Whether the place takes no card any more.
    #[serde(default)]
    pub given_up: bool,
}

/// The newest incident of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NewestOfGroup {
    /// Its number.
    pub incident: u32,
}

/// What is known of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptAlert(pub Tracked);

/// That an alert fires and nobody is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hushed {}

/// A change that was told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptChange {
    /// By which integration.
    pub integration: String,
    /// When it happened, or when we were told.
    pub at: Timestamp,
    /// What it was.
    pub change: Change,
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptSilence(pub Silence);

/// The number that was given last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Counter {
    /// It.
    pub last: u32,
}

macro_rules! kept_as {
    ($($record:ty => $name:literal),* $(,)?) => {
        $(impl Record for $record {
            const COLLECTION: &'static str = $name;
            const VERSION: u8 = 1;
        })*
    };
}

kept_as! {
    Case => "incident",
    KeptEntry => "incident_entry",
    Belongs => "incident_alert",
    Page => "incident_page",
    DrawnCard => "incident_card",
    NewestOfGroup => "incident_group",
    KeptAlert => "alert",
    Hushed => "alert_hushed",
    KeptChange => "change",
    KeptSilence => "silence",
    Counter => "incident_counter",
}

/// A number within keys.
pub(super) fn digits(number: u32) -> String {
    format!("{number:010}")
}
