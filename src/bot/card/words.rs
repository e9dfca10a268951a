//! What our cards say in our own words, in each language. A sentence without a translation does not
//! compile.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{bot::feedback::Reason, config::Language};

/// A sentence of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Thinking,
    Writing,
    NoAnswer,
    Stopped,
    Failed,
    Interrupted,
    CutShort,
    Continues,
    Stop,
    EarlierSteps(usize),
    ThumbsUp,
    ThumbsDown,
    Regenerate,
    PraiseTips,
    ComplainTips,
    RegenerateTips,
    WhatWasWrong,
    ChooseReasons,
    FreeText,
    Send,
    Reason(Reason),
}

impl Words {
    pub(super) fn in_language(self, language: Language) -> String {
        use Language::{En, Zh};
        let words = match (self, language) {
            (Words::Thinking, En) => "Thinking…",
            (Words::Thinking, Zh) => "正在思考…",
            (Words::Writing, En) => "Writing…",
            (Words::Writing, Zh) => "正在回答…",
            (Words::NoAnswer, En) => "The model ended without saying anything.",
            (Words::NoAnswer, Zh) => "模型没有给出任何内容。",
            (Words::Stopped, En) => "Stopped.",
            (Words::Stopped, Zh) => "已停止。",
            (Words::Failed, En) => "This could not be answered.",
            (Words::Failed, Zh) => "未能完成回答。",
            (Words::Interrupted, En) => "Interrupted by a restart of the bot.",
            (Words::Interrupted, Zh) => "机器人重启，回答中断。",
            (Words::CutShort, En) => "The answer was cut short.",
            (Words::CutShort, Zh) => "回答不完整，已提前结束。",
            (Words::Continues, En) => "Continued in the next message ↓",
            (Words::Continues, Zh) => "下一条消息继续 ↓",
            (Words::Stop, En) => "Stop",
            (Words::Stop, Zh) => "停止",
            (Words::ThumbsUp, _) => "👍",
            (Words::ThumbsDown, _) => "👎",
            (Words::Regenerate, En) => "↻ Regenerate",
            (Words::Regenerate, Zh) => "↻ 重新回答",
            (Words::PraiseTips, En) => "This helped",
            (Words::PraiseTips, Zh) => "有帮助",
            (Words::ComplainTips, En) => "This did not help",
            (Words::ComplainTips, Zh) => "没有帮助",
            (Words::RegenerateTips, En) => "Answer the question anew, in a new card",
            (Words::RegenerateTips, Zh) => "在新卡片中重新回答这个问题",
            (Words::WhatWasWrong, En) => "What was wrong?",
            (Words::WhatWasWrong, Zh) => "哪里有问题？",
            (Words::ChooseReasons, En) => "Choose what fits",
            (Words::ChooseReasons, Zh) => "选择符合的原因",
            (Words::FreeText, En) => "In your own words (optional)",
            (Words::FreeText, Zh) => "补充说明（可选）",
            (Words::Send, En) => "Send",
            (Words::Send, Zh) => "提交",
            (Words::Reason(Reason::WrongDiagnosis), En) => "The diagnosis is wrong",
            (Words::Reason(Reason::WrongDiagnosis), Zh) => "诊断有误",
            (Words::Reason(Reason::NoRootCause), En) => "The root cause was not found",
            (Words::Reason(Reason::NoRootCause), Zh) => "没有找到根因",
            (Words::Reason(Reason::UnusableRemedy), En) => "The remedy cannot be used",
            (Words::Reason(Reason::UnusableRemedy), Zh) => "处置建议不可用",
            (Words::Reason(Reason::OffTopic), En) => "It is off topic",
            (Words::Reason(Reason::OffTopic), Zh) => "答非所问",
            (Words::EarlierSteps(1), En) => "1 earlier step",
            (Words::EarlierSteps(count), En) => return format!("{count} earlier steps"),
            (Words::EarlierSteps(count), Zh) => return format!("此前 {count} 步"),
        };
        words.to_owned()
    }
}

/// A `plain_text` node, which clients show in their own language.
pub(super) fn plain_text(words: Words, language: Language) -> Value {
    json!({
        "tag": "plain_text",
        "content": words.in_language(language),
        "i18n_content": {
            "en_us": words.in_language(Language::En),
            "zh_cn": words.in_language(Language::Zh),
        },
    })
}

/// A length of time as people say it: `0.4 s`, `12 s`, `2 min 5 s`.
pub(super) fn duration(duration: Duration, language: Language) -> String {
    let (minutes_unit, seconds_unit) = match language {
        Language::En => ("min", "s"),
        Language::Zh => ("分", "秒"),
    };
    let seconds = duration.as_secs();
    if duration < Duration::from_secs(10) {
        format!("{:.1} {seconds_unit}", duration.as_secs_f64())
    } else if seconds < 60 {
        format!("{seconds} {seconds_unit}")
    } else {
        format!(
            "{} {minutes_unit} {} {seconds_unit}",
            seconds / 60,
            seconds % 60
        )
    }
}
