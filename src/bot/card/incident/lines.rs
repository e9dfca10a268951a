//! What happened to an incident, one sentence for each entry of its timeline.
//!
//! The sentences are plain text, and hold what alerts and people wrote: whoever shows them escapes them.

use jiff::{Timestamp, tz::TimeZone};

use super::{super::shorten, Names, words};
use crate::{
    bot::{
        times,
        war_room::{mark_name, role_name},
    },
    config::Language,
    incident::{Actor, Entry, PersonId, What},
};

/// How much of what people and alerts wrote stands in one sentence.
const WRITTEN_CHARS_MAX: usize = 160;

/// How sentences are told.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// Who is called what.
    pub names: &'a Names,
    /// Where times are meant.
    pub zone: &'a TimeZone,
    /// When they are read.
    pub now: Timestamp,
    /// The language.
    pub language: Language,
}

impl Telling<'_> {
    /// An entry with its time. Plain text on one line.
    pub fn line(&self, entry: &Entry) -> String {
        let time = times::in_short(entry.at, self.now, self.zone);
        format!("{time} {}", self.sentence(entry))
    }

    /// An entry without its time. Plain text on one line.
    pub fn sentence(&self, entry: &Entry) -> String {
        let who = self.names.of_actor(&entry.by, self.language);
        let is_person = matches!(entry.by.actor, Actor::Person(_));
        match self.language {
            Language::En => self.english(entry, &who, is_person),
            Language::Zh => self.chinese(entry, &who, is_person),
        }
    }

    fn english(&self, entry: &Entry, who: &str, is_person: bool) -> String {
        let severity = |severity| words::severity(severity, Language::En).to_lowercase();
        match &entry.what {
            What::Opened {
                title,
                severity: of,
            } => {
                format!("{who} opened it, {}: {}", severity(*of), quoted(title))
            }
            What::AlertFired {
                title,
                severity: of,
                again,
                ..
            } => {
                let again = if *again { " again" } else { "" };
                format!("fires{again}, {}: {}", severity(*of), quoted(title))
            }
            What::AlertRecovered { title, .. } => format!("recovered: {}", quoted(title)),
            What::AlertAcknowledged { title, .. } => {
                format!("acknowledged at {who}: {}", quoted(title))
            }
            What::AlertLate { title, .. } => {
                format!("a report that came late changed nothing: {}", quoted(title))
            }
            What::AlertsCounted { firing, total } => {
                format!("{firing} of {total} alerts fire; from here on they are counted")
            }
            What::Recovering => "nothing fires any more".to_owned(),
            What::Relapsed => "something fires again".to_owned(),
            What::SeverityChanged { from, to } => {
                format!("severity {} is now {}", severity(*from), severity(*to))
            }
            What::Acknowledged => format!("{who} acknowledged it"),
            What::Unacknowledged => format!("{who} gave it back"),
            What::Snoozed { until } => format!("{who} put it off until {}", self.time(*until)),
            What::Silenced { until } => {
                format!(
                    "{who} silenced alerts like these until {}",
                    self.time(*until)
                )
            }
            What::Woke { worse: true } => {
                "back before its time, because it became worse".to_owned()
            }
            What::Woke { worse: false } => "back, the time is over".to_owned(),
            What::Resolved { .. } if !is_person => "resolved, nothing fires any more".to_owned(),
            What::Resolved { firing: 0 } => format!("{who} closed it"),
            What::Resolved { firing } => format!("{who} closed it while {firing} still fired"),
            What::Reopened { .. } if !is_person => {
                "reopened, an alert of it fires again".to_owned()
            }
            What::Reopened { reason } => format!("{who} reopened it: {}", quoted(reason)),
            What::Assigned { to } if is_by(entry, to) => format!("{who} took it"),
            What::Assigned { to } => format!("{who} assigned it to {}", self.names.of(to)),
            What::ResponderAdded { who: added } => {
                format!("{who} added {}", self.names.of(added))
            }
            What::Commented { text } => format!("{who}: {}", quoted(text)),
            What::TitleChanged { to } => format!("{who} renamed it: {}", quoted(to)),
            What::ImpactChanged { to } => format!("{who} wrote the impact: {}", quoted(to)),
            What::Absorbed { number, .. } => format!("{who} merged #{number} into this one"),
            What::MergedInto { number, .. } => format!("{who} merged it into #{number}"),
            What::Escalated { level } => format!("escalated to level {level}"),
            What::Paged { who: told, level } => {
                format!("told {} (level {level})", self.names.of(told))
            }
            What::PageFailed {
                who: missed,
                level,
                reason,
            } => format!(
                "could not tell {} (level {level}): {}",
                self.names.of(missed),
                why_not(reason, Language::En)
            ),
            What::ChatTold { .. } => "told a group".to_owned(),
            What::RoomOpened { name, .. } => format!("war room opened: {}", quoted(name)),
            What::RoomGone { .. } => "the war room was dissolved".to_owned(),
            What::ReportPublished { version, failures } => match failures {
                0 => format!("{who} published the post-mortem (version {version})"),
                _ => format!(
                    "{who} published the post-mortem (version {version}, open points: {failures})"
                ),
            },
            What::ReportReopened => format!("{who} reopened the post-mortem"),
            What::ReportRestored { version, from } => {
                format!("{who} restored version {from} of the post-mortem (as version {version})")
            }
            What::ActionDeclined { text, reason } => format!(
                "{who} declined an action item: {} ({})",
                quoted(text),
                quoted(reason)
            ),
            What::ActionDone { text } => format!("{who} finished an action item: {}", quoted(text)),
            What::ChangeSeen { title, .. } => format!("change: {}", quoted(title)),
            What::RoleTaken { role, who } => {
                format!(
                    "{} is {}",
                    self.names.of(who),
                    role_name(role, Language::En)
                )
            }
            What::Marked { mark, .. } => {
                format!("{who} marked a message: {}", mark_name(mark, Language::En))
            }
            What::Unmarked { mark, .. } => {
                format!(
                    "{who} took a mark off a message: {}",
                    mark_name(mark, Language::En)
                )
            }
        }
    }

    fn chinese(&self, entry: &Entry, who: &str, is_person: bool) -> String {
        let severity = |severity| words::severity(severity, Language::Zh);
        match &entry.what {
            What::Opened {
                title,
                severity: of,
            } => {
                format!("{who} 创建故障（{}）：{}", severity(*of), quoted(title))
            }
            What::AlertFired {
                title,
                severity: of,
                again,
                ..
            } => {
                let again = if *again { "再次" } else { "" };
                format!("告警{again}触发（{}）：{}", severity(*of), quoted(title))
            }
            What::AlertRecovered { title, .. } => format!("告警恢复：{}", quoted(title)),
            What::AlertAcknowledged { title, .. } => {
                format!("告警在 {who} 中被认领：{}", quoted(title))
            }
            What::AlertLate { title, .. } => format!("迟到的告警，未做改动：{}", quoted(title)),
            What::AlertsCounted { firing, total } => {
                format!("{total} 条告警中 {firing} 条未恢复，此后只计数")
            }
            What::Recovering => "所有告警已恢复".to_owned(),
            What::Relapsed => "告警再次触发".to_owned(),
            What::SeverityChanged { from, to } => {
                format!("级别由{}变为{}", severity(*from), severity(*to))
            }
            What::Acknowledged => format!("{who} 已认领"),
            What::Unacknowledged => format!("{who} 取消认领"),
            What::Snoozed { until } => format!("{who} 暂缓至 {}", self.time(*until)),
            What::Silenced { until } => {
                format!("{who} 将同类告警静默至 {}", self.time(*until))
            }
            What::Woke { worse: true } => "情况变差，提前结束暂缓".to_owned(),
            What::Woke { worse: false } => "暂缓时间已到".to_owned(),
            What::Resolved { .. } if !is_person => "告警全部恢复，故障已解决".to_owned(),
            What::Resolved { firing: 0 } => format!("{who} 关闭故障"),
            What::Resolved { firing } => format!("{who} 关闭故障，仍有 {firing} 条告警未恢复"),
            What::Reopened { .. } if !is_person => "告警再次触发，重新打开".to_owned(),
            What::Reopened { reason } => format!("{who} 重新打开：{}", quoted(reason)),
            What::Assigned { to } if is_by(entry, to) => format!("{who} 接手"),
            What::Assigned { to } => format!("{who} 指派给 {}", self.names.of(to)),
            What::ResponderAdded { who: added } => format!("{who} 邀请 {}", self.names.of(added)),
            What::Commented { text } => format!("{who}：{}", quoted(text)),
            What::TitleChanged { to } => format!("{who} 修改标题：{}", quoted(to)),
            What::ImpactChanged { to } => format!("{who} 填写影响：{}", quoted(to)),
            What::Absorbed { number, .. } => format!("{who} 将 #{number} 合并到本故障"),
            What::MergedInto { number, .. } => format!("{who} 将本故障合并到 #{number}"),
            What::Escalated { level } => format!("升级到第 {level} 级"),
            What::Paged { who: told, level } => {
                format!("已通知 {}（第 {level} 级）", self.names.of(told))
            }
            What::PageFailed {
                who: missed,
                level,
                reason,
            } => format!(
                "未能通知 {}（第 {level} 级）：{}",
                self.names.of(missed),
                why_not(reason, Language::Zh)
            ),
            What::ChatTold { .. } => "已通知群聊".to_owned(),
            What::RoomOpened { name, .. } => format!("作战室已创建：{}", quoted(name)),
            What::RoomGone { .. } => "作战室已解散".to_owned(),
            What::ReportPublished { version, failures } => match failures {
                0 => format!("{who} 发布了复盘报告（第 {version} 版）"),
                _ => format!("{who} 发布了复盘报告（第 {version} 版，遗留 {failures} 项）"),
            },
            What::ReportReopened => format!("{who} 重新打开了复盘报告"),
            What::ReportRestored { version, from } => {
                format!("{who} 恢复了复盘报告第 {from} 版（现为第 {version} 版）")
            }
            What::ActionDeclined { text, reason } => {
                format!(
                    "{who} 决定不做行动项：{}（{}）",
                    quoted(text),
                    quoted(reason)
                )
            }
            What::ActionDone { text } => format!("{who} 完成了行动项：{}", quoted(text)),
            What::ChangeSeen { title, .. } => format!("变更：{}", quoted(title)),
            What::RoleTaken { role, who } => {
                format!(
                    "{} 担任{}",
                    self.names.of(who),
                    role_name(role, Language::Zh)
                )
            }
            What::Marked { mark, .. } => {
                format!("{who} 标记了一条消息：{}", mark_name(mark, Language::Zh))
            }
            What::Unmarked { mark, .. } => {
                format!("{who} 取消了消息标记：{}", mark_name(mark, Language::Zh))
            }
        }
    }

    fn time(&self, at: Timestamp) -> String {
        times::in_short(at, self.now, self.zone)
    }
}

/// The entries without those that say again what the one beside them says: an incident opens with its first
/// alert, whoever is given it by themselves has acknowledged it, and what is resolved does not fire.
pub fn without_echoes(entries: &[Entry]) -> Vec<&Entry> {
    let is_echo = |at: usize| {
        let (entry, before) = (&entries[at], at.checked_sub(1).map(|at| &entries[at]));
        match (&entry.what, before.map(|before| &before.what)) {
            (
                What::AlertFired {
                    title,
                    again: false,
                    ..
                },
                Some(What::Opened { title: opened, .. }),
            ) => title == opened,
            (What::Acknowledged, Some(What::Assigned { to })) => is_by(entry, to),
            (What::Recovering, _) => matches!(
                entries.get(at + 1),
                Some(next) if matches!(next.what, What::Resolved { .. }) && next.at == entry.at
            ),
            _ => false,
        }
    };
    (0..entries.len())
        .filter(|at| !is_echo(*at))
        .map(|at| &entries[at])
        .collect()
}

/// Whether the entry is of something that this person did.
fn is_by(entry: &Entry, person: &PersonId) -> bool {
    matches!(&entry.by.actor, Actor::Person(who) if who == person)
}

/// Why somebody could not be told, by the word that the entry keeps.
fn why_not(reason: &str, language: Language) -> String {
    let (english, chinese) = match reason {
        "unlinked" => ("no account is linked", "未绑定账号"),
        "nobody_on_call" => ("nobody is on call", "无人值班"),
        "refused" => ("the platform does not allow it", "平台不允许"),
        other => return quoted(other),
    };
    match language {
        Language::En => english.to_owned(),
        Language::Zh => chinese.to_owned(),
    }
}

/// What somebody wrote, on one line.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&line, WRITTEN_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{By, Channel, alert::AlertKey, severity::Severity};

    #[test]
    fn what_only_says_again_what_stands_beside_it_is_left_out() {
        let at: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        let check = |whats: Vec<What>, expected: &[usize]| {
            let entries: Vec<Entry> = (1..)
                .zip(whats)
                .map(|(number, what)| Entry {
                    number,
                    at,
                    noted_at: at,
                    by: By::person("ou_li", Channel::Card),
                    what,
                })
                .collect();
            let left = without_echoes(&entries).into_iter();
            let left: Vec<usize> = left.map(|entry| entry.number as usize).collect();
            assert_eq!(left, expected, "{entries:?}");
        };
        let fired = |title: &str, again| What::AlertFired {
            key: AlertKey::digest(&["a"]),
            title: title.into(),
            severity: Severity::Error,
            again,
        };
        let opened = || What::Opened {
            title: "slow".into(),
            severity: Severity::Error,
        };
        let assigned = |to: &str| What::Assigned {
            to: PersonId(to.into()),
        };
        check(vec![opened(), fired("slow", false)], &[1]);
        check(vec![opened(), fired("down", false)], &[1, 2]);
        check(vec![fired("slow", false), fired("slow", true)], &[1, 2]);
        check(vec![assigned("ou_li"), What::Acknowledged], &[1]);
        check(vec![assigned("ou_han"), What::Acknowledged], &[1, 2]);
        check(vec![What::Recovering, What::Resolved { firing: 0 }], &[2]);
        check(vec![What::Recovering, What::Relapsed], &[1, 2]);
    }
}
