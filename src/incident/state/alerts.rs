//! What alerts do to an incident: counts, severity, recovery and relapse.

use jiff::Timestamp;

use super::{Action, Incident, Rules, State, after};
use crate::incident::{
    alert::{Alert, AlertKey},
    labels::Labels,
    severity::Severity,
    timeline::{By, What},
};

/// How many things that alerts did are listed one by one. After that they are counted.
const LISTED_MAX: u32 = 50;
/// How much of the alerts' common labels an incident keeps.
const LABELS_MAX: usize = 24;
const LABELS_BYTES_MAX: usize = 2048;

/// What an alert told, as far as an incident needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertHappening {
    /// Which alert.
    pub key: AlertKey,
    /// Its title.
    pub title: String,
    /// Its labels.
    pub labels: Labels,
    /// Which monitor told it.
    pub by: By,
    /// When it happened, by the monitor's clock.
    pub at: Timestamp,
    /// The severity with which the incident counted it until now.
    pub before: Option<Severity>,
    /// The severity with which the incident counts it from now on.
    pub after: Option<Severity>,
    /// Whether it is new to the incident.
    pub is_new: bool,
    /// Whether somebody at the sender has acknowledged it.
    pub acknowledged: bool,
    /// Whether it was overtaken by something newer, and changes nothing.
    pub late: bool,
}

impl Incident {
    /// An incident that an alert opens. The alert itself is to be observed next.
    pub(in crate::incident) fn open(
        new: crate::incident::NewIncident,
        group: crate::incident::grouping::GroupKey,
        alert: &Alert,
        by: By,
        now: Timestamp,
    ) -> (Self, Vec<Action>) {
        let started_at = alert.starts_at.unwrap_or(now).min(now);
        let (title, severity) = (super::deeds::title(&alert.title), alert.severity);
        let mut incident = Self::new(new.id, new.number, group, title, severity, started_at, now);
        let mut actions = Vec::new();
        incident.begin(by, now, &mut actions);
        (incident, actions)
    }

    pub(super) fn alert(
        &mut self,
        told: AlertHappening,
        rules: &Rules,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        self.reports = self.reports.saturating_add(1);
        if told.late {
            let (key, title) = (told.key, told.title);
            self.list(
                told.at,
                told.by,
                What::AlertLate { key, title },
                now,
                actions,
            );
            return;
        }
        let fired_before = self.firing.total();
        if let Some(severity) = told.before {
            self.firing.take(severity);
        }
        if let Some(severity) = told.after {
            self.firing.add(severity);
            self.last_alert_at = now;
            self.latest = Some(told.key.clone());
        }
        if told.is_new {
            self.alerts = self.alerts.saturating_add(1);
            self.share(told.labels);
            self.started_at = self.started_at.min(told.at);
        }
        let (key, title, at, by) = (told.key, told.title, told.at, told.by);
        let what = match (told.before, told.after) {
            (None, Some(severity)) => Some(What::AlertFired {
                key,
                title,
                severity,
                again: !told.is_new,
            }),
            (Some(_), None) => Some(What::AlertRecovered { key, title }),
            (Some(_), Some(_)) if told.acknowledged => Some(What::AlertAcknowledged { key, title }),
            _ => None,
        };
        if let Some(what) = what {
            self.list(at, by.clone(), what, now, actions);
        }

        let firing = self.firing.total();
        match (fired_before, firing) {
            (1.., 0) => self.recover(by, rules, now, actions),
            (0, 1..) if self.recovering_since.take().is_some() => {
                self.enter(now, by.clone(), What::Relapsed, now, actions);
                actions.push(Action::ShowCards);
                self.follow_alerts(by, told.acknowledged, now, actions);
            }
            _ => {
                actions.push(Action::ShowCards);
                self.follow_alerts(by, told.acknowledged, now, actions);
            }
        }
    }

    /// The severity is that of the worst, and an acknowledgement over there is one here if there is nothing
    /// else that it could hide.
    fn follow_alerts(
        &mut self,
        by: By,
        acknowledged: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        if let Some(worst) = self.firing.worst()
            && !self.severity_by_hand
        {
            self.set_severity(worst, by.clone(), now, actions);
        }
        if acknowledged && self.state == State::Triggered && self.firing.total() == 1 {
            self.have(by, now, actions);
        }
    }

    fn recover(&mut self, by: By, rules: &Rules, now: Timestamp, actions: &mut Vec<Action>) {
        self.recovering_since = Some(now);
        self.enter(now, by, What::Recovering, now, actions);
        match rules.quiet.is_zero() {
            true => self.resolve(By::clock(), false, now, actions),
            false => {
                actions.push(Action::ShowCards);
                let due = after(now, rules.quiet);
                actions.push(Action::WakeAt(match self.state {
                    State::Snoozed { until, .. } => until.min(due),
                    _ => due,
                }));
            }
        }
    }

    /// Enters one thing about one alert, while there are few of them.
    fn list(
        &mut self,
        at: Timestamp,
        by: By,
        what: What,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        if self.reports <= LISTED_MAX {
            self.enter(at, by, what, now, actions);
        } else if self.reports.is_power_of_two() {
            let what = What::AlertsCounted {
                firing: self.firing.total(),
                total: self.alerts,
            };
            self.enter(now, by, what, now, actions);
        }
    }

    /// Keeps the labels that this alert has too.
    fn share(&mut self, labels: Labels) {
        if self.alerts == 1 {
            let mut bytes = 0;
            let fits = |(name, value): &(String, String)| {
                bytes += name.len() + value.len();
                bytes <= LABELS_BYTES_MAX
            };
            self.labels = labels.into_iter().take(LABELS_MAX).filter(fits).collect();
        } else {
            self.labels
                .retain(|name, value| labels.get(name) == Some(value));
        }
    }
}
