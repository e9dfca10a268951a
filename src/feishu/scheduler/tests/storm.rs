//! Any wishes at any time, played in simulated time, with an account of their own of what was granted.

use proptest::prelude::*;

use super::*;
use crate::feishu::scheduler::limits::share;

const APIS: [&str; 3] = ["message.create", "card.stream", "card.replace"];

/// A wish of the storm: when, what, and how long the platform takes, and when within that it counts.
#[derive(Debug, Clone)]
struct Wanted {
    after_ms: u64,
    api: usize,
    target: u8,
    class: usize,
    answer_ms: u64,
    counted: f64,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let answer = prop_oneof![4 => 5..300_u64, 1 => 300..3000_u64];
    let after = prop_oneof![5 => Just(0), 3 => 0..40_u64, 1 => 0..900_u64];
    (after, 0..3_usize, 0..8_u8, 0..4_usize, answer, 0.0..1.0_f64).prop_map(
        |(after_ms, api, target, class, answer_ms, counted)| Wanted {
            after_ms,
            api,
            target,
            class,
            answer_ms,
            counted,
        },
    )
}

/// A schedule in simulated time, with its own account of what was granted.
pub(super) struct Storm {
    pub(super) schedule: Schedule,
    pub(super) start: Instant,
    pub(super) now: Instant,
    waiting: BTreeMap<Ticket, (Ask, Wanted)>,
    pub(super) under_way: Vec<(Instant, Ticket, Slot)>,
    pub(super) calls: Vec<Made>,
    by_ticket: HashMap<Ticket, usize>,
}

pub(super) struct Made {
    pub(super) keys: Vec<Key>,
    pub(super) granted: Instant,
    pub(super) answered: Option<Instant>,
    pub(super) counted: Instant,
}

fn keys_of(ask: &Ask) -> Vec<Key> {
    let target = ask.target.clone().map(Key::Target);
    target
        .into_iter()
        .chain([Key::Api(ask.api), Key::App])
        .collect()
}

impl Storm {
    pub(super) fn new() -> Self {
        let start = Instant::now();
        Self {
            schedule: Schedule::default(),
            start,
            now: start,
            waiting: BTreeMap::new(),
            under_way: Vec::new(),
            calls: Vec::new(),
            by_ticket: HashMap::new(),
        }
    }

    fn run(&mut self, wishes: &[Wanted]) {
        let mut at = self.start;
        for wish in wishes {
            at += ms(wish.after_ms);
            self.run_until(at);
            let ask = Ask {
                api: APIS[wish.api],
                target: target(wish.target),
                class: CLASSES[wish.class],
                since: at,
                is_first: false,
            };
            let ticket = self.schedule.ask(ask.clone());
            self.waiting.insert(ticket, (ask, wish.clone()));
        }
        self.run_until(at + Duration::from_secs(3600));
        assert!(self.waiting.is_empty(), "somebody waits for ever");
        assert_eq!(self.schedule.waiting(), 0);
    }

    fn run_until(&mut self, end: Instant) {
        loop {
            let wake = self.poll();
            let answer = self.under_way.iter().map(|(at, ..)| *at).min();
            let next = wake.into_iter().chain(answer).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = next;
            let (back, still): (Vec<_>, Vec<_>) = std::mem::take(&mut self.under_way)
                .into_iter()
                .partition(|(at, ..)| *at <= next);
            self.under_way = still;
            for (_, ticket, slot) in back {
                self.calls[self.by_ticket[&ticket]].answered = Some(next);
                self.schedule.answered(slot, next);
            }
        }
    }

    /// Polls, and checks that the choice was right by our own account.
    fn poll(&mut self) -> Option<Instant> {
        let polled = self.schedule.poll(self.now);
        for (ticket, slot) in polled.granted {
            let (ask, wish) = self.waiting.remove(&ticket).expect("it waited");
            for (other, (waits, _)) in &self.waiting {
                let ahead = (waits.class, waits.since, *other) < (ask.class, ask.since, ticket);
                assert!(!ahead || self.is_blocked(waits), "{waits:?} before {ask:?}");
            }
            let answered = self.now + ms(wish.answer_ms);
            self.by_ticket.insert(ticket, self.calls.len());
            self.calls.push(Made {
                keys: keys_of(&ask),
                granted: self.now,
                answered: None,
                counted: self.now + ms(wish.answer_ms).mul_f64(wish.counted),
            });
            self.under_way.push((answered, ticket, slot));
        }
        for (ask, _) in self.waiting.values() {
            assert!(self.is_blocked(ask), "idle while {ask:?} may be sent");
        }
        assert!(
            polled.wake.is_none_or(|wake| wake > self.now),
            "would not sleep"
        );
        polled.wake
    }

    /// Counted anew from the beginning: slow, and without anything of the schedule's own.
    fn is_blocked(&self, ask: &Ask) -> bool {
        keys_of(ask).iter().any(|key| {
            let calls = self.calls.iter().filter(|call| call.keys.contains(key));
            let full = key.rules().windows.iter().any(|window| {
                let counts = |call: &&Made| {
                    call.answered
                        .is_none_or(|answered| answered + window.span > self.now)
                };
                calls.clone().filter(counts).count() >= share(&window.calls, ask.class)
            });
            let paced = key.rules().pace.as_ref().is_some_and(|pace| {
                let mut ahead = 0.0_f64;
                let mut last = self.start;
                let every = pace.every.as_secs_f64();
                for call in calls.clone() {
                    ahead = (ahead - (call.granted - last).as_secs_f64()).max(0.0) + every;
                    last = call.granted;
                }
                ahead -= (self.now - last).as_secs_f64();
                ahead > every * (share(&pace.at_once, ask.class) as f64 - 1.0) + 1e-6
            });
            full || paced
        })
    }

    /// What the platform would say, in whose eyes a call happened at some moment before its answer.
    pub(super) fn assert_within_limits(&self) {
        let mut by_key: HashMap<&Key, Vec<Instant>> = HashMap::new();
        for call in &self.calls {
            for key in &call.keys {
                by_key.entry(key).or_default().push(call.counted);
            }
        }
        for (key, mut counted) in by_key {
            counted.sort();
            let limits: &[(usize, u64)] = match key.limit() {
                Limit::App => &[(50, 1)],
                Limit::Api => &[(50, 1), (1000, 60)],
                Limit::Chat | Limit::Message => &[(5, 1)],
                Limit::Card => &[(10, 1)],
            };
            for (calls, seconds) in limits {
                for (first, next) in counted.iter().zip(counted.iter().skip(*calls)) {
                    assert!(
                        *next - *first >= Duration::from_secs(*seconds),
                        "{key:?}: more than {calls} in {seconds} s"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_limit_is_passed_nothing_idles_and_classes_hold(wishes in prop::collection::vec(wanted(), 1..300)) {
        let mut storm = Storm::new();
        storm.run(&wishes);
        storm.assert_within_limits();
    }
}
