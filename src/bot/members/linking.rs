//! Makes links between members and people, and undoes them.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::info;

use super::{
    COMMAND_WITHIN, Finding, How, Link, Links, Members, Trouble, Unlinked, Why,
    judge::{Seen, judge},
    lookout::Depth,
};
use crate::{config::Member, feishu::OpenId, store};

/// How long a press may wait to be linked. It is answered within 2.5 seconds, and the deed takes some too.
const ACT_WITHIN: Duration = Duration::from_millis(1500);

/// Why a link was not made.
#[derive(Debug)]
pub(in crate::bot) enum NotLinked {
    /// The member is linked to somebody else.
    MemberTaken,
    /// The person is linked to this other member.
    PersonTaken(String),
    /// It could not be kept.
    NotKept(store::Error),
}

impl Members {
    /// Whether somebody may do things to incidents, and as which member. None where no member is needed.
    /// Somebody whom the list names by e-mail or mobile number is linked on the way. Takes at most
    /// [`ACT_WITHIN`].
    pub(in crate::bot) async fn may_act(
        &self,
        person: &OpenId,
    ) -> Result<Option<Arc<Member>>, Unlinked> {
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
    pub(in crate::bot) async fn try_link(&self, person: &OpenId) -> Result<Arc<Member>, Unlinked> {
        if let Some(member) = self.member_of(person) {
            return Ok(member);
        }
        let seen = self.0.lookout.remembered().await?;
        self.link_seen(&seen, person, false).await
    }

    /// The same at their own wish: asked anew, and also where it was undone before.
    pub(in crate::bot) async fn link_me(&self, person: &OpenId) -> Result<Arc<Member>, Unlinked> {
        let looked = timeout(
            COMMAND_WITHIN,
            self.0.lookout.see(Depth::Ids, Duration::ZERO),
        );
        let seen = looked.await.unwrap_or(Err(Trouble::NoAnswer))?;
        self.link_seen(&seen, person, true).await
    }

    /// Whether somebody is a member by what they log in with.
    pub(in crate::bot) async fn logs_in_as(&self, person: &OpenId, member: &Member) -> bool {
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
    pub(in crate::bot) async fn link(
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
    pub(in crate::bot) async fn link_all(
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
    pub(in crate::bot) async fn unlink(
        &self,
        member: &Member,
        by: &OpenId,
    ) -> Result<bool, store::Error> {
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
}
