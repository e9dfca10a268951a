//! Who has met the bot, and in which chat they can be written to directly.
//!
//! Nobody is greeted twice, in any process, and an event that comes without a chat (a press of the menu)
//! belongs to the session of the person's direct chat.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    feishu::{ChatId, OpenId},
    store::{self, Batch, Collection, Record, Store},
};

/// How many are known without asking the store; above it this begins anew.
const KEPT_MAX: usize = 20_000;

/// Someone who has spoken to us, or was greeted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Acquaintance {
    /// Their direct chat with us, once it was seen.
    chat_id: Option<ChatId>,
    since: Timestamp,
}

impl Record for Acquaintance {
    const COLLECTION: &'static str = "acquaintance";
    const VERSION: u8 = 1;
}

/// All of them.
pub(super) struct Acquaintances {
    records: Collection<Acquaintance>,
    known: Mutex<HashMap<OpenId, Acquaintance>>,
}

impl Acquaintances {
    /// Opens the collection.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            records: store.collection(),
            known: Mutex::default(),
        }
    }

    /// Whether we have met.
    pub(super) async fn knows(&self, person: &OpenId) -> Result<bool, store::Error> {
        Ok(self.get(person).await?.is_some())
    }

    /// Their direct chat with us, if it was ever seen.
    pub(super) async fn direct_chat(
        &self,
        person: &OpenId,
    ) -> Result<Option<ChatId>, store::Error> {
        Ok(self.get(person).await?.and_then(|one| one.chat_id))
    }

    /// Adds to `batch` that we have met, in this direct chat where it was one. Adds nothing that is known.
    pub(super) async fn meet(
        &self,
        person: &OpenId,
        direct: Option<&ChatId>,
        batch: &mut Batch,
    ) -> Result<(), store::Error> {
        let known = self.get(person).await?;
        let is_news = match (&known, direct) {
            (None, _) => true,
            (Some(known), Some(chat)) => known.chat_id.as_ref() != Some(chat),
            (Some(_), None) => false,
        };
        if is_news {
            let since = known.map_or_else(Timestamp::now, |known| known.since);
            let chat_id = direct.cloned();
            batch.put(person.as_str(), &Acquaintance { chat_id, since });
            // It is read anew when it is needed, since the batch may fail.
            self.lock().remove(person);
        }
        Ok(())
    }

    async fn get(&self, person: &OpenId) -> Result<Option<Acquaintance>, store::Error> {
        if let Some(known) = self.lock().get(person).cloned() {
            return Ok(Some(known));
        }
        let record = self.records.get(person.as_str()).await?;
        if let Some(record) = &record {
            let mut known = self.lock();
            if known.len() >= KEPT_MAX {
                known.clear();
            }
            known.insert(person.clone(), record.clone());
        }
        Ok(record)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OpenId, Acquaintance>> {
        // A cache that a panic left half written is still a cache.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::config::StoreConfig;

    #[tokio::test]
    async fn who_was_met_in_a_group_gets_a_direct_chat_when_it_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        let people = Acquaintances::new(&store);
        let (person, chat) = (OpenId::new("ou_a"), ChatId::new("oc_a"));
        assert!(!people.knows(&person).await.unwrap());
        for (direct, expected) in [
            (None, None),
            (Some(&chat), Some(&chat)),
            // Another word in a group does not lose it.
            (None, Some(&chat)),
        ] {
            let mut batch = store.batch();
            people.meet(&person, direct, &mut batch).await.unwrap();
            store.commit(batch).await.unwrap();
            assert!(people.knows(&person).await.unwrap());
            let found = people.direct_chat(&person).await.unwrap();
            assert_eq!(found.as_ref(), expected);
        }
        // Also by another process.
        let people = Acquaintances::new(&store);
        assert_eq!(people.direct_chat(&person).await.unwrap(), Some(chat));
    }

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let record = Acquaintance {
            chat_id: Some(ChatId::new("oc_a")),
            since: Timestamp::UNIX_EPOCH,
        };
        assert_json_snapshot!(record, @r#"
        {
          "chat_id": "oc_a",
          "since": "1970-01-01T00:00:00Z"
        }
        "#);
    }
}
