//! What the report itself says, in English and Chinese.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    config::Language,
    incident::{Entry, What},
    postmortem::{
        events::{Certainty, Kind},
        facts::{MetricName, Milestone},
        transcript::Transcript,
    },
};

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Words {
    /// Both.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            zh: zh.into(),
        }
    }

    /// The one in this language.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// One of two words.
pub(super) fn pick(language: Language, en: &'static str, zh: &'static str) -> &'static str {
    match language {
        Language::En => en,
        Language::Zh => zh,
    }
}

/// What a kind of event is called.
pub fn kind_word(kind: Kind, language: Language) -> &'static str {
    let (en, zh) = match kind {
        Kind::Alert => ("alert", "告警"),
        Kind::Change => ("change", "变更"),
        Kind::Report => ("report", "反馈"),
        Kind::Impact => ("impact", "影响"),
        Kind::Observation => ("observation", "观察"),
        Kind::Hypothesis => ("hypothesis", "假设"),
        Kind::RuledOut => ("ruled out", "排除"),
        Kind::Cause => ("cause", "原因"),
        Kind::Declaration => ("declared", "宣布"),
        Kind::Acknowledgement => ("acknowledged", "认领"),
        Kind::Decision => ("decision", "决定"),
        Kind::Action => ("action", "操作"),
        Kind::Communication => ("communication", "沟通"),
        Kind::Handoff => ("hand-over", "交接"),
        Kind::Mitigation => ("mitigation", "缓解"),
        Kind::Verification => ("verification", "验证"),
        Kind::Resolution => ("resolution", "恢复"),
        Kind::ActionItem => ("action item", "行动项"),
        Kind::WentWell => ("went well", "做得好"),
        Kind::WentBadly => ("went badly", "做得不好"),
        Kind::Lucky => ("lucky", "运气"),
        Kind::Lesson => ("lesson", "教训"),
        Kind::Question => ("question", "疑问"),
    };
    pick(language, en, zh)
}

pub(super) fn certainty_word(certainty: Certainty, language: Language) -> &'static str {
    match certainty {
        Certainty::Refuted => pick(language, "refuted", "已排除"),
        Certainty::Suspected => pick(language, "suspected", "推测"),
        Certainty::Stated => pick(language, "stated", "陈述"),
        Certainty::Confirmed => pick(language, "confirmed", "已确认"),
    }
}

/// What a milestone is called.
pub fn milestone_words(milestone: Milestone, language: Language) -> &'static str {
    let (en, zh) = match milestone {
        Milestone::ImpactStart => ("impact start", "影响开始"),
        Milestone::Triggered => ("triggered", "触发"),
        Milestone::Detected => ("detected", "发现"),
        Milestone::Declared => ("declared", "宣布故障"),
        Milestone::Acknowledged => ("acknowledged", "认领"),
        Milestone::FirstResponder => ("first person in the room", "首个响应者发言"),
        Milestone::Mitigated => ("mitigated", "缓解"),
        Milestone::Resolved => ("resolved", "恢复"),
        Milestone::Closed => ("closed", "关闭"),
    };
    pick(language, en, zh)
}

/// What a metric is called, with both of its ends.
pub fn metric_words(name: MetricName, language: Language) -> String {
    let (en, zh) = match name {
        MetricName::ImpactStartToDetected => ("Time to detect", "发现用时"),
        MetricName::TriggeredToDeclared => ("Time to declare", "宣布用时"),
        MetricName::TriggeredToAcknowledged => ("Time to acknowledge", "认领用时"),
        MetricName::TriggeredToFirstResponder => ("Time to first response", "首次响应用时"),
        MetricName::DetectedToMitigated => ("Time to mitigate", "缓解用时"),
        MetricName::TriggeredToResolved => ("Time to resolve", "恢复用时"),
        MetricName::TriggeredToClosed => ("Time to close", "关闭用时"),
        MetricName::ImpactStartToMitigated => ("Duration of the impact", "影响时长"),
        MetricName::LongestSilence => (
            "Longest time without a message of a person",
            "最长无人发言时间",
        ),
        MetricName::Waves => ("Waves", "波次"),
        MetricName::Responders => ("People who worked on it", "参与处理人数"),
        MetricName::Handovers => ("Hand-overs", "交接次数"),
        MetricName::Pages => ("Pages", "呼叫次数"),
        MetricName::Messages => ("Messages of people", "人员消息数"),
        MetricName::Alerts => ("Alerts", "告警数"),
    };
    let words = pick(language, en, zh);
    match name.between() {
        Some((from, to)) => {
            let (from, to) = (
                milestone_words(from, language),
                milestone_words(to, language),
            );
            format!("{words} ({from} → {to})")
        }
        None => words.to_owned(),
    }
}

/// A length of time: `1 h 20 min`, and seconds only below ten minutes.
pub(crate) fn length(seconds: i64, language: Language) -> String {
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3600);
    let (minutes, rest) = (seconds % 3600 / 60, seconds % 60);
    let (d, h, min, s) = match language {
        Language::En => (" d", " h", " min", " s"),
        Language::Zh => ("天", "小时", "分钟", "秒"),
    };
    let shown = [(days, d), (hours, h), (minutes, min), (rest, s)];
    let parts: Vec<String> = shown
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    match parts.is_empty() {
        true => format!("0{s}"),
        false => parts.join(pick(language, " ", "")),
    }
}

/// A time with its day and zone.
pub(crate) fn full_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}

/// What an entry of the records says. What stands in the room as well says nothing here.
pub(crate) fn entry_words(
    entry: &Entry,
    transcript: &Transcript,
    language: Language,
) -> Option<String> {
    let name = |person: &crate::incident::PersonId| super::neutral(transcript.name(person));
    let words = match &entry.what {
        What::Opened { severity, .. } => Words::new(
            format!("the incident was opened ({severity})"),
            format!("故障单创建（{severity}）"),
        ),
        What::AlertFired { title, .. } => {
            let title = super::neutral(title);
            Words::new(
                format!("an alert fired: {title}"),
                format!("告警触发：{title}"),
            )
        }
        What::AlertRecovered { title, .. } => {
            let title = super::neutral(title);
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
            format!("级别由 {from} 变为 {to}"),
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
            let title = super::neutral(title);
            Words::new(format!("a change: {title}"), format!("变更：{title}"))
        }
        What::Commented { text } => {
            let text = super::neutral(text);
            Words::new(format!("a comment: {text}"), format!("备注：{text}"))
        }
        What::ImpactChanged { to } => {
            let to = super::neutral(to);
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
            let (role, who) = (super::neutral(role), name(who));
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
        | What::ActionDeclined { .. }
        | What::ActionDone { .. }
        | What::Marked { .. }
        | What::Unmarked { .. } => return None,
    };
    Some(words.text(language).to_owned())
}
