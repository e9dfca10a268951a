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
mod links;
mod lookout;
mod report;
mod words;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};
use tracing::{error, info, warn};

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
pub(super) use links::{How, Link};
pub(super) use lookout::Trouble;
pub(super) use report::{Which, bold, list, on_call, page};
pub(super) use words::Unlinked;

use claims::Claims;
use judge::{Seen, judge};
use links::Links;
use lookout::{Depth, Lookout};

/// How long a press may wait to be linked. It is answered within 2.5 seconds, and the deed takes some too.
const ACT_WITHIN: Duration = Duration::from_millis(1500);

/// How long a message's sender is tried to be linked for.
const MEET_WITHIN: Duration = Duration::from_secs(60);

/// How many people may be about to be linked at once; others are at their next word.
const MEETING_MAX: usize = 64;

/// How long a command waits for the platform: a round of calls for each fifty members.
const COMMAND_WITHIN: Duration = Duration::from_secs(120);

/// How long what a dry run showed may be applied without asking anew.
const SHOWN_FOR: Duration = Duration::from_secs(15 * 60);

/// How many links are read at once.
const PAGE: usize = 500;

/// Why a link was not made.
#[derive(Debug)]
pub(super) enum NotLinked {
    /// The member is linked to somebody else.
    MemberTaken,
    /// The person is linked to this other member.
    PersonTaken(String),
    /// It could not be kept.
    NotKept(store::Error),
}

/// What became, or would become, of everybody, in the order of the list.
#[derive(Debug)]
pub(super) struct Plan {
    /// Each member, and the finding.
    pub(super) lines: Vec<(Arc<Member>, Finding)>,
    seen: Arc<Seen>,
}

impl Plan {
    /// What somebody is called on the platform, as far as that was said.
    pub(super) fn name_of(&self, person: &OpenId) -> Option<&str> {
        self.seen.name_of(person)
    }

    /// Whether the app's contacts range is known not to hold somebody.
    pub(super) fn is_hidden(&self, person: &OpenId) -> bool {
        self.seen.is_hidden(person)
    }

    /// The links it would make.
    pub(super) fn links(&self) -> Vec<(Arc<Member>, OpenId, How)> {
        let found = self
            .lines
            .iter()
            .filter_map(|(member, finding)| match finding {
                Finding::Found(person, how) => Some((member.clone(), person.clone(), *how)),
                _ => None,
            });
        found.collect()
    }

    /// Stands for exactly these links: what was shown is what may be applied.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (member, person, _) in self.links() {
            for part in [member.name.as_str(), person.as_str()] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        let hash = hash.finalize();
        hash.iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

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

    /// Whether somebody may do things to incidents, and as which member. None where no member is needed.
    /// Somebody whom the list names by e-mail or mobile number is linked on the way. Takes at most
    /// [`ACT_WITHIN`].
    pub(super) async fn may_act(&self, person: &OpenId) -> Result<Option<Arc<Member>>, Unlinked> {
        if let Some(member) = self.member_of(person) {
            return Ok(Some(member));
        }
        if self.is_empty() || !self.0.linked_only {
            return Ok(None);
        }
        let tried = timeout(ACT_WITHIN, self.try_link(person)).await;
        tried.unwrap_or(Err(Unlinked::LookingUp)).map(Some)
    }

    /// Links somebody to the member who logs in as they do.
    pub(super) async fn try_link(&self, person: &OpenId) -> Result<Arc<Member>, Unlinked> {
        if let Some(member) = self.member_of(person) {
            return Ok(member);
        }
        let seen = self.0.lookout.remembered().await?;
        self.link_seen(&seen, person, false).await
    }

    /// The same at their own wish: asked anew, and also where it was undone before.
    pub(super) async fn link_me(&self, person: &OpenId) -> Result<Arc<Member>, Unlinked> {
        let looked = timeout(
            COMMAND_WITHIN,
            self.0.lookout.see(Depth::Ids, Duration::ZERO),
        );
        let seen = looked.await.unwrap_or(Err(Trouble::NoAnswer))?;
        self.link_seen(&seen, person, true).await
    }

    /// Whether somebody is a member by what they log in with.
    pub(super) async fn logs_in_as(&self, person: &OpenId, member: &Member) -> bool {
        let seen = timeout(COMMAND_WITHIN, self.0.lookout.remembered()).await;
        let Ok(Ok(seen)) = seen else { return false };
        matches!(judge(member, &Links::default(), &seen), Finding::Found(found, _) if found == *person)
    }

    async fn link_seen(
        &self,
        seen: &Seen,
        person: &OpenId,
        at_their_wish: bool,
    ) -> Result<Arc<Member>, Unlinked> {
        let member = match seen.members_of(person) {
            [] => return Err(Unlinked::NotListed),
            [name] => self.get(name).cloned().ok_or(Unlinked::NotListed)?,
            [_, _, ..] => return Err(Unlinked::Several),
        };
        let mut finding = judge(&member, &self.links(), seen);
        if at_their_wish && finding == Finding::Not(Why::Undone) {
            finding = judge(&member, &Links::default(), seen);
        }
        match finding {
            Finding::Found(found, how) if found == *person => {
                let linked = self.link(&member, person, how, person).await;
                // Their first message and their wish may both be at it.
                match self.linked(&member.name).as_ref() == Some(person) {
                    true => Ok(member),
                    false => linked.map(|()| member).map_err(Unlinked::from),
                }
            }
            Finding::Linked(link, _) if link.open_id.as_ref() == Some(person) => Ok(member),
            Finding::Not(Why::Undone) => Err(Unlinked::Undone),
            // The member is somebody else by an administrator's word, or their two addresses disagree.
            _ => Err(Unlinked::Several),
        }
    }

    /// Links a member to a person, and notes who did it.
    pub(super) async fn link(
        &self,
        member: &Arc<Member>,
        person: &OpenId,
        how: How,
        by: &OpenId,
    ) -> Result<(), NotLinked> {
        let wanted = [(member.clone(), person.clone(), how)];
        let (_, refused) = self
            .link_all(&wanted, by)
            .await
            .map_err(NotLinked::NotKept)?;
        match refused.into_iter().next() {
            Some((_, why)) => Err(why),
            None => Ok(()),
        }
    }

    /// Makes many links with one write. Gives how many were made, and which were not.
    pub(super) async fn link_all(
        &self,
        wanted: &[(Arc<Member>, OpenId, How)],
        by: &OpenId,
    ) -> Result<(usize, Vec<(Arc<Member>, NotLinked)>), store::Error> {
        let _changing = self.0.changing.lock().await;
        let (mut batch, mut made, mut refused) = (self.0.store.batch(), Vec::new(), Vec::new());
        let at = Timestamp::now();
        for (member, person, how) in wanted {
            match self.in_the_way(member, person) {
                Some(why) => refused.push((member.clone(), why)),
                None => {
                    let link = Link {
                        open_id: Some(person.clone()),
                        how: *how,
                        by: by.clone(),
                        at,
                    };
                    batch.put(&member.name, &link);
                    made.push((member, link));
                }
            }
        }
        self.0.store.commit(batch).await?;
        for (member, link) in &made {
            info!(how = ?link.how, "a member is linked");
            self.links_mut().put(&member.name, link.clone());
            self.note(by, &format!("{} linked, {}", member.name, link.how.name()))
                .await;
        }
        Ok((made.len(), refused))
    }

    fn in_the_way(&self, member: &Member, person: &OpenId) -> Option<NotLinked> {
        let links = self.links();
        let other = links.member(person).filter(|other| *other != member.name);
        if let Some(other) = other {
            return Some(NotLinked::PersonTaken(other.to_owned()));
        }
        let linked = links.person(&member.name);
        linked
            .is_some_and(|linked| linked != person)
            .then_some(NotLinked::MemberTaken)
    }

    /// Undoes a link. False where there was none.
    pub(super) async fn unlink(&self, member: &Member, by: &OpenId) -> Result<bool, store::Error> {
        let _changing = self.0.changing.lock().await;
        if self.links().person(&member.name).is_none() {
            return Ok(false);
        }
        let link = Link {
            open_id: None,
            how: How::Undone,
            by: by.clone(),
            at: Timestamp::now(),
        };
        let mut batch = self.0.store.batch();
        batch.put(&member.name, &link);
        self.0.store.commit(batch).await?;
        self.links_mut().put(&member.name, link);
        self.note(by, &format!("{} unlinked", member.name)).await;
        Ok(true)
    }

    /// What `/link all` would do, as the platform says now, or as it was shown lately.
    pub(super) async fn plan(&self, is_shown: bool) -> Result<Plan, Trouble> {
        let age_max = if is_shown { SHOWN_FOR } else { Duration::ZERO };
        let looked = timeout(COMMAND_WITHIN, self.0.lookout.see(Depth::All, age_max));
        let seen = looked.await.unwrap_or(Err(Trouble::NoAnswer))?;
        Ok(self.plan_of(seen))
    }

    /// What is left of a plan, with the links there are by now.
    pub(super) fn replan(&self, plan: &Plan) -> Plan {
        self.plan_of(plan.seen.clone())
    }

    fn plan_of(&self, seen: Arc<Seen>) -> Plan {
        let links = self.links();
        let judged = self.0.all.iter();
        let lines = judged
            .map(|member| (member.clone(), judge(member, &links, &seen)))
            .collect();
        Plan { lines, seen }
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
