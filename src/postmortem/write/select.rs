//! Which events belong into which section.

use super::{Content, Material};
use crate::postmortem::events::{Event, Kind};

/// The events of a section, oldest first. What was corrected is left to the correction; what was refuted
/// belongs only where refuted things are told.
pub(super) fn events_for<'a>(content: Content, material: &'a Material<'_>) -> Vec<&'a Event> {
    let tells_refuted = matches!(content, Content::Causes | Content::Refuted);
    let all = material.merged.events.iter();
    let fits = |event: &&Event| {
        let stands = event.superseded_by.is_none() && (tells_refuted || event.holds());
        stands && is_of(content, event.kind)
    };
    all.filter(fits).collect()
}

fn is_of(content: Content, kind: Kind) -> bool {
    use Kind::*;
    match content {
        Content::Summary => matches!(
            kind,
            Impact | Cause | Mitigation | Resolution | Declaration | Change | Report | Action
        ),
        Content::Impact => matches!(kind, Impact | Report),
        Content::Detection => matches!(kind, Alert | Report | Declaration | Acknowledgement),
        Content::Trigger => matches!(kind, Change | Cause),
        Content::Causes => matches!(kind, Cause | Hypothesis | RuledOut | Change),
        Content::Refuted => matches!(kind, Hypothesis | RuledOut),
        Content::Response => matches!(
            kind,
            Acknowledgement | Handoff | Declaration | Decision | Communication
        ),
        Content::Mitigation => matches!(
            kind,
            Decision | Action | Mitigation | Verification | Resolution
        ),
        Content::Communication => kind == Communication,
        Content::Outside => matches!(
            kind,
            Impact | Report | Cause | Mitigation | Resolution | Action | ActionItem | Communication
        ),
        Content::WentHow => matches!(kind, WentWell | WentBadly | Lucky),
        Content::Lessons => matches!(kind, WentWell | WentBadly | Lucky | Lesson),
        Content::ActionItems => kind == ActionItem,
        Content::Questions => kind == Question,
        Content::Timeline => kind.is_in_timeline(),
        Content::Free => true,
        Content::Appendix | Content::KeyFacts | Content::About => false,
    }
}
