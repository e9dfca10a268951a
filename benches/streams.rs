//! How well the text of many answers at once uses what the platform allows, in simulated time:
//!
//! ```text
//! cargo bench --bench streams            1, 5, 25 and 100 answers of three minutes
//! cargo bench --bench streams -- 40 10   40 answers of ten minutes
//! ```
//!
//! Against it stands the simple policy of other bots: each card every 300 ms, and again after a refusal.
//! The platform here keeps its limits as windows on its own clock and does not count what it refuses, which
//! is kind to the simple policy. Figures are ratios to the fair share: every card in turn, the whole budget
//! used, but no card more often than answers are redrawn.
//!
//! - **budget**: updates shown, of the 1000 a minute.
//! - **refused**: updates refused, for each one shown.
//! - **staleness**: how far what people see is behind the answer, looked at every 5 ms.
//! - **late**: from the end of the answers to the last card's last word.

#![expect(clippy::print_stdout, reason = "the figures are for people to read")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that fails should say where"
)]

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use nightjar::feishu::{
    CardId, Class,
    scheduler::{Ask, Schedule, Slot, Target, Ticket},
};

const TICK: Duration = Duration::from_millis(5);
const ROUND_TRIP: Duration = Duration::from_millis(100);
const REDRAW: Duration = Duration::from_millis(400);
const SIMPLE_EVERY: Duration = Duration::from_millis(300);
const SIMPLE_WAIT: Duration = Duration::from_secs(1);
/// After that no answer is written any more, and what has not arrived never will.
const GIVE_UP: Duration = Duration::from_secs(120);

/// A change of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Text,
    Settings,
    Whole,
}

impl Step {
    fn api(self) -> &'static str {
        match self {
            Step::Text => "card.stream",
            Step::Settings => "card.settings",
            Step::Whole => "card.replace",
        }
    }
}

/// What the platform counts, in milliseconds of its clock.
#[derive(Default)]
struct Platform {
    windows: HashMap<(String, u64), VecDeque<u64>>,
}

impl Platform {
    fn takes(&mut self, card: usize, step: Step, now_ms: u64) -> bool {
        let rules = [
            ("app".to_owned(), 50, 1000),
            (step.api().to_owned(), 50, 1000),
            (step.api().to_owned(), 1000, 60_000),
            (format!("card {card}"), 10, 1000),
        ];
        let full = rules.iter().any(|(name, calls, span_ms)| {
            let window = self.windows.entry((name.clone(), *span_ms)).or_default();
            while window.front().is_some_and(|at| now_ms - at >= *span_ms) {
                window.pop_front();
            }
            window.len() >= *calls
        });
        if !full {
            for (name, _, span_ms) in rules {
                let window = self.windows.get_mut(&(name, span_ms)).unwrap();
                window.push_back(now_ms);
            }
        }
        !full
    }
}

/// One answer.
#[derive(Clone)]
struct Card {
    /// What people see is the answer as it was then.
    shown: Duration,
    next: Step,
    is_under_way: bool,
    /// The simple policy: not before then.
    not_before: Duration,
    asked: Option<Ticket>,
    has_shown: bool,
    finished: Option<Duration>,
}

struct Call {
    card: usize,
    step: Step,
    text: Duration,
    arrives: Duration,
    answered: Duration,
    accepted: Option<bool>,
    slot: Option<Slot>,
}

trait Policy {
    /// Which cards call now.
    fn choose(
        &mut self,
        cards: &mut [Card],
        now: Duration,
        end: Duration,
    ) -> Vec<(usize, Option<Slot>)>;
    /// Until when a card keeps still that was refused.
    fn refused(&mut self, now: Duration) -> Duration;
    fn answered(&mut self, slot: Option<Slot>, now: Duration);
    /// The answer that is sent at `now`: as of its last drawing.
    fn drawn(now: Duration) -> Duration;
}

struct Simple;

impl Policy for Simple {
    fn choose(
        &mut self,
        cards: &mut [Card],
        now: Duration,
        _: Duration,
    ) -> Vec<(usize, Option<Slot>)> {
        let ready = |(_, card): &(usize, &Card)| {
            !card.is_under_way && card.finished.is_none() && card.not_before <= now
        };
        cards
            .iter()
            .enumerate()
            .filter(ready)
            .map(|(number, _)| (number, None))
            .collect()
    }

    fn refused(&mut self, now: Duration) -> Duration {
        now + SIMPLE_WAIT
    }

    fn answered(&mut self, _: Option<Slot>, _: Duration) {}

    fn drawn(now: Duration) -> Duration {
        now
    }
}

struct Scheduled {
    schedule: Schedule,
    start: Instant,
    tickets: HashMap<Ticket, usize>,
}

impl Policy for Scheduled {
    fn choose(
        &mut self,
        cards: &mut [Card],
        now: Duration,
        end: Duration,
    ) -> Vec<(usize, Option<Slot>)> {
        for (number, card) in cards.iter_mut().enumerate() {
            let is_new = Self::drawn(now.min(end)) > card.shown || card.next != Step::Text;
            if card.asked.is_some() || card.is_under_way || card.finished.is_some() || !is_new {
                continue;
            }
            let class = match card.next {
                Step::Text => Class::Progress,
                _ => Class::Sign,
            };
            let ticket = self.schedule.ask(Ask {
                api: card.next.api(),
                target: Some(Target::Card(CardId::new(number.to_string()))),
                class,
                since: self.start + now,
                is_first: !card.has_shown,
            });
            card.asked = Some(ticket);
            self.tickets.insert(ticket, number);
        }
        let mut chosen = Vec::new();
        for (ticket, slot) in self.schedule.poll(self.start + now).granted {
            let number = self.tickets.remove(&ticket).unwrap();
            if cards[number].asked == Some(ticket) {
                cards[number].asked = None;
                chosen.push((number, Some(slot)));
            } else {
                self.schedule.unused(slot);
            }
        }
        chosen
    }

    fn refused(&mut self, now: Duration) -> Duration {
        now
    }

    fn answered(&mut self, slot: Option<Slot>, now: Duration) {
        self.schedule.answered(slot.unwrap(), self.start + now);
    }

    fn drawn(now: Duration) -> Duration {
        now - Duration::from_nanos((now.as_nanos() % REDRAW.as_nanos()) as u64)
    }
}

struct Figures {
    budget: f64,
    refused: f64,
    median: Duration,
    p99: Duration,
    late: Duration,
    finals: usize,
}

fn run<P: Policy>(mut policy: P, count: usize, length: Duration) -> Figures {
    let mut platform = Platform::default();
    let mut cards = vec![
        Card {
            shown: Duration::ZERO,
            next: Step::Text,
            is_under_way: false,
            not_before: Duration::ZERO,
            asked: None,
            has_shown: false,
            finished: None,
        };
        count
    ];
    let mut calls: Vec<Call> = Vec::new();
    let mut staleness = Vec::new();
    let (mut shown, mut refused) = (0_u32, 0_u32);
    let mut now = Duration::ZERO;
    while now < length + GIVE_UP && cards.iter().any(|card| card.finished.is_none()) {
        let is_over = now >= length;
        for call in &mut calls {
            if call.accepted.is_none() && call.arrives <= now {
                let accepted = platform.takes(call.card, call.step, now.as_millis() as u64);
                call.accepted = Some(accepted);
                if accepted && call.step == Step::Text {
                    let card = &mut cards[call.card];
                    card.shown = card.shown.max(call.text);
                    shown += u32::from(!is_over);
                }
                refused += u32::from(!accepted && !is_over);
            }
        }
        let (back, still): (Vec<_>, Vec<_>) =
            calls.into_iter().partition(|call| call.answered <= now);
        calls = still;
        for call in back {
            let card = &mut cards[call.card];
            card.is_under_way = false;
            policy.answered(call.slot, now);
            if call.accepted == Some(false) {
                card.not_before = policy.refused(now);
                continue;
            }
            card.has_shown = true;
            match call.step {
                Step::Text => {}
                Step::Settings => card.next = Step::Whole,
                Step::Whole => card.finished = Some(now),
            }
        }
        if is_over {
            for card in cards.iter_mut().filter(|card| card.next == Step::Text) {
                card.next = Step::Settings;
                card.asked = None;
            }
        }
        for (number, slot) in policy.choose(&mut cards, now, length) {
            let card = &mut cards[number];
            card.is_under_way = true;
            card.not_before = now + SIMPLE_EVERY;
            calls.push(Call {
                card: number,
                step: card.next,
                text: P::drawn(now.min(length)),
                arrives: now + ROUND_TRIP / 2,
                answered: now + ROUND_TRIP,
                accepted: None,
                slot,
            });
        }
        if !is_over {
            staleness.extend(cards.iter().map(|card| now - card.shown));
        }
        now += TICK;
    }
    staleness.sort();
    Figures {
        budget: f64::from(shown) / (length.as_secs_f64() / 60.0 * 1000.0),
        refused: f64::from(refused) / f64::from(shown.max(1)),
        median: staleness[staleness.len() / 2],
        p99: staleness[staleness.len() * 99 / 100],
        late: now.saturating_sub(length),
        finals: cards.iter().filter(|card| card.finished.is_some()).count(),
    }
}

fn print(name: &str, count: usize, figures: &Figures) {
    let turn = Duration::from_millis(60).mul_f64(count as f64).max(REDRAW);
    // In its turn a card gets older until its next update arrives.
    let ideal = |part: f64| (turn.mul_f64(part) + ROUND_TRIP / 2).as_secs_f64();
    let (median, p99) = (figures.median.as_secs_f64(), figures.p99.as_secs_f64());
    println!(
        "{count:>4} {name:<10} {:>7.3} {:>8.2} {median:>8.2} s x{:<5.2} {p99:>7.2} s x{:<5.2} {:>6.1} s {:>4}/{count}",
        figures.budget,
        figures.refused,
        median / ideal(0.5),
        p99 / ideal(0.99),
        figures.late.as_secs_f64(),
        figures.finals,
    );
}

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let (counts, minutes) = match numbers[..] {
        [count, minutes] => (vec![count as usize], minutes),
        _ => (vec![1, 5, 25, 100], 3),
    };
    let length = Duration::from_secs(60 * minutes);
    println!("{minutes} minutes each; x is the ratio to the fair share");
    println!(
        "   n policy      budget  refused   stale median        stale p99          late finals"
    );
    for count in counts {
        let scheduled = Scheduled {
            schedule: Schedule::default(),
            start: Instant::now(),
            tickets: HashMap::new(),
        };
        print("scheduler", count, &run(scheduled, count, length));
        print("simple", count, &run(Simple, count, length));
    }
}
