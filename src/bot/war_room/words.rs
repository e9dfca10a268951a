//! The words that several parts of war rooms say alike, in both languages.

use crate::config::Language;

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
pub(in crate::bot) fn mark_name(mark: &str, language: Language) -> &str {
    match mark {
        "note" => either(language, "note", "笔记"),
        "fact" => either(language, "fact", "事实"),
        "decision" => either(language, "decision", "决定"),
        "action" => either(language, "action", "行动"),
        other => other,
    }
}
