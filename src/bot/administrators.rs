//! Tells those who run the bot what is wrong with it, once.
//!
//! Each is written to directly; where they are named by a chat, it is said in that chat. What was told is
//! kept in the store, and in memory too: that the store takes nothing is one of the things to be told.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::{
    feishu::{Class, Recipient},
    store::{self, Collection, Record, Store},
};

use super::{
    Bot,
    access::Name,
    alone::Alone,
    card::notice::{Notice, Template},
    notice,
    phrase::Phrase,
    quota, sweep,
};

/// How long it is remembered that something was told. After that it is news again.
const KEPT_FOR: Duration = Duration::from_secs(400 * 24 * 3600);

/// How much is remembered in memory; above it the store is asked.
const REMEMBERED_MAX: usize = 1000;

/// That somebody was told something, by purpose and recipient.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
}

impl Record for Told {
    const COLLECTION: &'static str = "told";
    const VERSION: u8 = 1;
}

/// What administrators were told.
pub(super) struct Administrators {
    told: Collection<Told>,
    remembered: Mutex<HashSet<String>>,
    /// Who is being told what: two who want the same told at once are one.
    telling: Alone,
}

impl Administrators {
    /// Opens the collection.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            told: store.collection(),
            remembered: Mutex::default(),
            telling: Alone::default(),
        }
    }

    /// Forgets what was told long ago.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        sweep::sweep(&self.told, |told| {
            told.at.duration_until(now).unsigned_abs() > KEPT_FOR
        })
        .await
    }

    async fn was_told(&self, key: &str) -> bool {
        self.remembered().contains(key) || matches!(self.told.get(key).await, Ok(Some(_)))
    }

    async fn note(&self, key: String) {
        let told = Told {
            at: Timestamp::now(),
        };
        if let Err(error) = self.told.put(&key, &told).await {
            warn!(%error, "what administrators were told could not be kept; they may be told again");
        }
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key);
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches for what administrators should know, for ever.
pub(super) async fn watch(bot: Bot) {
    if let Some(folder) = bot.store().opened_after_damage() {
        let folder = folder.display().to_string();
        let phrase = Phrase::StoreWasDamaged { folder: &folder };
        tell(&bot, &format!("store-damaged/{folder}"), phrase).await;
    }
    tokio::join!(quota::watch(&bot), watch_cardkit(&bot));
}

/// Tells that answers cannot be typed into cards, when that shows.
async fn watch_cardkit(bot: &Bot) {
    let mut forbidden = bot.0.cardkit.forbidden();
    // It ends with the bot, which holds the other end.
    while forbidden
        .wait_for(|is_forbidden| *is_forbidden)
        .await
        .is_ok()
    {
        tell(bot, "cardkit", Phrase::CardKitIsMissing).await;
        if forbidden.changed().await.is_err() {
            return;
        }
    }
}

/// Tells that nothing can be kept, once a day.
pub(super) async fn tell_store_is_full(bot: &Bot) {
    let day = Timestamp::now().strftime("%Y-%m-%d");
    tell(bot, &format!("store/{day}"), Phrase::StoreTakesNothing).await;
}

/// Tells every administrator `phrase`, once for each `purpose`: what is to be told again next month has
/// the month in its purpose. Urgent, since it may be that nothing but pages goes out any more.
pub(super) async fn tell(bot: &Bot, purpose: &str, phrase: Phrase<'_>) {
    let administrators = bot.access().administrators();
    if administrators.is_empty() {
        let text = phrase.text(bot.0.conversation.language);
        warn!(
            purpose,
            "nobody is told, as access.administrators is empty: {text}"
        );
        return;
    }
    let mut reached = 0;
    for name in administrators {
        let to = match name {
            Name::Person(id) => Some(Recipient::Person(id.clone())),
            Name::Chat(id) => Some(Recipient::Chat(id.clone())),
            Name::Email(email) => bot.access().by_address(email).await.map(Recipient::Person),
        };
        if let Some(to) = to
            && tell_one(bot, purpose, &phrase, &to).await
        {
            reached += 1;
        }
    }
    if reached == 0 {
        warn!(purpose, "no administrator could be told");
    }
}

/// Whether they know now.
async fn tell_one(bot: &Bot, purpose: &str, phrase: &Phrase<'_>, to: &Recipient) -> bool {
    let whom = match to {
        Recipient::Chat(id) => id.as_str(),
        Recipient::Person(id) => id.as_str(),
    };
    let key = format!("{purpose}/{whom}");
    let desk = &bot.0;
    let _telling = desk.administrators.telling.with(&key).await;
    if desk.administrators.was_told(&key).await {
        return true;
    }
    let set = match to {
        Recipient::Person(person) => desk.settings.of_person(person).await.language,
        Recipient::Chat(chat) => desk.settings.of_chat(chat).await.language,
    };
    let language = set.unwrap_or(desk.conversation.language);
    let (title, text) = (
        Phrase::ForAdministrators.text(language),
        phrase.text(language),
    );
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Orange,
    };
    match notice::tell(bot, Class::Page, to, &key, &notice).await {
        Ok(_) => {
            info!(purpose, whom, "an administrator was told");
            desk.administrators.note(key).await;
            true
        }
        Err(error) => {
            warn!(%error, purpose, whom, "an administrator could not be told");
            false
        }
    }
}
