//! What a refusal teaches.

use super::*;

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
