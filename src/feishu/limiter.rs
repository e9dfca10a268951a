//! Holds calls back so that the platform's limits are kept.
//!
//! For now everybody waits in order of arrival. A limit is counted over every span of time of its
//! length, and not as a bucket that refills, because a bucket lets nearly twice the limit through in
//! some seconds, and the platform refuses those.
//!
//! A call first waits for what it writes to, then for its API, then for the app: the wait for one slow
//! chat must not use up turns that other chats could have. A call that is given up while it waits loses
//! its turn, and nobody gets it; that is rare and errs on the safe side.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{
    Class, Error,
    api::{Call, Target},
    error::Limit,
};

/// At most so many calls in any span of this length.
struct Rule {
    calls: usize,
    span: Duration,
}

/// Calls leave us evenly and arrive less so; this much may the network push them together.
const SLACK: Duration = Duration::from_millis(50);

const fn rule(calls: usize, span: Duration) -> Rule {
    Rule { calls, span }
}

const SECOND: Duration = Duration::from_secs(1).saturating_add(SLACK);

const APP: &[Rule] = &[rule(50, SECOND)];
/// The second rule is the 1000 a minute, told in tenths so that a burst is not followed by a long silence.
const API: &[Rule] = &[
    rule(50, SECOND),
    rule(100, Duration::from_secs(6).saturating_add(SLACK)),
];
const CHAT: &[Rule] = &[rule(5, SECOND)];
const MESSAGE: &[Rule] = &[rule(5, SECOND)];
const CARD: &[Rule] = &[rule(10, SECOND)];

/// The least number of buckets at which idle ones are looked for.
const SWEEP_MIN: usize = 256;

/// The limits of one app, and how far each is used.
#[derive(Default)]
pub(super) struct Limiter {
    buckets: Mutex<Buckets>,
}

/// What is counted separately.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    App,
    Api(&'static str),
    Target(Target),
}

impl Key {
    fn rules(&self) -> &'static [Rule] {
        match self {
            Key::App => APP,
            Key::Api(_) => API,
            Key::Target(Target::Chat(_) | Target::Person(_)) => CHAT,
            Key::Target(Target::Message(_)) => MESSAGE,
            Key::Target(Target::Card(_)) => CARD,
        }
    }

    fn limit(&self) -> Limit {
        match self {
            Key::App => Limit::App,
            Key::Api(_) => Limit::Api,
            Key::Target(target) => target.limit(),
        }
    }
}

impl Limiter {
    /// Waits until the call may be made.
    ///
    /// # Errors
    /// [`Error::TooFast`] at once if the wait would be longer than a call of this class is worth.
    /// That bounds how many can wait.
    pub(super) async fn admit(&self, call: &Call<'_>, class: Class) -> Result<(), Error> {
        let target = call.target.clone().map(Key::Target);
        let keys = [target, Some(Key::Api(call.api.budget)), Some(Key::App)];
        for key in keys.into_iter().flatten() {
            self.wait_for(&key, patience(class)).await?;
        }
        Ok(())
    }

    /// Nothing that stands under `limit` with `call` is made for `wait`; what waits already waits longer.
    pub(super) fn close(&self, call: &Call<'_>, limit: Limit, wait: Duration) {
        let key = match (limit, &call.target) {
            (Limit::App, _) => Key::App,
            (Limit::Api, _) | (_, None) => Key::Api(call.api.budget),
            (_, Some(target)) => Key::Target(target.clone()),
        };
        let now = Instant::now();
        self.lock().bucket(&key, now).close(now, now + wait);
    }

    async fn wait_for(&self, key: &Key, patience: Duration) -> Result<(), Error> {
        let now = Instant::now();
        let mut turn = self
            .lock()
            .bucket(key, now)
            .take_turn(now, patience)
            .map_err(|wait| Error::TooFast {
                wait,
                limit: key.limit(),
                refusal: None,
            })?;
        while turn.at > Instant::now() {
            sleep_until(turn.at).await;
            // It may have been closed meanwhile.
            if let Some(bucket) = self.lock().by_key.get(key) {
                turn.at += bucket.delayed.saturating_sub(turn.delayed);
                turn.delayed = bucket.delayed;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        // Nothing in here can panic half-way, so a poisoned lock holds sound numbers.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a call of this class may be held back. Progress is worth nothing once it is old.
fn patience(class: Class) -> Duration {
    match class {
        Class::Progress => Duration::from_secs(10),
        Class::Page | Class::Click | Class::Sign => Duration::from_secs(60),
    }
}

#[derive(Default)]
struct Buckets {
    by_key: HashMap<Key, Bucket>,
    sweep_at: usize,
}

impl Buckets {
    fn bucket(&mut self, key: &Key, now: Instant) -> &mut Bucket {
        if self.by_key.len() >= self.sweep_at.max(SWEEP_MIN) && !self.by_key.contains_key(key) {
            self.by_key.retain(|_, bucket| !bucket.is_idle(now));
            // Twice as many must come before the next look, so a look costs each newcomer little.
            self.sweep_at = self.by_key.len() * 2;
        }
        self.by_key
            .entry(key.clone())
            .or_insert_with(|| Bucket::new(key.rules()))
    }
}

/// One limit for one thing.
struct Bucket {
    rules: &'static [Rule],
    /// The last turns given, in order, as many as the widest rule looks at. Some may lie ahead.
    turns: VecDeque<Instant>,
    closed_until: Option<Instant>,
    /// By how much turns were put off by closing, in total. Who waits compares it with what it was.
    delayed: Duration,
}

/// When a call may be made, as things stood when `delayed` was read.
struct Turn {
    at: Instant,
    delayed: Duration,
}

impl Bucket {
    fn new(rules: &'static [Rule]) -> Self {
        Self {
            rules,
            turns: VecDeque::new(),
            closed_until: None,
            delayed: Duration::ZERO,
        }
    }

    /// Gives the next free turn, or the wait for it if that is longer than `patience`.
    fn take_turn(&mut self, now: Instant, patience: Duration) -> Result<Turn, Duration> {
        // Never before the turn given last, so that order of arrival is kept.
        let bounds = [self.closed_until, self.turns.back().copied()];
        let mut at = bounds.into_iter().flatten().fold(now, Instant::max);
        for rule in self.rules {
            if let Some(index) = self.turns.len().checked_sub(rule.calls) {
                at = at.max(self.turns[index] + rule.span);
            }
        }
        let wait = at - now;
        if wait > patience {
            return Err(wait);
        }
        self.turns.push_back(at);
        let kept = self.rules.iter().map(|rule| rule.calls).max().unwrap_or(0);
        while self.turns.len() > kept {
            self.turns.pop_front();
        }
        Ok(Turn {
            at,
            delayed: self.delayed,
        })
    }

    /// Puts off every turn that lies ahead, all by the same time, so that order and distance stay.
    fn close(&mut self, now: Instant, until: Instant) {
        let from = self.closed_until.map_or(now, |closed| closed.max(now));
        if until <= from {
            return;
        }
        let delay = until - from;
        for turn in self.turns.iter_mut().filter(|turn| **turn > now) {
            *turn += delay;
        }
        self.delayed += delay;
        self.closed_until = Some(until);
    }

    /// Whether a new bucket would behave the same.
    fn is_idle(&self, now: Instant) -> bool {
        let span = self.rules.iter().map(|rule| rule.span).max();
        let span = span.unwrap_or_default();
        self.closed_until.is_none_or(|closed| closed < now)
            && self.turns.back().is_none_or(|turn| *turn + span < now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::future::join_all;

    use super::*;
    use crate::feishu::{ChatId, api::Api};

    static SEND: Api = Api::get("message.send", "/send");
    static READ: Api = Api::get("message.read", "/read");

    fn to_chat(chat: &str) -> Call<'static> {
        Call::of(&SEND).about(Target::Chat(ChatId::new(chat)))
    }

    /// When each of `count` calls, asked for at once, is let through: milliseconds from now, in order of asking.
    async fn admitted(
        limiter: &Limiter,
        count: usize,
        call: impl Fn() -> Call<'static>,
    ) -> Vec<u128> {
        let start = Instant::now();
        join_all((0..count).map(|_| async {
            limiter.admit(&call(), Class::Sign).await.unwrap();
            start.elapsed().as_millis()
        }))
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_takes_five_messages_in_any_second_and_in_order() {
        let times = admitted(&Limiter::default(), 12, || to_chat("oc_a")).await;
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(times[4], 0);
        for (first, sixth) in times.iter().zip(&times[5..]) {
            assert!(sixth - first >= 1000, "{times:?}");
        }
        assert!(times[11] < 2200, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_keeps_both_its_second_and_its_minute() {
        let limiter = Limiter::default();
        let times = admitted(&limiter, 700, || Call::of(&READ)).await;
        for (first, next) in times.iter().zip(&times[50..]) {
            assert!(next - first >= 1000);
        }
        let in_a_minute = times.iter().filter(|time| **time < 60_000).count();
        assert_eq!(in_a_minute, 700);
        // A full minute of asking: ten times a hundred.
        for (first, next) in times.iter().zip(&times[100..]) {
            assert!(next - first >= 6000);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_chat_does_not_use_up_the_turns_of_others() {
        let limiter = Limiter::default();
        let start = Instant::now();
        let slow = admitted(&limiter, 40, || to_chat("oc_slow"));
        let other = async {
            limiter
                .admit(&to_chat("oc_other"), Class::Sign)
                .await
                .unwrap();
            start.elapsed()
        };
        let (_, other) = tokio::join!(slow, other);
        assert_eq!(other, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_delays_who_waits_and_who_comes_and_nobody_else() {
        let limiter = Arc::new(Limiter::default());
        let waiting = admitted(&limiter, 7, || to_chat("oc_a"));
        let closing = async {
            limiter.close(&to_chat("oc_a"), Limit::Chat, Duration::from_secs(10));
            let other = admitted(&limiter, 1, || to_chat("oc_b")).await;
            assert_eq!(other, [0]);
            admitted(&limiter, 1, || to_chat("oc_a")).await
        };
        let (waiting, late) = tokio::join!(waiting, closing);
        assert_eq!(waiting[4], 0, "these had gone before");
        assert!(waiting[5] >= 10_000 && waiting[6] >= 10_000, "{waiting:?}");
        assert!(late[0] >= u128::max(10_000, waiting[6]), "order is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_api_waits_as_told() {
        let limiter = Limiter::default();
        limiter.close(&to_chat("oc_a"), Limit::Api, Duration::from_secs(3));
        limiter.close(&to_chat("oc_a"), Limit::Api, Duration::from_secs(1));
        let times = admitted(&limiter, 1, || to_chat("oc_b")).await;
        assert!((3000..3100).contains(&times[0]), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_patience_is_refused_at_once() {
        let limiter = Limiter::default();
        limiter.close(&to_chat("oc_a"), Limit::Chat, Duration::from_secs(30));
        let start = Instant::now();
        let error = limiter
            .admit(&to_chat("oc_a"), Class::Progress)
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            Error::TooFast {
                limit: Limit::Chat,
                refusal: None,
                ..
            }
        ));
        assert_eq!(start.elapsed(), Duration::ZERO);
        limiter.admit(&to_chat("oc_a"), Class::Sign).await.unwrap();
        assert!(start.elapsed().as_secs() >= 30);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_buckets_are_dropped() {
        let limiter = Limiter::default();
        for n in 0..20_000 {
            limiter
                .admit(&to_chat(&format!("oc_{n}")), Class::Page)
                .await
                .unwrap();
        }
        let kept = limiter.lock().by_key.len();
        assert!(kept < 2 * SWEEP_MIN, "{kept}");
    }
}
