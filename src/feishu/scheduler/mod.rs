//! Everything sent to the platform passes here, so that its limits are kept and the urgent comes first.
//!
//! A caller names the kind of call, what it is about and a [`Class`], and never a limit. The decisions are
//! [`Schedule`]'s, which knows neither a clock nor a network; here is what makes it run: who waits sleeps
//! until it grants a `Permit`, and one task wakes when the next one may be due.
//!
//! | part | is |
//! |---|---|
//! | `limits` | the platform's limits, as a table |
//! | `bucket` | how much of one limit is in use |
//! | [`Schedule`] | who may call next |
//! | [`Meter`] | the month's calls |

mod bucket;
mod limits;
mod meter;
mod schedule;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Class, Error, Refusal, api::Call, error::Limit};
use crate::telemetry::{LimitLabels, Metrics};

pub use super::api::Target;
pub use meter::{Meter, Month, Supply, Tally};
pub use schedule::{Ask, Polled, Schedule, Slot, Ticket};

/// How many may wait. Each has a turn of a conversation behind it, so more than these are a fault of ours.
const WAITING_MAX: usize = 20_000;

/// A quota that is used up may have been raised, so it is tried again now and then.
const QUOTA_CLOSED: Duration = Duration::from_secs(3600);

/// How often the gauges are set while there is something to tell.
const GAUGES_EVERY: Duration = Duration::from_secs(1);

/// The one [`Schedule`] of an app, at work.
pub(super) struct Scheduler {
    shared: Arc<Shared>,
    /// Wakes who waits, from the first call on.
    waker: OnceLock<AbortOnDropHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Rung when something may have become possible that no known time tells of.
    changed: Notify,
    meter: Meter,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    schedule: Schedule,
    waiting: HashMap<Ticket, Waiting>,
    quota_refusal: Option<Box<Refusal>>,
}

struct Waiting {
    class: Class,
    /// A stream's text waits as long as it takes; it is a state and nobody's answer hangs on it.
    is_stream: bool,
    grant: oneshot::Sender<Result<Permit, Error>>,
}

/// The right to make one call, counted in every limit until it is dropped, which is done when the answer
/// is here. Unless it was [used](Permit::leave), dropping it gives the right back.
pub(super) struct Permit {
    shared: Arc<Shared>,
    slot: Option<Slot>,
    class: Class,
    has_left: bool,
}

/// Takes the wish back when whoever waits goes away.
struct Wish {
    shared: Arc<Shared>,
    ticket: Ticket,
}

impl Scheduler {
    pub(super) fn new(meter: Meter, metrics: Metrics) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            changed: Notify::new(),
            meter,
            metrics,
        };
        Self {
            shared: Arc::new(shared),
            waker: OnceLock::new(),
        }
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// Waits until the call may be made.
    ///
    /// # Errors
    /// [`Error::TooFast`] if that takes longer than a call of this class is worth, at once where it is
    /// known before. [`Error::QuotaUsedUp`] where only pages go out.
    pub(super) async fn admit(&self, call: &Call<'_>, class: Class) -> Result<Permit, Error> {
        let ask = Ask {
            api: call.api.budget,
            target: call.target.clone(),
            class,
            since: Instant::now().into_std(),
            is_first: false,
        };
        self.wait(ask, Some(patience(class))).await
    }

    /// Waits until a stream's text may be sent, however long that takes.
    pub(super) async fn admit_stream(&self, ask: Ask) -> Result<Permit, Error> {
        self.wait(ask, None).await
    }

    async fn wait(&self, ask: Ask, patience: Option<Duration>) -> Result<Permit, Error> {
        self.start();
        let shared = &self.shared;
        let (grant, mut granted) = oneshot::channel();
        let (api, class) = (ask.api, ask.class);
        let wish = {
            let now = Instant::now().into_std();
            let mut state = shared.lock();
            let supply = shared.meter.now();
            if let Some(patience) = patience {
                state.refuse_hopeless(&ask, supply, patience, now)?;
            }
            let ticket = state.schedule.ask(ask);
            let waiting = Waiting {
                class,
                is_stream: patience.is_none(),
                grant,
            };
            state.waiting.insert(ticket, waiting);
            Wish {
                shared: shared.clone(),
                ticket,
            }
        };
        shared.turn();
        if let Ok(granted) = granted.try_recv() {
            return granted;
        }
        // Its time may be before the one the waker sleeps for.
        shared.changed.notify_one();
        let outcome = match patience {
            Some(patience) => timeout(patience, granted).await,
            None => Ok(granted.await),
        };
        drop(wish);
        let out_of_patience = |wait| Error::TooFast {
            wait,
            limit: Limit::Api,
            refusal: None,
        };
        match outcome {
            Ok(Ok(granted)) => granted,
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(api, ?class, "waited in vain for a turn");
                Err(out_of_patience(patience.unwrap_or_default()))
            }
        }
    }

    fn start(&self) {
        self.waker
            .get_or_init(|| AbortOnDropHandle::new(tokio::spawn(wake(self.shared.clone()))));
    }
}

impl Shared {
    /// Grants what may be granted, and says when to look again.
    fn turn(self: &Arc<Self>) -> Option<Instant> {
        let now = Instant::now().into_std();
        let (granted, wake) = {
            let mut state = self.lock();
            let polled = state.schedule.poll(now);
            let granted: Vec<_> = polled
                .granted
                .into_iter()
                .filter_map(|(ticket, slot)| {
                    let waiting = state.waiting.remove(&ticket)?;
                    let permit = self.permit(slot, waiting.class);
                    Some((waiting, permit))
                })
                .collect();
            (granted, polled.wake)
        };
        // The lock is free again: a permit that nobody takes is dropped here, and needs it.
        for (waiting, permit) in granted {
            let _ = waiting.grant.send(Ok(permit));
        }
        wake.map(Instant::from_std)
    }

    fn permit(self: &Arc<Self>, slot: Slot, class: Class) -> Permit {
        Permit {
            shared: self.clone(),
            slot: Some(slot),
            class,
            has_left: false,
        }
    }

    /// Sets the gauges, and says whether they will change by themselves.
    fn tell(&self) -> bool {
        let used = self.lock().schedule.used(Instant::now().into_std());
        for (limit, ratio) in &used {
            let labels = LimitLabels {
                limit: limit.label(),
            };
            let gauge = &self.metrics.platform_budget_used_ratio;
            gauge.get_or_create(&labels).set(*ratio);
        }
        self.metrics.quota_used_ratio.set(self.meter.used_ratio());
        used.iter().any(|(_, ratio)| *ratio > 0.0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way, so a poisoned lock holds sound numbers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The wait that is longer than `patience` before it begins.
    fn refuse_hopeless(
        &self,
        ask: &Ask,
        supply: Supply,
        patience: Duration,
        now: std::time::Instant,
    ) -> Result<(), Error> {
        let is_page = ask.class == Class::Page;
        if !is_page && self.schedule.pages_only(now).is_some() {
            return Err(self.quota_error(ask.api));
        }
        if !is_page && supply == Supply::PagesOnly {
            return Err(self.quota_error(ask.api));
        }
        let closed = self.schedule.closed(ask, now);
        let (limit, wait) = match closed {
            Some((limit, until)) => (limit, until - now),
            None => (Limit::App, Duration::ZERO),
        };
        if wait > patience || self.schedule.waiting() >= WAITING_MAX {
            return Err(Error::TooFast {
                wait: wait.max(Duration::from_secs(1)),
                limit,
                refusal: None,
            });
        }
        Ok(())
    }

    fn quota_error(&self, api: &'static str) -> Error {
        Error::QuotaUsedUp(self.quota_refusal.clone().unwrap_or_else(|| {
            Box::new(Refusal {
                api,
                code: 99_991_403,
                sub_code: None,
                message: "what is left of the month's calls is kept for pages".into(),
                log_id: None,
                scopes: Vec::new(),
                help: None,
            })
        }))
    }
}

impl Permit {
    /// The call is made now.
    pub(super) fn leave(&mut self) {
        self.has_left = true;
        self.shared.meter.count();
    }

    /// The call was answered: limits and quota learn from it.
    pub(super) fn learn<T>(&self, outcome: &Result<T, Error>) {
        let now = Instant::now().into_std();
        let mut state = self.shared.lock();
        match (outcome, &self.slot) {
            (Err(Error::TooFast { wait, limit, .. }), Some(slot)) => {
                state.schedule.refused(slot, *limit, *wait, now);
            }
            (Err(Error::QuotaUsedUp(refusal)), _) => {
                state.quota_refusal = Some(refusal.clone());
                state.schedule.only_pages_until(Some(now + QUOTA_CLOSED));
                let error = state.quota_error(refusal.api);
                // Who waits would wait for an hour; a stream's text may.
                let in_vain: Vec<Ticket> = state
                    .waiting
                    .iter()
                    .filter(|(_, waiting)| waiting.class != Class::Page && !waiting.is_stream)
                    .map(|(ticket, _)| *ticket)
                    .collect();
                for ticket in in_vain {
                    state.schedule.withdraw(ticket);
                    if let Some(waiting) = state.waiting.remove(&ticket) {
                        let _ = waiting.grant.send(Err(error.clone()));
                    }
                }
            }
            // A page got through, so there are calls again.
            (Ok(_), _) if self.class == Class::Page => state.schedule.only_pages_until(None),
            _ => {}
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else {
            return;
        };
        {
            let mut state = self.shared.lock();
            match self.has_left {
                true => state.schedule.answered(slot, Instant::now().into_std()),
                false => state.schedule.unused(slot),
            }
        }
        self.shared.changed.notify_one();
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.shared.lock();
            state.schedule.withdraw(self.ticket);
            state.waiting.remove(&self.ticket)
        };
        drop(waiting);
    }
}

/// Looks again whenever something may have become possible.
async fn wake(shared: Arc<Shared>) {
    let mut tell_at = Instant::now();
    loop {
        let mut wake = shared.turn();
        if Instant::now() >= tell_at && shared.tell() {
            tell_at = Instant::now() + GAUGES_EVERY;
        }
        if tell_at > Instant::now() {
            wake = Some(wake.map_or(tell_at, |wake| wake.min(tell_at)));
        }
        tokio::select! {
            // Somebody asked, or an answer came.
            () = shared.changed.notified() => {}
            // A limit that somebody waits for is free again.
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
        }
    }
}

/// How long a call of this class may be held back. Progress is worth nothing once it is old.
fn patience(class: Class) -> Duration {
    match class {
        Class::Progress => Duration::from_secs(10),
        Class::Page | Class::Click | Class::Sign => Duration::from_secs(60),
    }
}
