//! Who may use the bot, and who may do more.
//!
//! [`mod@decide`] holds the rules and asks nobody; here its facts are gathered. Everybody of our own
//! organisation is a member by default. An event says of which organisation its sender is, and of which
//! one the app is; only where an event does not say it, it is taken from what the same person sent before.

mod decide;
mod directory;
mod pace;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    config::AccessConfig,
    feishu::{ChatId, ChatKind, ChatMode, Client, OpenId, TenantKey},
};

use super::chats::Chats;

pub(super) use decide::{Denied, Name, Role, Standing};
use decide::{Facts, Group, Rules, Tenant, decide};
use directory::Directory;
pub(super) use pace::Pace;

/// How long a question may wait until it is known what kind of group it was asked in.
const CHAT_ASKED_FOR: Duration = Duration::from_secs(3);

/// Of how many people it is remembered of which organisation they are.
const TENANTS_KEPT_MAX: usize = 20_000;

/// Knows who may do what. Clones know the same.
#[derive(Clone)]
pub(super) struct Access(Arc<Inner>);

struct Inner {
    rules: Rules,
    directory: Directory,
    chats: Arc<Chats>,
    own: OnceLock<TenantKey>,
    tenants: Mutex<HashMap<OpenId, TenantKey>>,
}

/// Somebody who asks for something, as far as an event tells.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// Who.
    pub person: OpenId,
    /// Of which organisation, where the event says so.
    pub tenant: Option<TenantKey>,
    /// Where, and what kind of chat that is, where it is known.
    pub chat: Option<(ChatId, Option<ChatKind>)>,
}

impl Access {
    /// With the rules of the configuration.
    pub(super) fn new(config: &AccessConfig, feishu: Client, chats: Arc<Chats>) -> Self {
        let rules = Rules::of(config);
        Self(Arc::new(Inner {
            directory: Directory::new(feishu, rules.looked_up()),
            rules,
            chats,
            own: OnceLock::new(),
            tenants: Mutex::default(),
        }))
    }

    /// What somebody may do in a chat, or anywhere.
    pub(super) async fn role(
        &self,
        person: &OpenId,
        chat: Option<&ChatId>,
    ) -> Result<Role, Denied> {
        let visitor = Visitor {
            person: person.clone(),
            tenant: None,
            chat: chat.map(|chat| (chat.clone(), None)),
        };
        self.standing(&visitor).await.map(|standing| standing.role)
    }

    /// What somebody is to us, and why. Waits for nobody where what has to be known was asked lately.
    pub(super) async fn standing(&self, visitor: &Visitor) -> Result<Standing, Denied> {
        let mut facts = Facts {
            person: visitor.person.clone(),
            tenant: self.tenant(visitor),
            group: None,
            names: self.0.directory.names_of(&visitor.person).await,
        };
        if let Some((chat, kind)) = &visitor.chat {
            facts.group = self.group(chat, *kind).await;
        }
        decide(&self.0.rules, &facts)
    }

    /// Takes note of the organisation that an event of this app came from, which is ours.
    pub(super) fn note_own(&self, tenant: &TenantKey) {
        if !tenant.as_str().is_empty() {
            self.0.own.get_or_init(|| tenant.clone());
        }
    }

    /// Our own organisation, once an event has named it.
    pub(super) fn own(&self) -> Option<&TenantKey> {
        self.0.own.get()
    }

    /// Whose e-mail of the configuration this is.
    pub(super) async fn by_address(&self, email: &str) -> Option<OpenId> {
        self.0.directory.by_address(email).await
    }

    /// Those who run the bot, as the configuration names them.
    pub(super) fn administrators(&self) -> &[Name] {
        &self.0.rules.administrators
    }

    /// Whether the configuration says who answers for incidents.
    pub(super) fn has_responders(&self) -> bool {
        !self.0.rules.responders.is_empty()
    }

    fn tenant(&self, visitor: &Visitor) -> Tenant {
        let mut tenants = self
            .0
            .tenants
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = match &visitor.tenant {
            Some(tenant) => {
                if tenants.len() >= TENANTS_KEPT_MAX {
                    tenants.clear();
                }
                tenants.insert(visitor.person.clone(), tenant.clone());
                Some(tenant.clone())
            }
            None => tenants.get(&visitor.person).cloned(),
        };
        match (known, self.0.own.get()) {
            (Some(tenant), Some(own)) if tenant == *own => Tenant::Own,
            (Some(tenant), Some(_)) => Tenant::Other(tenant),
            _ => Tenant::Unknown,
        }
    }

    async fn group(&self, chat: &ChatId, kind: Option<ChatKind>) -> Option<Group> {
        if kind == Some(ChatKind::P2p) {
            return None;
        }
        let read = timeout(CHAT_ASKED_FOR, self.0.chats.get(chat)).await;
        let read = read.ok().flatten();
        if kind.is_none() && read.as_ref().is_some_and(|chat| chat.kind == ChatMode::P2p) {
            return None;
        }
        Some(Group {
            id: chat.clone(),
            external: read.map(|chat| chat.external),
        })
    }
}
