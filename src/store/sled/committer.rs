//! The one thread that writes, and through it the group commit: all who commit while a flush is under way
//! share the next one.
//!
//! One writer also makes conditions simple: nothing can happen between a condition and its write.
//! After an I/O error sled refuses writes for ever, even when there is room again, so the thread closes and
//! reopens the database as soon as the disk takes data again. Until then most reads go on; one that comes
//! by a half-done split of the tree fails, because sled would finish it on the way.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::{error, info, warn};

use crate::store::{
    Error,
    engine::Write,
    sled::{database::Database, guard::Folder},
};

/// How much may wait to be written, in KiB. Who comes later waits for room.
const WAITING_KIB_MAX: u32 = 32 * 1024;

/// How many writes share a flush at most.
const GROUP_MAX: usize = 512;

/// How often a failed database is tried to be reopened. Tests have no time to lose.
const MEND_EVERY: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 2_000 });

/// What readers and the writer share.
pub(super) struct Shared {
    /// Read-locked by each read for its duration, write-locked to take the database away or put it back.
    pub(super) state: RwLock<State>,
    /// False from the first I/O error on, until the database was reopened.
    pub(super) is_writable: AtomicBool,
}

/// Whether there is a database to read.
pub(super) enum State {
    /// There is. It may have failed for writing.
    Open(Database),
    /// It failed, and could not be reopened yet.
    Failed(Error),
    /// It was closed, for good.
    Closed,
}

impl Shared {
    /// Does something with the database, unless there is none.
    pub(super) fn with<R>(
        &self,
        act: impl FnOnce(&Database) -> Result<R, Error>,
    ) -> Result<R, Error> {
        // A panic under the lock leaves the state as it was.
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(database) => act(database),
            State::Failed(error) => Err(error.clone()),
            State::Closed => Err(Error::Closed),
        }
    }

    /// Puts another state in place and closes the old one. Waits for reads that are under way.
    fn set(&self, state: State) {
        let mut place = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let old = mem::replace(&mut *place, state);
        drop(place);
        // sled unwraps an I/O result when it is dropped.
        if catch_unwind(AssertUnwindSafe(|| drop(old))).is_err() {
            warn!("sled panicked while closing");
        }
    }
}

/// The way to the thread that writes. When the last is gone, the thread closes the database and ends.
pub(super) struct Committer {
    /// Bounded by `room`: unlike a bounded channel that can be waited for without blocking a thread.
    jobs: Sender<Job>,
    room: Arc<Semaphore>,
}

enum Job {
    Write(Write, Waiter),
    Flush(Waiter),
    Close(oneshot::Sender<Result<bool, Error>>),
}

/// Someone who waits for an answer, and the room that the job takes up until then.
struct Waiter {
    answer: oneshot::Sender<Result<bool, Error>>,
    _room: OwnedSemaphorePermit,
}

impl Waiter {
    fn tell(self, outcome: Result<bool, Error>) {
        // Who no longer listens has been cancelled; the write happened all the same.
        let _ = self.answer.send(outcome);
    }
}

impl Committer {
    /// Starts the thread. `folder` stays locked until it ends.
    pub(super) fn start(shared: Arc<Shared>, folder: Folder) -> Result<Self, Error> {
        let (jobs, inbox) = channel();
        let writer = Writer {
            shared,
            folder,
            failure: None,
        };
        thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&inbox))?;
        Ok(Self {
            jobs,
            room: Arc::new(Semaphore::new(WAITING_KIB_MAX as usize)),
        })
    }

    /// Performs a write, when it is its turn.
    pub(super) async fn write(&self, write: Write) -> Result<bool, Error> {
        let size_kib = u32::try_from(write.size_bytes() / 1024).unwrap_or(u32::MAX);
        self.ask(size_kib, |waiter| Job::Write(write, waiter)).await
    }

    /// Makes durable all that was written before.
    pub(super) async fn flush(&self) -> Result<(), Error> {
        self.ask(0, Job::Flush).await.map(drop)
    }

    /// Does what is waiting, flushes, and lets go of the database and the folder.
    pub(super) async fn close(&self) -> Result<(), Error> {
        let (answer, outcome) = oneshot::channel();
        self.send(Job::Close(answer), outcome).await.map(drop)
    }

    async fn ask(&self, size_kib: u32, job: impl FnOnce(Waiter) -> Job) -> Result<bool, Error> {
        let room = size_kib.saturating_add(1).min(WAITING_KIB_MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(room).await;
        let room = room.expect("nobody closes the semaphore");
        let (answer, outcome) = oneshot::channel();
        let waiter = Waiter {
            answer,
            _room: room,
        };
        self.send(job(waiter), outcome).await
    }

    async fn send(
        &self,
        job: Job,
        outcome: oneshot::Receiver<Result<bool, Error>>,
    ) -> Result<bool, Error> {
        // Either fails only when the thread has ended, which it does after closing.
        self.jobs.send(job).map_err(|_| Error::Closed)?;
        outcome.await.unwrap_or(Err(Error::Closed))
    }
}

/// The thread's own.
struct Writer {
    shared: Arc<Shared>,
    folder: Folder,
    /// Why nothing can be written now, and when to try to mend it.
    failure: Option<(Error, Instant)>,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Job>) {
        loop {
            let first = match &self.failure {
                None => inbox.recv().map_err(RecvTimeoutError::from),
                Some((_, mend_at)) => {
                    inbox.recv_timeout(mend_at.saturating_duration_since(Instant::now()))
                }
            };
            let closing = match first {
                Ok(first) => {
                    let group = [first].into_iter().chain(inbox.try_iter().take(GROUP_MAX));
                    self.perform(group)
                }
                Err(RecvTimeoutError::Timeout) => None,
                // Every handle is gone.
                Err(RecvTimeoutError::Disconnected) => return drop(self.close()),
            };
            if let Some(answer) = closing {
                let outcome = self.close();
                // The folder is free before anyone is told that it is.
                drop(self);
                let _ = answer.send(outcome);
                return;
            }
            self.mend_if_due();
        }
    }

    /// Performs a group of writes with one flush. Gives back who asked to close, if someone did.
    fn perform(
        &mut self,
        group: impl Iterator<Item = Job>,
    ) -> Option<oneshot::Sender<Result<bool, Error>>> {
        let mut waiting = Vec::new();
        let mut closing = None;
        for job in group {
            match job {
                Job::Write(write, waiter) => match self.write(&write) {
                    Ok(applied) if write.durable => waiting.push((waiter, applied)),
                    outcome => waiter.tell(outcome),
                },
                Job::Flush(waiter) => waiting.push((waiter, true)),
                Job::Close(answer) => {
                    closing = Some(answer);
                    break;
                }
            }
        }
        if !waiting.is_empty() {
            let flushed = self.act(Database::flush);
            for (waiter, applied) in waiting {
                waiter.tell(flushed.clone().map(|()| applied));
            }
        }
        closing
    }

    fn write(&mut self, write: &Write) -> Result<bool, Error> {
        write.check()?;
        self.act(|database| database.write(write))
    }

    /// Does something with the database, unless it has failed; remembers if it fails now.
    fn act<R>(&mut self, act: impl FnOnce(&Database) -> Result<R, Error>) -> Result<R, Error> {
        if let Some((failure, _)) = &self.failure {
            return Err(failure.clone());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.shared.with(act)))
            .unwrap_or_else(|_| Err(Error::failed("sled panicked while writing")));
        if let Err(failure) = &outcome
            && failure.is_failure()
        {
            error!(error = %failure, "the store takes no writes until this is mended");
            self.shared.is_writable.store(false, Ordering::Release);
            self.failure = Some((failure.clone(), Instant::now() + MEND_EVERY));
        }
        outcome
    }

    /// Reopens a failed database. The old one is kept, for reading, while the disk takes nothing.
    fn mend_if_due(&mut self) {
        let Some((failure, mend_at)) = &mut self.failure else {
            return;
        };
        if Instant::now() < *mend_at {
            return;
        }
        *mend_at = Instant::now() + MEND_EVERY;
        if !self.folder.has_room() {
            return;
        }
        self.shared.set(State::Failed(failure.clone()));
        match self.folder.reopen() {
            Ok(database) => {
                self.shared.set(State::Open(database));
                self.shared.is_writable.store(true, Ordering::Release);
                self.failure = None;
                info!("the store was reopened and takes writes again");
            }
            Err(error) => {
                warn!(%error, "the store could not be reopened; trying again");
                self.shared.set(State::Failed(error.clone()));
                *failure = error;
            }
        }
    }

    fn close(&mut self) -> Result<bool, Error> {
        let flushed = self.act(Database::flush);
        self.shared.is_writable.store(false, Ordering::Release);
        self.shared.set(State::Closed);
        flushed.map(|()| true)
    }
}
