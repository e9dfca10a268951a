//! What is known of one alert over all its reports: one record per key and integration.
//!
//! Reports are put in order by the sender's own time, so that a late one does not undo a newer one. Alerts
//! whose reports all tell their time end in the same state in whatever order the reports come.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    alert::{Alert, Status},
    severity::Severity,
    state::{Incident, IncidentId},
};

/// The newest report of an alert, and what it means for an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    /// The newest report, by its own time.
    pub alert: Alert,
    /// The time it is ordered by.
    pub order: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// How many reports there were.
    pub reports: u32,
    /// How often it began to fire.
    pub fired: u32,
    /// The incident that counts it or has counted it, and that incident's round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
}

/// Where an alert is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The incident.
    pub incident: IncidentId,
    /// The incident's round then: an incident that is resolved forgets the alerts of its round.
    pub round: u32,
}

/// What a report means, given what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The alert fires, and did not before.
    Fires,
    /// The alert goes on firing; its words or its severity may be others.
    GoesOn,
    /// The alert went on firing when this was sent, and something newer is known.
    GoesOnLate,
    /// The alert fired, and fires no more.
    Recovers,
    /// The alert did not fire, and does not.
    StaysQuiet,
    /// What it tells was overtaken by something newer.
    Late,
}

impl Tracked {
    /// Whether the newest report says that it fires.
    pub fn is_firing(&self) -> bool {
        self.alert.status != Status::Resolved
    }

    /// The severity with which an incident counts it, if it does.
    pub(super) fn counted_in(&self, incident: &Incident) -> Option<Severity> {
        let home = self.home.as_ref()?;
        (self.is_firing() && incident.counts(home)).then_some(self.alert.severity)
    }
}

/// Weighs a report against what was known. `late_within`: a firing report that only tells when the alert
/// began is late if it comes this soon after a recovery, and after that means that it fires again.
///
/// The latter happens with two Prometheus servers behind one Alertmanager: one reports a recovery, the other
/// goes on firing with the same beginning. To lose that page would be worse than to page once too often.
pub(super) fn weigh(
    known: Option<&Tracked>,
    alert: &Alert,
    late_within: Duration,
    now: Timestamp,
) -> Verdict {
    let fires = alert.status != Status::Resolved;
    let Some(known) = known else {
        return if fires {
            Verdict::Fires
        } else {
            Verdict::StaysQuiet
        };
    };
    // At the same time a recovery is the later one: that is how an alert of one instant ends.
    let older = (alert.order(now), alert.status) < (known.order, known.alert.status);
    match (known.is_firing(), fires, older) {
        (true, true, false) => Verdict::GoesOn,
        (true, true, true) => Verdict::GoesOnLate,
        (true, false, false) => Verdict::Recovers,
        (false, true, false) => Verdict::Fires,
        (false, false, _) => Verdict::StaysQuiet,
        (true, false, true) => Verdict::Late,
        (false, true, true) => {
            let soon = now.duration_since(known.received_at).unsigned_abs() <= late_within;
            match alert.order_is_exact() || soon {
                true => Verdict::Late,
                false => Verdict::Fires,
            }
        }
    }
}

/// The record after a report.
pub(super) fn noted(
    known: Option<Tracked>,
    alert: Alert,
    verdict: Verdict,
    now: Timestamp,
) -> Tracked {
    let order = alert.order(now);
    let Some(mut known) = known else {
        return Tracked {
            fired: u32::from(alert.status != Status::Resolved),
            alert,
            order,
            received_at: now,
            reports: 1,
            home: None,
        };
    };
    known.reports = known.reports.saturating_add(1);
    if verdict == Verdict::Fires {
        known.fired = known.fired.saturating_add(1);
    }
    let older = (order, alert.status) < (known.order, known.alert.status);
    if verdict == Verdict::Fires || !older {
        // An alert that is believed though it looks older is not older from now on.
        known.order = order.max(known.order);
        known.received_at = now;
        known.alert = alert;
    }
    known
}
