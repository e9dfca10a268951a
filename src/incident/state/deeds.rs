//! What people do with an incident, and why they sometimes cannot.

use std::time::Duration;

use jiff::Timestamp;

use super::{Acknowledgement, Action, Cause, Incident, State, after};
use crate::incident::{
    severity::Severity,
    timeline::{Actor, By, PersonId, WORDS_BYTES_MAX, What},
};

/// The longest time for which an incident can be put off.
pub const SNOOZE_MAX: Duration = Duration::from_secs(24 * 3600);
/// How many people can work on one incident.
const RESPONDERS_MAX: usize = 32;
/// The longest title and impact, in bytes: they lie in the incident's own record.
const TITLE_BYTES_MAX: usize = 512;
const IMPACT_BYTES_MAX: usize = 1024;

/// Something that a person does. Whether they may is decided before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// I have it.
    Acknowledge,
    /// I do not have it any more.
    Unacknowledge,
    /// Not now. At most [`SNOOZE_MAX`].
    Snooze(Duration),
    /// It is over, whatever the alerts say.
    Resolve,
    /// It is not over, and this is why.
    Reopen(String),
    /// They have it from now on.
    Assign(PersonId),
    /// They should help.
    AddResponder(PersonId),
    /// This should be known.
    Comment(String),
    /// Call it this.
    SetTitle(String),
    /// It is this bad, whatever the alerts say. `None`: as bad as the alerts say.
    SetSeverity(Option<Severity>),
    /// This is what it does to whom.
    SetImpact(String),
}

/// Why something cannot be done. The bot says it in the words of whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody was first.
    AlreadyAcknowledged(Box<Acknowledgement>),
    /// There is nothing to give back.
    NotAcknowledged,
    /// It is over, since then.
    AlreadyResolved(Option<Timestamp>),
    /// It is not over.
    NotResolved,
    /// It is part of another one now, and that one should be asked.
    Merged(super::IncidentId),
    /// An incident cannot be put off for this long, or not at all.
    SnoozeOutOfBounds,
    /// A reason, a comment or a title was left empty.
    NothingSaid,
    /// No more people can join.
    TooManyResponders,
    /// They are there already.
    AlreadyResponder,
    /// Too many incidents were merged into this one, or it is the same one.
    CannotMerge,
}

impl Incident {
    pub(super) fn deed(&mut self, by: By, deed: Deed, now: Timestamp, actions: &mut Vec<Action>) {
        if let Err(refusal) = self.try_deed(by, deed, now, actions) {
            actions.push(Action::Refuse(refusal));
        }
    }

    fn try_deed(
        &mut self,
        by: By,
        deed: Deed,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if let Some(other) = &self.merged_into {
            return Err(Refusal::Merged(other.clone()));
        }
        // What is over can still be talked about, named and described.
        let works_when_over = matches!(
            deed,
            Deed::Reopen(_)
                | Deed::Comment(_)
                | Deed::SetTitle(_)
                | Deed::SetImpact(_)
                | Deed::SetSeverity(_)
        );
        if !self.is_open() && !works_when_over {
            return Err(Refusal::AlreadyResolved(self.resolved_at));
        }
        match deed {
            Deed::Acknowledge => self.acknowledge(by, now, actions)?,
            Deed::Unacknowledge => {
                if self.acknowledged.take().is_none() {
                    return Err(Refusal::NotAcknowledged);
                }
                self.state = State::Triggered;
                self.enter(now, by, What::Unacknowledged, now, actions);
                actions.push(Action::Page(Cause::Unacknowledged));
            }
            Deed::Snooze(duration) => {
                if duration.is_zero() || duration > SNOOZE_MAX {
                    return Err(Refusal::SnoozeOutOfBounds);
                }
                let until = after(now, duration);
                self.state = State::Snoozed {
                    until,
                    severity: self.severity,
                };
                self.acknowledged = None;
                self.enter(now, by, What::Snoozed { until }, now, actions);
                actions.extend([Action::StopPaging, Action::WakeAt(until)]);
            }
            Deed::Resolve => {
                self.resolve(by, true, now, actions);
                return Ok(());
            }
            Deed::Reopen(reason) => {
                if self.is_open() {
                    return Err(Refusal::NotResolved);
                }
                self.reopen(by, words(&reason, WORDS_BYTES_MAX)?, now, actions);
                return Ok(());
            }
            Deed::Assign(to) => {
                self.responders.retain(|responder| *responder != to);
                self.responders.insert(0, to.clone());
                self.responders.truncate(RESPONDERS_MAX);
                self.enter(now, by, What::Assigned { to: to.clone() }, now, actions);
                // Who takes it for themselves has it; who is given it has yet to say so.
                let own = |by: &By| by.actor == Actor::Person(to.clone());
                if let Some(Action::Enter(entry)) = actions.last()
                    && own(&entry.by)
                    && self.acknowledged.as_ref().is_none_or(|had| !own(&had.by))
                {
                    let by = entry.by.clone();
                    self.have(by, now, actions);
                }
            }
            Deed::AddResponder(who) => {
                if self.responders.contains(&who) {
                    return Err(Refusal::AlreadyResponder);
                }
                if self.responders.len() >= RESPONDERS_MAX {
                    return Err(Refusal::TooManyResponders);
                }
                self.responders.push(who.clone());
                self.enter(now, by, What::ResponderAdded { who }, now, actions);
            }
            Deed::Comment(text) => {
                let text = words(&text, WORDS_BYTES_MAX)?;
                self.enter(now, by, What::Commented { text }, now, actions);
            }
            Deed::SetTitle(to) => {
                self.title = title(&words(&to, TITLE_BYTES_MAX)?);
                let to = self.title.clone();
                self.enter(now, by, What::TitleChanged { to }, now, actions);
            }
            Deed::SetSeverity(to) => {
                self.severity_by_hand = to.is_some();
                let to = to.or(self.firing.worst()).unwrap_or(self.severity);
                self.set_severity(to, by, now, actions);
            }
            Deed::SetImpact(to) => {
                self.impact = words(&to, IMPACT_BYTES_MAX)?;
                let to = self.impact.clone();
                self.enter(now, by, What::ImpactChanged { to }, now, actions);
            }
        }
        actions.push(Action::ShowCards);
        Ok(())
    }

    fn acknowledge(
        &mut self,
        by: By,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        match &self.acknowledged {
            Some(had) => Err(Refusal::AlreadyAcknowledged(Box::new(had.clone()))),
            None => {
                if let Actor::Person(person) = &by.actor
                    && !self.responders.contains(person)
                    && self.responders.len() < RESPONDERS_MAX
                {
                    self.responders.push(person.clone());
                }
                self.have(by, now, actions);
                Ok(())
            }
        }
    }

    /// Somebody has it from now on.
    pub(super) fn have(&mut self, by: By, now: Timestamp, actions: &mut Vec<Action>) {
        self.state = State::Acknowledged;
        self.acknowledged = Some(Acknowledgement {
            by: by.clone(),
            at: now,
        });
        self.first_acknowledged_at.get_or_insert(now);
        self.enter(now, by, What::Acknowledged, now, actions);
        actions.push(Action::StopPaging);
    }
}

/// A title on one line, cut to what is kept.
pub(super) fn title(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    cut(spaced.collect::<String>().trim(), TITLE_BYTES_MAX)
}

fn words(text: &str, bytes_max: usize) -> Result<String, Refusal> {
    match text.trim() {
        "" => Err(Refusal::NothingSaid),
        text => Ok(cut(text, bytes_max)),
    }
}

fn cut(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}
