//! The lines in which happenings wait for their work: one for each chat, some lines at once.
//!
//! Work that fails for a reason that may pass is tried again, a few times in all processes together, and
//! then given up with an error in the log: whatever ends the process on every attempt must not do so for
//! ever. Nobody waits for what is done here, so nobody is told.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use tokio::{sync::Semaphore, time::sleep};
use tracing::{Instrument, error, info_span, warn};

use crate::{
    bot::{
        Bot,
        inbox::{ATTEMPTS_MAX, Kept},
    },
    feishu::{Event, EventBody},
};

use super::carry_out;

/// How many are worked on at the same time.
const AT_ONCE: usize = 8;

/// How many may wait. Above it an event is not acknowledged, and the platform sends it again later.
const WAITING_MAX: usize = 2_000;

/// The wait before the second attempt. Each further one is four times as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// An event that asks for work and is kept in the inbox.
pub(in crate::bot) struct Happening {
    /// Where it is kept.
    pub key: String,
    /// How it is kept.
    pub kept: Kept,
    /// What happened.
    pub event: Event,
}

impl Happening {
    /// Those of one line are done in order. A recall depends on nothing that happens to its chat, and is
    /// not to wait for it.
    fn line(&self) -> String {
        match &self.event.body {
            EventBody::Recalled { message_id, .. } => message_id.to_string(),
            EventBody::BotAdded(change)
            | EventBody::BotRemoved(change)
            | EventBody::ChatDisbanded(change) => change.chat_id.to_string(),
            EventBody::DirectChatEntered { chat_id, .. } => chat_id.to_string(),
            EventBody::MembersAdded(change) | EventBody::MembersRemoved(change) => {
                change.chat_id.to_string()
            }
            EventBody::ReactionAdded(reacted) | EventBody::ReactionRemoved(reacted) => {
                reacted.message_id.to_string()
            }
            _ => self.key.clone(),
        }
    }
}

/// All lines. A line is there only while somebody works at it.
pub(in crate::bot) struct Happenings {
    lines: Mutex<HashMap<String, VecDeque<Happening>>>,
    at_once: Arc<Semaphore>,
}

impl Happenings {
    /// No lines yet.
    pub(in crate::bot) fn new() -> Self {
        Self {
            lines: Mutex::default(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Whether `more` can be taken in.
    pub(in crate::bot) fn have_room(&self, more: usize) -> bool {
        let lines = self.lock();
        let waiting: usize = lines.values().map(|line| line.len() + 1).sum();
        waiting + more <= WAITING_MAX
    }

    /// Puts one at the end of its line.
    pub(in crate::bot) fn line_up(&self, bot: &Bot, happening: Happening) {
        let name = happening.line();
        let mut lines = self.lock();
        if let Some(line) = lines.get_mut(&name) {
            line.push_back(happening);
            return;
        }
        lines.insert(name.clone(), VecDeque::new());
        drop(lines);
        let bot_too = bot.clone();
        bot.sessions().beside(async move {
            let mut next = Some(happening);
            while let Some(happening) = next {
                serve(&bot_too, happening).await;
                next = bot_too.0.happenings.next(&bot_too, &name);
            }
        });
    }

    /// The next of a line; an empty line goes away. When the process ends, what waits stays in the inbox.
    fn next(&self, bot: &Bot, name: &str) -> Option<Happening> {
        let mut lines = self.lock();
        let next = match bot.0.closing.is_cancelled() {
            true => None,
            false => lines.get_mut(name)?.pop_front(),
        };
        if next.is_none() {
            lines.remove(name);
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Happening>>> {
        // Nothing in here can panic half way through a change.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works on one until it is done, given up, or left to the next process.
async fn serve(bot: &Bot, happening: Happening) {
    let span =
        info_span!("happening", event.kind = happening.event.kind, event.id = %happening.event.id);
    let work = async {
        let Happening {
            key,
            mut kept,
            event,
        } = happening;
        let mut wait = FIRST_WAIT;
        while !attempt(bot, &key, &mut kept, &event).await {
            tokio::select! {
                () = sleep(wait) => wait *= 4,
                // The entry stays, and the next process takes it up.
                () = bot.0.closing.cancelled() => return,
            }
        }
        if let Err(error) = bot.inbox().finish(&key).await {
            error!(%error, "what was done stays in the inbox and will be looked at again");
        }
    };
    work.instrument(span).await;
}

/// One attempt. Says whether there will be no other.
async fn attempt(bot: &Bot, key: &str, kept: &mut Kept, event: &Event) -> bool {
    // The semaphore is never closed, and without it there would only be less order.
    let _permit = bot.0.happenings.at_once.acquire().await;
    if kept.attempts >= ATTEMPTS_MAX {
        error!("this was tried several times and is given up");
        return true;
    }
    kept.attempts += 1;
    // On disk before the work, so that an attempt that ends the process counts.
    if let Err(error) = bot.inbox().update(key, kept).await {
        warn!(%error, "an attempt is not counted on disk");
    }
    match AssertUnwindSafe(carry_out(bot, event)).catch_unwind().await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            warn!(%error, attempt = kept.attempts, "this is tried again later");
            false
        }
        Err(_) => {
            error!(
                attempt = kept.attempts,
                "this panicked; the panic itself is logged above"
            );
            false
        }
    }
}
