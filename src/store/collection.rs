//! The records of one type, read and written one by one.
//!
//! A record that cannot be read never stops its reader: it is moved aside, its bytes as they are, and from
//! then on it is not there. Only one that a *newer* version wrote is an error, because it is not damaged.

use std::{
    marker::PhantomData,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value as Json;
use tracing::warn;

use super::{
    Error, Record, Store,
    engine::{Change, Pair, Value, Write},
    record::{self, Body},
};

/// The records of one type. Clones are the same collection.
pub struct Collection<T> {
    store: Store,
    record: PhantomData<fn() -> T>,
}

/// What was found under a key.
enum Found<T> {
    Record(T),
    Nothing,
    /// Something that cannot be read: its head, its parts, and why.
    Damaged(Value, Vec<Pair>, &'static str),
}

impl<T: Record> Collection<T> {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            record: PhantomData,
        }
    }

    /// The record of this key. `None` also for one that cannot be read, which is then set aside.
    pub async fn get(&self, key: &str) -> Result<Option<T>, Error> {
        match self.store.engine().get(record::head_key::<T>(key)).await? {
            Some(head) => self.read_or_set_aside(key, head).await,
            None => Ok(None),
        }
    }

    /// Sets a record, without waiting for the disk.
    ///
    /// It is seen at once, survives the death of the process if a commit or half a second follows it, and
    /// may be lost otherwise. What must not be lost goes through [`Store::commit`].
    pub async fn put(&self, key: &str, value: &T) -> Result<(), Error> {
        self.write(record::put(key, value)?).await
    }

    /// Removes a record if it is there, without waiting for the disk, as [`Self::put`].
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.write(record::delete::<T>(key)?).await
    }

    /// Up to `limit` records whose keys start with `prefix` and come after `after`, in the order of their
    /// keys (as bytes). Fewer than `limit` means that there are no more.
    ///
    /// Not a snapshot: what is written meanwhile may be seen or not, but each record is seen whole.
    pub async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>, Error> {
        let mut found = Vec::new();
        let mut after = after.map(record::head_key::<T>);
        // Those that are left out are made up for, or the caller would take a short page for the last one.
        while found.len() < limit {
            let wanted = limit - found.len();
            let prefix = record::head_key::<T>(prefix);
            let page = self.store.engine().scan(prefix, after, wanted).await?;
            let is_last = page.len() < wanted;
            after = page.last().map(|(key, _)| key.clone());
            for (head_key, head) in page {
                let Some(key) = record::key_of::<T>(&head_key) else {
                    continue; // Keys are made of strings, so it cannot be.
                };
                if let Some(record) = self.read_or_set_aside(key, head).await? {
                    found.push((key.to_owned(), record));
                }
            }
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Sets (`new`) or removes (`None`) a record if at that moment it equals `old` (`None`: is not there).
    /// False if it did not and nothing was written. Durable when it returns.
    ///
    /// Two records are equal if their JSON is, in whatever order their maps were written.
    pub async fn compare_and_swap(
        &self,
        key: &str,
        old: Option<&T>,
        new: Option<&T>,
    ) -> Result<bool, Error> {
        let old = old.map(to_json).transpose()?;
        let changes = match new {
            Some(value) => record::put(key, value)?,
            None => record::delete::<T>(key)?,
        };
        let head_key = record::head_key::<T>(key);
        // Each further round means that another writer got in between, so someone always gets on.
        loop {
            let head = self.store.engine().get(head_key.clone()).await?;
            let current = match head.clone() {
                None => None,
                Some(head) => match self.read(key, head).await? {
                    Found::Record(record) => Some(to_json(&record)?),
                    Found::Nothing => continue,
                    Found::Damaged(head, parts, reason) => {
                        self.set_aside(key, head, parts, reason).await?;
                        continue;
                    }
                },
            };
            if current != old {
                return Ok(false);
            }
            let write = Write {
                changes: changes.clone(),
                // The head carries the body's checksum, so an equal head is an equal record.
                only_if: Some((head_key.clone(), head)),
                durable: true,
            };
            if self.store.engine().write(write).await? {
                return Ok(true);
            }
        }
    }

    /// How many records of this collection were set aside and are still kept; counts up to `limit`.
    pub async fn count_set_aside(&self, limit: usize) -> Result<usize, Error> {
        let prefix = record::aside_prefix::<T>();
        let page = self.store.engine().scan(prefix, None, limit).await?;
        Ok(page.len())
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), Error> {
        let write = Write {
            changes,
            ..Write::default()
        };
        self.store.engine().write(write).await.map(drop)
    }

    async fn read_or_set_aside(&self, key: &str, head: Value) -> Result<Option<T>, Error> {
        match self.read(key, head).await? {
            Found::Record(record) => Ok(Some(record)),
            Found::Nothing => Ok(None),
            Found::Damaged(head, parts, reason) => {
                // If it cannot be moved now, the next reader tries again.
                if let Err(error) = self.set_aside(key, head, parts, reason).await {
                    warn!(%error, collection = T::COLLECTION, key, "could not set a record aside");
                }
                Ok(None)
            }
        }
    }

    /// Reads what belongs to a head, which may have been overwritten since.
    async fn read(&self, key: &str, head: Value) -> Result<Found<T>, Error> {
        if !record::has_parts(&head) {
            return Self::decode(key, head, Vec::new());
        }
        let (head_key, prefix) = (record::head_key::<T>(key), record::parts_prefix::<T>(key));
        match self.store.engine().get_with(head_key, prefix).await? {
            (Some(head), parts) => Self::decode(key, head, parts),
            (None, _) => Ok(Found::Nothing),
        }
    }

    fn decode(key: &str, bytes: Value, parts: Vec<Pair>) -> Result<Found<T>, Error> {
        let newer = |found| Error::NewerVersion {
            collection: T::COLLECTION,
            key: key.to_owned(),
            found,
            known: T::VERSION,
        };
        let record = match record::read_head(&bytes) {
            Err(reason) => Err(reason),
            Ok(head) if head.version > T::VERSION => return Err(newer(head.version)),
            Ok(head) => match head.body {
                None => return Err(newer(head.version)),
                Some(Body::Whole(json)) => record::from_json(head.version, json),
                Some(Body::Parts {
                    size_bytes,
                    checksum,
                }) => record::join_parts(&parts, size_bytes, checksum)
                    .and_then(|json| record::from_json(head.version, &json)),
            },
        };
        Ok(match record {
            Ok(record) => Found::Record(record),
            Err(reason) => Found::Damaged(bytes, parts, reason),
        })
    }

    async fn set_aside(
        &self,
        key: &str,
        head: Value,
        parts: Vec<Pair>,
        reason: &'static str,
    ) -> Result<(), Error> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let at_ms = since_1970.map_or(0, |since| since.as_millis() as u64);
        let write = Write {
            changes: record::set_aside::<T>(key, head.clone(), parts, at_ms),
            // Whoever overwrote it meanwhile has mended it.
            only_if: Some((record::head_key::<T>(key), Some(head))),
            durable: true,
        };
        if self.store.engine().write(write).await? {
            warn!(
                collection = T::COLLECTION,
                key, reason, "set aside a record that cannot be read"
            );
        }
        Ok(())
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            record: PhantomData,
        }
    }
}

fn to_json<T: Record>(value: &T) -> Result<Json, Error> {
    serde_json::to_value(value).map_err(|source| Error::Unencodable {
        collection: T::COLLECTION,
        source: source.into(),
    })
}
