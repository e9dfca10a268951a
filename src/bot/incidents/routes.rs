//! Who is told of a case, and who is told next. Decides, and does not tell.

use jiff::Timestamp;

use crate::{
    config::IncidentsConfig,
    feishu::ChatId,
    incident::{
        Incident, PersonId,
        labels::Labels,
        routing::{self, Next, Paging, Policy, Target},
    },
};

use super::records::{Case, PLACES_MAX, Pager, Place};

/// The labels that routes see: those that all alerts share, and what the incident itself is.
pub(super) fn labels(case: &Case) -> Labels {
    let incident: &Incident = &case.incident;
    let mut labels = incident.labels.clone();
    labels.insert("severity".to_owned(), incident.severity.to_string());
    labels
        .entry("title".to_owned())
        .or_insert_with(|| incident.title.clone());
    if let Some(integration) = &case.integration {
        labels.insert("integration".to_owned(), integration.clone());
    }
    labels
}

/// Decides anew which groups see it and by which policies people are paged; gives the policies. Groups that
/// see it already go on seeing it.
pub(super) fn route(case: &mut Case, config: &IncidentsConfig, now: Timestamp) -> Vec<String> {
    let severity = case.incident.severity;
    let taken = routing::routes(&config.routes, &labels(case), severity, now);
    case.routed_as = Some(severity);
    case.unrouted = taken.is_empty();
    let (mut chats, mut policies) = (Vec::new(), Vec::new());
    for route in &taken {
        chats.extend(&route.chats);
        policies.extend(&route.policy);
    }
    if case.unrouted {
        chats.extend(&config.catch_all);
        policies.extend(&config.catch_all_policy);
    }
    for chat in chats {
        show_in(case, Place::Chat(ChatId::new(chat.as_str())));
    }
    let mut named: Vec<String> = Vec::new();
    for policy in policies {
        if !named.contains(policy) {
            named.push(policy.clone());
        }
    }
    named
}

/// Has its card shown in a place; says whether that is new.
pub(super) fn show_in(case: &mut Case, place: Place) -> bool {
    let is_new = !case.places.contains(&place) && case.places.len() < PLACES_MAX;
    if is_new {
        case.places.push(place);
    }
    is_new
}

/// A pager that begins now.
pub(super) fn pager(policy: String, now: Timestamp) -> Pager {
    Pager {
        policy,
        paging: Paging::begin(now),
        pending: 0,
        reached: false,
    }
}

/// When a pager wants to be looked at. A policy that is not configured any more wants nothing.
pub(super) fn due(pager: &Pager, config: &IncidentsConfig, now: Timestamp) -> Option<Timestamp> {
    let policy = config.policies.get(&pager.policy)?;
    match pager.paging.next(policy, now) {
        Next::Tell { .. } => Some(now),
        Next::Wait(until) => Some(until),
        Next::Exhausted => None,
    }
}

/// Whether the next step is one of the same round: when nobody of a level can be told, the next level is told
/// at once, but not the first one again.
pub(super) fn can_hurry(pager: &Pager, policy: &Policy) -> bool {
    let levels = policy.levels.len().max(1);
    let steps = usize::try_from(pager.paging.steps).unwrap_or(usize::MAX);
    steps % levels != 0
}

/// Who of a level is to be told now, each once, and for which schedules there is nobody.
pub(super) fn whom(
    targets: &[Target],
    config: &IncidentsConfig,
    now: Timestamp,
) -> (Vec<Target>, Vec<String>) {
    let (mut found, mut empty) = (Vec::new(), Vec::new());
    for target in targets {
        let target = match target {
            Target::Schedule(name) => match on_call(config, name, now) {
                Some(person) => Target::Person(person),
                None => {
                    empty.push(name.clone());
                    continue;
                }
            },
            target => target.clone(),
        };
        if !found.contains(&target) {
            found.push(target);
        }
    }
    (found, empty)
}

fn on_call(config: &IncidentsConfig, schedule: &str, now: Timestamp) -> Option<PersonId> {
    config.schedules.get(schedule)?.on_call(now).cloned()
}
