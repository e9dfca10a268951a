//! Who goes first, and that each gets a fair share.

use super::{
    storm::{Made, Storm},
    *,
};

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
