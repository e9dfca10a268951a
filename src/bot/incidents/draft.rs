//! What a round of the keeper is going to write. Reads see what the round has changed so far; nobody else
//! sees any of it before it is committed, and if that fails it never was.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use tracing::debug;

use crate::{
    config::IncidentsConfig,
    incident::{
        Action, By, Happening, Incident, Refusal, Rules, State, Tracked, What,
        noise::Silence,
        routing::{Next, Target},
    },
    store::{self, Batch},
};

use super::{
    Incidents,
    records::{
        Belongs, Case, Counter, Hushed, KeptAlert, KeptChange, KeptEntry, KeptSilence,
        NewestOfGroup, Page, UNREACHED_MAX, Unreached, Why, digits,
    },
    routes,
};

/// What a round changes.
pub(super) struct Draft<'a> {
    incidents: &'a Incidents,
    pub(super) config: &'a IncidentsConfig,
    pub(super) rules: Rules,
    /// When the round began: everything in it happens at once.
    pub(super) now: Timestamp,
    batch: Batch,
    cases: BTreeMap<u32, Case>,
    touched: BTreeSet<u32>,
    alerts: HashMap<String, Tracked>,
    groups: HashMap<String, u32>,
    /// Alerts that nobody is told of, and those that are not hushed any more.
    pub(super) hushed: BTreeMap<String, bool>,
    pub(super) silences: Option<Vec<Silence>>,
    pub(super) last_number: u32,
    /// How much is written, in alerts.
    pub(super) weight: usize,
}

/// What is left of a draft once it was committed.
pub(super) struct Written {
    pub(super) cases: BTreeMap<u32, Case>,
    pub(super) hushed: BTreeMap<String, bool>,
    pub(super) silences: Option<Vec<Silence>>,
    pub(super) last_number: u32,
}

impl<'a> Draft<'a> {
    /// An empty one.
    pub(super) fn new(
        incidents: &'a Incidents,
        config: &'a IncidentsConfig,
        last_number: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            incidents,
            config,
            rules: config.rules(),
            now,
            batch: Batch::default(),
            cases: BTreeMap::new(),
            touched: BTreeSet::new(),
            alerts: HashMap::new(),
            groups: HashMap::new(),
            hushed: BTreeMap::new(),
            silences: None,
            last_number,
            weight: 0,
        }
    }

    /// Writes it, all or nothing.
    pub(super) async fn commit(mut self) -> Result<Written, store::Error> {
        for number in &self.touched {
            if let Some(case) = self.cases.get(number) {
                self.batch.put(&digits(*number), case);
            }
        }
        for (key, tracked) in self.alerts {
            self.batch.put(&key, &KeptAlert(tracked));
        }
        for (key, incident) in self.groups {
            self.batch.put(&key, &NewestOfGroup { incident });
        }
        for (key, is_hushed) in &self.hushed {
            match is_hushed {
                true => self.batch.put(key, &Hushed {}),
                false => self.batch.delete::<Hushed>(key),
            };
        }
        self.incidents.0.store.commit(self.batch).await?;
        self.cases.retain(|number, _| self.touched.contains(number));
        Ok(Written {
            cases: self.cases,
            hushed: self.hushed,
            silences: self.silences,
            last_number: self.last_number,
        })
    }

    /// A case as it is in this round.
    pub(super) async fn case(&self, number: u32) -> Result<Option<Case>, store::Error> {
        if let Some(case) = self.cases.get(&number) {
            return Ok(Some(case.clone()));
        }
        let case = self.incidents.numbered(number).await?;
        Ok(case.map(|case| Case::clone(&case)))
    }

    /// Puts a case back that was changed.
    pub(super) fn put(&mut self, case: Case) {
        self.touched.insert(case.number());
        self.cases.insert(case.number(), case);
    }

    /// Those that are not over.
    pub(super) fn open(&self) -> Vec<Incident> {
        let mut open: BTreeMap<u32, Incident> = BTreeMap::new();
        for case in self.incidents.list_open() {
            open.insert(case.number(), case.incident.clone());
        }
        for (number, case) in &self.cases {
            open.insert(*number, case.incident.clone());
        }
        open.into_values().filter(Incident::is_open).collect()
    }

    /// The silences as they are in this round.
    pub(super) fn silences(&self) -> Vec<Silence> {
        let changed = self.silences.clone();
        changed.unwrap_or_else(|| self.incidents.silences())
    }

    /// Keeps a silence, or none of this name.
    pub(super) fn set_silence(&mut self, name: &str, silence: Option<Silence>) {
        let mut silences = self.silences();
        silences.retain(|other| other.name != name);
        match silence {
            Some(silence) => {
                self.batch.put(name, &KeptSilence(silence.clone()));
                silences.push(silence);
            }
            None => drop(self.batch.delete::<KeptSilence>(name)),
        }
        silences.sort_by(|one, other| one.name.cmp(&other.name));
        self.silences = Some(silences);
    }

    /// What is known of an alert.
    pub(super) async fn alert(&self, key: &str) -> Result<Option<Tracked>, store::Error> {
        if let Some(tracked) = self.alerts.get(key) {
            return Ok(Some(tracked.clone()));
        }
        let alerts = self.incidents.0.store.collection::<KeptAlert>();
        Ok(alerts.get(key).await?.map(|KeptAlert(tracked)| tracked))
    }

    /// Keeps what is known of an alert, and that an incident has it.
    pub(super) fn put_alert(&mut self, key: &str, tracked: Tracked, incident: Option<u32>) {
        if let Some(number) = incident {
            let belongs = format!("{}/{key}", digits(number));
            self.batch.put(&belongs, &Belongs {});
        }
        self.alerts.insert(key.to_owned(), tracked);
        self.weight += 1;
    }

    /// The newest case of a group.
    pub(super) async fn newest_of(&self, group: &str) -> Result<Option<Case>, store::Error> {
        let number = match self.groups.get(group) {
            Some(number) => Some(*number),
            None => {
                let groups = self.incidents.0.store.collection::<NewestOfGroup>();
                groups.get(group).await?.map(|newest| newest.incident)
            }
        };
        match number {
            Some(number) => self.case(number).await,
            None => Ok(None),
        }
    }

    /// Keeps a new case, whose number is the next one.
    pub(super) fn open_case(&mut self, case: &Case) {
        let number = case.number();
        self.last_number = number;
        self.batch.put("last", &Counter { last: number });
        let group = case.incident.group.as_str().to_owned();
        self.groups.insert(group, number);
    }

    /// Keeps a change that was told of.
    pub(super) fn put_change(&mut self, key: &str, change: &KeptChange) {
        self.batch.put(key, change);
        self.weight += 1;
    }

    /// The changes since a time, the oldest first, at most a few hundred.
    pub(super) async fn changes_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<KeptChange>, store::Error> {
        let changes = self.incidents.0.store.collection::<KeptChange>();
        let after = format!("{:014}", since.as_millisecond());
        let found = changes.scan("", Some(&after), 300).await?;
        Ok(found.into_iter().map(|(_, change)| change).collect())
    }

    /// Has something happen to a case, and does what follows from it.
    pub(super) fn observe(&mut self, case: &mut Case, happening: Happening) -> Option<Refusal> {
        let actions = case.incident.observe(happening, &self.rules, self.now);
        self.perform(case, actions)
    }

    /// Does what the rules say. Gives why they refuse, if they do.
    pub(super) fn perform(&mut self, case: &mut Case, actions: Vec<Action>) -> Option<Refusal> {
        let mut refusal = None;
        for action in actions {
            match action {
                Action::Enter(entry) => {
                    let key = format!("{}/{}", digits(case.number()), digits(entry.number));
                    self.batch.put(&key, &KeptEntry(entry));
                }
                Action::ShowCards => case.version += 1,
                Action::Page(cause) => {
                    debug!(?cause, incident.number = case.number(), "paging begins");
                    case.unreached.clear();
                    let policies = routes::route(case, self.config, self.now);
                    let pagers = policies.into_iter();
                    case.pagers = pagers
                        .map(|policy| routes::pager(policy, self.now))
                        .collect();
                }
                Action::StopPaging => case.pagers.clear(),
                Action::WakeAt(at) => case.wake_at = Some(at),
                Action::Refuse(why) => refusal = Some(why),
            }
        }
        self.route_anew(case);
        self.step(case);
        refusal
    }

    /// What became worse may concern others. They are told unless somebody has it.
    fn route_anew(&mut self, case: &mut Case) {
        let is_worse = case
            .routed_as
            .is_some_and(|before| case.incident.severity > before);
        if !is_worse || !case.incident.is_open() {
            return;
        }
        let policies = routes::route(case, self.config, self.now);
        case.version += 1;
        if case.incident.state != State::Triggered {
            return;
        }
        for policy in policies {
            if case.pagers.iter().all(|pager| pager.policy != policy) {
                case.pagers.push(routes::pager(policy, self.now));
            }
        }
    }

    /// Takes every step of its escalations whose time has come: whoever is to be told is kept, together with
    /// that the step was taken.
    pub(super) fn step(&mut self, case: &mut Case) {
        let mut pagers = std::mem::take(&mut case.pagers);
        for pager in &mut pagers {
            let Some(policy) = self.config.policies.get(&pager.policy) else {
                continue;
            };
            while let Next::Tell { step, level, whom } = pager.paging.next(policy, self.now) {
                let (targets, nobody) = routes::whom(whom, self.config, self.now);
                pager.paging = pager.paging.taken(self.now);
                pager.pending = u32::try_from(targets.len()).unwrap_or(u32::MAX);
                pager.reached = false;
                if step > 0 {
                    self.note(case, By::clock(), What::Escalated { level });
                }
                for schedule in nobody {
                    self.not_reached(case, &schedule, level, Why::NobodyOnCall);
                }
                for target in targets {
                    self.page(
                        case,
                        pager.policy.clone(),
                        pager.paging.began_at,
                        step,
                        level,
                        target,
                    );
                }
                if pager.pending == 0 && routes::can_hurry(pager, policy) {
                    pager.paging = pager.paging.hurried(policy, self.now);
                }
                case.version += 1;
            }
        }
        case.pagers = pagers;
    }

    fn page(
        &mut self,
        case: &Case,
        policy: String,
        began_at: Timestamp,
        step: u32,
        level: u32,
        whom: Target,
    ) {
        let page = Page {
            incident: case.number(),
            policy,
            began_at,
            step,
            level,
            whom,
        };
        self.batch.put(&page.key(), &page);
    }

    /// Enters something into the timeline, and nothing else.
    pub(super) fn note(&mut self, case: &mut Case, by: By, what: What) {
        let noted = Happening::Noted(by, what);
        for action in case.incident.observe(noted, &self.rules, self.now) {
            if let Action::Enter(entry) = action {
                let key = format!("{}/{}", digits(case.number()), digits(entry.number));
                self.batch.put(&key, &KeptEntry(entry));
            }
        }
    }

    /// Notes that somebody could not be told, where people see it.
    pub(super) fn not_reached(&mut self, case: &mut Case, who: &str, level: u32, why: Why) {
        let what = What::PageFailed {
            who: crate::incident::PersonId(who.to_owned()),
            level,
            reason: why.as_str().to_owned(),
        };
        self.note(case, By::clock(), what);
        let unreached = Unreached {
            who: who.to_owned(),
            why,
        };
        case.unreached.retain(|other| *other != unreached);
        case.unreached.push(unreached);
        let too_many = case.unreached.len().saturating_sub(UNREACHED_MAX);
        case.unreached.drain(..too_many);
        case.version += 1;
    }

    /// A page that is still to be dealt with.
    pub(super) async fn page_of(&self, key: &str) -> Result<Option<Page>, store::Error> {
        self.incidents.0.store.collection::<Page>().get(key).await
    }

    /// Removes a page that was dealt with.
    pub(super) fn remove_page(&mut self, key: &str) {
        self.batch.delete::<Page>(key);
    }
}
