//! V16: where people write, the timeline is not silent for an hour.

use super::{Content, Finding, Subject, Verdict, whole};
use crate::postmortem::write::GAP_MAX;

/// So few messages may well say nothing.
const MESSAGES_MIN: usize = 5;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let transcript = subject.material.transcript;
    let mut findings = Vec::new();
    for (at, section) in subject.sections(Content::Timeline) {
        let times: Vec<_> = section.lines.iter().filter_map(|line| line.at).collect();
        for pair in times.windows(2) {
            let (from, until) = (pair[0], pair[1]);
            if until.duration_since(from) <= GAP_MAX {
                continue;
            }
            let first = transcript
                .messages
                .partition_point(|message| message.at <= from);
            let last = transcript
                .messages
                .partition_point(|message| message.at < until);
            let said = transcript
                .messages
                .get(first..last)
                .unwrap_or_default()
                .iter();
            let count = said
                .filter(|message| transcript.is_human(&message.author) && message.alert.is_none())
                .filter(|message| message.aside.is_none())
                .count();
            if count >= MESSAGES_MIN {
                let minutes = until.duration_since(from).as_mins();
                findings.push(whole(at, Verdict::Warn, format!("nothing is told for {minutes} minutes in which people wrote {count} messages"), format!("有 {minutes} 分钟没有内容，而其间有 {count} 条消息")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Line, Verdict, testing::Scene};
    use crate::postmortem::testing::{Story, at, room};

    #[test]
    fn an_hour_without_a_line_while_people_write_is_warned_of() {
        let talk = room(
            &["14:10:00", "14:20:00", "14:30:00", "14:40:00", "14:50:00"]
                .map(|time| (time, "li", "hm")),
        );
        let scene = Scene::of(talk, Story::opened().records());
        let check = |until: &str, expected: &[Verdict]| {
            let lines = ["14:00:00", until].map(|time| Line {
                at: Some(at(time)),
                ..Line::item("x [m1]")
            });
            let found: Vec<Verdict> = scene
                .findings(16, Content::Timeline, &lines)
                .iter()
                .map(|finding| finding.verdict)
                .collect();
            assert_eq!(found, expected, "{until}");
        };
        check("15:30:00", &[Verdict::Warn]);
        check("14:59:00", &[]);
    }
}
