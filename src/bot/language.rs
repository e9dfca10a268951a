//! Tells which language someone wrote in.
//!
//! Only between the two that the bot speaks, and only from the characters: a text with Chinese in it is
//! Chinese, since Chinese engineers write half of their words in Latin letters, and English ones write
//! none in Chinese.

use crate::config::Language;

/// The language of `text`, or `None` where it holds no words.
pub(super) fn of(text: &str) -> Option<Language> {
    let mut letters = false;
    for c in text.chars() {
        if is_han(c) {
            return Some(Language::Zh);
        }
        letters |= c.is_alphabetic();
    }
    letters.then_some(Language::En)
}

/// The language of what someone wrote around the names of those they mention, which are not their words.
pub(super) fn of_words<'a>(
    text: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<Language> {
    let mut words = text.to_owned();
    for name in names {
        words = words.replace(&format!("@{name}"), " ");
    }
    of(&words)
}

fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_told_from_the_characters() {
        let check = |text: &str, expected| assert_eq!(of(text), expected, "{text}");
        check("why is checkout slow?", Some(Language::En));
        check("checkout 服务 p99 升高", Some(Language::Zh));
        check("？？", None);
        check("500 !!", None);
        check("", None);
        check("𠀀", Some(Language::Zh));
        check("был сбой?", Some(Language::En));
    }

    #[test]
    fn the_names_of_colleagues_are_not_the_askers_words() {
        let check = |text: &str, names: &[&str], expected| {
            assert_eq!(of_words(text, names.iter().copied()), expected, "{text}");
        };
        check(
            "did @韩梅梅 restart redis?",
            &["韩梅梅"],
            Some(Language::En),
        );
        check("@Tom 重启了吗？", &["Tom"], Some(Language::Zh));
        check("@Tom", &["Tom"], None);
        check("@韩梅梅 restart", &[], Some(Language::Zh));
    }
}
