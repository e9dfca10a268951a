//! What becomes of an order about one incident: a deed, an escalation by hand, a merge, the outcome of a page.
//! Puts it into the round's draft; the keeper writes it.

use crate::{
    incident::{
        By, Happening, IncidentId, PersonId, Refusal, What, merge,
        routing::{Next, Target},
    },
    store,
};

use super::{
    Change, Error, PageOutcome,
    draft::Draft,
    number_of,
    records::{Case, Page, Pager, Place},
    routes,
};

/// Finds a case by the identity that a person or a card names.
async fn find(draft: &Draft<'_>, id: &IncidentId) -> Result<Option<Case>, store::Error> {
    let Some(number) = number_of(id) else {
        return Ok(None);
    };
    let case = draft.case(number).await?;
    Ok(case.filter(|case| case.id() == id))
}

/// Changes a case as somebody wants.
pub(super) async fn change_case(
    draft: &mut Draft<'_>,
    id: &IncidentId,
    change: Change,
) -> Result<Result<u32, Error>, store::Error> {
    let Some(mut case) = find(draft, id).await? else {
        return Ok(Err(Error::Unknown));
    };
    let number = case.number();
    match change {
        Change::Deed(by, deed) => {
            if let Some(refusal) = draft.observe(&mut case, Happening::Deed(by, deed)) {
                return Ok(Err(Error::Refused(refusal)));
            }
        }
        Change::Note(by, whats) => {
            for what in whats {
                draft.note(&mut case, by.clone(), what);
            }
            case.version += 1;
        }
        Change::Escalate(by) => {
            if let Err(error) = escalate(draft, &mut case, by) {
                return Ok(Err(error));
            }
        }
        // Whoever looks after the room may not have heard yet that it is gone.
        Change::ShowIn(place) if case.is_gone_room(&place) => {}
        Change::ShowIn(place) => drop(routes::show_in(&mut case, place)),
        Change::Room(by, room, whats) => {
            case.room = *room;
            case.version += 1;
            // Together with it, so that no card is drawn where there is nobody any more.
            let gone = |place: &Place| case.is_gone_room(place);
            let places = case.places.iter().filter(|place| !gone(place)).cloned();
            case.places = places.collect();
            for what in whats {
                draft.note(&mut case, by.clone(), what);
            }
        }
    }
    draft.put(case);
    Ok(Ok(number))
}

/// Has the next level told now. Where nothing runs, because somebody has it or everybody was told, it begins
/// with the level after the last one that was told, or with the first.
fn escalate(draft: &mut Draft<'_>, case: &mut Case, by: By) -> Result<(), Error> {
    if !case.incident.is_open() {
        let since = case.incident.resolved_at;
        let refusal = Refusal::AlreadyResolved(since);
        return Err(Error::Refused(refusal));
    }
    let now = draft.now;
    if case.pagers.is_empty() {
        let policies = routes::route(case, draft.config, now);
        let policies = policies.into_iter();
        case.pagers = policies.map(|policy| routes::pager(policy, now)).collect();
    }
    let mut hurried = None;
    for pager in &mut case.pagers {
        let Some(policy) = draft.config.policies.get(&pager.policy) else {
            continue;
        };
        let paging = pager.paging.hurried(policy, now);
        if let Next::Tell { level, .. } = paging.next(policy, now) {
            hurried = hurried.max(Some(level));
            pager.paging = paging;
        }
    }
    let Some(level) = hurried else {
        return Err(Error::NobodyFurther);
    };
    // Who asked for it belongs into the timeline; that it happened follows.
    draft.note(case, by, What::Escalated { level });
    draft.step(case);
    case.version += 1;
    Ok(())
}

/// Makes one case part of another.
pub(super) async fn merge_cases(
    draft: &mut Draft<'_>,
    by: By,
    into: &IncidentId,
    other: &IncidentId,
) -> Result<Result<u32, Error>, store::Error> {
    let (Some(mut stays), Some(mut goes)) = (find(draft, into).await?, find(draft, other).await?)
    else {
        return Ok(Err(Error::Unknown));
    };
    let (actions, of_other) = merge(
        &mut stays.incident,
        &mut goes.incident,
        by,
        &draft.rules,
        draft.now,
    );
    if let Some(refusal) = draft.perform(&mut stays, actions) {
        return Ok(Err(Error::Refused(refusal)));
    }
    draft.perform(&mut goes, of_other);
    for place in goes.places.clone() {
        routes::show_in(&mut stays, place);
    }
    let number = stays.number();
    draft.put(stays);
    draft.put(goes);
    Ok(Ok(number))
}

/// Notes what became of a page. When nobody of a level could be told, the next one is told at once.
pub(super) async fn paged(
    draft: &mut Draft<'_>,
    key: &str,
    outcome: PageOutcome,
) -> Result<(), store::Error> {
    let Some(page) = draft.page_of(key).await? else {
        return Ok(());
    };
    draft.remove_page(key);
    let Some(mut case) = draft.case(page.incident).await? else {
        return Ok(());
    };
    let level = page.level;
    let reached = match &outcome {
        PageOutcome::Told { place } => {
            let what = match place {
                Place::Person(person) => What::Paged {
                    who: PersonId(person.as_str().to_owned()),
                    level,
                },
                Place::Chat(chat) => What::ChatTold {
                    chat: chat.as_str().to_owned(),
                },
            };
            draft.note(&mut case, By::clock(), what);
            routes::show_in(&mut case, place.clone());
            case.version += 1;
            true
        }
        PageOutcome::Failed { why } => {
            draft.not_reached(&mut case, page.name(), level, *why);
            false
        }
        PageOutcome::Moot => false,
    };
    let is_its = |pager: &&mut Pager| {
        pager.policy == page.policy
            && pager.paging.began_at == page.began_at
            && pager.paging.steps == page.step + 1
    };
    if let Some(pager) = case.pagers.iter_mut().find(is_its) {
        pager.pending = pager.pending.saturating_sub(1);
        pager.reached |= reached;
        let nobody = pager.pending == 0 && !pager.reached && outcome != PageOutcome::Moot;
        if nobody
            && let Some(policy) = draft.config.policies.get(&pager.policy)
            && routes::can_hurry(pager, policy)
        {
            pager.paging = pager.paging.hurried(policy, draft.now);
        }
    }
    draft.step(&mut case);
    draft.put(case);
    Ok(())
}

impl Page {
    /// Whom it is for, as the configuration names them.
    fn name(&self) -> &str {
        match &self.whom {
            Target::Person(person) => &person.0,
            Target::Schedule(name) | Target::Chat(name) => name,
        }
    }
}
