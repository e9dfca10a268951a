//! In which language people spoke last, so that a command in a Chinese chat is answered in Chinese: the
//! word `/stop` is everybody's.
//!
//! Of what was set and heard, the first of these decides: the group's setting, the person's, the words
//! themselves, what was spoken last in that chat, what the person spoke last, the configuration. A
//! command's words decide only where they are Chinese.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    config::Language,
    feishu::{ChatId, OpenId},
};

use super::language;

/// Of how many chats, and of how many people; above it, it begins anew.
const KEPT_MAX: usize = 20_000;

/// What was spoken last.
#[derive(Default)]
pub(super) struct Heard {
    in_chats: Mutex<HashMap<ChatId, Language>>,
    of_people: Mutex<HashMap<OpenId, Language>>,
}

impl Heard {
    /// Takes note of a question's language.
    pub(super) fn note(&self, chat: &ChatId, person: &OpenId, language: Language) {
        keep(&self.in_chats, chat, language);
        keep(&self.of_people, person, language);
    }

    /// What was spoken last in a chat.
    pub(super) fn in_chat(&self, chat: &ChatId) -> Option<Language> {
        lock(&self.in_chats).get(chat).copied()
    }

    /// What somebody spoke last.
    pub(super) fn of_person(&self, person: &OpenId) -> Option<Language> {
        lock(&self.of_people).get(person).copied()
    }
}

/// The language that a command's own words decide, if they do.
pub(super) fn in_command(text: &str) -> Option<Language> {
    language::of(text).filter(|language| *language == Language::Zh)
}

fn keep<K: Clone + Eq + Hash>(all: &Mutex<HashMap<K, Language>>, key: &K, language: Language) {
    let mut all = lock(all);
    if all.len() >= KEPT_MAX {
        all.clear();
    }
    all.insert(key.clone(), language);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chinese_words_of_a_command_decide() {
        let check = |text: &str, expected| assert_eq!(in_command(text), expected, "{text}");
        check("/停止", Some(Language::Zh));
        check("/feedback 答得很好", Some(Language::Zh));
        check("/stop", None);
        check("/history 5", None);
    }
}
