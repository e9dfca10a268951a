//! Sees to it that every room that wants something is looked at: one look at a time for each incident, a few
//! at once, and again when the time for something has come or something went wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tracing::{Instrument, debug, info_span, warn};

use crate::bot::Bot;

use super::{Trouble, lock, tend};

/// How many incidents are looked at at once.
const AT_ONCE: usize = 4;
/// How long to wait before a look that failed is tried again, at first and at last.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(300);
/// The longest wait for a time: the clock may be set meanwhile.
const FAR: Duration = Duration::from_secs(3600);

/// Looks for ever.
pub(in crate::bot) async fn run(bot: Bot) {
    let follower = bot.incidents().follow();
    let mut looks: JoinSet<(u32, Result<Option<Timestamp>, Trouble>)> = JoinSet::new();
    let mut list = List::default();
    loop {
        while looks.len() < AT_ONCE
            && let Some(number) = list.next()
        {
            let span = info_span!("room", incident.number = number);
            let desk = bot.clone();
            let look = async move { (number, tend::look(&desk, number).await) };
            looks.spawn(look.instrument(span));
        }
        let due = list.due().unwrap_or_else(|| Instant::now() + FAR);
        tokio::select! {
            changed = follower.next() => changed.into_iter().for_each(|number| list.want(number)),
            () = bot.rooms().nudge.notified() => {
                let nudged = std::mem::take(&mut *lock(&bot.rooms().nudged));
                nudged.into_iter().for_each(|number| list.want(number));
            }
            Some(looked) = looks.join_next() => match looked {
                Ok((number, outcome)) => list.looked(number, outcome),
                // A panic, logged by its hook. Which one it was is not known, so it stays busy for ever.
                Err(error) => warn!(%error, "a room is not looked at any more"),
            },
            // The time of at least one has come.
            () = sleep_until(due) => list.wake(),
        }
    }
}

/// Which incidents are to be looked at.
#[derive(Default)]
struct List {
    wanted: BTreeSet<u32>,
    busy: BTreeSet<u32>,
    later: BTreeMap<u32, Instant>,
    failed: BTreeMap<u32, Duration>,
}

impl List {
    fn want(&mut self, number: u32) {
        self.wanted.insert(number);
        self.later.remove(&number);
    }

    /// The next that nobody looks at.
    fn next(&mut self) -> Option<u32> {
        let number = *self.wanted.difference(&self.busy).next()?;
        self.wanted.remove(&number);
        self.busy.insert(number);
        Some(number)
    }

    fn due(&self) -> Option<Instant> {
        self.later.values().min().copied()
    }

    fn wake(&mut self) {
        let now = Instant::now();
        let due: Vec<u32> = self
            .later
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(number, _)| *number)
            .collect();
        due.into_iter().for_each(|number| self.want(number));
    }

    fn looked(&mut self, number: u32, outcome: Result<Option<Timestamp>, Trouble>) {
        self.busy.remove(&number);
        let wait = match outcome {
            Ok(next) => {
                self.failed.remove(&number);
                next.map(|at| {
                    let wait = Timestamp::now().duration_until(at);
                    Duration::try_from(wait).unwrap_or_default().min(FAR)
                })
            }
            Err(error) => {
                let wait = self
                    .failed
                    .get(&number)
                    .map_or(WAIT_FIRST, |wait| *wait * 4);
                let wait = wait.min(WAIT_MAX);
                match wait > WAIT_FIRST {
                    true => warn!(%error, incident.number = number, "a room cannot be kept up"),
                    false => {
                        debug!(%error, incident.number = number, "a room could not be kept up")
                    }
                }
                self.failed.insert(number, wait);
                Some(wait)
            }
        };
        if let Some(wait) = wait
            && !self.wanted.contains(&number)
        {
            self.later.insert(number, Instant::now() + wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_is_looked_at_by_one_and_again_when_it_changed_meanwhile() {
        let mut list = List::default();
        list.want(1);
        list.want(2);
        assert_eq!(
            (list.next(), list.next(), list.next()),
            (Some(1), Some(2), None)
        );
        list.want(1);
        assert_eq!(list.next(), None, "somebody looks at it");
        list.looked(1, Ok(None));
        assert_eq!((list.next(), list.next()), (Some(1), None));
        let trouble = || Err(Trouble::Incidents(crate::bot::incidents::Error::Busy));
        list.looked(1, trouble());
        assert_eq!(list.due(), Some(Instant::now() + WAIT_FIRST));
        list.wake();
        assert_eq!(list.next(), None, "its time has not come");
        tokio::time::advance(WAIT_FIRST).await;
        list.wake();
        assert_eq!(list.next(), Some(1));
        list.looked(1, trouble());
        assert_eq!(list.due(), Some(Instant::now() + WAIT_FIRST * 4));
        list.want(1);
        assert_eq!((list.due(), list.next()), (None, Some(1)));
    }
}
