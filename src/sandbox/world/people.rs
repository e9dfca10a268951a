//! Users, other bots, chats, and who is in which.

use super::{
    super::{app, refusal::Refusal},
    Settings, World,
};

/// A person of the tenant.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct User {
    pub(in crate::sandbox) open_id: String,
    pub(in crate::sandbox) union_id: String,
    pub(in crate::sandbox) user_id: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) email: Option<String>,
    pub(in crate::sandbox) mobile: Option<String>,
    /// Another organisation, for a person who is not of the app's.
    pub(in crate::sandbox) tenant_key: Option<String>,
    /// Outside the app's contact range: found by neither id, e-mail nor mobile.
    pub(in crate::sandbox) hidden: bool,
    /// Has left the company.
    pub(in crate::sandbox) left: bool,
    /// Cannot be added to groups by the app, as where the app is not offered to them.
    pub(in crate::sandbox) refuses_groups: bool,
}

/// A bot that is not ours, such as the one that posts alerts.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct OtherBot {
    pub(in crate::sandbox) open_id: String,
    pub(in crate::sandbox) app_id: String,
    pub(in crate::sandbox) name: String,
}

/// What a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum ChatKind {
    /// One person and our bot.
    P2p,
    /// An ordinary group.
    Group,
    /// A group in which every message that is no reply opens a topic.
    Topic,
}

/// A chat and who is in it.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Chat {
    pub(in crate::sandbox) chat_id: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) description: String,
    pub(in crate::sandbox) kind: ChatKind,
    /// People, by open_id, in the order in which they came.
    pub(in crate::sandbox) members: Vec<String>,
    /// Those of them who manage it beside its owner.
    pub(in crate::sandbox) managers: Vec<String>,
    /// Other bots, by open_id.
    pub(in crate::sandbox) bots: Vec<String>,
    /// Whether our bot is in it.
    pub(in crate::sandbox) has_bot: bool,
    /// What our bot is in it.
    pub(in crate::sandbox) bot_role: BotRole,
    /// Whether our bot made it.
    pub(in crate::sandbox) made_by_bot: bool,
    /// Whether everybody can find it.
    pub(in crate::sandbox) public: bool,
    pub(in crate::sandbox) settings: Settings,
    pub(in crate::sandbox) dissolved: bool,
    /// Places in the table of messages, oldest first.
    pub(super) places: Vec<usize>,
}

/// What our bot is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum BotRole {
    Member,
    Manager,
    /// Then no person owns it, and it has no `owner_id`.
    Owner,
}

impl Chat {
    /// The person who owns it: whoever came first, unless the bot does.
    pub(in crate::sandbox) fn owner(&self) -> Option<&str> {
        match self.bot_role {
            BotRole::Owner => None,
            BotRole::Member | BotRole::Manager => self.members.first().map(String::as_str),
        }
    }

    /// What a person is in it: `owner`, `manager` or `member`.
    pub(in crate::sandbox) fn role_of(&self, open_id: &str) -> &'static str {
        if self.owner() == Some(open_id) {
            "owner"
        } else if self.managers.iter().any(|manager| manager == open_id) {
            "manager"
        } else {
            "member"
        }
    }
}

impl BotRole {
    /// The word of the control API.
    pub(in crate::sandbox) fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }
}

impl ChatKind {
    /// `chat_mode` of Get chat.
    pub(in crate::sandbox) fn mode(self) -> &'static str {
        match self {
            Self::P2p => "p2p",
            Self::Group => "group",
            Self::Topic => "topic",
        }
    }

    /// `chat_type` of an event, which knows no topic.
    pub(in crate::sandbox) fn event_type(self) -> &'static str {
        match self {
            Self::P2p => "p2p",
            Self::Group | Self::Topic => "group",
        }
    }
}

impl World {
    /// A new person.
    pub(in crate::sandbox) fn add_user(
        &mut self,
        name: &str,
        email: Option<String>,
        mobile: Option<String>,
    ) -> User {
        let user = User {
            open_id: self.new_id("ou_"),
            union_id: self.new_id("on_"),
            user_id: app::hex(&mut self.random, 8),
            name: name.to_owned(),
            email,
            mobile,
            tenant_key: None,
            hidden: false,
            left: false,
            refuses_groups: false,
        };
        self.users.insert(&user.open_id, user.clone());
        self.tell("user", None, None);
        user
    }

    /// A new bot that is not ours.
    pub(in crate::sandbox) fn add_other_bot(&mut self, name: &str) -> OtherBot {
        let bot = OtherBot {
            open_id: self.new_id("ou_"),
            app_id: format!("cli_{}", app::hex(&mut self.random, 16)),
            name: name.to_owned(),
        };
        self.bots.insert(&bot.open_id, bot.clone());
        bot
    }

    /// A new chat of these people; `has_bot` says whether our bot is in it.
    pub(in crate::sandbox) fn add_chat(
        &mut self,
        name: &str,
        kind: ChatKind,
        members: Vec<String>,
        has_bot: bool,
    ) -> Chat {
        let chat = Chat {
            chat_id: self.new_id("oc_"),
            name: name.to_owned(),
            description: String::new(),
            kind,
            members,
            managers: Vec::new(),
            bots: Vec::new(),
            has_bot,
            bot_role: BotRole::Member,
            made_by_bot: false,
            public: false,
            settings: Settings::default(),
            dissolved: false,
            places: Vec::new(),
        };
        self.chats.insert(&chat.chat_id, chat.clone());
        self.tell("chat", Some(&chat.chat_id), None);
        chat
    }

    /// The direct chat between a person and our bot, made when it is not there yet.
    pub(in crate::sandbox) fn p2p_chat(&mut self, open_id: &str) -> String {
        let is_theirs = |chat: &&Chat| {
            chat.kind == ChatKind::P2p && chat.members.first().is_some_and(|id| id == open_id)
        };
        if let Some(chat) = self.chats.iter().find(is_theirs) {
            return chat.chat_id.clone();
        }
        self.add_chat("", ChatKind::P2p, vec![open_id.to_owned()], true)
            .chat_id
    }

    /// A chat in which our bot may read and write.
    pub(in crate::sandbox) fn usable_chat(&self, chat_id: &str) -> Result<&Chat, Refusal> {
        let chat = self.chats.get(chat_id).ok_or_else(Refusal::no_such_chat)?;
        if chat.dissolved {
            return Err(Refusal::dissolved());
        }
        if !chat.has_bot {
            return Err(Refusal::not_in_chat());
        }
        Ok(chat)
    }

    /// The organisation of somebody: the app's, unless it is a person of another.
    pub(in crate::sandbox) fn tenant_of(&self, open_id: &str) -> &str {
        let other = self
            .users
            .get(open_id)
            .and_then(|user| user.tenant_key.as_deref());
        other.unwrap_or(&self.app.tenant_key)
    }

    /// Whether a chat holds people of several organisations.
    pub(in crate::sandbox) fn is_external(&self, chat: &Chat) -> bool {
        let mut members = chat.members.iter();
        members.any(|open_id| self.tenant_of(open_id) != self.app.tenant_key)
    }

    /// The name of a person or bot, ours too.
    pub(in crate::sandbox) fn name_of(&self, open_id: &str) -> Option<&str> {
        if open_id == self.app.open_id {
            return Some(&self.app.name);
        }
        let bot = || self.bots.get(open_id).map(|bot| bot.name.as_str());
        self.users
            .get(open_id)
            .map(|user| user.name.as_str())
            .or_else(bot)
    }

    /// A person by open_id, or by a name that only one person has.
    pub(in crate::sandbox) fn find_user(&self, open_id_or_name: &str) -> Option<&User> {
        if let Some(user) = self.users.get(open_id_or_name) {
            return Some(user);
        }
        let mut named = self
            .users
            .iter()
            .filter(|user| user.name == open_id_or_name);
        named.next().filter(|_| named.next().is_none())
    }
}
