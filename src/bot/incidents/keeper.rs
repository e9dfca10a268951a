//! The one task that writes incidents.
//!
//! Whatever waits is done in one round: one draft, one flush, and then everybody who asked is answered. When
//! the store fails, the draft is thrown away and they are told that nothing was kept. Time is an order like
//! any other; what was due while nothing ran is done at the start.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    config::{AlertsConfig, Config, IncidentsConfig},
    incident::{Happening, Incident},
    store,
    telemetry::{Metrics, StateLabels},
};

use super::{
    Done, Error, Incidents, Order, Reply, Taken,
    alerts::{self, Storms},
    draft::{Draft, Written},
    identity, now, orders,
    records::{Case, Counter, Hushed, KeptAlert, KeptSilence, Place},
    routes, sweep,
    timers::Timers,
};

/// How many orders are done in one round.
const ROUND_MAX: usize = 64;
/// After how many alerts a round is written.
const WEIGHT_MAX: usize = 100;
/// How often it is looked whether something is hushed no more, and whether senders have fallen silent.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How often what is old is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How long nothing is done by the clock after the store failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The task.
pub struct Keeper {
    incidents: Incidents,
    waiting: mpsc::Receiver<Order>,
    config: Arc<IncidentsConfig>,
    alerts: AlertsConfig,
    metrics: Metrics,
    storms: Storms,
    timers: Timers,
    /// The keys of alerts that fire and that nobody is told of.
    hushed: BTreeSet<String>,
    last_number: u32,
    not_before: Instant,
}

/// An answer that waits for the flush.
enum Answer {
    Taken(Reply<Taken>, Taken),
    Done(Reply<Done>, u32),
    Unit(Reply<()>),
}

impl Keeper {
    /// Reads what is open.
    pub(super) async fn open(
        incidents: Incidents,
        waiting: mpsc::Receiver<Order>,
        config: &Config,
        metrics: Metrics,
    ) -> Result<Self, store::Error> {
        let language = config.conversation.language;
        let mut keeper = Self {
            incidents,
            waiting,
            storms: Storms::new(config.incidents.storm, language),
            config: Arc::new(config.incidents.clone()),
            alerts: config.alerts.clone(),
            metrics,
            timers: Timers::default(),
            hushed: BTreeSet::new(),
            last_number: 0,
            not_before: Instant::now(),
        };
        keeper.read().await?;
        Ok(keeper)
    }

    async fn read(&mut self) -> Result<(), store::Error> {
        let store = &self.incidents.0.store;
        let counter = store.collection::<Counter>().get("last").await?;
        self.last_number = counter.map_or(0, |counter| counter.last);
        let mut open = BTreeMap::new();
        sweep::each::<Case>(store, "", |_, case| {
            if case.incident.is_open() {
                open.insert(case.number(), case);
            }
        })
        .await?;
        let (mut hushed, mut silences) = (BTreeSet::new(), Vec::new());
        sweep::each::<Hushed>(store, "", |key, _| {
            hushed.insert(key);
        })
        .await?;
        sweep::each::<KeptSilence>(store, "", |_, KeptSilence(silence)| silences.push(silence))
            .await?;
        self.hushed = hushed;
        *self.incidents.lock_silences() = silences;
        if !open.is_empty() {
            info!(incidents = open.len(), "incidents are open");
        }
        self.publish(Written {
            cases: open,
            hushed: BTreeMap::new(),
            silences: None,
            last_number: self.last_number,
        });
        Ok(())
    }

    /// Works until `stop`; what was asked before is done.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut look = interval(LOOK_EVERY);
        let mut sweeping = interval(SWEEP_EVERY);
        loop {
            let due = self.due();
            let mut orders = Vec::new();
            tokio::select! {
                // Nobody asks any more once the channel is empty and everybody is gone.
                _ = self.waiting.recv_many(&mut orders, ROUND_MAX) => match orders.is_empty() {
                    true => return,
                    false => self.round(orders).await,
                },
                // An incident wants to be looked at.
                () = sleep_until(due) => self.clock().await,
                _ = look.tick() => self.look().await,
                _ = sweeping.tick() => sweep::sweep(&self.incidents, &self.config, now()).await,
                () = stop.cancelled() => break,
            }
        }
        self.waiting.close();
        let mut orders = Vec::new();
        while self.waiting.recv_many(&mut orders, ROUND_MAX).await > 0 {
            self.round(std::mem::take(&mut orders)).await;
        }
    }

    /// When the clock is to be looked at.
    fn due(&self) -> Instant {
        let far = Duration::from_secs(3600);
        let wait = self.timers.next().map_or(far, |at| {
            let wait = now().duration_until(at);
            Duration::try_from(wait).unwrap_or(Duration::ZERO).min(far)
        });
        (Instant::now() + wait).max(self.not_before)
    }

    /// Does what was asked, in order.
    async fn round(&mut self, orders: Vec<Order>) {
        let mut orders = orders.into_iter();
        while orders.len() > 0 {
            let mut answers = Vec::new();
            let (incidents, config) = (self.incidents.clone(), self.config.clone());
            let mut draft = Draft::new(&incidents, &config, self.last_number, now());
            let mut outcome = Ok(());
            while draft.weight < WEIGHT_MAX
                && outcome.is_ok()
                && let Some(order) = orders.next()
            {
                outcome = self.carry_out(&mut draft, order, &mut answers).await;
            }
            let written = match outcome {
                Ok(()) => draft.commit().await,
                Err(error) => Err(error),
            };
            self.finish(written, answers);
        }
    }

    /// Does one thing. Who asked is answered when it is written; where the rules refuse, at once.
    async fn carry_out(
        &mut self,
        draft: &mut Draft<'_>,
        order: Order,
        answers: &mut Vec<Answer>,
    ) -> Result<(), store::Error> {
        match order {
            Order::Take {
                integration,
                batch,
                reply,
            } => {
                let mut taken = Taken::default();
                for alert in batch.alerts {
                    let outcome =
                        alerts::take(draft, &mut self.storms, &integration, alert).await?;
                    taken.alerts += 1;
                    taken.opened += usize::from(outcome.opened);
                    taken.hushed += usize::from(outcome.hushed);
                }
                for change in batch.changes {
                    alerts::take_change(draft, &integration, change).await?;
                }
                answers.push(Answer::Taken(reply, taken));
            }
            Order::Declare {
                by,
                title,
                severity,
                chat,
                reply,
            } => {
                let number = draft.last_number + 1;
                let (incident, actions) =
                    Incident::declare(identity(number), number, by, &title, severity, draft.now);
                let mut case = Case::new(incident, None);
                draft.open_case(&case);
                if let Some(chat) = chat {
                    routes::show_in(&mut case, Place::Chat(chat));
                }
                draft.perform(&mut case, actions);
                draft.put(case);
                answers.push(Answer::Done(reply, number));
            }
            Order::Change {
                incident,
                change,
                reply,
            } => match orders::change_case(draft, &incident, change).await? {
                Ok(number) => answers.push(Answer::Done(reply, number)),
                Err(error) => refuse(reply, error),
            },
            Order::Merge {
                by,
                into,
                other,
                reply,
            } => match orders::merge_cases(draft, by, &into, &other).await? {
                Ok(number) => answers.push(Answer::Done(reply, number)),
                Err(error) => refuse(reply, error),
            },
            Order::Silence { silence, reply } => {
                let name = silence.name.clone();
                draft.set_silence(&name, Some(silence));
                self.look_again(draft).await?;
                answers.push(Answer::Unit(reply));
            }
            Order::Lift { name, reply } => {
                if !draft.silences().iter().any(|silence| silence.name == name) {
                    refuse(reply, Error::NoSuchSilence);
                    return Ok(());
                }
                draft.set_silence(&name, None);
                self.look_again(draft).await?;
                answers.push(Answer::Unit(reply));
            }
            Order::Paged {
                key,
                outcome,
                reply,
            } => {
                orders::paged(draft, &key, outcome).await?;
                answers.push(Answer::Unit(reply));
            }
        }
        Ok(())
    }

    /// Does what is due.
    async fn clock(&mut self) {
        let (incidents, config) = (self.incidents.clone(), self.config.clone());
        let mut draft = Draft::new(&incidents, &config, self.last_number, now());
        let mut outcome = Ok(());
        for number in self.timers.due(draft.now, ROUND_MAX) {
            let case = draft.case(number).await;
            match case {
                Ok(Some(mut case)) => {
                    if case.wake_at.is_some_and(|at| at <= draft.now) {
                        case.wake_at = None;
                        draft.observe(&mut case, Happening::Clock);
                    }
                    draft.step(&mut case);
                    draft.put(case);
                }
                Ok(None) => self.timers.set(number, None),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        let written = match outcome {
            Ok(()) => draft.commit().await,
            Err(error) => Err(error),
        };
        self.finish(written, Vec::new());
    }

    /// Looks at what time alone changes, without anybody having asked for a time: what silences hushed, and
    /// senders that have fallen silent.
    async fn look(&mut self) {
        let stale = match self.stale().await {
            Ok(stale) => stale,
            Err(error) => return warn!(%error, "could not look for alerts that are stale"),
        };
        let expired = self.expired_silences();
        if self.hushed.is_empty() && stale.is_empty() && expired.is_empty() {
            return;
        }
        let (incidents, config) = (self.incidents.clone(), self.config.clone());
        let mut draft = Draft::new(&incidents, &config, self.last_number, now());
        for name in expired {
            draft.set_silence(&name, None);
        }
        let mut outcome = self.look_again(&mut draft).await;
        for (integration, alert) in stale {
            if outcome.is_ok() {
                outcome = alerts::expire(&mut draft, &mut self.storms, &integration, alert).await;
            }
        }
        let written = match outcome {
            Ok(()) => draft.commit().await,
            Err(error) => Err(error),
        };
        self.finish(written, Vec::new());
    }

    /// Looks again at what nobody was told of, a part of it at a time.
    async fn look_again(&mut self, draft: &mut Draft<'_>) -> Result<(), store::Error> {
        let keys: Vec<String> = self.hushed.iter().cloned().collect();
        for key in keys {
            if draft.weight >= WEIGHT_MAX {
                break;
            }
            alerts::look_again(draft, &mut self.storms, &key).await?;
        }
        Ok(())
    }

    fn expired_silences(&self) -> Vec<String> {
        let now = now();
        let silences = self.incidents.silences().into_iter();
        silences
            .filter(|silence| silence.until <= now)
            .map(|silence| silence.name)
            .collect()
    }

    /// The alerts that fire and were not heard of for too long.
    async fn stale(&self) -> Result<Vec<(String, crate::incident::alert::Alert)>, store::Error> {
        let mut stale = Vec::new();
        for integration in &self.alerts.integrations {
            if integration.stale_after.is_zero() {
                continue;
            }
            let before = now() - integration.stale_after;
            let prefix = format!("{}/", integration.name);
            let store = &self.incidents.0.store;
            sweep::each::<KeptAlert>(store, &prefix, |_, KeptAlert(tracked)| {
                if tracked.is_firing() && tracked.received_at <= before && stale.len() < WEIGHT_MAX
                {
                    stale.push((integration.name.clone(), tracked.alert));
                }
            })
            .await?;
        }
        Ok(stale)
    }

    /// Answers, and shows everybody what was written.
    fn finish(&mut self, written: Result<Written, store::Error>, answers: Vec<Answer>) {
        match written {
            Ok(written) => {
                self.publish(written);
                for answer in answers {
                    self.answer(answer);
                }
            }
            Err(error) => {
                error!(%error, "incidents could not be kept; whoever asked is told so");
                self.not_before = Instant::now() + PAUSE;
                for answer in answers {
                    match answer {
                        Answer::Taken(reply, _) => refuse(reply, Error::NotKept),
                        Answer::Done(reply, _) => refuse(reply, Error::NotKept),
                        Answer::Unit(reply) => refuse(reply, Error::NotKept),
                    }
                }
            }
        }
    }

    fn answer(&self, answer: Answer) {
        // Whoever asked may have gone; it is done all the same.
        match answer {
            Answer::Taken(reply, taken) => drop(reply.send(Ok(taken))),
            Answer::Unit(reply) => drop(reply.send(Ok(()))),
            Answer::Done(reply, number) => {
                let case = self.incidents.lock_recent().get(&number).cloned();
                drop(reply.send(match case {
                    Some(case) => Ok(Done { case }),
                    None => Err(Error::Unknown),
                }));
            }
        }
    }

    fn publish(&mut self, written: Written) {
        self.last_number = written.last_number;
        for (key, is_hushed) in written.hushed {
            match is_hushed {
                true => self.hushed.insert(key),
                false => self.hushed.remove(&key),
            };
        }
        if let Some(silences) = written.silences {
            *self.incidents.lock_silences() = silences;
        }
        let now = now();
        let mut changed = BTreeSet::new();
        {
            let mut open = self.incidents.lock_open();
            let mut recent = self.incidents.lock_recent();
            recent.clear();
            for (number, case) in written.cases {
                self.timers.set(number, self.next_look(&case, now));
                changed.insert(number);
                let case = Arc::new(case);
                recent.insert(number, case.clone());
                match case.incident.is_open() {
                    true => open.insert(number, case),
                    false => open.remove(&number),
                };
            }
            self.count(&open);
        }
        self.incidents.0.followers.tell(&changed);
    }

    /// When a case wants to be looked at.
    fn next_look(&self, case: &Case, now: Timestamp) -> Option<Timestamp> {
        if !case.incident.is_open() {
            return None;
        }
        let pagers = case.pagers.iter();
        let pagers = pagers.filter_map(|pager| routes::due(pager, &self.config, now));
        pagers.chain(case.wake_at).min()
    }

    fn count(&self, open: &BTreeMap<u32, Arc<Case>>) {
        use crate::incident::State;
        let mut counts = [("triggered", 0), ("acknowledged", 0), ("snoozed", 0)];
        for case in open.values() {
            let at = match case.incident.state {
                State::Triggered => 0,
                State::Acknowledged => 1,
                State::Snoozed { .. } => 2,
                State::Resolved => continue,
            };
            counts[at].1 += 1;
        }
        for (state, count) in counts {
            let gauge = &self.metrics.incidents;
            gauge.get_or_create(&StateLabels { state }).set(count);
        }
    }
}

fn refuse<T>(reply: Reply<T>, error: Error) {
    drop(reply.send(Err(error)));
}
