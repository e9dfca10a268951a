//! The rules, played step by step on records in memory, as `bot` plays them on the store.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    alert::{Alert, AlertKey, alertmanager},
    grouping::{GroupKey, Grouping, group_of},
    severity::{Severity, Tally},
    *,
};

/// Everything that is kept, and what was asked for.
struct Desk {
    now: Timestamp,
    rules: Rules,
    groupings: Vec<Grouping>,
    tracked: BTreeMap<AlertKey, Tracked>,
    incidents: BTreeMap<IncidentId, Incident>,
    newest: BTreeMap<GroupKey, IncidentId>,
    entries: BTreeMap<IncidentId, Vec<Entry>>,
    wakes: BTreeMap<IncidentId, Timestamp>,
    /// Everything is checked after every step while there is not too much of it.
    steps: u32,
    hushed: bool,
}

fn start() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// An alert as Alertmanager reports it; times are minutes after the start.
fn report(key: &str, severity: &str, began: u64, ended: Option<u64>) -> Alert {
    let time = |minute: u64| (start() + minutes(minute)).to_string();
    let body = serde_json::json!({"alerts": [{
        "status": if ended.is_some() { "resolved" } else { "firing" },
        "labels": {"alertname": "Slow", "severity": severity, "instance": key},
        "annotations": {"summary": format!("{key} is slow")},
        "startsAt": time(began),
        "endsAt": ended.map_or("0001-01-01T00:00:00Z".to_owned(), time),
        "fingerprint": key,
    }]});
    let mut batch = alertmanager::read(body.to_string().as_bytes()).unwrap();
    batch.alerts.remove(0)
}

impl Desk {
    fn new() -> Self {
        Self {
            now: start(),
            rules: Rules::default(),
            groupings: Vec::new(),
            tracked: BTreeMap::new(),
            incidents: BTreeMap::new(),
            newest: BTreeMap::new(),
            entries: BTreeMap::new(),
            wakes: BTreeMap::new(),
            steps: 0,
            hushed: false,
        }
    }

    fn receive(&mut self, alert: Alert) -> Vec<Action> {
        let group = group_of(&alert, "prometheus", &self.groupings);
        let tracked = self.tracked.get(&alert.key).cloned();
        let home = tracked.as_ref().and_then(|tracked| tracked.home.clone());
        let home = home.map(|home| self.root(&home.incident));
        let newest = self.newest.get(&group.0).map(|id| self.root(id));
        let known = Known {
            tracked,
            group: newest.filter(|newest| home.as_ref().is_none_or(|home| home.id != newest.id)),
            home,
            hushed: self.hushed,
        };
        let number = u32::try_from(self.incidents.len()).unwrap() + 1;
        let new = NewIncident {
            id: IncidentId(format!("i{number}")),
            number,
        };
        let key = alert.key.clone();
        let by = By::monitor("prometheus");
        let received = receive(alert, known, group.clone(), by, new, &self.rules, self.now);
        self.tracked.insert(key, received.tracked);
        if let Some(incident) = received.incident {
            if received.opened {
                self.newest.insert(group.0, incident.id.clone());
            }
            self.keep(incident, &received.actions);
        }
        self.steps += 1;
        if self.steps < 200 || self.steps.is_multiple_of(250) {
            self.check();
        }
        received.actions
    }

    fn root(&self, id: &IncidentId) -> Incident {
        let incident = &self.incidents[id];
        match &incident.merged_into {
            Some(other) => self.root(other),
            None => incident.clone(),
        }
    }

    fn happen(&mut self, number: u32, happening: Happening) -> Vec<Action> {
        let id = IncidentId(format!("i{number}"));
        let Some(mut incident) = self.incidents.get(&id).cloned() else {
            return Vec::new();
        };
        let actions = incident.observe(happening, &self.rules, self.now);
        self.keep(incident, &actions);
        self.check();
        actions
    }

    fn merge(&mut self, number: u32, other: u32) -> Vec<Action> {
        let [id, other] = [number, other].map(|number| IncidentId(format!("i{number}")));
        let (Some(mut one), Some(mut two)) = (
            self.incidents.get(&id).cloned(),
            self.incidents.get(&other).cloned(),
        ) else {
            return Vec::new();
        };
        let by = By::person("li", Channel::Command);
        let (stays, goes) = merge(&mut one, &mut two, by, &self.rules, self.now);
        // The one that stays is written last: a refused merge of one with itself leaves it as it was.
        self.keep(two, &goes);
        self.keep(one, &stays);
        self.check();
        stays
    }

    fn keep(&mut self, incident: Incident, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Enter(entry) => {
                    let entries = self.entries.entry(incident.id.clone()).or_default();
                    entries.push(entry.clone());
                }
                Action::WakeAt(at) => {
                    self.wakes.insert(incident.id.clone(), *at);
                }
                _ => {}
            }
        }
        self.incidents.insert(incident.id.clone(), incident);
    }

    /// Time goes by, and the clock rings when it was asked to.
    fn pass(&mut self, duration: Duration) -> Vec<Action> {
        let end = self.now + duration;
        let mut actions = Vec::new();
        loop {
            let due = self.wakes.iter().min_by_key(|(_, at)| **at);
            let Some((id, at)) = due
                .map(|(id, at)| (id.clone(), *at))
                .filter(|(_, at)| *at <= end)
            else {
                break;
            };
            self.wakes.remove(&id);
            self.now = self.now.max(at);
            let number = self.incidents[&id].number;
            actions.append(&mut self.happen(number, Happening::Clock));
        }
        self.now = end;
        actions
    }

    /// What must hold at any time.
    fn check(&self) {
        for incident in self.incidents.values() {
            let mut firing = Tally::default();
            for tracked in self.tracked.values() {
                if let Some(severity) = tracked.counted_in(incident) {
                    firing.add(severity);
                }
            }
            assert_eq!(incident.firing, firing, "{}", incident.id);
            let is_firing = firing.total() > 0;
            if !incident.is_open() {
                assert!(!is_firing, "resolved only when nothing is counted");
                assert!(incident.resolved_at.is_some());
            }
            if is_firing {
                assert!(incident.recovering_since.is_none());
                let worst = firing.worst().unwrap();
                assert!(incident.severity_by_hand || incident.severity == worst);
            }
            assert!(incident.severity <= incident.severity_max);
            let acknowledged = incident.state == State::Acknowledged;
            assert_eq!(incident.acknowledged.is_some(), acknowledged);
            if let State::Snoozed { until, .. } = incident.state {
                let asleep = until.duration_since(self.now).unsigned_abs();
                assert!(until <= self.now || asleep <= SNOOZE_MAX);
            }
            // Whoever waits for a time is woken.
            if incident.is_open() {
                let waits = incident.recovering_since.is_some()
                    || matches!(incident.state, State::Snoozed { .. });
                assert!(!waits || self.wakes.contains_key(&incident.id));
            }
            let entries = &self.entries[&incident.id];
            let numbers: Vec<u32> = entries.iter().map(|entry| entry.number).collect();
            assert_eq!(numbers, (1..=incident.entries).collect::<Vec<_>>());
            let json = serde_json::to_string(incident).unwrap();
            assert!(json.len() < 6 * 1024, "{} bytes", json.len());
            let again: Incident = serde_json::from_str(&json).unwrap();
            assert_eq!(&again, incident);
        }
    }

    /// Plays one step, such as `fire a critical`, `li ack` or `wait 5`.
    fn play(&mut self, step: &str) -> Vec<Action> {
        let words: Vec<&str> = step.split(' ').collect();
        let minute = self.now.duration_since(start()).as_secs() / 60;
        let minute = u64::try_from(minute).unwrap();
        let number = |word: &str| word.parse::<u64>().unwrap();
        let rest = |from: usize| words[from..].join(" ");
        let person = |deed: Deed| Happening::Deed(By::person(words[0], Channel::Card), deed);
        let happening = match (words[0], words.get(1).copied().unwrap_or_default()) {
            ("fire", key) => {
                let began = words.get(3).map_or(minute, |word| number(word));
                return self.receive(report(key, words[2], began, None));
            }
            ("recover", key) => {
                let ended = words.get(3).map_or(minute, |word| number(word));
                return self.receive(report(key, words[2], 0, Some(ended)));
            }
            ("acked", key) => {
                let mut alert = report(key, words[2], 0, None);
                alert.status = alert::Status::Acknowledged;
                return self.receive(alert);
            }
            ("wait", time) => return self.pass(minutes(number(time))),
            ("hush", on) => {
                self.hushed = on == "on";
                return Vec::new();
            }
            ("clock", _) => Happening::Clock,
            ("merge", one) => {
                let number = |word: &str| word.parse().unwrap();
                return self.merge(number(one), number(words[2]));
            }
            (_, "ack") => person(Deed::Acknowledge),
            (_, "unack") => person(Deed::Unacknowledge),
            (_, "snooze") => person(Deed::Snooze(minutes(number(words[2])))),
            (_, "close") => person(Deed::Resolve),
            (_, "reopen") => person(Deed::Reopen(rest(2))),
            (_, "assign") => person(Deed::Assign(PersonId(rest(2)))),
            (_, "add") => person(Deed::AddResponder(PersonId(rest(2)))),
            (_, "comment") => person(Deed::Comment(rest(2))),
            (_, "title") => person(Deed::SetTitle(rest(2))),
            (_, "impact") => person(Deed::SetImpact(rest(2))),
            (_, "severity") => person(Deed::SetSeverity(Severity::from_word(words[2]))),
            _ => panic!("no such step: {step}"),
        };
        self.happen(1, happening)
    }

    /// The first incident after a step, and what was asked for, in one line.
    fn line(&self, actions: &[Action]) -> String {
        let incident = &self.incidents.values().next();
        let Some(incident) = incident else {
            return format!("nothing; {}", asked(actions, self.now));
        };
        let state = match incident.state {
            State::Triggered => "triggered",
            State::Acknowledged => "acknowledged",
            State::Snoozed { .. } => "snoozed",
            State::Resolved => "resolved",
        };
        format!(
            "{state} {} {}/{}; {}",
            incident.severity,
            incident.firing.total(),
            incident.alerts,
            asked(actions, self.now)
        )
    }
}

/// Actions in short. Redrawing is what nearly everything asks for, so it is left out.
fn asked(actions: &[Action], now: Timestamp) -> String {
    let asked = actions.iter().filter_map(|action| {
        Some(match action {
            Action::Enter(entry) => {
                let what = serde_json::to_value(&entry.what).unwrap();
                what["kind"].as_str().unwrap().to_owned()
            }
            Action::ShowCards => return None,
            Action::Page(cause) => format!("PAGE {cause:?}"),
            Action::StopPaging => "STOP".to_owned(),
            Action::WakeAt(at) => {
                format!("WAKE in {}m", at.duration_since(now).as_secs() / 60)
            }
            Action::Refuse(refusal) => {
                let refusal = format!("{refusal:?}");
                let end = refusal.find(['(', ' ']).unwrap_or(refusal.len());
                format!("REFUSED {}", &refusal[..end])
            }
        })
    });
    asked.collect::<Vec<_>>().join(", ")
}

/// Each step and, in one line, what it leads to.
#[track_caller]
fn check(table: &[(&str, &str)]) {
    let mut desk = Desk::new();
    let played: Vec<(String, String)> = table
        .iter()
        .map(|(step, _)| {
            let actions = desk.play(step);
            (step.to_string(), desk.line(&actions))
        })
        .collect();
    let expected: Vec<(String, String)> = table
        .iter()
        .map(|(step, line)| (step.to_string(), line.to_string()))
        .collect();
    let shown = |rows: &[(String, String)]| {
        let rows = rows
            .iter()
            .map(|(step, line)| format!("(\"{step}\", \"{line}\"),"));
        rows.collect::<Vec<_>>().join("\n")
    };
    assert!(
        played == expected,
        "played:\n{}\nexpected:\n{}",
        shown(&played),
        shown(&expected)
    );
}

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
fn silences_hold_for_their_labels_and_their_time() {
    let alert = report("web-1", "warning", 0, None);
    let labels = grouping::labels_for_rules(&alert, "prometheus");
    let at = |minute: u64| start() + minutes(minute);
    let silence = noise::Silence {
        name: "works".into(),
        matchers: labels::Matchers::parse("instance=~\"web-.*\"").unwrap(),
        from: at(10),
        until: at(20),
        windows: Vec::new(),
        zone: window::Zone::default(),
        by: By::person("li", Channel::Command),
    };
    assert_eq!(silence.check(), Ok(()));
    let held: Vec<bool> = [9, 10, 19, 20]
        .map(|minute| {
            noise::hushed(
                &alert,
                &labels,
                std::slice::from_ref(&silence),
                &[],
                [],
                at(minute),
            )
        })
        .map(|hush| hush.is_some())
        .to_vec();
    assert_eq!(held, [false, true, true, false]);
    let recovered = report("web-1", "warning", 0, Some(5));
    assert_eq!(
        noise::hushed(
            &recovered,
            &labels,
            std::slice::from_ref(&silence),
            &[],
            [],
            at(15)
        ),
        None
    );

    let check = |matchers: &str, until: Timestamp, expected: noise::SilenceError| {
        let matchers = labels::Matchers::parse(matchers).unwrap();
        let silence = noise::Silence {
            matchers,
            until,
            ..silence.clone()
        };
        assert_eq!(silence.check(), Err(expected));
    };
    check("", at(20), noise::SilenceError::Everything);
    check("a=~\".*\"", at(20), noise::SilenceError::Everything);
    check("a=b", at(10), noise::SilenceError::Backwards);
    check("a=b", at(10 + 31 * 24 * 60), noise::SilenceError::TooLong);
}

#[test]
fn an_incident_explains_what_agrees_with_it() {
    let mut desk = Desk::new();
    desk.play("fire gateway critical");
    let incident = desk.root(&IncidentId("i1".into()));
    let rule: noise::Inhibition = toml::from_str(
        "source = \"severity=critical\"\ntarget = \"severity=~\\\"warning|info\\\"\"\nequal = [\"instance\"]",
    )
    .unwrap();
    let explains = |incident: &Incident, key: &str, severity: &str| {
        let alert = report(key, severity, 0, None);
        let labels = grouping::labels_for_rules(&alert, "prometheus");
        let rules = std::slice::from_ref(&rule);
        noise::hushed(&alert, &labels, &[], rules, [incident], start()).is_some()
    };
    assert!(explains(&incident, "gateway", "warning"));
    assert!(!explains(&incident, "gateway", "critical"));
    assert!(!explains(&incident, "web-1", "warning"));
    desk.play("li snooze 10");
    assert!(!explains(&desk.root(&incident.id), "gateway", "warning"));
    desk.play("li close");
    assert!(!explains(&desk.root(&incident.id), "gateway", "warning"));
    let again = noise::Silence::of_incident(
        &incident,
        By::person("li", Channel::Card),
        start(),
        minutes(60),
    );
    assert_eq!(
        again.matchers.to_string(),
        "{alertname=\"Slow\",instance=\"gateway\"}"
    );
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
fn a_storm_of_a_thousand_alerts_is_one_incident_that_counts() {
    let mut desk = Desk::new();
    for number in 0..1000 {
        desk.now += Duration::from_millis(10);
        let severity = if number == 700 { "critical" } else { "warning" };
        desk.receive(report(&format!("host-{number}"), severity, 0, None));
    }
    assert_eq!(desk.incidents.len(), 1);
    let incident = desk.root(&IncidentId("i1".into()));
    assert_eq!((incident.firing.total(), incident.alerts), (1000, 1000));
    assert_eq!(incident.severity, Severity::Critical);
    assert_eq!(incident.labels.keys().collect::<Vec<_>>(), ["alertname"]);
    // Fifty in full, then when their number has doubled, and the change of severity.
    assert_eq!(incident.entries, 1 + 50 + 4 + 1);
}

#[test]
fn groups_are_made_by_labels_and_the_first_rule_that_matches() {
    let alert = |labels: &str| {
        let mut alert = report("k", "warning", 0, None);
        alert.labels = labels::Matchers::parse(labels)
            .unwrap()
            .iter()
            .map(|matcher| {
                let text = matcher.to_string();
                let (name, value) = text.split_once('=').unwrap();
                (name.to_owned(), value.trim_matches('"').to_owned())
            })
            .collect();
        alert
    };
    let rules = [
        Grouping {
            matchers: labels::Matchers::parse("team=db, severity=warning").unwrap(),
            by: vec!["cluster".into()],
            window: minutes(5),
        },
        Grouping {
            by: vec!["alertname".into()],
            ..Grouping::default()
        },
    ];
    let same = |left: &str, right: &str| {
        let [left, right] = [left, right].map(|labels| group_of(&alert(labels), "i", &rules));
        left == right
    };
    assert!(same("team=db,cluster=a,x=1", "team=db,cluster=a,x=2"));
    assert!(!same("team=db,cluster=a", "team=db,cluster=b"));
    assert!(same("alertname=A,cluster=a", "alertname=A,cluster=b"));
    assert!(!same("team=db,cluster=a", "cluster=a"));
    let labels = alert("alertname=A");
    assert_ne!(
        group_of(&labels, "i", &rules),
        group_of(&labels, "j", &rules)
    );
    assert_eq!(group_of(&alert("team=db"), "i", &rules).1, minutes(5));

    // Without any of the labels an alert is alone.
    let mut other = alert("x=1");
    other.key = AlertKey::new("other");
    assert_ne!(
        group_of(&alert("x=1"), "i", &rules),
        group_of(&other, "i", &rules)
    );
    let all = [Grouping {
        by: Vec::new(),
        ..Grouping::default()
    }];
    assert_eq!(
        group_of(&alert("x=1"), "i", &all),
        group_of(&other, "i", &all)
    );
}

#[test]
fn a_group_takes_alerts_while_they_keep_coming() {
    let mut desk = Desk::new();
    desk.groupings = vec![Grouping {
        by: vec!["alertname".into()],
        window: minutes(10),
        ..Grouping::default()
    }];
    desk.play("fire a warning");
    desk.play("wait 10");
    desk.play("fire b warning");
    desk.play("wait 10");
    desk.play("fire c warning");
    assert_eq!(desk.incidents.len(), 1);
    desk.play("wait 11");
    desk.play("fire d warning");
    assert_eq!(desk.incidents.len(), 2);
}

#[test]
fn too_many_openings_are_a_storm() {
    let mut storm = grouping::Storm::default();
    let rule = grouping::StormRule {
        incidents: 2,
        within: Duration::from_secs(60),
    };
    let at = |seconds: u64| start() + Duration::from_secs(seconds);
    let rages = [0, 30, 60, 61, 91].map(|seconds| storm.rages(rule, at(seconds)));
    assert_eq!(rages, [false, false, true, false, false]);
    assert_ne!(grouping::Storm::group("a"), grouping::Storm::group("b"));
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
