//! The people who answer for incidents: the list of the configuration, and who of them is whom on the
//! platform.
//!
//! ```text
//!  [members] ─▶ Member ─┐
//!                       ├─ judge ─▶ linked, found, or why not ─▶ link: kept, then believed
//!  platform ─▶ lookout ─┘
//! ```
//! A link is one to one and is made in three ways: by itself, when somebody first speaks or presses whose
//! e-mail or mobile number the list has; by `/link all` for everybody; by an administrator's word. Nobody
//! becomes a member by saying so. What was undone does not come back by itself.

mod claims;
mod deciding;
mod judge;
mod linking;
mod links;
mod lookout;
mod plan;
mod report;
mod words;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};
use tracing::{error, warn};

use crate::{
    config::{Member, MembersConfig},
    feishu::{Client, OpenId},
    store::{self, Collection, Store},
};

use super::{
    Bot,
    audit::{Audit, Deed},
};

pub(super) use claims::{Claim, Decision, Kept};
pub(super) use deciding::{Decided, decide, refused};
pub(super) use judge::{Doubt, Finding, Why};
pub(super) use linking::NotLinked;
pub(super) use links::{How, Link};
pub(super) use lookout::Trouble;
pub(super) use plan::Plan;
pub(super) use report::{Which, bold, list, on_call, page};
pub(super) use words::Unlinked;

use claims::Claims;
use judge::judge;
use links::Links;
use lookout::{Depth, Lookout};

/// How long a message's sender is tried to be linked for.
const MEET_WITHIN: Duration = Duration::from_secs(60);

/// How many people may be about to be linked at once; others are at their next word.
const MEETING_MAX: usize = 64;

/// How long a command waits for the platform: a round of calls for each fifty members.
const COMMAND_WITHIN: Duration = Duration::from_secs(120);

/// How many links are read at once.
const PAGE: usize = 500;

/// Knows who is who. Clones know the same.
#[derive(Clone)]
pub(super) struct Members(Arc<Inner>);

struct Inner {
    linked_only: bool,
    all: Vec<Arc<Member>>,
    /// Places in `all`, by the name in lower case.
    by_name: HashMap<String, usize>,
    links: RwLock<Links>,
    /// Held by whoever changes a link, from looking to keeping.
    changing: Mutex<()>,
    records: Collection<Link>,
    store: Store,
    claims: Claims,
    lookout: Lookout,
    meeting: Arc<Semaphore>,
    audit: Audit,
}

impl Members {
    /// The members of the configuration; nobody is linked before [`Members::open`].
    pub(super) fn new(config: &MembersConfig, store: &Store, audit: Audit) -> Self {
        let all: Vec<_> = config.all().cloned().map(Arc::new).collect();
        let places = all.iter().enumerate();
        Self(Arc::new(Inner {
            linked_only: config.linked_only,
            by_name: places
                .map(|(place, member)| (member.name.to_lowercase(), place))
                .collect(),
            all,
            links: RwLock::default(),
            changing: Mutex::default(),
            records: store.collection(),
            store: store.clone(),
            claims: Claims::new(store),
            lookout: Lookout::default(),
            meeting: Arc::new(Semaphore::new(MEETING_MAX)),
            audit,
        }))
    }

    /// Reads the links. Those of people who are not in the list any more stay in the store: a list that was
    /// mangled and is mended needs no new links.
    pub(super) async fn open(&self) -> Result<(), store::Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self.0.records.scan("", after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|(name, _)| name.clone());
            let mut links = self.links_mut();
            for (name, link) in page {
                if self.get(&name).is_some_and(|member| member.name == name) {
                    links.put(&name, link);
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Asks the platform whenever somebody needs to know, for ever.
    pub(super) async fn look_for_ever(self, feishu: Client) {
        let whom = |depth| {
            let links = self.links();
            let is_asked =
                |member: &&Arc<Member>| depth == Depth::All || links.person(&member.name).is_none();
            self.0.all.iter().filter(is_asked).cloned().collect()
        };
        self.0.lookout.answer_for_ever(&feishu, whom).await;
    }

    /// Whether there are no members at all. Then nobody needs a link for anything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.all.is_empty()
    }

    /// Everybody, in the order of the list.
    pub(super) fn all(&self) -> &[Arc<Member>] {
        &self.0.all
    }

    /// The member of this name, whatever its capitals.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Member>> {
        let place = self.0.by_name.get(&name.trim().to_lowercase())?;
        self.0.all.get(*place)
    }

    /// Who a member is on the platform.
    pub(super) fn linked(&self, name: &str) -> Option<OpenId> {
        let member = self.get(name)?;
        self.links().person(&member.name).cloned()
    }

    /// Which member somebody is.
    pub(super) fn member_of(&self, person: &OpenId) -> Option<Arc<Member>> {
        let links = self.links();
        self.get(links.member(person)?).cloned()
    }

    /// How many are linked.
    pub(super) fn linked_count(&self) -> usize {
        let links = self.links();
        let is_linked = |member: &&Arc<Member>| links.person(&member.name).is_some();
        self.0.all.iter().filter(is_linked).count()
    }

    /// What is known of a member now, without asking anybody.
    pub(super) fn finding(&self, member: &Member) -> Finding {
        judge(member, &self.links(), &self.0.lookout.last())
    }

    /// The account of a member who is to be told something: the one that is linked, or the one that they log
    /// in with. None: nobody is known, or nobody can be. Fails where asking again may help.
    pub(super) async fn reach(&self, name: &str) -> Result<Option<OpenId>, Trouble> {
        if let Some(person) = self.linked(name) {
            return Ok(Some(person));
        }
        let Some(member) = self.get(name) else {
            return Ok(None);
        };
        let seen = match self.0.lookout.remembered().await {
            Err(Trouble::LacksScope) => return Ok(None),
            seen => seen?,
        };
        match judge(member, &self.links(), &seen) {
            Finding::Linked(link, _) => Ok(link.open_id),
            Finding::Found(person, _) => Ok(Some(person)),
            Finding::Not(_) => Ok(None),
        }
    }

    /// Those of `names` who cannot be reached because they are not linked, each once, with the reason.
    pub(super) fn unlinked_among<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<(String, Why)> {
        let mut unlinked: Vec<(String, Why)> = Vec::new();
        for name in names {
            let why = match self.get(name) {
                None => Why::NotAMember,
                Some(member) => match self.finding(member) {
                    Finding::Linked(..) => continue,
                    // It is known who they are, and nobody has linked them yet.
                    Finding::Found(..) => Why::NotTried,
                    Finding::Not(why) => why,
                },
            };
            if unlinked.iter().all(|(known, _)| known != name) {
                unlinked.push((name.to_owned(), why));
            }
        }
        unlinked
    }

    /// Claims that wait for an administrator.
    pub(super) fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// Notes a deed about members, beside the command or press that it came by.
    pub(super) async fn note(&self, who: &OpenId, outcome: &str) {
        let deed = Deed {
            who: who.clone(),
            what: "member link".into(),
            chat: None,
            message: None,
            outcome: outcome.to_owned(),
        };
        if let Err(error) = self.0.audit.note(deed, Timestamp::now()).await {
            error!(%error, "a link is missing from the audit");
        }
    }

    fn links(&self) -> std::sync::RwLockReadGuard<'_, Links> {
        // Each change is whole, so what a panic left is usable.
        self.0.links.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn links_mut(&self) -> std::sync::RwLockWriteGuard<'_, Links> {
        self.0.links.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries, beside everything else, to link somebody who has spoken or pressed. Never waits.
pub(super) fn meet(bot: &Bot, person: &OpenId) {
    let members = bot.members();
    let is_known = members.is_empty() || members.links().member(person).is_some();
    let lookout = &members.0.lookout;
    if is_known || lookout.remembers() && lookout.last().members_of(person).is_empty() {
        return;
    }
    let Ok(place) = members.0.meeting.clone().try_acquire_owned() else {
        return;
    };
    let (members, person) = (members.clone(), person.clone());
    bot.sessions().beside(async move {
        let _place = place;
        if let Ok(Err(Unlinked::NotKept)) = timeout(MEET_WITHIN, members.try_link(&person)).await {
            warn!("a link could not be kept; it is tried at their next word");
        }
    });
}
