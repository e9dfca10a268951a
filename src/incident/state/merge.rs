//! Two incidents that turn out to be one.

use jiff::Timestamp;

use super::{Action, Incident, Refusal, State, Tally, after};
use crate::incident::{
    Rules,
    timeline::{By, What},
    tracking::Home,
};

/// How many incidents one can absorb while it is open.
const ABSORBED_MAX: usize = 20;

/// Merges `other` into `incident`, for good: what fires there fires here from now on. Says what to do about
/// the one that stays, and about the one that goes; the refusals are with the one that stays.
pub fn merge(
    incident: &mut Incident,
    other: &mut Incident,
    by: By,
    rules: &Rules,
    now: Timestamp,
) -> (Vec<Action>, Vec<Action>) {
    let refuse = |refusal| (vec![Action::Refuse(refusal)], Vec::new());
    for one in [&*incident, &*other] {
        if let Some(into) = &one.merged_into {
            return refuse(Refusal::Merged(into.clone()));
        }
        if !one.is_open() {
            return refuse(Refusal::AlreadyResolved(one.resolved_at));
        }
    }
    let absorbed = incident.absorbed.len() + other.absorbed.len() + 1;
    if incident.id == other.id || absorbed > ABSORBED_MAX {
        return refuse(Refusal::CannotMerge);
    }

    let (mut stays, mut goes) = (Vec::new(), Vec::new());
    let fired_before = incident.firing.total();
    let firing = std::mem::take(&mut other.firing);
    incident.firing.add_all(&firing);
    incident.alerts = incident.alerts.saturating_add(other.alerts);
    incident.reports = incident.reports.saturating_add(other.reports);
    incident
        .labels
        .retain(|name, value| other.labels.get(name) == Some(value));
    incident.started_at = incident.started_at.min(other.started_at);
    incident.last_alert_at = incident.last_alert_at.max(other.last_alert_at);
    incident.severity_max = incident.severity_max.max(other.severity_max);
    incident.absorbed.append(&mut other.absorbed);
    incident.absorbed.push(Home {
        incident: other.id.clone(),
        round: other.round,
    });
    for responder in &other.responders {
        if !incident.responders.contains(responder) && incident.responders.len() < 32 {
            incident.responders.push(responder.clone());
        }
    }
    let (id, number) = (other.id.clone(), other.number);
    incident.enter(
        now,
        by.clone(),
        What::Absorbed { other: id, number },
        now,
        &mut stays,
    );
    if incident.firing.total() > 0 {
        if incident.recovering_since.take().is_some() {
            incident.enter(now, by.clone(), What::Relapsed, now, &mut stays);
        }
    } else if fired_before == 0
        && incident.recovering_since.is_none()
        && let Some(since) = other.recovering_since
    {
        // Nothing fires in either: it is over when that stays so.
        incident.recovering_since = Some(since);
        stays.push(Action::WakeAt(after(since, rules.quiet)));
    }
    if !incident.severity_by_hand {
        let worst = incident.firing.worst().unwrap_or(incident.severity);
        incident.set_severity(worst, by.clone(), now, &mut stays);
    }
    stays.push(Action::ShowCards);

    other.state = State::Resolved;
    other.firing = Tally::default();
    other.acknowledged = None;
    other.recovering_since = None;
    other.resolved_at = Some(now);
    other.merged_into = Some(incident.id.clone());
    let (id, number) = (incident.id.clone(), incident.number);
    other.enter(
        now,
        by,
        What::MergedInto { other: id, number },
        now,
        &mut goes,
    );
    goes.extend([Action::StopPaging, Action::ShowCards]);
    (stays, goes)
}
