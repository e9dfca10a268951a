//! Milestones have a source or are unknown, and metrics have both ends or are `null`.

use super::*;
use crate::{
    incident::Deed,
    postmortem::{
        records::Confirmed,
        testing::{Story, at, id, marked, person, room},
        transcript::MarkKind,
    },
};

fn source(facts: &Facts, milestone: Milestone) -> (Option<Timestamp>, Source) {
    let fixed = facts
        .milestones
        .iter()
        .find(|fixed| fixed.milestone == milestone)
        .unwrap();
    (fixed.at, fixed.source.clone())
}

#[test]
fn what_nobody_recorded_or_marked_is_unknown() {
    let facts = Facts::compute(&room(&[]), &Story::opened().records());
    assert_eq!(
        source(&facts, Milestone::ImpactStart),
        (None, Source::Unknown)
    );
    assert_eq!(
        source(&facts, Milestone::Detected),
        (Some(at("14:00:00")), Source::Record(1))
    );
    assert_eq!(source(&facts, Milestone::FirstResponder).1, Source::Unknown);
    for name in [
        MetricName::TriggeredToResolved,
        MetricName::ImpactStartToMitigated,
        MetricName::LongestSilence,
    ] {
        assert_eq!(facts.metric(name), None, "{name:?}");
    }
    assert_eq!(facts.metric(MetricName::Pages), Some(0));
}

#[test]
fn a_mark_fixes_the_time_that_its_message_tells_or_else_its_own() {
    let talk = room(&[
        ("14:05:00", "li", "orders fail since 13:52"),
        ("14:20:10", "han", "rolled back, errors are gone"),
        ("14:30:00", "han", "between 14:01 and 14:20 it was bad"),
    ]);
    let talk = marked(
        marked(
            marked(talk, 1, MarkKind::ImpactStart),
            2,
            MarkKind::Mitigated,
        ),
        3,
        MarkKind::Declared,
    );
    let facts = Facts::compute(&talk, &Story::opened().records());
    assert_eq!(
        source(&facts, Milestone::ImpactStart),
        (Some(at("13:52:00")), Source::Told(id(1)))
    );
    assert_eq!(
        source(&facts, Milestone::Mitigated),
        (Some(at("14:20:10")), Source::Mark(id(2)))
    );
    assert_eq!(
        source(&facts, Milestone::Declared),
        (Some(at("14:30:00")), Source::Mark(id(3)))
    );
    assert_eq!(
        facts.metric(MetricName::ImpactStartToDetected),
        Some(8 * 60)
    );
    assert_eq!(
        facts.metric(MetricName::ImpactStartToMitigated),
        Some(28 * 60 + 10)
    );
}

#[test]
fn two_marks_for_one_moment_are_a_conflict_and_a_confirmed_time_wins() {
    let talk = room(&[
        ("14:05:00", "li", "it began at 13:52"),
        ("14:06:00", "han", "no, at 13:40"),
    ]);
    let talk = marked(
        marked(talk, 1, MarkKind::ImpactStart),
        2,
        MarkKind::ImpactStart,
    );
    let mut records = Story::opened().records();
    let facts = Facts::compute(&talk, &records);
    assert_eq!(facts.at(Milestone::ImpactStart), Some(at("13:40:00")));
    assert_eq!(facts.conflicts.len(), 1);
    assert_eq!(facts.conflicts[0].times.len(), 2);
    records.confirmed.push(Confirmed {
        milestone: Milestone::ImpactStart,
        at: at("13:45:00"),
        by: person("han"),
    });
    let facts = Facts::compute(&talk, &records);
    assert_eq!(
        source(&facts, Milestone::ImpactStart),
        (Some(at("13:45:00")), Source::Confirmed)
    );
}

#[test]
fn two_waves_are_added_and_the_quiet_between_them_is_no_silence() {
    let talk = room(&[
        ("14:05:00", "li", "orders fail since 13:50"),
        ("14:30:00", "li", "mitigated"),
        ("16:05:00", "han", "it is back since 16:00"),
        ("16:20:00", "han", "mitigated for good"),
    ]);
    let talk = marked(
        marked(talk, 1, MarkKind::ImpactStart),
        2,
        MarkKind::Mitigated,
    );
    let talk = marked(
        marked(talk, 3, MarkKind::ImpactStart),
        4,
        MarkKind::Mitigated,
    );
    let records = Story::opened()
        .deed("14:02:00", "li", Deed::Acknowledge)
        .deed("14:40:00", "li", Deed::Resolve)
        .deed("16:06:00", "han", Deed::Reopen("it is back".into()))
        .deed("16:07:00", "han", Deed::Acknowledge)
        .deed("16:30:00", "han", Deed::Resolve)
        .records();
    let facts = Facts::compute(&talk, &records);
    assert_eq!(facts.waves.len(), 2);
    assert_eq!(facts.waves[1].impact_seconds(), Some(20 * 60));
    assert_eq!(
        facts.metric(MetricName::ImpactStartToMitigated),
        Some((40 + 20) * 60)
    );
    assert_eq!(facts.metric(MetricName::TriggeredToAcknowledged), Some(120));
    assert_eq!(
        facts.metric(MetricName::TriggeredToResolved),
        Some(150 * 60)
    );
    assert_eq!(facts.metric(MetricName::LongestSilence), Some(25 * 60));
    assert_eq!(facts.metric(MetricName::Handovers), Some(1));
    assert_eq!(facts.metric(MetricName::Responders), Some(2));
    assert_eq!(facts.conflicts, [], "each wave has its own times");
}

#[test]
fn a_wave_whose_end_nobody_knows_leaves_the_sum_unknown() {
    let talk = room(&[
        ("14:05:00", "li", "since 13:50"),
        ("14:30:00", "li", "mitigated"),
    ]);
    let talk = marked(
        marked(talk, 1, MarkKind::ImpactStart),
        2,
        MarkKind::Mitigated,
    );
    let records = Story::opened()
        .deed("14:40:00", "li", Deed::Resolve)
        .deed("16:06:00", "han", Deed::Reopen("it is back".into()))
        .records();
    let facts = Facts::compute(&talk, &records);
    assert_eq!(facts.waves[0].impact_seconds(), Some(40 * 60));
    assert_eq!(facts.metric(MetricName::ImpactStartToMitigated), None);
    assert_eq!(facts.at(Milestone::Closed), None, "it is open again");
}

#[test]
fn alert_lines_are_collapsed_and_the_silent_are_listed_last() {
    let mut talk = room(&[
        ("14:00:05", "bot", "[firing] latency"),
        ("14:03:00", "bot", "[firing] latency"),
        ("14:04:00", "li", "looking"),
        ("14:09:00", "bot", "[resolved] latency"),
    ]);
    for (place, firing) in [(0, true), (1, true), (3, false)] {
        let line = crate::postmortem::transcript::AlertLine {
            title: "latency".into(),
            firing,
        };
        talk.messages[place].alert = Some(line);
    }
    let facts = Facts::compute(&talk, &Story::opened().records());
    let alert = &facts.alerts[0];
    assert_eq!((alert.firing, alert.recovered), (2, 1));
    assert_eq!((alert.first, alert.last), (at("14:00:05"), at("14:09:00")));
    assert_eq!(alert.messages, [id(1), id(4)]);
    assert_eq!(facts.metric(MetricName::Messages), Some(1));
    assert_eq!(facts.at(Milestone::FirstResponder), Some(at("14:04:00")));
    let silent = facts.participants.last().unwrap();
    assert_eq!((silent.messages, silent.first), (0, None));
}

#[test]
fn marks_on_record_count_until_they_are_taken_away() {
    let talk = room(&[
        ("14:05:00", "li", "orders fail since 13:52"),
        ("14:20:00", "li", "never mind"),
    ]);
    let mut records = Story::opened().records();
    let mut note = |number, what| {
        let mut entry = records.timeline[0].clone();
        (entry.number, entry.what) = (number, what);
        records.timeline.push(entry);
    };
    let (message, mark) = ("om_2".to_owned(), "mitigated".to_owned());
    note(
        2,
        What::Marked {
            message: "om_1".into(),
            mark: "impact start".into(),
        },
    );
    note(
        3,
        What::Marked {
            message: message.clone(),
            mark: mark.clone(),
        },
    );
    note(4, What::Unmarked { message, mark });
    let facts = Facts::compute(&talk, &records);
    assert_eq!(facts.at(Milestone::ImpactStart), Some(at("13:52:00")));
    assert_eq!(facts.at(Milestone::Mitigated), None);
    assert_eq!(facts.marked, [id(1)]);
}
