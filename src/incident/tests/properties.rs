//! Whatever happens, in whatever order.

use proptest::prelude::*;

use super::*;

/// Steps of every kind, on few alerts and few people.
fn steps() -> impl Strategy<Value = Vec<String>> {
    let key = prop::sample::select(vec!["a", "b", "c", "d"]);
    let severity = prop::sample::select(vec!["info", "warning", "error", "critical"]);
    let alert = (
        prop::sample::select(vec!["fire", "fire", "recover", "recover", "acked"]),
        key,
        severity,
        prop::option::of(0..90_u64),
    )
        .prop_map(|(what, key, severity, at)| match at {
            Some(at) => format!("{what} {key} {severity} {at}"),
            None => format!("{what} {key} {severity}"),
        });
    let person = prop::sample::select(vec![
        "li ack",
        "mei ack",
        "li unack",
        "li snooze 1",
        "li snooze 30",
        "li snooze 1440",
        "li close",
        "li close",
        "li reopen why",
        "li assign li",
        "mei assign li",
        "li add wang",
        "li comment x",
        "li title x",
        "li impact x",
        "li severity critical",
        "li severity info",
        "li severity auto",
        "clock",
        "hush on",
        "hush off",
        "merge 1 2",
        "merge 2 1",
        "merge 3 1",
        "merge 1 1",
    ])
    .prop_map(str::to_owned);
    let wait = (0..40_u64).prop_map(|minutes| format!("wait {minutes}"));
    prop::collection::vec(prop_oneof![4 => alert, 2 => person, 2 => wait], 0..60)
}

proptest! {
    #[test]
    fn whatever_happens_the_records_stay_true(steps in steps(), quiet in 0..4_u64, alone in any::<bool>()) {
        let mut desk = Desk::new();
        desk.rules.quiet = minutes(quiet);
        if alone {
            // Each alert is an incident, so that there is something to merge.
            desk.groupings = vec![Grouping { by: vec!["instance".into()], ..Grouping::default() }];
        }
        for step in steps {
            desk.play(&step);
        }
        // When everything recovers and time goes by, nothing that alerts opened stays open, but for what a
        // person reopened.
        desk.play("hush off");
        for key in ["a", "b", "c", "d"] {
            desk.play("wait 1");
            desk.play(&format!("recover {key} warning"));
        }
        desk.play("wait 1500");
        for incident in desk.incidents.values() {
            let by_hand = desk.entries[&incident.id].iter().any(|entry| {
                matches!(entry.what, What::Reopened { .. }) && matches!(entry.by.actor, Actor::Person(_))
            });
            prop_assert!(!incident.is_open() || by_hand, "{:?}", incident);
        }
    }

    #[test]
    fn reports_that_tell_their_time_may_come_in_any_order(
        reports in prop::collection::vec((0..3_usize, 0..2_usize, any::<bool>()), 1..14),
        order in any::<u64>(),
    ) {
        // Each has a time of its own, as the clock of one sender gives them.
        let reports: Vec<Alert> = reports
            .iter()
            .enumerate()
            .map(|(at, (key, severity, fires))| {
                let at = u64::try_from(at).unwrap();
                let severity = ["warning", "critical"][*severity];
                let mut alert = report(["a", "b", "c"][*key], severity, at, (!fires).then_some(at));
                alert.as_of = Some(start() + minutes(at));
                alert
            })
            .collect();
        let play = |reports: &[&Alert]| {
            let mut desk = Desk::new();
            // Nothing is resolved in between: that a page was sent cannot be undone.
            desk.rules.quiet = minutes(100_000);
            desk.now += minutes(60);
            for alert in reports {
                desk.receive((*alert).clone());
            }
            let states: Vec<_> = desk
                .tracked
                .iter()
                .map(|(key, tracked)| (key.clone(), tracked.alert.clone(), tracked.order))
                .collect();
            let mut firing = Tally::default();
            desk.incidents.values().for_each(|incident| firing.add_all(&incident.firing));
            (states, firing)
        };
        let in_order: Vec<&Alert> = reports.iter().collect();
        let mut shuffled = in_order.clone();
        fastrand::Rng::with_seed(order).shuffle(&mut shuffled);
        prop_assert_eq!(play(&in_order), play(&shuffled));
        // And each may come twice.
        let twice: Vec<&Alert> = shuffled.iter().flat_map(|alert| [*alert, *alert]).collect();
        prop_assert_eq!(play(&in_order), play(&twice));
    }
}
