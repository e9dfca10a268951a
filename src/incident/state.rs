//! What an incident is, and what follows from what happens to it.
//!
//! An incident's record is small: alerts and timeline entries are records of their own, and here they are
//! only counted. What must not be lost in a rule is a page, so whatever makes an incident worse wakes it.

mod alerts;
mod deeds;
mod merge;

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    alert::AlertKey,
    grouping::GroupKey,
    labels::Labels,
    severity::{Severity, Tally},
    timeline::{By, Entry, PersonId, What},
    tracking::Home,
};

pub use alerts::AlertHappening;
pub use deeds::{Deed, Refusal, SNOOZE_MAX};
pub use merge::merge;

/// The identity of an incident, never shown to people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub String);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nobody has it yet.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is put off; then it is triggered again.
    Snoozed {
        /// Until when.
        until: Timestamp,
        /// How bad it was then. What is worse wakes it.
        severity: Severity,
    },
    /// It is over.
    Resolved,
}

/// Who has it, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: By,
    /// Since when.
    pub at: Timestamp,
}

/// One incident. Its record stays below 6 KiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its identity.
    pub id: IncidentId,
    /// What people call it: `#42`. Given by whoever stores it, counting up.
    pub number: u32,
    /// Which alerts belong to it.
    pub group: GroupKey,
    /// How far it is.
    pub state: State,
    /// One line.
    pub title: String,
    /// How bad it is now: set by hand, or as bad as the worst alert that fires. When none fires any more, as
    /// bad as the last one was.
    pub severity: Severity,
    /// Whether the severity was set by hand, so that alerts do not change it.
    #[serde(default)]
    pub severity_by_hand: bool,
    /// How bad it was at its worst.
    pub severity_max: Severity,
    /// Who is hurt by it and how, in people's words.
    #[serde(default)]
    pub impact: String,
    /// The labels that all its alerts share.
    #[serde(default)]
    pub labels: Labels,
    /// The alerts that fire now, by severity.
    #[serde(default)]
    pub firing: Tally,
    /// How many alerts it has had.
    #[serde(default)]
    pub alerts: u32,
    /// How many reports of them came.
    #[serde(default)]
    pub reports: u32,
    /// The alert that was last told of.
    #[serde(default)]
    pub latest: Option<AlertKey>,
    /// Goes up whenever it is resolved, and what fired in an earlier round is forgotten.
    #[serde(default)]
    pub round: u32,
    /// Incidents that turned out to be this one, with their rounds, while their alerts are counted here.
    #[serde(default)]
    pub absorbed: Vec<Home>,
    /// The incident that this one turned out to be.
    #[serde(default)]
    pub merged_into: Option<IncidentId>,
    /// Who has it. Only while acknowledged.
    #[serde(default)]
    pub acknowledged: Option<Acknowledgement>,
    /// Who works on it, in the order in which they came; the first is whom it is assigned to.
    #[serde(default)]
    pub responders: Vec<PersonId>,
    /// When it began, by the clock of the first sender.
    pub started_at: Timestamp,
    /// When we were told of it.
    pub opened_at: Timestamp,
    /// When it was first acknowledged.
    #[serde(default)]
    pub first_acknowledged_at: Option<Timestamp>,
    /// When an alert was last told of.
    pub last_alert_at: Timestamp,
    /// Since when nothing fires any more, while it is open.
    #[serde(default)]
    pub recovering_since: Option<Timestamp>,
    /// When it was resolved, while it is.
    #[serde(default)]
    pub resolved_at: Option<Timestamp>,
    /// Whether somebody resolved it though something fired.
    #[serde(default)]
    pub closed_by_hand: bool,
    /// How often it was reopened.
    #[serde(default)]
    pub reopened: u32,
    /// The number of its newest timeline entry.
    #[serde(default)]
    pub entries: u32,
}

/// The times that the rules go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// For how long nothing may fire before an incident is resolved. Flapping alerts need longer.
    pub quiet: Duration,
    /// For how long after it was resolved by itself an alert that fires again reopens it.
    pub reopen_within: Duration,
    /// For how long repetitions of an alert that was closed by hand while it fired are ignored.
    pub ignore_closed: Duration,
    /// How soon after a recovery a firing report is taken for a late one, if it does not tell its time.
    pub late_within: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(120),
            reopen_within: Duration::from_secs(600),
            ignore_closed: Duration::from_secs(3600),
            late_within: Duration::from_secs(60),
        }
    }
}

/// Something that happens to an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// An alert told something.
    Alert(AlertHappening),
    /// Somebody does something, and may do it.
    Deed(By, Deed),
    /// A time that [`Action::WakeAt`] asked for has come. Harmless at any other time.
    Clock,
    /// Something that changes nothing here but belongs into the timeline.
    Noted(By, What),
}

/// What should now be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Keep this entry of the timeline, together with the incident.
    Enter(Entry),
    /// Every card of the incident should show it as it is now.
    ShowCards,
    /// Tell the people on call, from the first level of escalation on.
    Page(Cause),
    /// Nobody needs to be told any more.
    StopPaging,
    /// Let [`Happening::Clock`] happen at this time. A later one of these replaces it.
    WakeAt(Timestamp),
    /// Tell whoever asked why not.
    Refuse(Refusal),
}

/// Why people are paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is new.
    Opened,
    /// It was thought to be over.
    Reopened,
    /// The time for which it was put off is over, or it became worse before.
    Woke,
    /// Whoever had it gave it back.
    Unacknowledged,
}

impl Incident {
    /// An incident that a person declares, without an alert.
    pub fn declare(
        id: IncidentId,
        number: u32,
        by: By,
        title: &str,
        severity: Severity,
        now: Timestamp,
    ) -> (Self, Vec<Action>) {
        let group = GroupKey::of_its_own(&id.0);
        let mut incident = Self::new(id, number, group, deeds::title(title), severity, now, now);
        incident.severity_by_hand = true;
        let mut actions = Vec::new();
        incident.begin(by, now, &mut actions);
        (incident, actions)
    }

    fn new(
        id: IncidentId,
        number: u32,
        group: GroupKey,
        title: String,
        severity: Severity,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            number,
            group,
            state: State::Triggered,
            title,
            severity,
            severity_by_hand: false,
            severity_max: severity,
            impact: String::new(),
            labels: Labels::new(),
            firing: Tally::default(),
            alerts: 0,
            reports: 0,
            latest: None,
            round: 1,
            absorbed: Vec::new(),
            merged_into: None,
            acknowledged: None,
            responders: Vec::new(),
            started_at,
            opened_at: now,
            first_acknowledged_at: None,
            last_alert_at: now,
            recovering_since: None,
            resolved_at: None,
            closed_by_hand: false,
            reopened: 0,
            entries: 0,
        }
    }

    fn begin(&mut self, by: By, now: Timestamp, actions: &mut Vec<Action>) {
        let what = What::Opened {
            title: self.title.clone(),
            severity: self.severity,
        };
        self.enter(self.started_at, by, what, now, actions);
        actions.extend([Action::ShowCards, Action::Page(Cause::Opened)]);
    }

    /// Whether it is not over.
    pub fn is_open(&self) -> bool {
        self.state != State::Resolved
    }

    /// Whether it counts alerts that live there.
    pub(super) fn counts(&self, home: &Home) -> bool {
        let own = home.incident == self.id && home.round == self.round;
        self.is_open() && (own || self.absorbed.contains(home))
    }

    /// Takes note of what happened, and says what should now be done about it.
    pub fn observe(&mut self, happening: Happening, rules: &Rules, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        match happening {
            Happening::Alert(happening) => self.alert(happening, rules, now, &mut actions),
            Happening::Deed(by, deed) => self.deed(by, deed, now, &mut actions),
            Happening::Clock => self.clock(rules, now, &mut actions),
            Happening::Noted(by, what) => self.enter(now, by, what, now, &mut actions),
        }
        actions
    }

    fn clock(&mut self, rules: &Rules, now: Timestamp, actions: &mut Vec<Action>) {
        if !self.is_open() {
            return;
        }
        if let Some(since) = self.recovering_since {
            let due = after(since, rules.quiet);
            if now >= due {
                self.resolve(By::clock(), false, now, actions);
                return;
            }
            actions.push(Action::WakeAt(due));
        }
        if let State::Snoozed { until, .. } = self.state {
            match now >= until {
                true => self.wake(false, By::clock(), now, actions),
                false => self.wake_at_the_first(until, actions),
            }
        }
    }

    /// Of two times to wake at the first is kept: at that one the other is asked for again.
    fn wake_at_the_first(&self, at: Timestamp, actions: &mut Vec<Action>) {
        let asked = actions.iter_mut().rev().find_map(|action| match action {
            Action::WakeAt(asked) => Some(asked),
            _ => None,
        });
        match asked {
            Some(asked) => *asked = at.min(*asked),
            None => actions.push(Action::WakeAt(at)),
        }
    }

    fn wake(&mut self, worse: bool, by: By, now: Timestamp, actions: &mut Vec<Action>) {
        self.state = State::Triggered;
        self.enter(now, by, What::Woke { worse }, now, actions);
        actions.extend([Action::ShowCards, Action::Page(Cause::Woke)]);
    }

    fn resolve(&mut self, by: By, by_hand: bool, now: Timestamp, actions: &mut Vec<Action>) {
        let firing = self.firing.total();
        self.state = State::Resolved;
        self.resolved_at = Some(now);
        self.closed_by_hand = by_hand;
        self.recovering_since = None;
        self.acknowledged = None;
        self.firing = Tally::default();
        self.absorbed.clear();
        self.round = self.round.saturating_add(1);
        self.enter(now, by, What::Resolved { firing }, now, actions);
        actions.extend([Action::StopPaging, Action::ShowCards]);
    }

    fn reopen(&mut self, by: By, reason: String, now: Timestamp, actions: &mut Vec<Action>) {
        self.state = State::Triggered;
        self.resolved_at = None;
        self.closed_by_hand = false;
        self.reopened = self.reopened.saturating_add(1);
        self.enter(now, by, What::Reopened { reason }, now, actions);
        actions.extend([Action::ShowCards, Action::Page(Cause::Reopened)]);
    }

    /// An alert of it fires again soon after it was resolved by itself.
    pub(super) fn relapse(&mut self, by: By, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        self.reopen(
            by,
            "an alert of it fires again".to_owned(),
            now,
            &mut actions,
        );
        actions
    }

    fn set_severity(&mut self, to: Severity, by: By, now: Timestamp, actions: &mut Vec<Action>) {
        let from = self.severity;
        if from == to {
            return;
        }
        self.severity = to;
        self.severity_max = self.severity_max.max(to);
        let what = What::SeverityChanged { from, to };
        self.enter(now, by.clone(), what, now, actions);
        if let State::Snoozed { severity, .. } = self.state
            && to > severity
        {
            self.wake(true, by, now, actions);
        }
    }

    fn enter(
        &mut self,
        at: Timestamp,
        by: By,
        what: What,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        self.entries = self.entries.saturating_add(1);
        actions.push(Action::Enter(Entry {
            number: self.entries,
            at,
            noted_at: now,
            by,
            what,
        }));
    }
}

/// A time after another; at the end of time, the end of time.
fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
