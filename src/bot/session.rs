//! One session, one turn at a time, in order; sessions side by side.
//!
//! A session has a line only while something stands in it. The first of a line is running from the
//! moment it stands there, so that a `/stop` right behind it finds it. The worker takes the next one, and
//! the same lock under which it finds the line empty takes the line away, so that nothing can be put
//! into a line that nobody serves.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;
use uuid::Uuid;

use crate::feishu::{ChatId, MessageId, OpenId};

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

struct Line {
    running: Running,
    waiting: VecDeque<Entry>,
}

/// A turn that can be ended from outside.
#[derive(Debug, Clone)]
pub(super) struct Running {
    /// What it answers.
    pub question: MessageId,
    /// What its Stop button carries. Random, made anew for each turn, and good for nothing but a look-up
    /// here, so a press from an old view of the card finds nothing.
    pub id: String,
    /// Ends it.
    pub cancel: CancellationToken,
    /// The inbox key of its entry; they sort by arrival.
    key: String,
    chat: ChatId,
    stage: Arc<Mutex<Stage>>,
    /// Cancelled when the chat was dissolved or we were taken out of it, at whatever stage that finds the turn.
    gone: CancellationToken,
    abandon: CancellationToken,
}

/// How far a turn is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// It thinks.
    Going,
    /// It was told to end.
    Ending(EndedBy),
    /// It says its last word: too late to stop anything.
    Over,
}

/// Who ended a turn before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EndedBy {
    /// Someone who stopped it.
    Person(OpenId),
    /// The question was recalled.
    Recall,
}

/// What came of an attempt to end a turn.
#[derive(Debug)]
pub(super) enum Stop {
    /// It ends now, as soon as it is cancelled.
    Begun(Running),
    /// Somebody else was first.
    UnderWay,
    /// There is none.
    TooLate,
}

impl Running {
    fn new(sessions: &Sessions, entry: &Entry) -> Self {
        Self {
            question: entry.message.id.clone(),
            id: Uuid::now_v7().simple().to_string(),
            cancel: sessions.abandon.child_token(),
            key: entry.key.clone(),
            chat: entry.message.chat_id.clone(),
            stage: Arc::new(Mutex::new(Stage::Going)),
            gone: CancellationToken::new(),
            abandon: sessions.abandon.clone(),
        }
    }

    /// Notes that the turn thinks no more, and says who ended it, if somebody did.
    pub(super) fn over(&self) -> Option<EndedBy> {
        match std::mem::replace(&mut *self.stage(), Stage::Over) {
            Stage::Ending(by) => Some(by),
            Stage::Going | Stage::Over => None,
        }
    }

    /// Ends it because its question is gone.
    pub(super) fn withdraw(&self) {
        let _ = self.end(EndedBy::Recall);
        self.cancel.cancel();
    }

    /// Ends it because its chat is gone.
    fn leave(&self) {
        self.gone.cancel();
        self.cancel.cancel();
    }

    /// Whether there is no chat any more to answer in.
    pub(super) fn is_chat_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// Whether it ends because the process does, so that it will be taken up again.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandon.is_cancelled()
    }

    /// Completes when the process ends before the turn did.
    pub(super) async fn abandoned(&self) {
        self.abandon.cancelled().await;
    }

    /// Notes who ends it. The caller cancels, so that whoever asked can be told first.
    fn end(&self, by: EndedBy) -> Stop {
        let mut stage = self.stage();
        match *stage {
            Stage::Going => {
                *stage = Stage::Ending(by);
                Stop::Begun(self.clone())
            }
            Stage::Ending(_) => Stop::UnderWay,
            Stage::Over => Stop::TooLate,
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
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
        let running = Running::new(self, &entry);
        let line = Line {
            running: running.clone(),
            waiting: VecDeque::new(),
        };
        lines.insert(key.clone(), line);
        drop(lines);
        let bot = bot.clone();
        let work = async move {
            let mut first = Some((entry, running));
            while let Some((entry, running)) = first {
                bot.serve(entry, running).await;
                first = bot.sessions().next(&key);
            }
        };
        self.workers.spawn(work.in_current_span());
        None
    }

    /// Whether a turn runs in this session, and how many wait.
    pub(super) fn state(&self, key: &SessionKey) -> (bool, usize) {
        match self.lock().get(key) {
            Some(line) => (true, line.waiting.len()),
            None => (false, 0),
        }
    }

    /// Has `by` end the turn that runs in this session, if it began with an entry before `before`: what
    /// came later is not what they meant. Also says how many wait.
    pub(super) fn stop(&self, key: &SessionKey, before: &str, by: OpenId) -> (Stop, usize) {
        let lines = self.lock();
        let Some(line) = lines.get(key) else {
            return (Stop::TooLate, 0);
        };
        let stop = match line.running.key.as_str() < before {
            true => line.running.end(EndedBy::Person(by)),
            false => Stop::TooLate,
        };
        (stop, line.waiting.len())
    }

    /// Has `by` end the turn that answers `question`.
    pub(super) fn stop_answer_to(&self, question: &MessageId, by: OpenId) -> Stop {
        let lines = self.lock();
        let mut running = lines.values().map(|line| &line.running);
        match running.find(|one| one.question == *question) {
            Some(running) => running.end(EndedBy::Person(by)),
            None => Stop::TooLate,
        }
    }

    /// Has `by` end the turn whose card carries `id`, where that turn is one of `chat`.
    pub(super) fn press(&self, id: &str, chat: Option<&ChatId>, by: OpenId) -> Stop {
        let lines = self.lock();
        let mut running = lines.values().map(|line| &line.running);
        match running.find(|one| one.id == id && chat.is_none_or(|chat| one.chat == *chat)) {
            Some(running) => running.end(EndedBy::Person(by)),
            None => Stop::TooLate,
        }
    }

    /// Ends the turn that answers `question`, or takes the question out of its line and gives it back.
    pub(super) fn withdraw(&self, question: &MessageId) -> Option<Entry> {
        let mut lines = self.lock();
        for line in lines.values_mut() {
            if line.running.question == *question {
                line.running.withdraw();
                return None;
            }
            let mut waiting = line.waiting.iter();
            if let Some(at) = waiting.position(|entry| entry.message.id == *question) {
                return line.waiting.remove(at);
            }
        }
        None
    }

    /// Ends every turn of a chat that is gone, and gives back what waited there.
    pub(super) fn leave(&self, chat: &ChatId) -> Vec<Entry> {
        let mut lines = self.lock();
        let gone = lines.values_mut().filter(|line| line.running.chat == *chat);
        gone.flat_map(|line| {
            line.running.leave();
            std::mem::take(&mut line.waiting)
        })
        .collect()
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

    /// The next of the line; an empty line goes away.
    fn next(&self, key: &SessionKey) -> Option<(Entry, Running)> {
        let mut lines = self.lock();
        let entry = match self.closing.is_cancelled() {
            true => None,
            false => lines.get_mut(key)?.waiting.pop_front(),
        };
        let Some(entry) = entry else {
            lines.remove(key);
            return None;
        };
        let running = Running::new(self, &entry);
        lines.get_mut(key)?.running = running.clone();
        Some((entry, running))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Line>> {
        // Nothing in here can panic half way through a change.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
