//! Asks the platform who logs in with the members' e-mails and mobile numbers.
//!
//! One task asks, for all members at once, and everybody reads what it found last. So a person who is not
//! in the list costs one round of calls an hour and not one for each message, and whoever waits no longer
//! does not end what others wait for.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc, watch},
    time::Instant,
};
use tracing::{debug, info, warn};

use crate::{
    config::{Member, canonical_mobile},
    feishu::{Address, Among, Class, Client, Error},
};

use super::judge::{Seen, Sight, Sighting};

/// How long it is believed whose an address is.
const BELIEVED: Duration = Duration::from_secs(3600);

/// After a failure nobody's message asks again for so long.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How many may wait for the task to hear them. Who comes on top waits for a place.
const WAITING_MAX: usize = 16;

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Who those members are who are not linked.
    Ids,
    /// Who all are, who has left, and whom the app's contacts range holds.
    All,
}

/// Why nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Trouble {
    /// The app lacks the scope `contact:user.id:readonly`.
    LacksScope,
    /// The platform does not answer, or not now.
    NoAnswer,
}

/// What was found last.
#[derive(Debug, Clone, Default)]
struct Last {
    seen: Arc<Seen>,
    /// When asking for it began.
    ids_at: Option<Instant>,
    all_at: Option<Instant>,
    failed: Option<(Instant, Trouble)>,
}

impl Last {
    fn at(&self, depth: Depth) -> Option<Instant> {
        match depth {
            Depth::Ids => self.ids_at.max(self.all_at),
            Depth::All => self.all_at,
        }
    }
}

struct Request {
    depth: Depth,
    /// What is not older than this will do.
    since: Instant,
}

/// Where one asks.
pub(super) struct Lookout {
    last: watch::Sender<Last>,
    ask: mpsc::Sender<Request>,
    asked: Mutex<mpsc::Receiver<Request>>,
}

impl Default for Lookout {
    fn default() -> Self {
        let (ask, asked) = mpsc::channel(WAITING_MAX);
        Self {
            last: watch::Sender::default(),
            ask,
            asked: Mutex::new(asked),
        }
    }
}

impl Lookout {
    /// What was seen last, however old.
    pub(super) fn last(&self) -> Arc<Seen> {
        self.last.borrow().seen.clone()
    }

    /// Whether what is remembered will do, so that nobody has to be asked.
    pub(super) fn remembers(&self) -> bool {
        let last = self.last.borrow();
        let is_within = |at: Instant, age: Duration| at.elapsed() < age;
        last.at(Depth::Ids)
            .is_some_and(|at| is_within(at, BELIEVED))
            || last
                .failed
                .is_some_and(|(at, _)| is_within(at, ASKED_AGAIN_AFTER))
    }

    /// As far as it was asked lately, and otherwise asked now. The caller bounds the time; what was begun
    /// goes on without them.
    pub(super) async fn remembered(&self) -> Result<Arc<Seen>, Trouble> {
        let last = self.last.borrow().clone();
        if let Some((at, trouble)) = last.failed
            && at.elapsed() < ASKED_AGAIN_AFTER
        {
            return Err(trouble);
        }
        self.see(Depth::Ids, BELIEVED).await
    }

    /// What is not older than `age_max`.
    pub(super) async fn see(&self, depth: Depth, age_max: Duration) -> Result<Arc<Seen>, Trouble> {
        let asked = Instant::now();
        let since = asked.checked_sub(age_max).unwrap_or(asked);
        let mut watch = self.last.subscribe();
        let mut is_asked = false;
        loop {
            {
                let last = watch.borrow_and_update();
                if last.at(depth).is_some_and(|at| at >= since) {
                    return Ok(last.seen.clone());
                }
                if let Some((_, trouble)) = last.failed.filter(|(at, _)| is_asked && *at >= asked) {
                    return Err(trouble);
                }
            }
            if !is_asked {
                let request = Request { depth, since };
                self.ask
                    .send(request)
                    .await
                    .map_err(|_| Trouble::NoAnswer)?;
                is_asked = true;
            }
            watch.changed().await.map_err(|_| Trouble::NoAnswer)?;
        }
    }

    /// Answers requests, for ever. `whom` gives the members to ask about.
    pub(super) async fn answer_for_ever(
        &self,
        feishu: &Client,
        whom: impl Fn(Depth) -> Vec<Arc<Member>>,
    ) {
        let feishu = feishu.at(Class::Sign);
        // Nobody else holds it: there is one such task.
        let mut asked = self.asked.lock().await;
        while let Some(request) = asked.recv().await {
            let last = self.last.borrow().clone();
            // Somebody before them asked for as much.
            if last.at(request.depth).is_some_and(|at| at >= request.since) {
                continue;
            }
            let members = whom(request.depth);
            if let Err(error) = self.look(&feishu, &members, request.depth).await {
                warn!(%error, "who the members are is not known; nobody is linked until it is");
                let trouble = match error {
                    Error::Forbidden(_) => Trouble::LacksScope,
                    _ => Trouble::NoAnswer,
                };
                let failed = Some((Instant::now(), trouble));
                self.last.send_modify(|last| last.failed = failed);
            }
        }
    }

    async fn look(
        &self,
        feishu: &Client,
        members: &[Arc<Member>],
        depth: Depth,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let addresses: Vec<_> = members.iter().flat_map(|one| addresses(one)).collect();
        let mut sights = sights(feishu, &addresses, Among::Present).await?;
        let mut seen = Seen::of(sightings(members, &sights));
        info!(
            members = members.len(),
            people = seen.people().count(),
            "looked the members up"
        );
        if depth == Depth::All {
            let missing: Vec<_> = addresses
                .into_iter()
                .filter(|address| !sights.contains_key(address))
                .collect();
            // Only now, because without a further scope the platform does not say who of those it finds has left.
            let gone = self::sights(feishu, &missing, Among::PresentAndGone).await?;
            sights.extend(gone.into_keys().map(|address| (address, Sight::Gone)));
            seen = Seen::of(sightings(members, &sights));
            let people: Vec<_> = seen.people().cloned().collect();
            seen.profiles = match feishu.users(&people).await {
                Ok(users) => Some(
                    users
                        .into_iter()
                        .map(|one| (one.open_id, one.name))
                        .collect(),
                ),
                Err(error) => {
                    debug!(%error, "whom the contacts range holds is not known");
                    None
                }
            };
        }
        let seen = Arc::new(seen);
        self.last.send_modify(|last| {
            *last = Last {
                seen,
                ids_at: Some(began),
                all_at: (depth == Depth::All).then_some(began),
                failed: None,
            };
        });
        Ok(())
    }
}

fn addresses(member: &Member) -> Vec<Address> {
    let email = Some(&member.email).filter(|email| !email.is_empty());
    let mobile = Some(&member.mobile).filter(|mobile| !mobile.is_empty());
    let email = email.cloned().map(Address::Email);
    email
        .into_iter()
        .chain(mobile.cloned().map(Address::Mobile))
        .collect()
}

/// Whom the platform finds, by the addresses as we write them.
async fn sights(
    feishu: &Client,
    addresses: &[Address],
    among: Among,
) -> Result<HashMap<Address, Sight>, Error> {
    let found = feishu.look_up(addresses, among).await?;
    let sights = found.into_iter().map(|one| {
        let address = match one.address {
            Address::Email(email) => Address::Email(email.to_lowercase()),
            Address::Mobile(mobile) => Address::Mobile(canonical_mobile(&mobile).unwrap_or(mobile)),
        };
        let sight = match one.has_left {
            true => Sight::Gone,
            false => Sight::Person(one.open_id),
        };
        (address, sight)
    });
    Ok(sights.collect())
}

fn sightings(
    members: &[Arc<Member>],
    sights: &HashMap<Address, Sight>,
) -> HashMap<String, Sighting> {
    let sighting = |member: &Arc<Member>| {
        let mut sighting = Sighting::default();
        for address in addresses(member) {
            let sight = sights.get(&address).cloned().unwrap_or(Sight::Nobody);
            match address {
                Address::Email(_) => sighting.by_email = Some(sight),
                Address::Mobile(_) => sighting.by_mobile = Some(sight),
            }
        }
        (member.name.clone(), sighting)
    };
    members.iter().map(sighting).collect()
}
