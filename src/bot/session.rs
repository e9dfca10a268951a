//! One session, one turn at a time, in order; sessions side by side.
//!
//! A session has a line only while something stands in it. Its worker takes the first of the line, and
//! the same lock under which it finds the line empty takes the line away, so that nothing can be put
//! into a line that nobody serves.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::feishu::MessageId;

use super::{Bot, Entry, memory::SessionKey};

/// All lines.
pub(super) struct Sessions {
    lines: Mutex<HashMap<SessionKey, Line>>,
    waiting_max: usize,
    workers: TaskTracker,
    /// From here on no turn begins; what waits stays in the inbox for the next start.
    closing: CancellationToken,
    /// From here on turns that run end at once.
    abandon: CancellationToken,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Entry>,
    running: Option<Running>,
}

/// A turn that can be ended from outside.
#[derive(Debug, Clone)]
pub(super) struct Running {
    /// What it answers.
    pub question: MessageId,
    /// Ends it.
    pub cancel: CancellationToken,
    withdrawn: Arc<AtomicBool>,
    abandon: CancellationToken,
}

impl Running {
    /// Whether it ends because its question was recalled.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Relaxed)
    }

    /// Whether it ends because the process does, so that it will be taken up again.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandon.is_cancelled()
    }
}

impl Sessions {
    /// No lines yet. At most `waiting_max` entries wait in one.
    pub(super) fn new(waiting_max: usize, closing: CancellationToken) -> Self {
        Self {
            lines: Mutex::default(),
            waiting_max,
            workers: TaskTracker::new(),
            closing,
            abandon: CancellationToken::new(),
        }
    }

    /// Puts an entry at the end of its session's line, or gives it back where the line is full.
    pub(super) fn line_up(&self, bot: &Bot, entry: Entry) -> Option<Entry> {
        let key = entry.session.clone();
        let mut lines = self.lock();
        if let Some(line) = lines.get_mut(&key) {
            if line.waiting.len() >= self.waiting_max {
                return Some(entry);
            }
            line.waiting.push_back(entry);
            return None;
        }
        lines.insert(
            key.clone(),
            Line {
                waiting: VecDeque::from([entry]),
                running: None,
            },
        );
        drop(lines);
        let bot = bot.clone();
        let work = async move {
            while let Some((entry, running)) = bot.sessions().next(&key) {
                bot.serve(entry, running).await;
            }
        };
        self.workers.spawn(work.in_current_span());
        None
    }

    /// Ends the turn that runs in this session. Says whether there was one, and how many wait.
    pub(super) fn stop(&self, key: &SessionKey) -> (bool, usize) {
        let lines = self.lock();
        let Some(line) = lines.get(key) else {
            return (false, 0);
        };
        if let Some(running) = &line.running {
            running.cancel.cancel();
        }
        (line.running.is_some(), line.waiting.len())
    }

    /// Ends the turn that answers `question`, or takes the question out of its line and gives it back.
    pub(super) fn withdraw(&self, question: &MessageId) -> Option<Entry> {
        let mut lines = self.lock();
        for line in lines.values_mut() {
            if let Some(running) = line
                .running
                .as_ref()
                .filter(|one| one.question == *question)
            {
                running.withdrawn.store(true, Ordering::Relaxed);
                running.cancel.cancel();
                return None;
            }
            if let Some(at) = line
                .waiting
                .iter()
                .position(|entry| entry.message.id == *question)
            {
                return line.waiting.remove(at);
            }
        }
        None
    }

    /// Runs something beside the lines, that `drain` waits for all the same.
    pub(super) fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.workers.spawn(work.in_current_span());
    }

    /// Waits until no turn runs any more. The caller bounds the time.
    pub(super) async fn drain(&self) {
        self.workers.close();
        self.workers.wait().await;
    }

    /// Ends every turn at once. Their questions stay in the inbox.
    pub(super) fn abandon(&self) {
        self.abandon.cancel();
    }

    /// How many workers there are.
    pub(super) fn len(&self) -> usize {
        self.workers.len()
    }

    /// The first of the line; an empty line goes away.
    fn next(&self, key: &SessionKey) -> Option<(Entry, Running)> {
        let mut lines = self.lock();
        let first = match self.closing.is_cancelled() {
            true => None,
            false => lines.get_mut(key)?.waiting.pop_front(),
        };
        let Some(entry) = first else {
            lines.remove(key);
            return None;
        };
        let running = Running {
            question: entry.message.id.clone(),
            cancel: self.abandon.child_token(),
            withdrawn: Arc::default(),
            abandon: self.abandon.clone(),
        };
        lines.get_mut(key)?.running = Some(running.clone());
        Some((entry, running))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Line>> {
        // Nothing in here can panic half way through a change.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
