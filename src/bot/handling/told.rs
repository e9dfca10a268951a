//! What people are told about what they did to an incident, in each language.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use tracing::error;

use crate::{
    bot::{
        access::Denied,
        card::incident::{Names, severity_word},
        incidents::{self, Case},
        markdown::escape,
        phrase::Phrase,
        times,
    },
    config::Language,
    incident::{Deed, Refusal, noise::SilenceError},
};

/// How something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Tone {
    /// It was done.
    Done,
    /// There was nothing to do.
    Nothing,
    /// It was not done, and they can do something about it.
    Refused,
    /// It was not done for a fault of ours.
    Failed,
}

impl Tone {
    /// As the audit has it.
    pub(in crate::bot) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A sentence for whoever asked. Plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) struct Told {
    /// How it is said.
    pub tone: Tone,
    english: String,
    chinese: String,
}

impl Told {
    /// A sentence in both languages.
    pub(in crate::bot) fn new(
        tone: Tone,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Self {
            tone,
            english: english.into(),
            chinese: chinese.into(),
        }
    }

    /// A sentence that other parts say, too.
    pub(in crate::bot) fn phrase(tone: Tone, phrase: &Phrase<'_>) -> Self {
        Self::new(tone, phrase.text(Language::En), phrase.text(Language::Zh))
    }

    /// The sentence.
    pub(in crate::bot) fn text(&self, language: Language) -> &str {
        match language {
            Language::En => &self.english,
            Language::Zh => &self.chinese,
        }
    }
}

impl Told {
    /// The same, with more said behind it.
    pub(in crate::bot) fn with(mut self, english: &str, chinese: &str) -> Self {
        self.english.push_str(english);
        self.chinese.push_str(chinese);
        self
    }

    /// What there is cannot be read.
    pub(in crate::bot) fn not_read() -> Self {
        Self::new(
            Tone::Failed,
            "I cannot read my disk at the moment. Try again later; an administrator should look at the log.",
            "暂时无法读取数据，请稍后再试；管理员请查看日志。",
        )
    }

    /// What came to nothing for another reason than the rules.
    pub(in crate::bot) fn failed(error: &incidents::Error) -> Self {
        match error {
            incidents::Error::Unknown => Told::unknown(),
            incidents::Error::NobodyFurther => Told::new(
                Tone::Refused,
                "There is nobody further to tell: no level of the escalation policy is left, or none applies.",
                "没有可以升级的对象：升级策略已到最后一级，或没有适用的策略。",
            ),
            incidents::Error::NoSuchSilence => Told::new(
                Tone::Refused,
                "There is no such silence. /silence lists those that hold.",
                "没有这条静默。发送 /静默 查看现有静默。",
            ),
            incidents::Error::Busy => Told::new(
                Tone::Refused,
                "Too much is going on at this moment, so nothing was done. Try again in a moment.",
                "当前处理量过大，未做任何操作，请稍后再试。",
            ),
            incidents::Error::Refused(_) | incidents::Error::NotKept => {
                error!(%error, "something was wanted of an incident and could not be kept");
                Told::phrase(Tone::Failed, &Phrase::PressNotKept)
            }
        }
    }

    /// There is no such incident.
    pub(in crate::bot) fn unknown() -> Self {
        Self::new(
            Tone::Refused,
            "There is no such incident any more. /incident lists those that are open.",
            "没有这个故障，可能已被清理。发送 /故障 查看未解决的故障。",
        )
    }

    /// A menu was used and nothing chosen.
    pub(in crate::bot) fn nothing_chosen() -> Self {
        Self::new(
            Tone::Nothing,
            "Nothing was chosen, so nothing was done.",
            "没有选择任何内容，未做任何操作。",
        )
    }

    /// What was asked for stands in a card of its own.
    pub(in crate::bot) fn shown_below() -> Self {
        Self::new(
            Tone::Done,
            "The details are in a card below.",
            "详情见下方卡片。",
        )
    }

    /// A form waits.
    pub(in crate::bot) fn form_below() -> Self {
        Self::new(
            Tone::Nothing,
            "Write it into the form below.",
            "请在下方表单中填写。",
        )
    }

    /// The model is asked.
    pub(in crate::bot) fn asking() -> Self {
        Self::new(
            Tone::Done,
            "I am looking into it. The answer comes below.",
            "正在分析，回答见下方。",
        )
    }

    /// The chat takes no message.
    pub(in crate::bot) fn not_sent() -> Self {
        Self::new(
            Tone::Failed,
            "I could not write into this chat, so nothing was done. Try again in a moment.",
            "无法在此会话中发消息，未做任何操作，请稍后再试。",
        )
    }

    /// It is not over.
    pub(in crate::bot) fn not_resolved(number: u32) -> Self {
        Self::new(
            Tone::Nothing,
            format!("#{number} is not over, so there is nothing to reopen."),
            format!("#{number} 尚未结束，无需重新打开。"),
        )
    }

    /// A length of time that is none.
    pub(in crate::bot) fn time_not_understood(most: Duration) -> Self {
        let most = |language| times::lasted(language, most);
        Self::new(
            Tone::Refused,
            format!(
                "I do not understand this time. Write it like 45m, 3h or 1d; {} at most.",
                most(Language::En)
            ),
            format!(
                "无法识别时长，请写成 45m、3h 或 1d，最长 {}。",
                most(Language::Zh)
            ),
        )
    }
}

fn said(english: String, chinese: String) -> Told {
    Told::new(Tone::Done, english, chinese)
}

/// What was done.
pub(super) fn done(case: &Case, deed: &Deed, whom: &str, is_self: bool, zone: &TimeZone) -> Told {
    let number = case.number();
    let incident = &case.incident;
    match deed {
        Deed::Acknowledge => said(
            format!("#{number} is yours now. Nobody else is told."),
            format!("#{number} 已由你认领，不再通知其他人。"),
        ),
        Deed::Unacknowledge => said(
            format!("You gave #{number} back. Those on call are told again."),
            format!("已取消认领 #{number}，将重新通知值班人员。"),
        ),
        Deed::Assign(_) if is_self => said(
            format!("#{number} is assigned to you."),
            format!("#{number} 已指派给你。"),
        ),
        Deed::Assign(_) => said(
            format!(
                "#{number} is assigned to {whom}, who is told now and has yet to acknowledge it."
            ),
            format!("#{number} 已指派给 {whom}，正在通知对方，等待其认领。"),
        ),
        Deed::AddResponder(_) => said(
            format!("{whom} was added to #{number} and is told now."),
            format!("已邀请 {whom} 处理 #{number}，正在通知对方。"),
        ),
        Deed::Snooze(_) => {
            let until = match incident.state {
                crate::incident::State::Snoozed { until, .. } => until,
                _ => Timestamp::now(),
            };
            let until = times::in_short(until, Timestamp::now(), zone);
            said(
                format!(
                    "#{number} is put off until {until}. What becomes worse comes back before."
                ),
                format!("#{number} 已暂缓至 {until}，情况变差会提前提醒。"),
            )
        }
        Deed::Resolve => said(
            format!("#{number} is closed."),
            format!("#{number} 已关闭。"),
        ),
        Deed::Reopen(_) => said(
            format!("#{number} is open again. Those on call are told."),
            format!("#{number} 已重新打开，正在通知值班人员。"),
        ),
        Deed::Comment(_) => said(
            format!("Your comment is in the timeline of #{number}."),
            format!("评论已记入 #{number} 的时间线。"),
        ),
        Deed::SetTitle(_) => said(
            format!("#{number} is now called: {}", incident.title),
            format!("#{number} 的标题现为：{}", incident.title),
        ),
        Deed::SetSeverity(_) => said(
            format!(
                "#{number} is now {}.",
                severity_word(incident.severity, Language::En).to_lowercase()
            ),
            format!(
                "#{number} 的级别现为{}。",
                severity_word(incident.severity, Language::Zh)
            ),
        ),
        Deed::SetImpact(_) => said(
            format!("The impact of #{number} is written down."),
            format!("已记录 #{number} 的影响。"),
        ),
    }
}

/// Why it was not.
pub(super) fn refused(
    case: &Case,
    error: &incidents::Error,
    names: &Names,
    other: Option<u32>,
) -> Told {
    let number = case.number();
    let refuse = |english: String, chinese: String| Told::new(Tone::Refused, english, chinese);
    let nothing = |english: String, chinese: String| Told::new(Tone::Nothing, english, chinese);
    let refusal = match error {
        incidents::Error::Refused(refusal) => refusal,
        error => return Told::failed(error),
    };
    match refusal {
        Refusal::AlreadyAcknowledged(had) => {
            let name = |language| names.of_actor(&had.by, language);
            nothing(
                format!(
                    "{} acknowledged it {}.",
                    name(Language::En),
                    times::ago(Language::En, had.at)
                ),
                format!(
                    "{} 已在 {}认领。",
                    name(Language::Zh),
                    times::ago(Language::Zh, had.at)
                ),
            )
        }
        Refusal::NotAcknowledged => nothing(
            format!("Nobody has #{number}, so there is nothing to give back."),
            format!("#{number} 无人认领，无需取消。"),
        ),
        Refusal::AlreadyResolved(Some(at)) => nothing(
            format!(
                "#{number} is over, since {}.",
                times::ago(Language::En, *at)
            ),
            format!("#{number} 已在 {}结束。", times::ago(Language::Zh, *at)),
        ),
        Refusal::AlreadyResolved(None) => {
            nothing(format!("#{number} is over."), format!("#{number} 已结束。"))
        }
        Refusal::NotResolved => Told::not_resolved(number),
        Refusal::Merged(_) => match other {
            Some(other) => refuse(
                format!("#{number} is part of #{other} now. Do it there."),
                format!("#{number} 已合并到 #{other}，请到 #{other} 操作。"),
            ),
            None => refuse(
                format!("#{number} is part of another incident now."),
                format!("#{number} 已合并到其他故障。"),
            ),
        },
        Refusal::SnoozeOutOfBounds => refuse(
            "An incident can be put off for 24 hours at most. Write it like 45m or 3h.".into(),
            "暂缓最长 24 小时，请写成 45m 或 3h。".into(),
        ),
        Refusal::NothingSaid => refuse(
            "Nothing was written, so nothing was done.".into(),
            "没有填写内容，未做任何操作。".into(),
        ),
        Refusal::TooManyResponders => refuse(
            format!("#{number} has as many responders as it can have."),
            format!("#{number} 的处理人已达上限。"),
        ),
        Refusal::AlreadyResponder => nothing(
            format!("They are on #{number} already."),
            format!("对方已在处理 #{number}。"),
        ),
        Refusal::CannotMerge => refuse(
            "These two cannot be merged: they are the same, or too many were merged into one."
                .into(),
            "无法合并：两者相同，或合并的故障过多。".into(),
        ),
    }
}

/// Somebody who has not the right.
pub(super) fn denied(denied: &Denied) -> Told {
    Told::phrase(Tone::Refused, &Phrase::Denied(denied))
}

/// The next level is told.
pub(super) fn escalated(number: u32) -> Told {
    said(
        format!("The next level is being told of #{number}."),
        format!("#{number} 正在通知下一级。"),
    )
}

/// Two became one.
pub(super) fn merged(other: u32, into: u32) -> Told {
    said(
        format!("#{other} is part of #{into} now. This cannot be undone."),
        format!("#{other} 已合并到 #{into}，此操作不可撤销。"),
    )
}

/// Alerts like those of an incident are silenced.
pub(super) fn silenced_like(number: u32, until: Timestamp, zone: &TimeZone) -> Told {
    let until = times::in_short(until, Timestamp::now(), zone);
    said(
        format!(
            "New alerts like those of #{number} are silenced until {until}. #{number} itself stays as it is."
        ),
        format!("与 #{number} 同类的新告警静默至 {until}，#{number} 本身不变。"),
    )
}

/// Some alerts are silenced.
pub(super) fn silenced(until: Timestamp, zone: &TimeZone) -> Told {
    let until = times::in_short(until, Timestamp::now(), zone);
    said(
        format!("Alerts that match are silenced until {until}."),
        format!("匹配的告警静默至 {until}。"),
    )
}

/// A silence cannot be set.
pub(super) fn cannot_silence(error: SilenceError) -> Told {
    match error {
        SilenceError::Everything => Told::new(
            Tone::Refused,
            "That would silence every alert, so it was not set. Say which labels the alerts have, such as service=checkout.",
            "这会静默所有告警，未生效。请写明告警的标签，例如 service=checkout。",
        ),
        SilenceError::Backwards => Told::new(
            Tone::Refused,
            "That silence would end before it begins.",
            "静默的结束时间早于开始时间。",
        ),
        SilenceError::TooLong => Told::new(
            Tone::Refused,
            "A silence can last 30 days at most.",
            "静默最长 30 天。",
        ),
    }
}

/// To somebody who is wanted on an incident. Markdown; `name` is escaped.
pub(super) fn wanted(case: &Case, name: &str, is_assigned: bool) -> Told {
    let (number, title) = (case.number(), escape(&case.incident.title));
    match is_assigned {
        true => said(
            format!(
                "{name} assigned **#{number}** {title} to you. Send `/incident ack #{number}` when you have it."
            ),
            format!(
                "{name} 将 **#{number}** {title} 指派给你。接手后发送 `/故障 认领 #{number}`。"
            ),
        ),
        false => said(
            format!(
                "{name} asks you to help with **#{number}** {title}. `/incident #{number}` shows it."
            ),
            format!("{name} 邀请你处理 **#{number}** {title}。发送 `/故障 #{number}` 查看。"),
        ),
    }
}
