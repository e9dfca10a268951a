//! What an incident does when its alerts come and go, and when people act on it.

use super::*;

#[test]
fn an_alert_opens_an_incident_and_its_recovery_resolves_it_after_a_quiet_time() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("wait 5", "triggered warning 1/1; "),
        ("fire a warning 0", "triggered warning 1/1; "),
        (
            "recover a warning",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("clock", "triggered warning 0/1; WAKE in 2m"),
        ("wait 2", "resolved warning 0/1; resolved, STOP"),
        ("recover a warning 5", "resolved warning 0/1; "),
    ]);
}

#[test]
fn flapping_does_not_resolve() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("li ack", "acknowledged warning 1/1; acknowledged, STOP"),
        ("wait 1", "acknowledged warning 1/1; "),
        (
            "recover a warning",
            "acknowledged warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 1", "acknowledged warning 0/1; "),
        (
            "fire a warning",
            "acknowledged warning 1/1; alert_fired, relapsed",
        ),
        ("wait 10", "acknowledged warning 1/1; "),
        (
            "recover a warning",
            "acknowledged warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 3", "resolved warning 0/1; resolved, STOP"),
    ]);
}

#[test]
fn what_fires_again_soon_reopens_and_later_is_new() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "recover a warning",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 3", "resolved warning 0/1; resolved, STOP"),
        (
            "fire a warning",
            "triggered warning 1/1; reopened, PAGE Reopened, alert_fired",
        ),
        ("wait 1", "triggered warning 1/1; "),
        (
            "recover a warning",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 30", "resolved warning 0/1; resolved, STOP"),
        // The second incident; the first stays as it is.
        (
            "fire a warning",
            "resolved warning 0/1; opened, PAGE Opened, alert_fired",
        ),
    ]);
}

#[test]
fn the_severity_is_that_of_the_worst_alert() {
    check(&[
        (
            "fire a info",
            "triggered info 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "fire b critical",
            "triggered critical 2/2; alert_fired, severity_changed",
        ),
        ("fire c error", "triggered critical 3/3; alert_fired"),
        ("wait 1", "triggered critical 3/3; "),
        (
            "recover b critical",
            "triggered error 2/3; alert_recovered, severity_changed",
        ),
        (
            "li severity warning",
            "triggered warning 2/3; severity_changed",
        ),
        ("fire d critical", "triggered warning 3/4; alert_fired"),
        (
            "li severity auto",
            "triggered critical 3/4; severity_changed",
        ),
    ]);
}

#[test]
fn the_first_who_acknowledges_has_it_and_the_next_is_told() {
    check(&[
        (
            "fire a error",
            "triggered error 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("li unack", "triggered error 1/1; REFUSED NotAcknowledged"),
        ("li ack", "acknowledged error 1/1; acknowledged, STOP"),
        (
            "mei ack",
            "acknowledged error 1/1; REFUSED AlreadyAcknowledged",
        ),
        (
            "mei assign mei",
            "acknowledged error 1/1; assigned, acknowledged, STOP",
        ),
        ("mei assign li", "acknowledged error 1/1; assigned"),
        (
            "mei unack",
            "triggered error 1/1; unacknowledged, PAGE Unacknowledged",
        ),
        (
            "li add mei",
            "triggered error 1/1; REFUSED AlreadyResponder",
        ),
        ("li add wang", "triggered error 1/1; responder_added"),
    ]);
}

#[test]
fn a_snooze_ends_by_time_by_worse_or_by_hand() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "li snooze 0",
            "triggered warning 1/1; REFUSED SnoozeOutOfBounds",
        ),
        (
            "li snooze 1441",
            "triggered warning 1/1; REFUSED SnoozeOutOfBounds",
        ),
        (
            "li snooze 120",
            "snoozed warning 1/1; snoozed, STOP, WAKE in 120m",
        ),
        ("fire b warning", "snoozed warning 2/2; alert_fired"),
        ("wait 119", "snoozed warning 2/2; "),
        ("wait 1", "triggered warning 2/2; woke, PAGE Woke"),
        (
            "li snooze 1440",
            "snoozed warning 2/2; snoozed, STOP, WAKE in 1440m",
        ),
        (
            "fire c critical",
            "triggered critical 3/3; alert_fired, severity_changed, woke, PAGE Woke",
        ),
        (
            "li snooze 60",
            "snoozed critical 3/3; snoozed, STOP, WAKE in 60m",
        ),
        ("li ack", "acknowledged critical 3/3; acknowledged, STOP"),
        ("wait 60", "acknowledged critical 3/3; "),
    ]);
}

#[test]
fn what_recovers_while_it_is_put_off_is_resolved() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "li snooze 60",
            "snoozed warning 1/1; snoozed, STOP, WAKE in 60m",
        ),
        (
            "recover a warning",
            "snoozed warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 2", "resolved warning 0/1; resolved, STOP"),
        ("wait 60", "resolved warning 0/1; "),
    ]);
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "li snooze 1",
            "snoozed warning 1/1; snoozed, STOP, WAKE in 1m",
        ),
        (
            "recover a warning",
            "snoozed warning 0/1; alert_recovered, recovering, WAKE in 1m",
        ),
        // Both times are kept: it is triggered again, and then over.
        (
            "wait 2",
            "resolved warning 0/1; WAKE in 0m, woke, PAGE Woke, resolved, STOP",
        ),
    ]);
}

#[test]
fn what_was_closed_by_hand_stays_closed_for_its_repetitions() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("li close", "resolved warning 0/1; resolved, STOP"),
        ("li close", "resolved warning 0/1; REFUSED AlreadyResolved"),
        ("li ack", "resolved warning 0/1; REFUSED AlreadyResolved"),
        (
            "li comment it was the cable",
            "resolved warning 0/1; commented",
        ),
        ("wait 5", "resolved warning 0/1; "),
        ("fire a warning 0", "resolved warning 0/1; "),
        // It recovers and fires anew: that is news.
        ("recover a warning", "resolved warning 0/1; "),
        ("wait 5", "resolved warning 0/1; "),
        (
            "fire a warning",
            "resolved warning 0/1; opened, PAGE Opened, alert_fired",
        ),
    ]);
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("li close", "resolved warning 0/1; resolved, STOP"),
        ("wait 61", "resolved warning 0/1; "),
        // An hour later it still fires, and somebody should know.
        (
            "fire a warning 0",
            "resolved warning 0/1; opened, PAGE Opened, alert_fired",
        ),
    ]);
}

#[test]
fn reopening_needs_a_reason() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "li reopen too early",
            "triggered warning 1/1; REFUSED NotResolved",
        ),
        ("li close", "resolved warning 0/1; resolved, STOP"),
        ("li reopen  ", "resolved warning 0/1; REFUSED NothingSaid"),
        (
            "li reopen customers still see it",
            "triggered warning 0/1; reopened, PAGE Reopened",
        ),
        // Nothing fires that is known, but a person said so: only a person ends it, or an alert.
        ("wait 600", "triggered warning 0/1; "),
        ("fire a warning 0", "triggered warning 1/1; alert_fired"),
        (
            "recover a warning",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 2", "resolved warning 0/1; resolved, STOP"),
    ]);
}

#[test]
fn late_reports_change_nothing() {
    check(&[
        ("wait 10", "nothing; "),
        (
            "fire a warning 5",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        // Of an earlier time than the firing that is known.
        ("recover a warning 2", "triggered warning 1/1; alert_late"),
        (
            "recover a warning 8",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        // The same beginning again, right after: overtaken.
        ("fire a warning 5", "triggered warning 0/1; alert_late"),
        ("wait 1", "triggered warning 0/1; "),
        // And later: a second server still sees it, and that is believed.
        ("wait 1", "resolved warning 0/1; resolved, STOP"),
        (
            "fire a warning 5",
            "triggered warning 1/1; reopened, PAGE Reopened, alert_fired",
        ),
        (
            "recover a warning 12",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
    ]);
}

#[test]
fn a_recovery_of_what_is_not_known_opens_nothing_and_is_remembered() {
    check(&[
        ("wait 10", "nothing; "),
        ("recover a warning 8", "nothing; "),
        ("acked b warning", "nothing; "),
        ("fire a warning 5", "nothing; "),
        (
            "fire b warning 9",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
    ]);
}

#[test]
fn an_acknowledgement_at_the_sender_is_one_here_if_it_hides_nothing() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        (
            "acked a warning",
            "acknowledged warning 1/1; alert_acknowledged, acknowledged, STOP",
        ),
    ]);
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("fire b warning", "triggered warning 2/2; alert_fired"),
        (
            "acked a warning",
            "triggered warning 2/2; alert_acknowledged",
        ),
    ]);
}

#[test]
fn what_is_hushed_opens_nothing_and_is_told_of_when_it_fires_on() {
    check(&[
        ("hush on", "nothing; "),
        ("fire a warning", "nothing; "),
        ("wait 5", "nothing; "),
        ("fire a warning 0", "nothing; "),
        ("hush off", "nothing; "),
        (
            "fire a warning 0",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("hush on", "triggered warning 1/1; "),
        ("fire b critical", "triggered warning 1/1; "),
        (
            "recover a warning",
            "triggered warning 0/1; alert_recovered, recovering, WAKE in 2m",
        ),
        ("wait 1", "triggered warning 0/1; "),
        ("fire a warning", "triggered warning 0/1; "),
        ("wait 1", "resolved warning 0/1; resolved, STOP"),
    ]);
}

#[test]
fn words_are_changed_and_empty_ones_refused() {
    check(&[
        (
            "fire a warning",
            "triggered warning 1/1; opened, PAGE Opened, alert_fired",
        ),
        ("li title  ", "triggered warning 1/1; REFUSED NothingSaid"),
        (
            "li title Checkout is slow",
            "triggered warning 1/1; title_changed",
        ),
        (
            "li impact 3% of orders",
            "triggered warning 1/1; impact_changed",
        ),
        ("li comment  ", "triggered warning 1/1; REFUSED NothingSaid"),
    ]);
}

#[test]
fn merged_incidents_count_as_one() {
    let mut desk = Desk::new();
    desk.groupings = vec![Grouping {
        by: vec!["instance".to_owned()],
        ..Grouping::default()
    }];
    let mut lines = Vec::new();
    for step in [
        "fire a warning",
        "fire b critical",
        "fire c info",
        "merge 1 1",
        "merge 3 2",
        "merge 1 3",
        "merge 2 1",
        "wait 1",
        "recover b critical",
        "wait 1",
        "fire b critical",
        "li close",
        "fire c info 0",
        "wait 1",
        "fire c info",
    ] {
        let actions = desk.play(step);
        lines.push(format!("{step}: {}", desk.line(&actions)));
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    fire a warning: triggered warning 1/1; opened, PAGE Opened, alert_fired
    fire b critical: triggered warning 1/1; opened, PAGE Opened, alert_fired
    fire c info: triggered warning 1/1; opened, PAGE Opened, alert_fired
    merge 1 1: triggered warning 1/1; REFUSED CannotMerge
    merge 3 2: triggered warning 1/1; absorbed, severity_changed
    merge 1 3: triggered critical 3/3; absorbed, severity_changed
    merge 2 1: triggered critical 3/3; REFUSED Merged
    wait 1: triggered critical 3/3; 
    recover b critical: triggered warning 2/3; alert_recovered, severity_changed
    wait 1: triggered warning 2/3; 
    fire b critical: triggered critical 3/3; alert_fired, severity_changed
    li close: resolved critical 0/3; resolved, STOP
    fire c info 0: resolved critical 0/3; 
    wait 1: resolved critical 0/3; 
    fire c info: resolved critical 0/3; opened, PAGE Opened, alert_fired
    ");
}

#[test]
fn a_person_can_declare_an_incident() {
    let by = By::person("li", Channel::Command);
    let id = IncidentId("i1".into());
    let now = start();
    let (mut incident, actions) =
        Incident::declare(id, 7, by.clone(), " Payments\nfail ", Severity::Error, now);
    assert_eq!(asked(&actions, now), "opened, PAGE Opened");
    assert_eq!(
        (incident.title.as_str(), incident.number),
        ("Payments fail", 7)
    );
    let actions = incident.observe(Happening::Deed(by, Deed::Resolve), &Rules::default(), now);
    assert_eq!(asked(&actions, now), "resolved, STOP");
}
