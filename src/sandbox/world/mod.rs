//! The state of the sandbox: people, chats, messages, cards. No I/O and no clock of its own.
//!
//! Every method is told the time, changes the state or refuses, and leaves what should become known
//! (events for the bot, news for the page) in the outbox. One mutex stands around all of it, so a
//! call sees the world between two happenings and never in the middle of one.

mod entity;
mod ephemeral;
mod event;
mod forward;
mod founding;
mod groups;
mod history;
mod mention;
mod message;
mod people;
mod pin;
mod press;
mod reaction;
mod resource;
mod say;
mod settings;
mod shape;
mod speak;
mod standing;
mod urgent;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value;

use super::{
    app::{self, App},
    limits::Limits,
    live::News,
    table::Table,
    tokens::Tokens,
};

pub(super) use self::{
    entity::{Change, ElementChange, Entity},
    founding::{Founding, Newcomers},
    groups::{GroupChange, Membership},
    history::{Container, Query},
    mention::{Mention, with_names},
    message::{Author, Card, Message},
    people::{BotRole, Chat, ChatKind, OtherBot, User},
    pin::Pin,
    press::{Misfit, Passes},
    reaction::{Reaction, is_emoji_type},
    resource::{NewResource, Resource, image_type},
    say::Saying,
    settings::Settings,
    shape::CardContent,
    speak::Target,
    standing::Standing,
    urgent::Urgent,
};

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) random: fastrand::Rng,
    /// For log ids, so that asking does not change the ids of what comes later.
    pub(super) log_random: fastrand::Rng,
    pub(super) tokens: Tokens,
    pub(super) limits: Limits,
    pub(super) users: Table<User>,
    pub(super) bots: Table<OtherBot>,
    pub(super) chats: Table<Chat>,
    pub(super) messages: Table<Message>,
    pub(super) cards: Table<Entity>,
    passes: Passes,
    pub(super) resources: Table<Resource>,
    /// What is in each bundle of forwarded messages.
    forwarded: HashMap<String, Vec<Message>>,
    /// Where clients open a message, as lists say it.
    pub(super) links: HashMap<String, String>,
    threads: HashMap<String, Thread>,
    /// The `uuid` of sends: when, and which message came of it.
    sent: HashMap<String, (i64, String)>,
    /// The `uuid` and the owner of groups that the bot made: when, and which chat came of it.
    founded: HashMap<(String, String), (i64, String)>,
    /// What takes a moment and may not be done twice at once.
    pub(super) under_way: HashSet<String>,
    outbox: Outbox,
}

/// A topic: a root message and what was said below it.
#[derive(Debug)]
struct Thread {
    chat_id: String,
    root_id: String,
    /// Places in the table of messages, the root's first.
    places: Vec<usize>,
}

/// What should become known, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) events: Vec<Event>,
    pub(super) news: Vec<News>,
}

/// An event for the bot.
#[derive(Debug)]
pub(super) struct Event {
    /// Such as `im.message.receive_v1`.
    pub(super) kind: &'static str,
    pub(super) body: Value,
    /// It is delivered when the app holds one of these.
    pub(super) scopes: &'static [&'static str],
}

impl World {
    /// A tenant with the app and nobody else.
    pub(super) fn new(app: Arc<App>, seed: u64, limits: Limits) -> Self {
        Self {
            app,
            random: fastrand::Rng::with_seed(seed ^ 0x0077_6f72_6c64),
            log_random: fastrand::Rng::with_seed(seed ^ 0x006c_6f67_6964),
            tokens: Tokens::default(),
            limits,
            users: Table::default(),
            bots: Table::default(),
            chats: Table::default(),
            messages: Table::default(),
            cards: Table::default(),
            passes: Passes::default(),
            resources: Table::default(),
            forwarded: HashMap::new(),
            links: HashMap::new(),
            threads: HashMap::new(),
            sent: HashMap::new(),
            founded: HashMap::new(),
            under_way: HashSet::new(),
            outbox: Outbox::default(),
        }
    }

    /// Hands over what has happened since the last time.
    pub(super) fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// A new id: `prefix` and 32 hex digits.
    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", app::hex(&mut self.random, 32))
    }

    fn emit(&mut self, kind: &'static str, body: Value, scopes: &'static [&'static str]) {
        self.outbox.events.push(Event { kind, body, scopes });
    }

    fn tell(&mut self, kind: &'static str, chat_id: Option<&str>, message_id: Option<&str>) {
        self.outbox.news.push(News {
            kind,
            chat_id: chat_id.map(str::to_owned),
            message_id: message_id.map(str::to_owned),
        });
    }
}
