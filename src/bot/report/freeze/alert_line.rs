//! Lines of monitors: what another bot wrote, as the name of an alert and whether it fires or has recovered.
//!
//! Such lines are collapsed to a count, so whoever is taken for one wrongly is not read. Therefore a line has to
//! say both plainly, and whatever is doubtful stays an ordinary message. The name leaves out the words that tell
//! the status, so that firing and recovery are lines of one alert.

use crate::postmortem::transcript::AlertLine;

/// A longer name is a sentence.
const TITLE_CHARS_MAX: usize = 200;
/// How many lines are looked at.
const LINES_MAX: usize = 60;

/// How surely words tell a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It fires.
    Firing,
    /// It is about an alert; a word that it is over holds against it.
    Alert,
    /// It is over.
    Over,
}

/// The alert that a message of another bot tells of; nothing where that is not sure.
pub(super) fn read(text: &str) -> Option<AlertLine> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !is_note(line))
        .take(LINES_MAX)
        .collect();
    let first = lines.first()?;
    let head = headline(
        pair(first)
            .filter(|(name, _)| *name == "title")
            .map_or(*first, |(_, value)| value),
    );
    let pairs = || lines.iter().filter_map(|line| pair(line));
    let names = only(
        pairs()
            .filter(|(name, _)| is_name(name))
            .map(|(_, value)| value),
    );
    let statuses = only(
        pairs()
            .filter(|(name, _)| is_status(name))
            .filter_map(|(_, value)| level(value)),
    );
    let told = match (statuses, head.told) {
        (One::None, Some(told)) => told,
        (One::Of(told), None | Some(Told::Alert)) => told,
        (One::Of(told), Some(said)) if told == said => told,
        (One::Many, Some(Told::Firing)) => Told::Firing,
        _ => return None,
    };
    let title = match names {
        One::Of(name) => plain(name),
        One::None | One::Many => head.title,
    };
    let is_title = title.chars().filter(|c| c.is_alphanumeric()).count() >= 2
        && title.chars().count() <= TITLE_CHARS_MAX;
    is_title.then_some(AlertLine {
        title,
        firing: told != Told::Over,
    })
}

/// The title of an alert card, of the lines that its words are kept in.
pub(super) fn title(text: &str) -> Option<&str> {
    let named = |wanted: &str| {
        let mut pairs = text.lines().filter_map(pair);
        pairs
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    };
    named("title").or_else(|| named("alertname"))
}

/// A line of ours that says what kind of message it is.
fn is_note(line: &str) -> bool {
    line == "[card]" || line.starts_with("[alert card") || line.starts_with("[button")
}

/// A line such as `status: firing`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once([':', '：'])?;
    let (name, value) = (bare(name), bare(value));
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

/// A text without the signs of Markdown around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || "*-•#>".contains(c))
}

fn is_name(name: &str) -> bool {
    let names = [
        "alertname",
        "Alertname",
        "rule",
        "Rule",
        "规则名称",
        "规则标题",
        "告警名称",
        "告警规则",
        "告警标题",
        "报警名称",
    ];
    names.contains(&name)
}

fn is_status(name: &str) -> bool {
    let names = [
        "status",
        "Status",
        "状态",
        "级别状态",
        "告警状态",
        "报警状态",
        "当前状态",
    ];
    names.contains(&name)
}

/// The one thing that is there.
enum One<T> {
    None,
    Of(T),
    Many,
}

fn only<T: PartialEq>(mut all: impl Iterator<Item = T>) -> One<T> {
    let Some(first) = all.next() else {
        return One::None;
    };
    match all.all(|one| one == first) {
        true => One::Of(first),
        false => One::Many,
    }
}

/// A status beside a severity: `S2 Recovered`.
fn level(value: &str) -> Option<Told> {
    let last = value.rsplit(char::is_whitespace).next()?;
    told(value).or_else(|| told(last))
}

/// What words say that hold nothing but a status.
fn told(words: &str) -> Option<Told> {
    let words = words
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    // `firing:2, resolved:1` fires.
    let word = words
        .split([':', '：', ',', '，', ' '])
        .next()
        .unwrap_or_default();
    let counted = words[word.len()..].chars().all(|c| !c.is_alphabetic())
        || words[word.len()..].contains("resolved:");
    Some(match words.as_str() {
        "firing" | "alerting" | "triggered" | "problem" | "触发" | "已触发" | "告警中"
        | "报警中" | "告警触发" | "报警触发" | "触发告警" => Told::Firing,
        _ if word == "firing" && counted => Told::Firing,
        _ if word == "resolved" && counted => Told::Over,
        "recovered" | "恢复" | "已恢复" | "告警恢复" | "报警恢复" | "告警已恢复" | "报警已恢复"
        | "恢复通知" | "恢复正常" | "已恢复正常" | "已解决" => Told::Over,
        "告警" | "报警" | "故障" | "alert" | "告警通知" | "报警通知" | "故障通知" => {
            Told::Alert
        }
        _ => return None,
    })
}

/// What a first line says.
#[derive(Debug, Default)]
struct Headline {
    told: Option<Told>,
    title: String,
    /// Whether it says that an alert fires and that it is over.
    is_torn: bool,
}

impl Headline {
    fn hear(&mut self, told: Told) {
        self.told = match (self.told, told) {
            (None | Some(Told::Alert), told) => Some(told),
            (known, Told::Alert) => known,
            (Some(known), told) if known == told => Some(known),
            _ => {
                self.is_torn = true;
                self.told
            }
        };
    }
}

/// Takes the words of status off both ends of a line.
fn headline(line: &str) -> Headline {
    let mut head = Headline::default();
    let mut kept: Vec<&str> = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(is_ornament);
        if let Some((inside, after)) = bracketed(rest) {
            match told(inside) {
                Some(told) => head.hear(told),
                // A severity, say: it stands in both lines of an alert.
                None => kept.push(&rest[..rest.len() - after.len()]),
            }
            rest = after;
        } else if let Some((told, after)) = labelled(rest) {
            head.hear(told);
            rest = after;
        } else {
            break;
        }
    }
    if let Some((told, before)) = trailing(rest) {
        head.hear(told);
        rest = before;
    }
    kept.push(rest);
    head.title = plain(&kept.join(" "));
    let is_sentence = head
        .title
        .contains(['。', '，', '？', '！', '；', '?', '!', ';']);
    if head.is_torn || is_sentence {
        return Headline::default();
    }
    head
}

fn is_ornament(c: char) -> bool {
    !c.is_alphanumeric() && !"[【(（{\"'/".contains(c)
}

/// What stands between brackets in front, and what comes after.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let close = match text.chars().next()? {
        '[' => ']',
        '【' => '】',
        _ => return None,
    };
    let (inside, after) = text.split_once(close)?;
    Some((inside, after))
}

/// `Resolved: …`, `告警恢复：…`.
fn labelled(text: &str) -> Option<(Told, &str)> {
    let (word, after) = text.split_once([':', '：'])?;
    Some((told(word)?, after))
}

/// `… 已恢复`, `… [RESOLVED]`.
fn trailing(text: &str) -> Option<(Told, &str)> {
    let text = text.trim_end_matches(|c: char| is_ornament(c) && c != ']' && c != '】');
    for (open, close) in [('[', ']'), ('【', '】')] {
        let inner = text
            .strip_suffix(close)
            .and_then(|text| text.rsplit_once(open));
        if let Some((before, inside)) = inner
            && let Some(told) = told(inside)
        {
            return Some((told, before));
        }
    }
    let over = [
        "告警已恢复",
        "报警已恢复",
        "告警恢复",
        "报警恢复",
        "已恢复正常",
        "已恢复",
    ];
    let firing = ["触发告警", "告警触发", "告警中"];
    let end = |ends: &[&str], told| {
        let before = ends.iter().find_map(|end| text.strip_suffix(end))?;
        Some((told, before))
    };
    end(&over, Told::Over).or_else(|| end(&firing, Told::Firing))
}

/// A name on one line, without ornaments around it.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace("**", "");
    line.trim_start_matches(is_ornament)
        .trim_end_matches(|c: char| is_ornament(c) && !")）]】%}".contains(c))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, bool)>) {
        let read = read(text);
        let read = read.as_ref().map(|line| (line.title.as_str(), line.firing));
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn an_alert_has_one_name_when_it_fires_and_when_it_is_over() {
        for (firing, over, name) in [
            (
                "[FIRING:2] HighLatency",
                "[RESOLVED] HighLatency",
                "HighLatency",
            ),
            (
                "🔥 [FIRING:1, RESOLVED:2] HighLatency (checkout prod)",
                "✅ [RESOLVED:3] HighLatency (checkout prod)",
                "HighLatency (checkout prod)",
            ),
            (
                "🚨 Firing: Disk above 90%",
                "✅ Resolved: Disk above 90%",
                "Disk above 90%",
            ),
            (
                "Triggered: queue is long",
                "Recovered: queue is long",
                "queue is long",
            ),
            (
                "【告警】订单服务 CPU 过高",
                "【恢复】订单服务 CPU 过高",
                "订单服务 CPU 过高",
            ),
            (
                "[P1][告警] 订单失败率",
                "[P1][恢复] 订单失败率",
                "[P1] 订单失败率",
            ),
            ("【告警通知】磁盘将满", "【恢复通知】磁盘将满", "磁盘将满"),
            ("【报警】磁盘将满", "【报警】磁盘将满 已恢复", "磁盘将满"),
            ("告警触发：支付超时", "告警恢复：支付超时", "支付超时"),
            ("支付超时 触发告警", "支付超时 已恢复", "支付超时"),
            (
                "HighErrorRate [FIRING]",
                "HighErrorRate [RESOLVED]",
                "HighErrorRate",
            ),
            (
                "[alert card: Nightingale]\ntitle: S2 Triggered\nalertname: 磁盘将满\nstatus: firing\nseverity: S2",
                "[alert card: Nightingale]\ntitle: S2 Recovered\nalertname: 磁盘将满\nstatus: resolved",
                "磁盘将满",
            ),
            (
                "[alert card: Grafana]\ntitle: [FIRING:2] Errors (SRE)\nalert 1 of 2:\nalertname: Errors\nstatus: firing\nalert 2 of 2:\nalertname: Errors\nstatus: firing",
                "[alert card: Grafana]\ntitle: [RESOLVED] Errors (SRE)\nalertname: Errors\nstatus: resolved",
                "Errors",
            ),
            (
                "级别状态: S1 Triggered\n规则名称: 订单失败率\n触发时间: 2026-11-20 18:02:11",
                "级别状态: S1 Recovered\n规则名称: 订单失败率\n恢复时间: 2026-11-20 18:12:11",
                "订单失败率",
            ),
        ] {
            check(firing, Some((name, true)));
            check(over, Some((name, false)));
        }
    }

    #[test]
    fn what_is_not_sure_stays_an_ordinary_message() {
        for text in [
            "",
            "Deploy finished",
            "[card]\nDeploy finished\nstatus: done\nrule: canary",
            "checkout v2.3.1 was released",
            "HighLatency 未恢复",
            "灰度完成，服务已恢复",
            "恢复：请确认，可以发布了吗？",
            "[FIRING] HighLatency [RESOLVED]",
            "【告警】",
            "✅ Resolved",
            "Resolved the ticket: PROJ-12",
            "[OK] build 12",
            "[alert card]\ntitle: Prometheus 告警\nalertname: A\nstatus: firing\nalertname: B\nstatus: resolved",
        ] {
            check(text, None);
        }
    }
}
