//! What several chunks found becomes one list.

use super::*;
use crate::postmortem::{
    phrases,
    testing::{at, id, room},
};

fn merged(said: &[(&str, &str, &str)]) -> Merged {
    let room = room(said);
    let events = room
        .messages
        .iter()
        .flat_map(|message| phrases::extract(message, &room));
    merge(events.collect(), &room)
}

fn abouts(merged: &Merged) -> Vec<About> {
    merged
        .contradictions
        .iter()
        .map(|pair| pair.about)
        .collect()
}

#[test]
fn what_is_said_twice_becomes_one_event_that_cites_both() {
    let merged = merged(&[
        ("14:05:00", "li", "rolled back payment-gw to 1.8.2"),
        ("14:06:00", "li", "payment-gw rolled back to 1.8.2"),
        ("14:07:00", "li", "restarted node-1."),
        ("14:07:10", "li", "restarted node-2."),
    ]);
    assert_eq!((merged.events.len(), merged.joined), (3, 1));
    assert_eq!(merged.events[0].message_ids, [id(1), id(2)]);
}

#[test]
fn a_correction_supersedes_and_stays_linked() {
    let merged = merged(&[
        ("14:05:00", "li", "about 300 orders failed"),
        ("14:40:00", "han", "correction: about 1200 orders failed"),
    ]);
    assert_eq!(merged.events[0].superseded_by, Some(1));
    assert!(merged.events[1].holds());
    assert_eq!(
        merged.contradictions,
        [],
        "a correction is no contradiction"
    );
}

#[test]
fn what_was_ruled_out_stays_ruled_out() {
    let english = merged(&[
        ("14:05:00", "li", "maybe Redis is slow"),
        ("14:06:00", "han", "maybe the pool is exhausted"),
        (
            "14:10:00",
            "han",
            "Redis is not the cause, its latency is flat",
        ),
        ("14:20:00", "li", "I still suspect Redis"),
    ]);
    let refuted: Vec<bool> = english
        .events
        .iter()
        .map(|event| event.refuted_by.is_some())
        .collect();
    assert_eq!(refuted, [true, false, false, true]);
    let chinese = merged(&[
        ("14:05:00", "wang", "怀疑是数据库慢查询"),
        ("14:06:00", "wang", "可能是连接池配置过小"),
        ("14:10:00", "li", "排除数据库，慢查询没有增加"),
    ]);
    let refuted: Vec<bool> = chinese
        .events
        .iter()
        .map(|event| event.refuted_by.is_some())
        .collect();
    assert_eq!(refuted, [true, false, false]);
}

#[test]
fn what_does_not_agree_is_kept_in_pairs() {
    let times = merged(&[
        ("14:35:00", "li", "rolled back payment-gw at 14:20"),
        ("14:36:00", "han", "rolled back payment-gw at 14:26"),
    ]);
    assert_eq!(abouts(&times), [About::Time]);
    let numbers = merged(&[
        ("14:35:00", "li", "about 300 orders failed"),
        ("14:36:00", "han", "1200 orders failed"),
    ]);
    assert_eq!(abouts(&numbers), [About::Number]);
    let cause = merged(&[
        ("14:35:00", "li", "Redis is not the cause"),
        ("14:50:00", "han", "The root cause was Redis"),
    ]);
    assert_eq!(abouts(&cause), [About::Cause]);
    let agreeing = merged(&[
        ("14:35:00", "li", "about 1,200 orders failed"),
        ("15:36:00", "han", "1200 orders failed in all"),
    ]);
    assert_eq!(abouts(&agreeing), []);
}

#[test]
fn events_are_in_the_order_of_their_times() {
    let merged = merged(&[
        ("14:35:00", "li", "errors began at 13:50"),
        ("14:36:00", "han", "all clear"),
    ]);
    assert_eq!(merged.events[0].at, at("13:50:00"));
}
