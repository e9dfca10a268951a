//! What several commands say alike.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Language;

/// One of two texts.
pub(super) fn either<'a>(language: Language, english: &'a str, chinese: &'a str) -> &'a str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// How long something lasted, in its two largest units.
pub(in crate::bot) fn lasted(language: Language, time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let unit = |number: u64, english: &str, chinese: &str| {
        format!("{number} {}", either(language, english, chinese))
    };
    match (days, hours, minutes) {
        (0, 0, 0) => unit(seconds, "s", "秒"),
        (0, 0, _) => unit(minutes, "min", "分钟"),
        (0, _, _) => format!(
            "{} {}",
            unit(hours, "h", "小时"),
            unit(minutes, "min", "分钟")
        ),
        _ => format!("{} {}", unit(days, "d", "天"), unit(hours, "h", "小时")),
    }
}

/// How long ago something was.
pub(super) fn ago(language: Language, at: Timestamp) -> String {
    let time = lasted(language, at.duration_until(Timestamp::now()).unsigned_abs());
    match language {
        Language::En => format!("{time} ago"),
        Language::Zh => format!("{time}前"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        let check = |seconds: u64, english: &str, chinese: &str| {
            let time = Duration::from_secs(seconds);
            assert_eq!(lasted(Language::En, time), english);
            assert_eq!(lasted(Language::Zh, time), chinese);
        };
        check(7, "7 s", "7 秒");
        check(60, "1 min", "1 分钟");
        check(3700, "1 h 1 min", "1 小时 1 分钟");
        check(90_000, "1 d 1 h", "1 天 1 小时");
    }
}
