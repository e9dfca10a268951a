//! Opens a folder of ours so that neither a second process nor sled's weak spots can hurt what is in it.
//!
//! ```text
//! <path>/nightjar.lock      locked while we run; holds the database's id
//! <path>/db/                sled's own
//! <path>/damaged-<time>/    a database that could not be read, as it was
//! ```
//!
//! A database that sled cannot read is moved aside and an empty one begun: a bot that answers without its
//! memory is better than none, and what was there can still be looked into. So that it is not lost in
//! silence either, it is logged as an error and kept for [`Store::opened_after_damage`].
//!
//! [`Store::opened_after_damage`]: crate::store::Store::opened_after_damage

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read, Seek, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tracing::{error, info};
use uuid::Uuid;

use crate::{
    config::StoreConfig,
    store::{
        Error,
        engine::{Change, Write as EngineWrite},
        sled::database::{Database, from_sled},
    },
};

/// How long a process that is just ending is waited for before the folder counts as in use.
const IN_USE_PATIENCE: Duration = Duration::from_millis(500);

/// How long sled's own lock is waited for. Its threads let go of it some time after the last handle is
/// gone (2 of 9 large databases could not be reopened at once); by then we hold our lock, so nobody else has it.
const SLED_LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The file in the folder that is locked while we run.
pub(super) const LOCK: &str = "nightjar.lock";

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Where the database keeps its own id. No other key begins with `m`.
const ID_KEY: &[u8] = b"m/id";

/// A folder that is ours alone until this is dropped, or the process dies.
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
    cache_mib: u64,
}

/// What opening a folder gave.
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) database: Database,
    /// Where a damaged database was moved to.
    pub(super) damaged: Option<PathBuf>,
}

/// Why a database could not be opened.
enum Refused {
    /// It cannot be read as it is. Says what sled said.
    Damaged(String),
    /// sled's own lock is held, by threads of a database that was just closed.
    Locked(Error),
    /// Something around it failed.
    Failed(Error),
}

impl Refused {
    /// For where damage is not to be moved aside.
    fn into_error(self) -> Error {
        match self {
            Self::Damaged(reason) => Error::failed(reason),
            Self::Locked(error) | Self::Failed(error) => error,
        }
    }
}

/// Opens the folder of the configuration; what is not there is made.
pub(super) fn open(config: &StoreConfig) -> Result<Opened, Error> {
    let mut folder = Folder::lock(config)?;
    let (database, damaged) = match folder.open_own() {
        Ok(database) => (database, None),
        Err(Refused::Damaged(reason)) => {
            let aside = folder.move_aside(&reason)?;
            error!(
                reason, moved_to = %aside.display(),
                "the database cannot be read; it was moved aside and an empty one begun"
            );
            let database = folder.open_own().map_err(Refused::into_error)?;
            (database, Some(aside))
        }
        Err(refused) => return Err(refused.into_error()),
    };
    Ok(Opened {
        folder,
        database,
        damaged,
    })
}

impl Folder {
    fn lock(config: &StoreConfig) -> Result<Self, Error> {
        make_private(&config.path)?;
        let lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(config.path.join(LOCK))?;
        let deadline = Instant::now() + IN_USE_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Error::InUse(config.path.clone())),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        Ok(Self {
            path: config.path.clone(),
            lock,
            cache_mib: config.cache_mib,
        })
    }

    /// Opens the database again after it failed. Never moves it aside: that is for a start, which is seen.
    pub(super) fn reopen(&self) -> Result<Database, Error> {
        self.open_database().map_err(Refused::into_error)
    }

    /// Whether the disk takes a few megabytes, which reopening may need.
    pub(super) fn has_room(&self) -> bool {
        let probe = self.path.join("probe");
        let written = File::create(&probe).and_then(|mut file| {
            file.write_all(&vec![1; 4 << 20])?;
            file.sync_all()
        });
        let removed = fs::remove_file(&probe);
        written.and(removed).is_ok()
    }

    /// Opens the database and makes sure that it is the one that was here before.
    ///
    /// sled can open a damaged database as an *empty* one (seen when its snapshots were deleted). The id,
    /// kept both inside the database and beside it, tells that apart from a new one.
    fn open_own(&mut self) -> Result<Database, Refused> {
        let is_new = !self.path.join("db").join("db").exists();
        let expected = if is_new {
            self.set_id("").map_err(Refused::Failed)?;
            None
        } else {
            self.id()
        };
        let database = self.open_database()?;
        let id = caught(|| database.get_raw(ID_KEY))?;
        match (id, expected) {
            (Some(id), expected) => {
                let id = String::from_utf8_lossy(&id).into_owned();
                if expected.as_ref() != Some(&id) {
                    // A copy was put here, or the last start died before its last step.
                    self.set_id(&id).map_err(Refused::Failed)?;
                }
            }
            (None, Some(_)) => {
                // Closed first: what is moved aside must not change any more.
                drop(database);
                return Err(Refused::Damaged("it was opened as if it were empty".into()));
            }
            (None, None) => self.give_id(&database).map_err(Refused::Failed)?,
        }
        Ok(database)
    }

    /// The id goes into the database first: one beside it alone would make the database look emptied.
    fn give_id(&mut self, database: &Database) -> Result<(), Error> {
        let id = Uuid::now_v7().to_string();
        database.write(&EngineWrite {
            changes: vec![Change::Put(ID_KEY.to_vec(), id.clone().into_bytes())],
            ..EngineWrite::default()
        })?;
        database.flush()?;
        self.set_id(&id)?;
        // The names of the new files must survive a power cut too. Not every file system can do it.
        for folder in [&self.path, &self.path.join("db")] {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        info!(path = %self.path.display(), "made a new database");
        Ok(())
    }

    fn id(&mut self) -> Option<String> {
        let mut id = String::new();
        self.lock.rewind().ok()?;
        self.lock.read_to_string(&mut id).ok()?;
        Uuid::try_parse(&id).is_ok().then_some(id)
    }

    fn set_id(&mut self, id: &str) -> Result<(), Error> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        self.lock.write_all(id.as_bytes())?;
        self.lock.sync_all().map_err(Error::from)
    }

    fn open_database(&self) -> Result<Database, Refused> {
        let folder = self.path.join("db");
        remove_unfinished_snapshots(&folder).map_err(|error| Refused::Failed(error.into()))?;
        let deadline = Instant::now() + SLED_LOCK_PATIENCE;
        loop {
            match caught(|| Database::open(&folder, self.cache_mib)) {
                Err(Refused::Locked(_)) if Instant::now() < deadline => thread::sleep(PAUSE),
                outcome => return outcome,
            }
        }
    }

    fn move_aside(&self, reason: &str) -> Result<PathBuf, Error> {
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%S.%3fZ");
        let aside = self.path.join(format!("damaged-{time}"));
        fs::rename(self.path.join("db"), &aside).map_err(|source| Error::Damaged {
            path: self.path.clone(),
            reason: reason.to_owned(),
            source: Arc::new(source),
        })?;
        Ok(aside)
    }
}

/// Makes a folder that only we can read, since it holds what people say. One that is there stays as it is.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes what a start that was killed left behind, which would make every later start fail.
///
/// sled writes `snap.<lsn>.generating`, then renames it, but takes either name for a snapshot
/// (spacejam/sled#1533). Only safe while nobody else is starting on the folder, hence our lock. Finished
/// snapshots are never touched: without one a database was once opened as an empty one.
fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Does something with sled that may panic, which it does when a file is shorter than it should be.
fn caught<R>(act: impl FnOnce() -> ::sled::Result<R>) -> Result<R, Refused> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(outcome) => outcome.map_err(refused),
        // It has printed what happened; the payload says no more.
        Err(_) => Err(Refused::Damaged("sled panicked while opening it".into())),
    }
}

fn refused(error: ::sled::Error) -> Refused {
    use io::ErrorKind::{InvalidData, UnexpectedEof};
    match &error {
        ::sled::Error::Corruption { .. } | ::sled::Error::ReportableBug(_) => {
            Refused::Damaged(error.to_string())
        }
        ::sled::Error::Io(cause) if matches!(cause.kind(), UnexpectedEof | InvalidData) => {
            Refused::Damaged(cause.to_string())
        }
        // What it says of settings it cannot read. Ours were never made by such a version.
        ::sled::Error::Unsupported(reason) if reason.contains("earlier than 0.29") => {
            Refused::Damaged("sled cannot read its settings".into())
        }
        // There is no kind for it, only this text.
        ::sled::Error::Io(cause) if cause.to_string().contains("could not acquire lock") => {
            Refused::Locked(from_sled(error))
        }
        _ => Refused::Failed(from_sled(error)),
    }
}
