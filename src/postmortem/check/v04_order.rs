//! V4: the timeline is in order.

use super::{Content, Finding, Subject, Verdict, whole};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, section) in subject.sections(Content::Timeline) {
        let times: Vec<_> = section.lines.iter().filter_map(|line| line.at).collect();
        if !times.is_sorted() {
            findings.push(whole(
                at,
                Verdict::Fail,
                "its lines are not in the order of their times",
                "各行没有按时间排序",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Line, testing::Scene};
    use crate::postmortem::testing::at;

    #[test]
    fn a_timeline_out_of_order_fails() {
        let line = |time: &str| Line {
            at: Some(at(time)),
            ..Line::item("x [m1]")
        };
        let check = |times: [&str; 2], expected: usize| {
            let found = Scene::new().findings(4, Content::Timeline, &times.map(line));
            assert_eq!(found.len(), expected, "{times:?}");
        };
        check(["14:00:00", "14:00:00"], 0);
        check(["14:00:00", "14:01:00"], 0);
        check(["14:01:00", "14:00:00"], 1);
    }
}
