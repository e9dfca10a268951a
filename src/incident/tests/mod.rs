//! The rules, played step by step on records in memory, as `bot` plays them on the store.

mod groups;
mod hushing;
mod properties;
mod rules;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

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
