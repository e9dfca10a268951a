//! Who may do what: rules and facts in, a standing or a refusal out. Nothing here asks anybody.
//!
//! A name of the configuration that could not be looked up is not among the facts. So a failure never
//! makes anybody more than a member, and never less: who is named nowhere needs no look-up.

use std::fmt;

use crate::{
    config::AccessConfig,
    feishu::{ChatId, OpenId, TenantKey},
};

/// What somebody may do. Each may do what those before may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bot) enum Role {
    /// Ask.
    #[default]
    Member,
    /// Answer for incidents.
    Responder,
    /// Run the bot.
    Administrator,
}

impl Role {
    /// As the log and the records have it.
    pub(in crate::bot) fn name(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Responder => "responder",
            Role::Administrator => "administrator",
        }
    }
}

/// How the configuration names somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::bot) enum Name {
    /// By the id that our app sees.
    Person(OpenId),
    /// By the e-mail they log in with, in lower case.
    Email(String),
    /// By a chat that they are in.
    Chat(ChatId),
}

impl Name {
    /// Reads a name as it is written in a list.
    fn read(text: &str) -> Self {
        let text = text.trim();
        if text.contains('@') {
            Name::Email(text.to_lowercase())
        } else if text.starts_with("oc_") {
            Name::Chat(ChatId::new(text))
        } else {
            Name::Person(OpenId::new(text))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Person(id) => id.fmt(f),
            Name::Email(email) => f.write_str(email),
            Name::Chat(id) => id.fmt(f),
        }
    }
}

/// `[access]`, read.
#[derive(Debug, Default)]
pub(in crate::bot) struct Rules {
    pub(super) allow_users: Vec<Name>,
    pub(super) deny_users: Vec<Name>,
    pub(super) allow_chats: Vec<ChatId>,
    pub(super) deny_chats: Vec<ChatId>,
    pub(super) administrators: Vec<Name>,
    pub(super) responders: Vec<Name>,
    pub(super) tenants: Vec<TenantKey>,
    pub(super) external_groups: bool,
}

impl Rules {
    /// Reads the lists of the configuration.
    pub(super) fn of(config: &AccessConfig) -> Self {
        let names = |list: &[String]| list.iter().map(|one| Name::read(one)).collect();
        let chats = |list: &[String]| list.iter().map(|one| ChatId::new(one.trim())).collect();
        Self {
            allow_users: names(&config.allow_users),
            deny_users: names(&config.deny_users),
            allow_chats: chats(&config.allow_chats),
            deny_chats: chats(&config.deny_chats),
            administrators: names(&config.administrators),
            responders: names(&config.responders),
            tenants: config
                .tenants
                .iter()
                .map(|key| TenantKey::new(key.as_str()))
                .collect(),
            external_groups: config.external_groups,
        }
    }

    /// Every name in them that has to be looked up, once.
    pub(super) fn looked_up(&self) -> Vec<Name> {
        let lists = [
            &self.deny_users,
            &self.allow_users,
            &self.administrators,
            &self.responders,
        ];
        let mut names: Vec<Name> = Vec::new();
        for name in lists.into_iter().flatten() {
            if !matches!(name, Name::Person(_)) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// Whose organisation somebody is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bot) enum Tenant {
    /// Ours.
    Own,
    /// Another.
    Other(TenantKey),
    /// Nobody said.
    #[default]
    Unknown,
}

/// The group in which something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) struct Group {
    /// Which.
    pub id: ChatId,
    /// Whether it holds people of other organisations, if that is known.
    pub external: Option<bool>,
}

/// What is known about somebody who asks for something.
#[derive(Debug, Clone)]
pub(in crate::bot) struct Facts {
    /// Who.
    pub person: OpenId,
    /// Of which organisation.
    pub tenant: Tenant,
    /// Where; none for a direct chat.
    pub group: Option<Group>,
    /// The e-mails and chats of the configuration that are known to be theirs.
    pub names: Vec<Name>,
}

impl Facts {
    fn on<'a>(&self, list: &'a [Name]) -> Option<&'a Name> {
        list.iter().find(|name| match name {
            Name::Person(id) => *id == self.person,
            name => self.names.contains(name),
        })
    }
}

/// What somebody is to us, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bot) struct Standing {
    /// What they may do.
    pub role: Role,
    /// The name by which the configuration gives them that; none where nothing had to be given.
    pub by: Option<Name>,
}

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) enum Denied {
    /// They are on the list of those who may not, or not on that of those who may.
    Person,
    /// The bot is not to be used in this group.
    Chat,
    /// They are of another organisation.
    Organisation,
    /// The group holds people of other organisations.
    ExternalGroup,
    /// This takes a role that they do not have.
    Needs(Role),
    /// They have sent too much lately.
    TooOften,
}

impl Denied {
    /// As the log and the records have it.
    pub(in crate::bot) fn name(&self) -> &'static str {
        match self {
            Denied::Person => "denied_person",
            Denied::Chat => "denied_chat",
            Denied::Organisation => "other_organisation",
            Denied::ExternalGroup => "external_group",
            Denied::Needs(_) => "lacks_role",
            Denied::TooOften => "too_often",
        }
    }
}

/// Decides.
pub(in crate::bot) fn decide(rules: &Rules, facts: &Facts) -> Result<Standing, Denied> {
    if facts.on(&rules.deny_users).is_some() {
        return Err(Denied::Person);
    }
    let is_stranger = match &facts.tenant {
        Tenant::Own => false,
        Tenant::Other(tenant) => !rules.tenants.contains(tenant),
        // Only a group of several organisations can hold a stranger.
        Tenant::Unknown => matches!(&facts.group, Some(group) if group.external == Some(true)),
    };
    if is_stranger {
        return Err(Denied::Organisation);
    }
    if let Some(group) = &facts.group {
        if rules.deny_chats.contains(&group.id) {
            return Err(Denied::Chat);
        }
        if group.external == Some(true) && !rules.external_groups {
            return Err(Denied::ExternalGroup);
        }
        if !rules.allow_chats.is_empty() && !rules.allow_chats.contains(&group.id) {
            return Err(Denied::Chat);
        }
    }
    let given = |role, list| {
        facts.on(list).map(|name| Standing {
            role,
            by: Some(name.clone()),
        })
    };
    given(Role::Administrator, &rules.administrators)
        .or_else(|| given(Role::Responder, &rules.responders))
        .or_else(|| given(Role::Member, &rules.allow_users))
        .or_else(|| rules.allow_users.is_empty().then(Standing::default))
        .ok_or(Denied::Person)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(change: impl FnOnce(&mut AccessConfig)) -> Rules {
        let mut config = AccessConfig {
            administrators: vec!["ou_boss".into(), "Ops@X.com".into()],
            responders: vec!["oc_oncall".into()],
            ..AccessConfig::default()
        };
        change(&mut config);
        Rules::of(&config)
    }

    fn person(id: &str) -> Facts {
        Facts {
            person: OpenId::new(id),
            tenant: Tenant::Own,
            group: None,
            names: Vec::new(),
        }
    }

    fn named(id: &str, name: &str) -> Facts {
        Facts {
            names: vec![Name::read(name)],
            ..person(id)
        }
    }

    fn in_group(facts: Facts, id: &str, external: Option<bool>) -> Facts {
        let id = ChatId::new(id);
        Facts {
            group: Some(Group { id, external }),
            ..facts
        }
    }

    fn of(facts: Facts, tenant: &str) -> Facts {
        Facts {
            tenant: Tenant::Other(TenantKey::new(tenant)),
            ..facts
        }
    }

    #[track_caller]
    fn check(rules: &Rules, facts: &Facts, expected: Result<Role, Denied>) {
        let decided = decide(rules, facts).map(|standing| standing.role);
        assert_eq!(decided, expected, "{facts:?}");
    }

    #[test]
    fn roles_come_from_the_lists_and_everybody_else_is_a_member() {
        let rules = rules(|_| {});
        check(&rules, &person("ou_a"), Ok(Role::Member));
        check(&rules, &person("ou_boss"), Ok(Role::Administrator));
        check(&rules, &named("ou_a", "ops@x.com"), Ok(Role::Administrator));
        check(&rules, &named("ou_a", "oc_oncall"), Ok(Role::Responder));
        let standing = decide(&rules, &named("ou_a", "oc_oncall")).unwrap();
        assert_eq!(standing.by, Some(Name::Chat(ChatId::new("oc_oncall"))));
    }

    #[test]
    fn what_could_not_be_looked_up_gives_no_role_and_takes_nothing_away() {
        let everybody = rules(|_| {});
        check(&everybody, &person("ou_ops"), Ok(Role::Member));
        let listed = rules(|config| config.allow_users = vec!["li@x.com".into()]);
        check(&listed, &person("ou_li"), Err(Denied::Person));
        check(&listed, &named("ou_li", "li@x.com"), Ok(Role::Member));
        check(&listed, &person("ou_boss"), Ok(Role::Administrator));
    }

    #[test]
    fn a_denial_wins_over_everything() {
        let rules = rules(|config| {
            config.deny_users = vec!["ou_boss".into(), "li@x.com".into()];
            config.allow_users = vec!["li@x.com".into()];
            config.deny_chats = vec!["oc_a".into()];
            config.allow_chats = vec!["oc_a".into(), "oc_b".into()];
        });
        check(&rules, &person("ou_boss"), Err(Denied::Person));
        check(&rules, &named("ou_li", "li@x.com"), Err(Denied::Person));
        let ops = || named("ou_ops", "ops@x.com");
        check(
            &rules,
            &in_group(ops(), "oc_a", Some(false)),
            Err(Denied::Chat),
        );
        check(
            &rules,
            &in_group(ops(), "oc_b", None),
            Ok(Role::Administrator),
        );
        check(&rules, &in_group(ops(), "oc_c", None), Err(Denied::Chat));
        check(&rules, &ops(), Ok(Role::Administrator));
    }

    #[test]
    fn strangers_and_their_groups_are_shut_out_unless_they_are_named() {
        let own = rules(|_| {});
        check(&own, &of(person("ou_a"), "t2"), Err(Denied::Organisation));
        check(
            &own,
            &of(person("ou_boss"), "t2"),
            Err(Denied::Organisation),
        );
        let mixed = in_group(person("ou_a"), "oc_a", Some(true));
        check(&own, &mixed, Err(Denied::ExternalGroup));
        check(
            &own,
            &in_group(person("ou_a"), "oc_a", None),
            Ok(Role::Member),
        );

        let open = rules(|config| {
            config.external_groups = true;
            config.tenants = vec!["t2".into()];
        });
        check(&open, &mixed, Ok(Role::Member));
        check(&open, &of(mixed.clone(), "t2"), Ok(Role::Member));
        check(&open, &of(mixed.clone(), "t3"), Err(Denied::Organisation));
        let somebody = Facts {
            tenant: Tenant::Unknown,
            ..mixed
        };
        check(&open, &somebody, Err(Denied::Organisation));
    }
}
