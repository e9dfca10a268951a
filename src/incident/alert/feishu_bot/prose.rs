//! What prose says about an alert: its status, its severity, its labels, and what in it stays the same.

use crate::incident::{
    alert::{Status, words},
    labels::Labels,
    severity::Severity,
};

/// Words that say that it is over. Looked for in titles, and in values that name a status.
const OVER: &[&str] = &[
    "恢复",
    "resolved",
    "recovered",
    "recovery",
    "已解决",
    "解除",
];
/// Words that say that it is not: they hold against a word of [`OVER`] beside them.
const NOT_OVER: &[&str] = &[
    "未恢复",
    "not resolved",
    "unresolved",
    "not recovered",
    "无法恢复",
];

/// How many labels are read from one text.
const LABELS_MAX: usize = 32;
/// The longest name of a label, in characters. What is longer before a colon is a sentence.
const NAME_CHARS_MAX: usize = 24;

/// What was read, and what had to be guessed.
pub(super) struct Read {
    pub(super) status: Status,
    pub(super) severity: Severity,
    pub(super) notes: Vec<String>,
}

/// Reads status and severity.
pub(super) fn read(title: &str, labels: &Labels, colour: Option<&str>) -> Read {
    let mut notes = Vec::new();
    let said = |names: &[&str]| {
        let named = |name: &&str| labels.get(*name);
        names.iter().find_map(named).map(String::as_str)
    };
    let told = said(&["status", "状态", "告警状态", "Status"]).and_then(words::status);
    let status = match told {
        Some(status) => status,
        None if says_over(title) => Status::Resolved,
        None if colour == Some("green") && !has_any(&title.to_lowercase(), NOT_OVER) => {
            notes.push("taken for a recovery because the card is green".to_owned());
            Status::Resolved
        }
        None => Status::Firing,
    };
    let told = said(&[
        "severity",
        "级别",
        "告警级别",
        "告警等级",
        "等级",
        "Severity",
        "level",
        "priority",
    ]);
    let severity = told
        .and_then(Severity::from_word)
        .or_else(|| in_brackets(title))
        .or_else(|| of_colour(colour));
    if severity.is_none() {
        notes.push("no severity was found in the message: taken for a warning".to_owned());
    }
    Read {
        status,
        severity: severity.unwrap_or_default(),
        notes,
    }
}

/// The pairs of lines such as `**Host**: web-1` and `主机：web-1`.
pub(super) fn labels(body: &str) -> Labels {
    let pairs = body.lines().filter_map(pair).take(LABELS_MAX);
    pairs.collect()
}

/// A title without what changes from report to report: words of status, numbers, marks.
pub(super) fn stem(title: &str) -> String {
    let mut title = title.to_lowercase();
    for word in OVER
        .iter()
        .chain(["firing", "告警", "触发", "alerting", "alert", "已", "ok"].iter())
    {
        title = title.replace(word, " ");
    }
    let words = title.split(|c: char| !c.is_alphanumeric());
    // A word with a letter before its digits is a name, such as `web-1` or `p99`, and stays.
    let stays = |word: &&str| !word.is_empty() && !word.chars().all(|c| c.is_ascii_digit());
    words.filter(stays).collect::<Vec<_>>().join(" ")
}

fn says_over(title: &str) -> bool {
    let title = title.to_lowercase();
    has_any(&title, OVER) && !has_any(&title, NOT_OVER)
}

fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// A severity between brackets: `[P1] …`, `【严重】…`.
fn in_brackets(title: &str) -> Option<Severity> {
    title
        .split(['[', '【', '(', '（'])
        .skip(1)
        .filter_map(|piece| piece.split([']', '】', ')', '）', ':']).next())
        .find_map(Severity::from_word)
}

fn of_colour(colour: Option<&str>) -> Option<Severity> {
    Some(match colour? {
        "red" | "carmine" => Severity::Critical,
        "orange" => Severity::Error,
        "yellow" => Severity::Warning,
        "blue" | "wathet" | "turquoise" | "grey" => Severity::Info,
        _ => return None,
    })
}

fn pair(line: &str) -> Option<(String, String)> {
    let trim = |text: &str| {
        text.trim_matches(|c: char| c.is_whitespace() || "*#>-•`_".contains(c))
            .to_owned()
    };
    let at = line.find([':', '：'])?;
    let (name, rest) = line.split_at(at);
    let value = trim(rest.trim_start_matches([':', '：']));
    let name = trim(name);
    let short = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    // `http://…` and `12:30` are not names with values.
    let is_name = !name.contains("http") && !name.chars().all(|c| c.is_ascii_digit());
    (short && is_name && !value.is_empty() && !value.starts_with("//")).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_tells_status_and_severity() {
        let check =
            |title: &str, body: &str, colour: Option<&str>, expected: (Status, Severity)| {
                let read = read(title, &labels(body), colour);
                assert_eq!((read.status, read.severity), expected, "{title}");
            };
        use {Severity::*, Status::*};
        check("CPU high on web-1", "", None, (Firing, Warning));
        check("[P1] CPU high on web-1", "", None, (Firing, Critical));
        check("【恢复】CPU 使用率过高", "", None, (Resolved, Warning));
        check("【告警】服务未恢复", "级别：严重", None, (Firing, Critical));
        check(
            "[Resolved] disk full",
            "",
            Some("red"),
            (Resolved, Critical),
        );
        check(
            "disk",
            "状态: 已恢复\n**告警级别**：提示",
            None,
            (Resolved, Info),
        );
        check("disk", "", Some("green"), (Resolved, Warning));
        check("disk", "", Some("orange"), (Firing, Error));
    }

    #[test]
    fn the_reports_of_one_alert_have_one_stem() {
        let check = |left: &str, right: &str, same: bool| {
            assert_eq!(
                stem(left) == stem(right),
                same,
                "{} / {}",
                stem(left),
                stem(right)
            );
        };
        check(
            "[FIRING:2] disk full on db-1",
            "[RESOLVED] disk full on db-1",
            true,
        );
        check("【告警】CPU 使用率 91%", "【已恢复】CPU 使用率 12%", true);
        check("disk full on db1", "disk full on db2", false);
        check("【告警】内存", "【告警】磁盘", false);
    }

    #[test]
    fn lines_with_a_name_and_a_value_are_labels() {
        let read = labels(
            "**主机**：web-1\n- Host: a:b\nsee http://x\nhttp://y\n12:30 started\n: x\nname:\n",
        );
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(read, ["Host=a:b", "主机=web-1"]);
    }
}
