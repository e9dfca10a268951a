//! Where state is kept: typed records in an embedded database.
//!
//! An [`Engine`] deals in bytes. A [`Collection`] gives them types, names and versions, and a [`Batch`]
//! changes several collections at once. Two ways to write differ in what they promise:
//!
//! | | seen by readers | survives a crash |
//! |---|---|---|
//! | [`Store::commit`], [`Collection::compare_and_swap`] | when it returns, whole | when it returns |
//! | [`Collection::put`], [`Collection::delete`] | when it returns | after half a second, or the next commit |
//!
//! Keys within a collection are composite and ordered, such as `<chat>/<thread>/<number>`, so that a
//! [`Collection::scan`] by prefix answers the questions one has. There is one tree for all: sled's trees
//! are dear, and a batch over one is atomic for free.
//!
//! A record may have 4 MiB of JSON and is split underneath into values of 6 KiB, because sled never gives
//! back the room of large values and does not sync middling ones. It is written and read as one.
//!
//! What is deliberately absent: compaction and expiry (a later issue; [`Store::size_bytes`] lets it be
//! watched), and any cache, for the engine has one.

mod batch;
mod collection;
mod engine;
mod error;
mod record;
mod sled;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::config::StoreConfig;

use self::sled::SledEngine;
pub use self::{
    batch::Batch,
    collection::Collection,
    engine::{Answer, Change, Engine, KEY_BYTES_MAX, Key, Pair, VALUE_BYTES_MAX, Value, Write},
    error::Error,
    sled::{Folder, Standing, look},
};

/// Something that is kept: a type, and the name and version it is kept under.
///
/// Its JSON may grow by fields with a default without a new version. Anything else that would make an older
/// record unreadable, or read as something it is not, needs one, and an [`upgrade`](Record::upgrade).
pub trait Record: Serialize + DeserializeOwned + Send + 'static {
    /// The name of its collection: 1 to 64 bytes, no NUL. Never changed once released.
    const COLLECTION: &'static str;
    /// The version of its JSON. An older nightjar refuses to read a newer one rather than misread it.
    const VERSION: u8;

    /// Makes today's record of the JSON that an older version wrote. `None`: it cannot be done, and the
    /// record is set aside. The stored bytes change only when the record is next written.
    fn upgrade(version: u8, value: serde_json::Value) -> Option<Self> {
        let _ = (version, value);
        None
    }
}

/// The store. Clones are the same store; when the last is dropped, it is closed in the background.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    damaged: Option<Arc<Path>>,
}

impl Store {
    /// Opens the store in the folder of the configuration, which is made if it is not there.
    ///
    /// A database that cannot be read is moved aside, see [`Self::opened_after_damage`].
    pub async fn open(config: &StoreConfig) -> Result<Self, Error> {
        let (engine, damaged) = SledEngine::open(config).await?;
        let mut store = Self::over(engine);
        store.damaged = damaged.map(PathBuf::into);
        Ok(store)
    }

    /// A store over any engine.
    pub fn over(engine: impl Engine) -> Self {
        Self {
            engine: Arc::new(engine),
            damaged: None,
        }
    }

    /// The records of one type.
    pub fn collection<T: Record>(&self) -> Collection<T> {
        Collection::new(self.clone())
    }

    /// An empty batch, to be filled and given to [`Self::commit`]. At most 8 MiB.
    pub fn batch(&self) -> Batch {
        Batch::default()
    }

    /// Performs a batch: all of it or nothing, and durable when this returns.
    ///
    /// Those who commit at the same time share one flush. A caller who is cancelled while waiting has
    /// committed all the same. After [`Error::Full`] or [`Error::Io`] it may or may not have happened.
    pub async fn commit(&self, batch: Batch) -> Result<(), Error> {
        let write = batch.into_write()?;
        if write.changes.is_empty() {
            return Ok(());
        }
        self.engine.write(write).await.map(drop)
    }

    /// Whether writes can be expected to succeed: false from the first I/O error on, until the store has
    /// mended itself, which it tries every two seconds. Most reads go on meanwhile, the rest fail.
    pub fn is_writable(&self) -> bool {
        self.engine.is_writable()
    }

    /// What the database takes up on its disk, in bytes. Reads file sizes only.
    pub async fn size_bytes(&self) -> Result<u64, Error> {
        self.engine.size_bytes().await
    }

    /// Where the database was moved to, if this start found it damaged and began an empty one. Someone
    /// should be told: what the bot remembered is in there, and not in here.
    pub fn opened_after_damage(&self) -> Option<&Path> {
        self.damaged.as_deref()
    }

    /// Makes durable what was written with plain puts.
    pub async fn flush(&self) -> Result<(), Error> {
        self.engine.flush().await
    }

    /// Does what is waiting, flushes and closes, for every clone. The folder is free when this returns.
    pub async fn close(self) -> Result<(), Error> {
        self.engine.close().await
    }

    fn engine(&self) -> &dyn Engine {
        &*self.engine
    }
}
