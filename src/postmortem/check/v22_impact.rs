//! V22: where a rate, a duration and a total of one thing are told, they fit each other.

use std::sync::LazyLock;

use regex::Regex;

use super::{Content, Finding, Subject, Verdict};

static RATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(\d[\d,]*(?:\.\d+)?)\s*([a-z]{4,}|[\x{4e00}-\x{9fff}]{1,3})?\s*(?:per|a|each|/)\s*(second|sec|s|minute|min|hour|h)\b|每(秒|分钟|小时)(?:约)?\s*(\d[\d,]*)").expect("it is compiled by a test")
});
static TOTAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:in all|in total|total of|altogether|共计?|总计|合计)\D{0,12}(\d[\d,]*)|(\d[\d,]*)\s*\w*\s*(?:in all|in total|altogether)").expect("it is compiled by a test")
});

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let seconds = subject
        .material
        .facts
        .metric(crate::postmortem::facts::MetricName::ImpactStartToMitigated);
    let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else {
        return Vec::new();
    };
    let lines: Vec<_> = subject
        .claims()
        .filter(|placed| placed.content == Content::Impact)
        .collect();
    let rate = lines
        .iter()
        .find_map(|placed| per_second(&placed.line.words()));
    let Some(rate) = rate else {
        return Vec::new();
    };
    let expected = rate * seconds as f64;
    let wrong = lines.iter().filter_map(|placed| {
        let words = placed.line.words();
        let found = TOTAL.captures(&words)?;
        let total = number(found.get(1).or_else(|| found.get(2))?.as_str())?;
        // Rates are rough: only what is off by more than the half is worth a word.
        let fits = (expected / 2.0..=expected * 2.0).contains(&total);
        (!fits).then(|| {
            placed.finding(
                Verdict::Warn,
                format!("{total} in all do not fit the rate, which gives {expected:.0}"),
                format!("合计 {total} 与按速率推算的 {expected:.0} 不符"),
            )
        })
    });
    wrong.collect()
}

fn number(text: &str) -> Option<f64> {
    text.replace(',', "").parse().ok()
}

fn per_second(words: &str) -> Option<f64> {
    let found = RATE.captures(words)?;
    let count = number(found.get(1).or_else(|| found.get(5))?.as_str())?;
    let unit = found
        .get(3)
        .or_else(|| found.get(4))?
        .as_str()
        .to_lowercase();
    let seconds = match unit.as_str() {
        "hour" | "h" | "小时" => 3600.0,
        "minute" | "min" | "分钟" => 60.0,
        _ => 1.0,
    };
    Some(count / seconds)
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Line, testing::Scene};
    use crate::postmortem::{
        testing::{Story, marked, room},
        transcript::MarkKind,
    };

    #[test]
    fn a_total_that_does_not_fit_its_rate_is_warned_of() {
        let talk = room(&[
            ("14:00:00", "li", "it begins"),
            ("14:10:00", "li", "it ends"),
        ]);
        let talk = marked(
            marked(talk, 1, MarkKind::ImpactStart),
            2,
            MarkKind::Mitigated,
        );
        let scene = Scene::of(talk, Story::opened().records());
        let check = |text: &str, expected: usize| {
            let lines = [
                Line::item("30 orders per minute failed [m1]"),
                Line::item(text),
            ];
            assert_eq!(
                scene.findings(22, Content::Impact, &lines).len(),
                expected,
                "{text}"
            );
        };
        check("300 orders in all [m1]", 0);
        check("5,000 orders in all [m1]", 1);
        check("共计 9000 笔 [m1]", 1);
        check("no total [m1]", 0);
    }
}
