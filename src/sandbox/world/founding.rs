//! Groups that our bot makes, and people whom it adds to groups.
//!
//! What happens at the making is told by no event (the documentation speaks of people who add the bot, and of
//! members who come later); what happens afterwards is.

use super::{BotRole, Chat, ChatKind, Membership, Settings, User, World};

/// How long the `uuid` of a making is remembered.
const UUID_MS: i64 = 10 * 60 * 60 * 1000;

/// A group that the bot makes.
#[derive(Debug)]
pub(in crate::sandbox) struct Founding {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) description: String,
    pub(in crate::sandbox) kind: ChatKind,
    /// Without one, the bot owns it.
    pub(in crate::sandbox) owner: Option<String>,
    /// By open_id.
    pub(in crate::sandbox) people: Vec<String>,
    /// Other bots, by open_id.
    pub(in crate::sandbox) bots: Vec<String>,
    /// Whether the bot manages what it does not own.
    pub(in crate::sandbox) manages: bool,
    pub(in crate::sandbox) public: bool,
    pub(in crate::sandbox) settings: Settings,
}

/// What becomes of the ids that are to be added to a group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox) struct Newcomers {
    /// They come, by open_id.
    pub(in crate::sandbox) welcome: Vec<String>,
    /// Nobody has this id.
    pub(in crate::sandbox) unknown: Vec<String>,
    /// They have left the company.
    pub(in crate::sandbox) left: Vec<String>,
    /// The app may not add them.
    pub(in crate::sandbox) refused: Vec<String>,
    /// They are of another organisation.
    pub(in crate::sandbox) foreign: Vec<String>,
}

impl Newcomers {
    /// Sorts `ids`, whatever kind of id they are: `find` knows.
    pub(in crate::sandbox) fn sorted<'a>(
        ids: &[String],
        find: impl Fn(&str) -> Option<&'a User>,
    ) -> Self {
        let mut sorted = Self::default();
        for id in ids {
            let pile = match find(id) {
                None => &mut sorted.unknown,
                Some(user) if user.left => &mut sorted.left,
                Some(user) if user.tenant_key.is_some() => &mut sorted.foreign,
                Some(user) if user.refuses_groups => &mut sorted.refused,
                Some(user) => {
                    if !sorted.welcome.contains(&user.open_id) {
                        sorted.welcome.push(user.open_id.clone());
                    }
                    continue;
                }
            };
            pile.push(id.clone());
        }
        sorted
    }
}

impl World {
    /// The group that was made with this `uuid` for this owner within ten hours.
    pub(in crate::sandbox) fn founded(
        &mut self,
        uuid: &str,
        owner: Option<&str>,
        now_ms: i64,
    ) -> Option<&Chat> {
        self.founded
            .retain(|_, (at_ms, _)| now_ms - *at_ms < UUID_MS);
        let key = (uuid.to_owned(), owner.unwrap_or_default().to_owned());
        let (_, chat_id) = self.founded.get(&key)?;
        self.chats.get(chat_id)
    }

    /// The bot makes a group, and answers its chat_id.
    pub(in crate::sandbox) fn found(
        &mut self,
        founding: Founding,
        uuid: Option<&str>,
        now_ms: i64,
    ) -> String {
        let mut members: Vec<String> = founding.owner.iter().cloned().collect();
        for open_id in founding.people {
            if !members.contains(&open_id) {
                members.push(open_id);
            }
        }
        let chat_id = self
            .add_chat(&founding.name, founding.kind, members, true)
            .chat_id;
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.description = founding.description;
            chat.bots = founding.bots;
            chat.made_by_bot = true;
            chat.public = founding.public;
            chat.bot_role = match (&founding.owner, founding.manages) {
                (None, _) => BotRole::Owner,
                (Some(_), true) => BotRole::Manager,
                (Some(_), false) => BotRole::Member,
            };
            chat.settings = founding.settings;
        }
        if let Some(uuid) = uuid {
            let key = (uuid.to_owned(), founding.owner.unwrap_or_default());
            self.founded.insert(key, (now_ms, chat_id.clone()));
        }
        chat_id
    }

    /// Our bot adds people to a group, or throws them out, and is named as who did it.
    pub(in crate::sandbox) fn change_members_as_bot(&mut self, chat_id: &str, change: &Membership) {
        let us = self.app.open_id.clone();
        self.change_members(chat_id, change, Some(&us));
    }
}
