//! Which alerts are one incident: those of one integration that agree in the configured labels, for as long
//! as they keep coming.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duration;

use super::{
    alert::{Alert, AlertKey},
    labels::{Labels, Matchers},
    state::Incident,
};

/// What alerts have in common that are one incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupKey(AlertKey);

impl GroupKey {
    /// The key as text, at most 255 bytes.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// A group that no alert belongs to, for an incident that a person declares.
    pub fn of_its_own(id: &str) -> Self {
        Self(AlertKey::digest(&["declared", id]))
    }
}

/// How the alerts that match are grouped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grouping {
    /// Which alerts this is for. All, if there is no condition.
    pub matchers: Matchers,
    /// The labels that must agree. With none, every alert of the integration is of one group.
    pub by: Vec<String>,
    /// For how long after its last alert an incident takes others. Zero: for as long as it is open.
    #[serde(with = "duration")]
    pub window: Duration,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            matchers: Matchers::default(),
            by: ["alertname", "cluster", "service"]
                .map(str::to_owned)
                .to_vec(),
            window: Duration::ZERO,
        }
    }
}

/// Labels as rules see them: the alert's own, and what it says beside them under names of ours.
pub fn labels_for_rules(alert: &Alert, integration: &str) -> Labels {
    let mut labels = alert.labels.clone();
    // The severity is the one we read, so that one rule does for all senders.
    labels.insert("severity".to_owned(), alert.severity.to_string());
    labels.insert("integration".to_owned(), integration.to_owned());
    labels
        .entry("title".to_owned())
        .or_insert_with(|| alert.title.clone());
    labels
}

/// The group of an alert, by the first rule that matches; without one, by the default.
pub fn group_of(alert: &Alert, integration: &str, rules: &[Grouping]) -> (GroupKey, Duration) {
    let labels = labels_for_rules(alert, integration);
    let rule = rules
        .iter()
        .position(|rule| rule.matchers.match_all(&labels));
    let default = Grouping::default();
    let grouping = rule.map_or(&default, |at| &rules[at]);
    let mut parts = vec![integration.to_owned(), format!("{rule:?}")];
    let mut told = false;
    for name in &grouping.by {
        let value = labels.get(name);
        told |= value.is_some();
        parts.push(value.cloned().unwrap_or_default());
    }
    // An alert with none of the labels agrees with nothing: it is grouped with itself.
    if !told && !grouping.by.is_empty() {
        parts.push(alert.key.to_string());
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    (GroupKey(AlertKey::digest(&parts)), grouping.window)
}

/// Whether an incident takes another alert of its group.
pub fn takes(incident: &Incident, window: Duration, now: Timestamp) -> bool {
    let idle = now.duration_since(incident.last_alert_at).unsigned_abs();
    incident.is_open() && (window.is_zero() || idle <= window)
}

/// Notices when incidents are opened faster than anyone can read, so that what follows goes into one.
///
/// Keeps the times of the last openings only; it may be empty after a restart.
#[derive(Debug, Clone, Default)]
pub struct Storm {
    opened: std::collections::VecDeque<Timestamp>,
}

/// When many incidents are a storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StormRule {
    /// How many incidents of one integration may be opened within the time.
    pub incidents: usize,
    /// The time.
    #[serde(with = "duration")]
    pub within: Duration,
}

impl Default for StormRule {
    fn default() -> Self {
        Self {
            incidents: 20,
            within: Duration::from_secs(60),
        }
    }
}

impl Storm {
    /// Whether the incident that would be opened now is one too many: then its alert belongs to
    /// [`Storm::group`] instead.
    pub fn rages(&mut self, rule: StormRule, now: Timestamp) -> bool {
        let recent = |at: &Timestamp| now.duration_since(*at).unsigned_abs() <= rule.within;
        self.opened.retain(recent);
        if self.opened.len() >= rule.incidents {
            return true;
        }
        self.opened.push_back(now);
        false
    }

    /// The group of everything that comes while a storm rages.
    pub fn group(integration: &str) -> GroupKey {
        GroupKey(AlertKey::digest(&["storm", integration]))
    }
}
