//! A short diagnosis of an incident, as far as words and their order in time allow one.
//!
//! The rule is the oldest of the trade: what changed last before it began? It is told as a guess, beside what
//! speaks for it and what nobody has looked at.

use super::{ITEM_CHARS, Kind, Line, Transcript, Words, excerpt, has, item, words::ALERT_WORDS};

/// How many lines of other quoted material are shown, where no conversation is quoted.
const FACTS_MAX: usize = 4;

/// Words of a question for a cause; compared in lower case.
const ASKS_FOR_A_CAUSE: &[&str] = &[
    "diagnos",
    "root cause",
    "likely cause",
    "probable cause",
    "what caused",
    "what is the cause",
    "investigate",
    "this alert",
    "this incident",
    "about incident",
    "诊断",
    "根因",
    "什么原因",
    "原因是什么",
    "怎么引起",
    "排查一下",
    "这个告警",
    "这条告警",
    "这次故障",
    "这个故障",
];

/// The fixed sentences of a diagnosis in one language.
pub(super) struct Told {
    title: &'static str,
    began: &'static str,
    suspected: &'static str,
    because: &'static str,
    no_change: &'static str,
    since: &'static str,
    nothing_since: &'static str,
    unchecked: &'static str,
    next_with_change: &'static str,
    next_without: &'static str,
}

pub(super) const ENGLISH: Told = Told {
    title: "### Diagnosis (a guess by rules)",
    began: "Began with",
    suspected: "Suspected",
    because: "because it is the last change that was told of before that",
    no_change: "nothing: no change was told of before it began",
    since: "Done since",
    nothing_since: "nothing that anybody told of",
    unchecked: "**Not checked**: metrics, logs and traces. Rules read only what is quoted here.",
    next_with_change: "**Next**: compare before and after that change; if nothing speaks against it, take it back and watch.",
    next_without: "**Next**: ask who changed something in the last hour, and look at the dashboard from the time it began.",
};

pub(super) const CHINESE: Told = Told {
    title: "### 诊断（规则的猜测）",
    began: "最早的现象",
    suspected: "怀疑",
    because: "因为它是现象出现之前最后提到的变更",
    no_change: "暂无：现象出现之前没有人提到变更",
    since: "之后做了",
    nothing_since: "没有人提到",
    unchecked: "**没有查**：指标、日志和链路。规则只读这里引用的内容。",
    next_with_change: "**下一步**：对比这次变更前后；如果没有反证，先回滚再观察。",
    next_without: "**下一步**：问一下最近一小时谁做过变更，并从开始的时间看监控面板。",
};

/// Whether the question is for a cause.
pub(super) fn is_asked_for(question: &str) -> bool {
    has(&question.to_lowercase(), ASKS_FOR_A_CAUSE)
}

/// The diagnosis, or nothing where nothing that is quoted looks like trouble.
pub(super) fn of(words: &Words, transcript: &Transcript, quoted: &str) -> Option<String> {
    let told = &words.diagnosis;
    let lines = &transcript.lines;
    let of_kind = |kind| move |at: &usize| Kind::of(lines, *at) == Some(kind);
    let Some(first) = (0..lines.len()).find(of_kind(Kind::Alert)) else {
        let facts = facts(quoted);
        let nothing_known = || told.no_change.to_owned();
        return (!facts.is_empty()).then(|| written(told, &facts, nothing_known(), None, false));
    };
    let before = (0..first).rfind(of_kind(Kind::Change));
    // People tell of a change when they begin to wonder, which is after the alert.
    let confessed = || (first + 1..lines.len()).find(of_kind(Kind::Change));
    let suspect = before.or_else(confessed);
    let since =
        (first + 1..lines.len()).rfind(|at| of_kind(Kind::Change)(at) && suspect != Some(*at));
    let suspected = match (suspect, before) {
        (None, _) => told.no_change.to_owned(),
        (Some(at), Some(_)) => format!("{}, {}", bare(&lines[at]), told.because),
        (Some(at), None) => bare(&lines[at]),
    };
    let since = since.map(|at| bare(&lines[at]));
    Some(written(
        told,
        &item(&lines[first]),
        suspected,
        since,
        suspect.is_some(),
    ))
}

/// A line without the mark of a list.
fn bare(line: &Line) -> String {
    item(line).trim_start_matches("- ").to_owned()
}

fn written(
    told: &Told,
    began: &str,
    suspected: String,
    since: Option<String>,
    has_suspect: bool,
) -> String {
    let since = since.unwrap_or_else(|| told.nothing_since.to_owned());
    let next = match has_suspect {
        true => told.next_with_change,
        false => told.next_without,
    };
    [
        told.title.to_owned(),
        format!("**{}**:\n\n{began}", told.began),
        format!("**{}**: {suspected}", told.suspected),
        format!("**{}**: {since}", told.since),
        told.unchecked.to_owned(),
        next.to_owned(),
    ]
    .join("\n\n")
}

/// Lines of other quoted material that look like trouble, such as the facts of an incident.
fn facts(quoted: &str) -> String {
    let lines = quoted.lines().map(str::trim);
    let told =
        lines.filter(|line| !line.starts_with('<') && has(&line.to_lowercase(), ALERT_WORDS));
    let told: Vec<String> = told
        .take(FACTS_MAX)
        .map(|line| format!("- {}", excerpt(line, ITEM_CHARS)))
        .collect();
    told.join("\n")
}
