//! What several commands say alike.

use crate::config::Language;

pub(super) use crate::bot::times::{ago, lasted};

/// One of two texts.
pub(super) fn either<'a>(language: Language, english: &'a str, chinese: &'a str) -> &'a str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// A switch as people write it.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "on" | "yes" | "true" | "开" | "开启" | "是" => Some(true),
        "off" | "no" | "false" | "关" | "关闭" | "否" => Some(false),
        _ => None,
    }
}

/// A switch as people read it.
pub(super) fn on_or_off(language: Language, is_on: bool) -> &'static str {
    match is_on {
        true => either(language, "on", "开"),
        false => either(language, "off", "关"),
    }
}

/// What a language is called.
pub(super) fn name_of(language: Language, named: Option<Language>) -> &'static str {
    match named {
        None => either(language, "the asker's", "跟随提问者"),
        Some(Language::En) => either(language, "English", "英文"),
        Some(Language::Zh) => either(language, "Chinese", "中文"),
    }
}

/// A language as people write it; the inner `None` is the asker's own. `None` for none of them.
pub(super) fn language(text: &str) -> Option<Option<Language>> {
    match text.to_lowercase().as_str() {
        "en" | "english" | "英文" | "英语" => Some(Some(Language::En)),
        "zh" | "zh-cn" | "cn" | "chinese" | "中文" | "汉语" => Some(Some(Language::Zh)),
        "auto" | "自动" => Some(None),
        _ => None,
    }
}
