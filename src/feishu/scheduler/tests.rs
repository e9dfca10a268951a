//! What must hold of every schedule, whatever is asked and however slowly it is answered; what refusals
//! teach; and that those who wait are woken.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::{
    limits::{Key, share},
    *,
};
use crate::feishu::{CardId, ChatId, MessageId};

const CLASSES: [Class; 4] = [Class::Page, Class::Click, Class::Sign, Class::Progress];
const APIS: [&str; 3] = ["message.create", "card.stream", "card.replace"];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn target(number: u8) -> Option<Target> {
    match number {
        0 | 1 => Some(Target::Chat(ChatId::new(format!("oc_{number}")))),
        2 => Some(Target::Message(MessageId::new("om_2"))),
        3..=5 => Some(Target::Card(CardId::new(format!("{number}")))),
        _ => None,
    }
}

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
struct Storm {
    schedule: Schedule,
    start: Instant,
    now: Instant,
    waiting: BTreeMap<Ticket, (Ask, Wanted)>,
    under_way: Vec<(Instant, Ticket, Slot)>,
    calls: Vec<Made>,
    by_ticket: HashMap<Ticket, usize>,
}

struct Made {
    keys: Vec<Key>,
    granted: Instant,
    answered: Option<Instant>,
    counted: Instant,
}

fn keys_of(ask: &Ask) -> Vec<Key> {
    let target = ask.target.clone().map(Key::Target);
    target
        .into_iter()
        .chain([Key::Api(ask.api), Key::App])
        .collect()
}

impl Storm {
    fn new() -> Self {
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
    fn assert_within_limits(&self) {
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

/// Streams that always have something to show, for so long. Gives when each update left, by stream.
fn stream(count: usize, minutes: u64, answer_ms: u64) -> (Storm, Vec<Vec<Instant>>) {
    let mut storm = Storm::new();
    let end = storm.start + Duration::from_secs(60 * minutes);
    let mut sent = vec![Vec::new(); count];
    let mut streams: HashMap<Ticket, usize> = HashMap::new();
    let mut free: Vec<usize> = (0..count).collect();
    while storm.now < end {
        for number in free.drain(..) {
            let ask = Ask {
                api: "card.stream",
                target: Some(Target::Card(CardId::new(number.to_string()))),
                class: Class::Progress,
                since: storm.now,
                is_first: sent[number].is_empty(),
            };
            streams.insert(storm.schedule.ask(ask), number);
        }
        let polled = storm.schedule.poll(storm.now);
        for (ticket, slot) in polled.granted {
            let number = streams[&ticket];
            sent[number].push(storm.now);
            storm.calls.push(Made {
                keys: vec![Key::App, Key::Api("card.stream")],
                granted: storm.now,
                answered: None,
                counted: storm.now,
            });
            let answered = storm.now + ms(answer_ms);
            storm.under_way.push((answered, ticket, slot));
        }
        let answer = storm.under_way.iter().map(|(at, ..)| *at).min();
        storm.now = polled.wake.into_iter().chain(answer).min().unwrap();
        let (back, still): (Vec<_>, Vec<_>) = std::mem::take(&mut storm.under_way)
            .into_iter()
            .partition(|(at, ..)| *at <= storm.now);
        storm.under_way = still;
        for (_, ticket, slot) in back {
            storm.schedule.answered(slot, storm.now);
            free.push(streams.remove(&ticket).unwrap());
        }
    }
    (storm, sent)
}

#[test]
fn a_hundred_streams_share_the_budget_evenly_and_use_it_up() {
    for answer_ms in [20, 300] {
        let (storm, sent) = stream(100, 5, answer_ms);
        storm.assert_within_limits();
        let total: usize = sent.iter().map(Vec::len).sum();
        assert!(total >= 5 * 950, "{total} updates in five minutes");
        let counts: Vec<usize> = sent.iter().map(Vec::len).collect();
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 1, "{least} to {most}");
        let fair = ms(60 * 100);
        for times in &sent {
            for pair in times.windows(2) {
                assert!(
                    pair[1] - pair[0] < fair.mul_f64(1.3),
                    "{:?}",
                    pair[1] - pair[0]
                );
            }
        }
    }
}

#[test]
fn who_has_shown_nothing_goes_ahead() {
    let mut schedule = Schedule::default();
    let now = Instant::now();
    let ask = |card: &str, waited, is_first| Ask {
        api: "card.stream",
        target: Some(Target::Card(CardId::new(card))),
        class: Class::Progress,
        since: now - ms(waited),
        is_first,
    };
    let old = schedule.ask(ask("1", 900, false));
    let older = schedule.ask(ask("2", 950, false));
    let fresh = schedule.ask(ask("3", 1, true));
    let granted: Vec<Ticket> = schedule.poll(now).granted.iter().map(|one| one.0).collect();
    assert_eq!(granted, [fresh, older, old]);
}

#[test]
fn a_page_finds_room_under_every_load() {
    for low in [Class::Click, Class::Sign, Class::Progress] {
        let mut schedule = Schedule::default();
        let now = Instant::now();
        let ask = |class, target| Ask {
            api: "message.create",
            target,
            class,
            since: now,
            is_first: false,
        };
        for number in 0..3000_u32 {
            // All of them about the page's own chat, and all about others.
            let chat = if number % 2 == 0 { 0 } else { number };
            let chat = Target::Chat(ChatId::new(format!("oc_{chat}")));
            let _ = schedule.ask(ask(low, Some(chat)));
        }
        let mut now = now;
        for _ in 0..40 {
            let polled = schedule.poll(now);
            for (_, slot) in polled.granted {
                schedule.answered(slot, now);
            }
            let page = schedule.ask(ask(Class::Page, target(0)));
            let polled = schedule.poll(now);
            let granted = polled.granted;
            assert!(granted.iter().any(|(ticket, _)| *ticket == page), "{low:?}");
            for (_, slot) in granted {
                schedule.unused(slot);
            }
            now = polled.wake.expect("more wait than may go at once");
        }
    }
}

/// The limit that ten seconds after a refusal still holds back: what was refused, and what is asked then.
#[test]
fn a_refusal_closes_what_it_is_about_and_nothing_else() {
    let sending = ("message.create", target(0));
    let chat = ("message.create", target(1));
    let card = ("card.stream", target(3));
    let other_card = ("card.stream", target(4));
    for (refused, limit, closed, open) in [
        (&sending, Limit::Api, vec![&sending, &chat], vec![&card]),
        (&sending, Limit::Chat, vec![&sending], vec![&chat, &card]),
        (&card, Limit::Card, vec![&card], vec![&other_card, &chat]),
        (&card, Limit::Api, vec![&card, &other_card], vec![&chat]),
        (&card, Limit::App, vec![&card, &other_card, &chat], vec![]),
        // It names no chat, so it can only mean the API.
        (&card, Limit::Chat, vec![&card, &other_card], vec![&chat]),
    ] {
        let start = Instant::now();
        let ask = |(api, target): &(&'static str, Option<Target>)| Ask {
            api,
            target: target.clone(),
            class: Class::Page,
            since: start,
            is_first: false,
        };
        let mut schedule = Schedule::default();
        let _ = schedule.ask(ask(refused));
        let (_, slot) = schedule.poll(start).granted.pop().unwrap();
        schedule.refused(&slot, limit, Duration::from_secs(10), start);
        schedule.answered(slot, start);
        for (which, is_open) in closed
            .iter()
            .map(|which| (*which, false))
            .chain(open.iter().map(|which| (*which, true)))
        {
            let mut at = start + ms(9990);
            let ticket = schedule.ask(ask(which));
            let mut polled = schedule.poll(at);
            assert_eq!(!polled.granted.is_empty(), is_open, "{limit:?} {which:?}");
            if !is_open {
                assert_eq!(polled.wake, Some(start + Duration::from_secs(10)));
                at = start + Duration::from_secs(10);
                polled = schedule.poll(at);
            }
            let (granted, slot) = polled.granted.pop().unwrap();
            assert_eq!(granted, ticket);
            schedule.unused(slot);
        }
    }
}

#[test]
fn two_apis_refused_at_once_are_the_app() {
    let start = Instant::now();
    let ask = |api| Ask {
        api,
        target: None,
        class: Class::Sign,
        since: start,
        is_first: false,
    };
    let mut schedule = Schedule::default();
    let _ = (schedule.ask(ask("one")), schedule.ask(ask("two")));
    for (_, slot) in schedule.poll(start).granted {
        schedule.refused(&slot, Limit::Api, Duration::from_secs(3), start);
        schedule.answered(slot, start);
    }
    let _ = schedule.ask(ask("three"));
    let polled = schedule.poll(start);
    assert!(polled.granted.is_empty());
    assert_eq!(polled.wake, Some(start + Duration::from_secs(3)));
}

#[test]
fn a_chat_that_others_write_to_is_written_to_less_for_a_while() {
    let start = Instant::now();
    let mut schedule = Schedule::default();
    let mut in_one_second = |at: Instant, refuse: bool| {
        let ask = Ask {
            api: "message.create",
            target: target(0),
            class: Class::Page,
            since: at,
            is_first: false,
        };
        let tickets: Vec<Ticket> = (0..9).map(|_| schedule.ask(ask.clone())).collect();
        let granted = schedule.poll(at).granted;
        let count = granted.len();
        for (_, slot) in granted {
            if refuse {
                schedule.refused(&slot, Limit::Chat, ms(1000), at);
            }
            schedule.answered(slot, at);
        }
        tickets.into_iter().for_each(|one| schedule.withdraw(one));
        count
    };
    assert_eq!(in_one_second(start, false), 5);
    let one = in_one_second(start + Duration::from_secs(2), true);
    assert_eq!(one, 5, "nothing was refused yet");
    assert_eq!(in_one_second(start + Duration::from_secs(4), false), 1);
    assert_eq!(in_one_second(start + Duration::from_secs(65), false), 3);
    assert_eq!(in_one_second(start + Duration::from_secs(300), false), 5);
}

#[test]
fn when_the_month_is_used_up_only_pages_go_out() {
    let start = Instant::now();
    let hour = start + Duration::from_secs(3600);
    let mut schedule = Schedule::default();
    schedule.only_pages_until(Some(hour));
    let ask = |class| Ask {
        api: "message.create",
        target: None,
        class,
        since: start,
        is_first: false,
    };
    let asked: Vec<Ticket> = CLASSES.map(|class| schedule.ask(ask(class))).to_vec();
    let polled = schedule.poll(start);
    let granted: Vec<Ticket> = polled.granted.iter().map(|one| one.0).collect();
    assert_eq!(granted, asked[..1]);
    assert_eq!(polled.wake, Some(hour));
    assert_eq!(schedule.poll(hour).granted.len(), 3);
}

#[test]
fn idle_buckets_are_dropped() {
    let mut schedule = Schedule::default();
    let mut now = Instant::now();
    for number in 0..20_000 {
        now += ms(70);
        let _ = schedule.ask(Ask {
            api: "message.create",
            target: Some(Target::Chat(ChatId::new(format!("oc_{number}")))),
            class: Class::Page,
            since: now,
            is_first: false,
        });
        for (_, slot) in schedule.poll(now).granted {
            schedule.answered(slot, now);
        }
    }
    let kept = schedule.buckets();
    assert!(kept < 600, "{kept}");
}

mod driver {
    use futures::future::join_all;
    use tokio::time::{Instant, advance, sleep};

    use super::*;
    use crate::feishu::api::Api;

    static SEND: Api = Api::get("message.create", "/send");

    fn scheduler() -> Scheduler {
        Scheduler::new(Meter::new(0), Metrics::default())
    }

    fn to(chat: &str) -> Call<'static> {
        Call::of(&SEND).about(Target::Chat(ChatId::new(chat)))
    }

    async fn make(scheduler: &Scheduler, chat: &str, class: Class) -> Result<(), Error> {
        let mut permit = scheduler.admit(&to(chat), class).await?;
        permit.leave();
        sleep(ms(20)).await;
        Ok(())
    }

    fn refusal() -> Box<Refusal> {
        Box::new(Refusal {
            api: "message.create",
            code: 99_991_403,
            sub_code: None,
            message: "used up".into(),
            log_id: None,
            scopes: Vec::new(),
            help: None,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken_in_order() {
        let scheduler = scheduler();
        let start = Instant::now();
        let times = join_all((0..12).map(|_| async {
            make(&scheduler, "oc_a", Class::Sign).await.unwrap();
            start.elapsed()
        }))
        .await;
        assert!(times.is_sorted(), "{times:?}");
        assert!(times[3] < ms(50) && times[4] >= ms(1000), "{times:?}");
        assert!(times[11] < ms(2500), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_takes_nothing_along() {
        let scheduler = scheduler();
        for _ in 0..100 {
            let call = to("oc_a");
            let _ = timeout(ms(1), scheduler.admit(&call, Class::Sign)).await;
        }
        let start = Instant::now();
        make(&scheduler, "oc_a", Class::Sign).await.unwrap();
        assert!(start.elapsed() < ms(30), "no permit was used");
        assert_eq!(scheduler.shared.lock().waiting.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_known_to_be_too_long_is_refused_at_once() {
        let scheduler = scheduler();
        let permit = scheduler.admit(&to("oc_a"), Class::Sign).await.unwrap();
        permit.learn::<()>(&Err(Error::TooFast {
            wait: Duration::from_secs(30),
            limit: Limit::Chat,
            refusal: None,
        }));
        drop(permit);
        let start = Instant::now();
        let error = make(&scheduler, "oc_a", Class::Progress).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::TooFast {
                    limit: Limit::Chat,
                    refusal: None,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(start.elapsed(), Duration::ZERO);
        make(&scheduler, "oc_a", Class::Sign).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_month_used_up_ends_the_waiting_of_all_but_pages() {
        let scheduler = scheduler();
        let mut first = scheduler.admit(&to("oc_a"), Class::Sign).await.unwrap();
        first.leave();
        let waits = join_all((0..9).map(|_| make(&scheduler, "oc_a", Class::Sign)));
        let refuse = async {
            sleep(ms(5)).await;
            first.learn::<()>(&Err(Error::QuotaUsedUp(refusal())));
            drop(first);
        };
        let (outcomes, ()) = tokio::join!(waits, refuse);
        let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert_eq!(failed, 6, "three had gone before");
        let error = make(&scheduler, "oc_b", Class::Click).await.unwrap_err();
        assert!(matches!(error, Error::QuotaUsedUp(_)), "{error}");

        let page = scheduler.admit(&to("oc_b"), Class::Page).await.unwrap();
        page.learn(&Ok(()));
        drop(page);
        make(&scheduler, "oc_b", Class::Click).await.unwrap();

        scheduler
            .admit(&to("oc_c"), Class::Sign)
            .await
            .unwrap()
            .learn::<()>(&Err(Error::QuotaUsedUp(refusal())));
        assert!(make(&scheduler, "oc_b", Class::Click).await.is_err());
        advance(QUOTA_CLOSED + ms(1)).await;
        make(&scheduler, "oc_b", Class::Click).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_hundredth_of_the_month_is_for_pages() {
        let scheduler = Scheduler::new(Meter::new(100), Metrics::default());
        for number in 0..99 {
            make(&scheduler, &format!("oc_{number}"), Class::Sign)
                .await
                .unwrap();
        }
        let error = make(&scheduler, "oc_a", Class::Sign).await.unwrap_err();
        assert!(matches!(error, Error::QuotaUsedUp(_)), "{error}");
        make(&scheduler, "oc_a", Class::Page).await.unwrap();
        assert_eq!(scheduler.meter().tally().used, 100);
    }
}
