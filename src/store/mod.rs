//! Where state is kept.

mod batch;
mod collection;
mod engine;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::config::StoreConfig;

pub use batch::Batch;
pub use collection::Collection;
pub use engine::{Change, Engine, Key, Value, Write};

/// Something that is kept: a type, and the name and version it is kept under.
pub trait Record: Serialize + DeserializeOwned + Send + 'static {
    /// The name of its collection. Never changed once released; no NUL in it.
    const COLLECTION: &'static str;
    /// The version of its JSON shape. Counted up when an older record would no longer be read rightly.
    const VERSION: u8;

    /// Makes today's record of the JSON that an older version wrote. `None`: it cannot be read, and is set aside.
    fn upgrade(version: u8, value: serde_json::Value) -> Option<Self> {
        let _ = (version, value);
        None
    }
}

/// What can go wrong with the store, told apart by what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process has the folder. Stop that one, or give this one its own folder.
    #[error("{} is in use by another nightjar process; stop that one, or set another path under [store]", .0.display())]
    InUse(PathBuf),
    /// The database cannot be read, and could not be moved out of the way either. Someone has to look.
    #[error("the database in {} is damaged: {reason}", path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// There is no room on the disk. Writing works again soon after there is.
    #[error("no room left on the disk of the store: {0}")]
    Full(#[source] Arc<io::Error>),
    /// The disk or the database failed. Writing is tried again by itself.
    #[error("the store cannot be read or written: {0}")]
    Io(#[source] Arc<io::Error>),
    /// A newer nightjar wrote this record. It is left as it is; run that version or a newer one.
    #[error(
        "{collection}/{key} was written by a newer nightjar (version {found}, this one knows {known})"
    )]
    NewerVersion {
        /// The collection's name.
        collection: &'static str,
        /// The record's key.
        key: String,
        /// The version it carries.
        found: u8,
        /// The newest version we know.
        known: u8,
    },
    /// A record, a key or a batch is larger than the store takes. Nothing was written.
    #[error("{what} of {size_bytes} bytes is over the limit of {size_bytes_max}")]
    TooLarge {
        /// What was too large: the record, the key, the batch.
        what: String,
        /// Its size, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        size_bytes_max: usize,
    },
    /// The value has no JSON form. A fault in the program.
    #[error("a record of {collection} cannot be written as JSON")]
    Unencodable {
        /// The collection's name.
        collection: &'static str,
        /// What JSON lacks.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// The store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

impl Store {
    /// Opens the store in `config.path`, which is made if it is not there.
    pub async fn open(config: &StoreConfig) -> Result<Self, Error> {
        unimplemented!("{config:?}")
    }

    /// The records of one type.
    pub fn collection<T: Record>(&self) -> Collection<T> {
        Collection::new(self.clone())
    }

    /// An empty batch, to be filled and given to [`Self::commit`].
    pub fn batch(&self) -> Batch {
        Batch::default()
    }

    /// Performs a batch: all of it or nothing, and flushed when this returns.
    pub async fn commit(&self, batch: Batch) -> Result<(), Error> {
        let _ = batch;
        unimplemented!()
    }

    /// Whether writes can be expected to succeed: false from the first I/O error on, until it is mended.
    pub fn is_writable(&self) -> bool {
        self.engine.is_writable()
    }

    /// What the database takes up on its disk, in bytes.
    pub async fn size_bytes(&self) -> Result<u64, Error> {
        self.engine.size_bytes().await
    }

    /// Where the database was moved to, if this start found it damaged and began an empty one.
    pub fn opened_after_damage(&self) -> Option<&Path> {
        None
    }

    /// Makes durable what was written with plain puts.
    pub async fn flush(&self) -> Result<(), Error> {
        self.engine.flush().await
    }

    /// Flushes and closes, for every clone.
    pub async fn close(self) -> Result<(), Error> {
        self.engine.close().await
    }
}
