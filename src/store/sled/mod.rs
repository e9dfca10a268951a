//! The embedded engine: sled 0.34, with its sharp edges blunted.
//!
//! [`database`] is sled as we use it, [`guard`] opens it, [`committer`] is the thread that writes. Reads go
//! to the runtime's blocking threads, a few at a time.

mod committer;
mod database;
mod guard;
mod look;

use std::{
    path::PathBuf,
    sync::{Arc, RwLock, atomic::AtomicBool, atomic::Ordering},
};

use futures::future::FutureExt;
use tokio::{sync::Semaphore, task::spawn_blocking};

pub use self::look::{Folder, Standing, look};
use self::{
    committer::{Committer, Shared, State},
    database::Database,
};
use super::{
    Engine, Error,
    engine::{Answer, Key, Pair, Value, Write},
};
use crate::config::StoreConfig;

/// How many reads run at once. The runtime would start a thread for each that waits.
const READS_AT_ONCE: usize = 4;

/// A folder with a sled database in it.
pub(super) struct SledEngine {
    shared: Arc<Shared>,
    committer: Committer,
    reads: Semaphore,
}

impl SledEngine {
    /// Opens the folder of the configuration. The path is where a damaged database was moved to.
    pub(super) async fn open(config: &StoreConfig) -> Result<(Self, Option<PathBuf>), Error> {
        let config = config.clone();
        let opened = blocking(move || guard::open(&config)).await?;
        let shared = Arc::new(Shared {
            state: RwLock::new(State::Open(opened.database)),
            is_writable: AtomicBool::new(true),
        });
        let engine = Self {
            committer: Committer::start(Arc::clone(&shared), opened.folder)?,
            shared,
            reads: Semaphore::new(READS_AT_ONCE),
        };
        Ok((engine, opened.damaged))
    }

    async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let turn = self.reads.acquire().await;
        let _turn = turn.expect("nobody closes the semaphore");
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.with(read)).await
    }
}

impl Engine for SledEngine {
    fn get(&self, key: Key) -> Answer<'_, Option<Value>> {
        self.read(move |database| database.get(&key)).boxed()
    }

    fn get_with(&self, key: Key, below: Key) -> Answer<'_, (Option<Value>, Vec<Pair>)> {
        self.read(move |database| database.get_with(&key, &below))
            .boxed()
    }

    fn scan(&self, prefix: Key, after: Option<Key>, limit: usize) -> Answer<'_, Vec<Pair>> {
        self.read(move |database| database.scan(&prefix, after.as_deref(), limit))
            .boxed()
    }

    fn write(&self, write: Write) -> Answer<'_, bool> {
        self.committer.write(write).boxed()
    }

    fn flush(&self) -> Answer<'_, ()> {
        self.committer.flush().boxed()
    }

    fn is_writable(&self) -> bool {
        self.shared.is_writable.load(Ordering::Acquire)
    }

    fn size_bytes(&self) -> Answer<'_, u64> {
        self.read(Database::size_bytes).boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        self.committer.close().boxed()
    }
}

/// Runs something that blocks. A panic of sled becomes an error: one damaged page must not end the task
/// that happened to look at it.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => Err(Error::failed("sled panicked while reading")),
        // Blocking work is cancelled only when the runtime ends.
        Err(_) => Err(Error::Closed),
    }
}
