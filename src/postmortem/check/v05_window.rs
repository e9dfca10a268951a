//! V5: dates lie within the incident and not in the future, and weekdays fit their dates.

use std::sync::LazyLock;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
};
use regex::Regex;

use super::{Content, Finding, Subject};

/// How far before its first event and after its last an incident is spoken of.
const MARGIN: SignedDuration = SignedDuration::from_hours(24 * 7);

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?(?:\s*[,，(（]?\s*(mon|tue|wed|thu|fri|sat|sun|星期[一二三四五六日天]|周[一二三四五六日天]))?")
        .expect("it is compiled by a test")
});

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let (from, until) = window(subject);
    let mut findings = Vec::new();
    for placed in subject.claims() {
        let outside = |at: Timestamp| at < from || at > until;
        // What is to be done lies ahead.
        let is_ahead = placed.content == Content::ActionItems;
        if placed.line.at.is_some_and(outside) && !is_ahead {
            findings.push(placed.fails(
                "its time lies outside of the incident",
                "时间在故障范围之外",
            ));
        }
        for found in DATE.captures_iter(&placed.line.text) {
            let Some(date) = date(&found) else {
                findings.push(placed.fails(
                    format!("{} is no date", &found[0]),
                    format!("{} 不是日期", &found[0]),
                ));
                continue;
            };
            let zone = &subject.material.transcript.time_zone;
            let noon = date
                .at(12, 0, 0, 0)
                .to_zoned(zone.clone())
                .map(|noon| noon.timestamp());
            if noon.is_ok_and(|noon| {
                noon < from - SignedDuration::from_hours(12)
                    || noon > until + SignedDuration::from_hours(12)
            }) && !is_ahead
            {
                findings.push(placed.fails(
                    format!("{date} lies outside of the incident"),
                    format!("{date} 在故障范围之外"),
                ));
            }
            if found
                .get(4)
                .is_some_and(|day| weekday(day.as_str()) != Some(date.weekday()))
            {
                findings.push(placed.fails(
                    format!("{date} is no such weekday"),
                    format!("{date} 星期不对"),
                ));
            }
        }
    }
    findings
}

fn window(subject: &Subject<'_>) -> (Timestamp, Timestamp) {
    let (transcript, incident) = (
        subject.material.transcript,
        &subject.material.records.incident,
    );
    let first = transcript
        .messages
        .first()
        .map_or(incident.opened_at, |message| message.at);
    let first = first.min(incident.opened_at).min(incident.started_at);
    let first = subject
        .material
        .facts
        .at(crate::postmortem::facts::Milestone::ImpactStart)
        .map_or(first, |at| first.min(at));
    (first - MARGIN, transcript.frozen_at.max(first))
}

fn date(found: &regex::Captures<'_>) -> Option<Date> {
    Date::new(
        found[1].parse().ok()?,
        found[2].parse().ok()?,
        found[3].parse().ok()?,
    )
    .ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    let word = word.to_lowercase();
    Some(
        match word.trim_start_matches("星期").trim_start_matches('周') {
            "mon" | "一" => Weekday::Monday,
            "tue" | "二" => Weekday::Tuesday,
            "wed" | "三" => Weekday::Wednesday,
            "thu" | "四" => Weekday::Thursday,
            "fri" | "五" => Weekday::Friday,
            "sat" | "六" => Weekday::Saturday,
            "sun" | "日" | "天" => Weekday::Sunday,
            _ => return None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn a_date_elsewhere_or_with_the_wrong_weekday_fails() {
        check_lines(
            5,
            Content::Summary,
            &[
                "On 2026-11-20 (Friday) it began [m1]",
                "2026年11月20日星期五开始 [m1]",
                "a deploy on 2026-11-18 [m1]",
            ],
            &[
                "On 2025-11-20 it began [m1]",
                "On 2026-11-20 (Monday) [m1]",
                "2026-11-20 周一 [m1]",
                "On 2026-12-01 [m1]",
                "On 2026-13-01 [m1]",
            ],
        );
    }
}
