//! The words that several parts of war rooms say alike, in both languages.

use crate::{
    config::Language,
    incident::{State, severity::Severity},
};

/// One of two texts.
pub(super) fn either<'a>(language: Language, english: &'a str, chinese: &'a str) -> &'a str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// What a role is called. One that we do not know is called as it was written.
pub(in crate::bot) fn role_name(role: &str, language: Language) -> &str {
    match role {
        "commander" => either(language, "commander", "指挥"),
        "scribe" => either(language, "scribe", "记录员"),
        other => other,
    }
}

/// What a mark is called. One of the team's own is called as they wrote it.
pub(super) fn mark_name(mark: &str, language: Language) -> &str {
    match mark {
        "note" => either(language, "note", "笔记"),
        "fact" => either(language, "fact", "事实"),
        "decision" => either(language, "decision", "决定"),
        "action" => either(language, "action", "行动"),
        other => other,
    }
}

/// How far an incident is.
pub(super) fn state_name(state: State, language: Language) -> &'static str {
    let (english, chinese) = match state {
        State::Triggered => ("nobody has it yet", "无人处理"),
        State::Acknowledged => ("acknowledged", "已确认"),
        State::Snoozed { .. } => ("put off", "暂缓中"),
        State::Resolved => ("resolved", "已恢复"),
    };
    either(language, english, chinese)
}

/// How bad something is.
pub(super) fn severity_name(severity: Severity, language: Language) -> &'static str {
    match language {
        Language::En => severity.as_str(),
        Language::Zh => match severity {
            Severity::Info => "提示",
            Severity::Warning => "警告",
            Severity::Error => "错误",
            Severity::Critical => "严重",
        },
    }
}
