//! sled itself, for threads that may block: read, write, flush.
//!
//! The surprise: on Linux sled's own flush is `sync_file_range`, which neither empties the disk's cache nor
//! writes a file's new length. A machine that loses power can lose what it flushed, so we sync after it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io,
    ops::Bound::{Excluded, Included, Unbounded},
    path::Path,
    sync::{PoisonError, RwLock},
};

use crate::store::{
    Error,
    engine::{Change, Pair, Value, Write},
};

/// How often sled writes out by itself what nobody flushed, in milliseconds. A plain put may be lost for
/// this long when the process dies, and as long again when the machine does.
const FLUSH_EVERY_MS: u64 = 500;

/// The keys of a write, each with its value or removed.
type Outcome<'a> = BTreeMap<Cow<'a, [u8]>, Option<&'a [u8]>>;

/// An open database.
pub(super) struct Database {
    tree: ::sled::Db,
    /// sled's only file but for snapshots (which can be made again), opened a second time to be synced.
    log: File,
    /// Held for writing while a write is applied, and for reading by who must not see half of one.
    moment: RwLock<()>,
}

impl Database {
    /// Opens the database in `folder`, which is made if it is not there. May panic if it is damaged.
    pub(super) fn open(folder: &Path, cache_mib: u64) -> ::sled::Result<Self> {
        let tree = ::sled::Config::new()
            .path(folder)
            // The default is a gibibyte.
            .cache_capacity(cache_mib.max(1) << 20)
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .open()?;
        let log = File::open(folder.join("db"))?;
        log.sync_all()?;
        Ok(Self {
            tree,
            log,
            moment: RwLock::default(),
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.get_raw(key).map_err(from_sled)
    }

    /// As [`Self::get`], with sled's own error.
    pub(super) fn get_raw(&self, key: &[u8]) -> ::sled::Result<Option<Value>> {
        Ok(self.tree.get(key)?.map(|value| value.to_vec()))
    }

    /// A value and all pairs below a prefix, as they were at one moment.
    pub(super) fn get_with(
        &self,
        key: &[u8],
        below: &[u8],
    ) -> Result<(Option<Value>, Vec<Pair>), Error> {
        // It guards no data of its own, so a panic under it leaves nothing half done.
        let _moment = self.moment.read().unwrap_or_else(PoisonError::into_inner);
        Ok((self.get(key)?, self.scan(below, None, usize::MAX)?))
    }

    pub(super) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Error> {
        let start = match after {
            Some(after) if after >= prefix => Excluded(after),
            _ => Included(prefix),
        };
        let mut found = Vec::new();
        for pair in self.tree.range::<&[u8], _>((start, Unbounded)).take(limit) {
            let (key, value) = pair.map_err(from_sled)?;
            if !key.starts_with(prefix) {
                break;
            }
            found.push((key.to_vec(), value.to_vec()));
        }
        Ok(found)
    }

    /// Performs a write, not flushed. Only for one thread: nothing may happen between condition and write.
    pub(super) fn write(&self, write: &Write) -> Result<bool, Error> {
        if let Some((key, value)) = &write.only_if {
            let current = self.tree.get(key).map_err(from_sled)?;
            if current.as_deref() != value.as_deref() {
                return Ok(false);
            }
        }
        let outcome = self.outcome(&write.changes)?;
        let _moment = self.moment.write().unwrap_or_else(PoisonError::into_inner);
        self.apply(outcome).map_err(from_sled)?;
        Ok(true)
    }

    /// What a list of changes comes to, key by key.
    fn outcome<'a>(&self, changes: &'a [Change]) -> Result<Outcome<'a>, Error> {
        let mut outcome = Outcome::new();
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    outcome.insert(key.into(), Some(value));
                }
                Change::Delete(key) => {
                    outcome.insert(key.into(), None);
                }
                Change::DeletePrefix(prefix) => {
                    let start = Included(Cow::Borrowed(prefix.as_slice()));
                    for (_, value) in outcome
                        .range_mut((start, Unbounded))
                        .take_while(|(key, _)| key.starts_with(prefix))
                    {
                        *value = None;
                    }
                    for key in self.tree.scan_prefix(prefix).keys() {
                        let key = key.map_err(from_sled)?;
                        outcome.insert(key.to_vec().into(), None);
                    }
                }
            }
        }
        Ok(outcome)
    }

    fn apply(&self, outcome: Outcome<'_>) -> ::sled::Result<()> {
        // One key needs no batch, which costs two more writes to the log.
        if outcome.len() == 1
            && let Some((key, value)) = outcome.first_key_value()
        {
            match value {
                Some(value) => self.tree.insert(key, *value)?,
                None => self.tree.remove(key)?,
            };
            return Ok(());
        }
        let mut batch = ::sled::Batch::default();
        for (key, value) in outcome {
            match value {
                Some(value) => batch.insert(&*key, value),
                None => batch.remove(&*key),
            }
        }
        self.tree.apply_batch(batch)
    }

    /// Makes durable what was written, through the death of the process and of the machine.
    pub(super) fn flush(&self) -> Result<(), Error> {
        self.tree.flush().map_err(from_sled)?;
        self.log.sync_data().map_err(Error::from)
    }

    /// What its files take up, in bytes.
    pub(super) fn size_bytes(&self) -> Result<u64, Error> {
        self.tree.size_on_disk().map_err(from_sled)
    }
}

/// Keeps the kind of an I/O error, so that a full disk is told as such.
pub(super) fn from_sled(error: ::sled::Error) -> Error {
    match error {
        ::sled::Error::Io(error) => error.into(),
        other => io::Error::other(other.to_string()).into(),
    }
}
