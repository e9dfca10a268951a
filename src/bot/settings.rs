//! What a chat, or a person, wants to be otherwise than the configuration says.

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    config::Language,
    feishu::{ChatId, OpenId},
    store::{self, Collection, Record, Store},
};

/// The settings of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ChatSettings {
    /// The language of everything we say there; otherwise each asker's.
    pub language: Option<Language>,
    /// Whether questions outside of threads are answered in a new thread.
    pub threads: bool,
    /// How many messages are read before a question is answered, instead of the configuration's number.
    pub history: Option<usize>,
    /// Whether nothing is said there that nobody asked for, such as a hint to those who may not ask. Answers,
    /// and what incidents send, still come. The welcome comes before anybody can set this.
    pub quiet: bool,
}

impl Record for ChatSettings {
    const COLLECTION: &'static str = "chat_settings";
    const VERSION: u8 = 1;
}

/// The settings of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PersonSettings {
    /// The language in which they are answered, where their group has none.
    pub language: Option<Language>,
}

impl Record for PersonSettings {
    const COLLECTION: &'static str = "person_settings";
    const VERSION: u8 = 1;
}

/// The store's side of it.
pub(super) struct Settings {
    chats: Collection<ChatSettings>,
    people: Collection<PersonSettings>,
}

impl Settings {
    /// Opens the collections.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            chats: store.collection(),
            people: store.collection(),
        }
    }

    /// A chat's; where they cannot be read, as if there were none.
    pub(super) async fn of_chat(&self, chat: &ChatId) -> ChatSettings {
        or_none(self.chats.get(chat.as_str()).await)
    }

    /// A person's, likewise.
    pub(super) async fn of_person(&self, person: &OpenId) -> PersonSettings {
        or_none(self.people.get(person.as_str()).await)
    }

    /// Sets a chat's.
    pub(super) async fn set_chat(
        &self,
        chat: &ChatId,
        settings: &ChatSettings,
    ) -> Result<(), store::Error> {
        self.chats.put(chat.as_str(), settings).await
    }

    /// Forgets a chat's.
    pub(super) async fn forget_chat(&self, chat: &ChatId) -> Result<(), store::Error> {
        self.chats.delete(chat.as_str()).await
    }

    /// Sets a person's.
    pub(super) async fn set_person(
        &self,
        person: &OpenId,
        settings: &PersonSettings,
    ) -> Result<(), store::Error> {
        self.people.put(person.as_str(), settings).await
    }
}

fn or_none<T: Default>(read: Result<Option<T>, store::Error>) -> T {
    read.unwrap_or_else(|error| {
        warn!(%error, "going on without the settings of a chat or a person");
        None
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let chat = ChatSettings {
            language: Some(Language::Zh),
            history: Some(20),
            ..ChatSettings::default()
        };
        assert_json_snapshot!(chat, @r#"
        {
          "language": "zh",
          "threads": false,
          "history": 20,
          "quiet": false
        }
        "#);
        assert_json_snapshot!(PersonSettings::default(), @r#"
        {
          "language": null
        }
        "#);
    }
}
