//! What was said in war rooms, as it was heard: one record for each message, with what became of it.
//!
//! | collection | key | |
//! |---|---|---|
//! | `room_message` | room / time / message | [`Said`] |
//! | `room_message_place` | message | [`Place`]: in which room, and when |
//! | `room_coming` | room / time / person | [`Coming`] |
//!
//! A record is there before the event that brought it is acknowledged, so nothing here depends on the
//! platform's history; what was missed is filled in from it ([`fill`](super::fill)). A record only grows: what
//! was edited or recalled stays known, and whoever shows it decides what to show.

mod hearing;
mod said;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    feishu::{ChatId, MessageId, OpenId},
    store::{self, Collection, Record, Store},
};

#[cfg(test)]
use said::Edit;
pub(in crate::bot) use said::{Attached, Mark, Said};

/// How much is read at once.
const PAGE: usize = 200;

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    room: ChatId,
    at: Timestamp,
}

impl Record for Place {
    const COLLECTION: &'static str = "room_message_place";
    const VERSION: u8 = 1;
}

/// That somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Coming {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub person: OpenId,
    /// What they are called, as far as the platform said so.
    #[serde(default)]
    pub name: String,
    /// Whether they came; otherwise they went.
    pub came: bool,
    /// Who did it, where it was somebody else.
    #[serde(default)]
    pub by: Option<OpenId>,
}

impl Record for Coming {
    const COLLECTION: &'static str = "room_coming";
    const VERSION: u8 = 1;
}

/// The store's side of it.
pub(in crate::bot) struct Transcripts {
    store: Store,
    said: Collection<Said>,
    places: Collection<Place>,
    comings: Collection<Coming>,
    /// Held while a record is read and written anew, so that of two changes none is lost.
    pen: Mutex<()>,
}

impl Transcripts {
    /// Opens the collections.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            said: store.collection(),
            places: store.collection(),
            comings: store.collection(),
            pen: Mutex::new(()),
        }
    }

    /// A message, and the room it stands in.
    pub(in crate::bot) async fn get(
        &self,
        message: &MessageId,
    ) -> Result<Option<(ChatId, Said)>, store::Error> {
        let Some(place) = self.places.get(message.as_str()).await? else {
            return Ok(None);
        };
        let said = self.said.get(&key(&place, message)).await?;
        Ok(said.map(|said| (place.room, said)))
    }

    /// Whether this message was heard in a room.
    pub(in crate::bot) async fn knows(&self, message: &MessageId) -> Result<bool, store::Error> {
        Ok(self.places.get(message.as_str()).await?.is_some())
    }

    /// The messages of a room in their order, those after `after`, which is the key of another. Fewer than
    /// `limit` means that there are no more.
    pub(in crate::bot) async fn page(
        &self,
        room: &ChatId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Said)>, store::Error> {
        self.said.scan(&format!("{room}/"), after, limit).await
    }

    /// All messages of a room since then, in their order, each given to `take`; never all of them in memory.
    pub(in crate::bot) async fn each(
        &self,
        room: &ChatId,
        since: Option<Timestamp>,
        mut take: impl FnMut(Said),
    ) -> Result<(), store::Error> {
        let mut after = since.map(|since| format!("{room}/{}", digits(since)));
        loop {
            let page = self.page(room, after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|(key, _)| key.clone());
            page.into_iter().for_each(|(_, said)| take(said));
            if is_last {
                return Ok(());
            }
        }
    }

    /// Forgets all that was said in a room. Gives how many messages those were.
    pub(super) async fn forget(&self, room: &ChatId) -> Result<usize, store::Error> {
        let prefix = format!("{room}/");
        let mut removed = 0;
        loop {
            let page = self.said.scan(&prefix, None, PAGE).await?;
            for (key, said) in &page {
                self.said.delete(key).await?;
                self.places.delete(said.id.as_str()).await?;
            }
            removed += page.len();
            if page.len() < PAGE {
                break;
            }
        }
        loop {
            let page = self.comings.scan(&prefix, None, PAGE).await?;
            for (key, _) in &page {
                self.comings.delete(key).await?;
            }
            if page.len() < PAGE {
                return Ok(removed);
            }
        }
    }

    /// Who came and went, in their order, at most `limit`.
    pub(in crate::bot) async fn comings(
        &self,
        room: &ChatId,
        limit: usize,
    ) -> Result<Vec<Coming>, store::Error> {
        let found = self.comings.scan(&format!("{room}/"), None, limit).await?;
        Ok(found.into_iter().map(|(_, coming)| coming).collect())
    }
}

/// The key of a message.
fn key(place: &Place, message: &MessageId) -> String {
    format!("{}/{}/{message}", place.room, digits(place.at))
}

/// A time within keys, to the millisecond.
fn digits(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}
