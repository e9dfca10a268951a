//! What the records say, in English and Chinese: their entries, and the words for severities, states and roles.

use super::{Words, neutral, words::pick};
use crate::{
    config::Language,
    incident::{Entry, Incident, PersonId, State, What, severity::Severity},
    postmortem::transcript::Transcript,
};

/// What an entry of the records says. What stands in the room as well says nothing here.
pub(in crate::postmortem) fn entry_words(
    entry: &Entry,
    transcript: &Transcript,
    language: Language,
) -> Option<String> {
    let name = |person: &PersonId| neutral(transcript.name(person));
    let words = match &entry.what {
        What::Opened { severity, .. } => Words::new(
            format!("the incident was opened ({severity})"),
            format!("故障单创建（{}）", severity_word(*severity, Language::Zh)),
        ),
        What::AlertFired { title, .. } => {
            let title = neutral(title);
            Words::new(
                format!("an alert fired: {title}"),
                format!("告警触发：{title}"),
            )
        }
        What::AlertRecovered { title, .. } => {
            let title = neutral(title);
            Words::new(
                format!("an alert recovered: {title}"),
                format!("告警恢复：{title}"),
            )
        }
        What::AlertsCounted { firing, total } => Words::new(
            format!("{firing} of {total} alerts fire"),
            format!("{total} 条告警中 {firing} 条仍在触发"),
        ),
        What::SeverityChanged { from, to } => Words::new(
            format!("the severity changed from {from} to {to}"),
            format!(
                "级别由{}变为{}",
                severity_word(*from, Language::Zh),
                severity_word(*to, Language::Zh)
            ),
        ),
        What::Acknowledged => Words::new("the incident was acknowledged", "故障被认领"),
        What::Unacknowledged => Words::new("the incident was given back", "认领被取消"),
        What::Snoozed { .. } => Words::new("the incident was put off", "故障被暂缓"),
        What::Woke { .. } => Words::new("the incident came back after it was put off", "暂缓结束"),
        What::Resolved { .. } => Words::new("the incident was resolved", "故障单标记为已恢复"),
        What::Reopened { .. } => Words::new("the incident was reopened", "故障单重新打开"),
        What::Relapsed => Words::new("it fires again", "再次触发"),
        What::Assigned { to } => {
            let to = name(to);
            Words::new(format!("it was assigned to {to}"), format!("分配给{to}"))
        }
        What::ResponderAdded { who } => {
            let who = name(who);
            Words::new(format!("{who} joined"), format!("{who}加入处理"))
        }
        What::Escalated { level } => Words::new(
            format!("it was escalated to level {level}"),
            format!("升级到第 {level} 级"),
        ),
        What::Paged { who, level } => {
            let who = name(who);
            Words::new(
                format!("{who} was paged (level {level})"),
                format!("呼叫了{who}（第 {level} 级）"),
            )
        }
        What::PageFailed { who, .. } => {
            let who = name(who);
            Words::new(
                format!("{who} could not be paged"),
                format!("未能呼叫{who}"),
            )
        }
        What::RoomOpened { .. } => Words::new("a room was made for it", "建立了作战群"),
        What::ChangeSeen { title, .. } => {
            let title = neutral(title);
            Words::new(format!("a change: {title}"), format!("变更：{title}"))
        }
        What::Commented { text } => {
            let text = neutral(text);
            Words::new(format!("a comment: {text}"), format!("备注：{text}"))
        }
        What::ImpactChanged { to } => {
            let to = neutral(to);
            Words::new(
                format!("the impact was written down: {to}"),
                format!("影响描述更新：{to}"),
            )
        }
        What::MergedInto { number, .. } => Words::new(
            format!("it was merged into #{number}"),
            format!("并入 #{number}"),
        ),
        What::Absorbed { number, .. } => Words::new(
            format!("#{number} was merged into it"),
            format!("#{number} 并入本故障"),
        ),
        What::Silenced { .. } => Words::new("alerts like its own were silenced", "同类告警被静默"),
        What::RoleTaken { role, who } => {
            let (role, who) = (role_word(role, language), name(who));
            Words::new(
                format!("{who} took the role: {role}"),
                format!("{who}担任：{role}"),
            )
        }
        What::AlertAcknowledged { .. }
        | What::AlertLate { .. }
        | What::Recovering
        | What::TitleChanged { .. }
        | What::ChatTold { .. }
        | What::RoomGone { .. }
        | What::ReportPublished { .. }
        | What::ReportReopened
        | What::ReportRestored { .. }
        | What::ActionDeclined { .. }
        | What::ActionDone { .. }
        | What::Marked { .. }
        | What::Unmarked { .. } => return None,
    };
    Some(words.text(language).to_owned())
}

/// How bad something is.
pub(super) fn severity_word(severity: Severity, language: Language) -> &'static str {
    match severity {
        Severity::Info => pick(language, "info", "提示"),
        Severity::Warning => pick(language, "warning", "警告"),
        Severity::Error => pick(language, "error", "错误"),
        Severity::Critical => pick(language, "critical", "严重"),
    }
}

/// How far an incident is.
pub(super) fn state_word(incident: &Incident, language: Language) -> &'static str {
    match incident.state {
        _ if incident.merged_into.is_some() => pick(language, "merged into another", "已合并"),
        State::Triggered => pick(language, "triggered, nobody has it", "待处理"),
        State::Acknowledged => pick(language, "acknowledged", "处理中"),
        State::Snoozed { .. } => pick(language, "put off", "已暂缓"),
        State::Resolved => pick(language, "resolved", "已解决"),
    }
}

/// What somebody does in the room. A role of the team's own is called as they wrote it.
pub(super) fn role_word(role: &str, language: Language) -> String {
    match role {
        "commander" => pick(language, "commander", "指挥").to_owned(),
        "scribe" => pick(language, "scribe", "记录员").to_owned(),
        other => neutral(other),
    }
}
