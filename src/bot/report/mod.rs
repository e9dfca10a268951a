//! The report about an incident, as people have it in the chat: drafted, edited, checked, published.
//!
//! ```text
//!  /postmortem ─┐                               ┌─▶ freeze ─▶ postmortem::draft ─▶ Version
//!  button ──────┼─▶ deeds ─▶ Report (durable) ──┤                 ▲ chunks that were read before
//!  form ────────┘                               └─▶ cards and files, as the Report says
//! ```
//! - What people see is a difference and not a queue: the card shows revision 6 and the report is at 9. So a
//!   crash anywhere is made good by looking again, and a draft that was cut short goes on with the chunks that
//!   it had read.
//! - Action items live in the report and not in a version, so what people decide about them outlives every
//!   draft: see [`actions`].
//! - What a person wrote or locked is handed to a redraft as it is, and the redraft hands it back.
//! - What anybody reads of a room stands in that room, as long as there is one.

mod actions;
mod begun;
mod changes;
mod deeds;
mod differences;
mod freeze;
mod pictures;
mod publishing;
mod records;
mod restoring;
mod rework;
mod show;
mod template;
mod texts;
mod versions;
mod work;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span, warn};

use crate::store::{self, Collection, Store};

use super::{
    Bot,
    alone::{Alone, Guard},
    war_room::Trouble,
};

pub(super) use actions::{
    Decision, Plan, decide as decide_action, for_form as action_for_form, list as list_actions,
};
pub(super) use deeds::{Wish, Words, begin, cancel, edit, lock, set_milestone};
pub(super) use publishing::{Publishing, publish, reopen};
pub(super) use records::Report;
pub(super) use restoring::{Restoring, restore};
pub(super) use show::{SectionForForm, export, facts_for_form, section_for_form, show, status};
pub(super) use template::list as templates;
pub(super) use versions::{list as versions, nothing as no_versions, show as show_version};

use records::{KeptBundle, KeptChunk, KeptPicture, Text, Version, digits, version_key};

/// How many reports are worked on at once.
const AT_ONCE: usize = 4;
/// How long to wait before work that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often it is looked whether sources of drafts were edited. No event tells of that.
const CHANGES_EVERY: Duration = Duration::from_secs(300);
/// How much is read at once.
const PAGE: usize = 100;

/// What the bot knows of its reports.
pub(super) struct Reports {
    reports: Collection<Report>,
    versions: Collection<Version>,
    /// Incidents whose reports are to be looked at, and what is suspected of them.
    nudged: Mutex<BTreeMap<u32, Suspicion>>,
    nudge: Notify,
    /// Ends the draft of an incident.
    running: Mutex<HashMap<u32, CancellationToken>>,
    /// Who changes the report of an incident.
    alone: Alone,
    /// Who draws its cards, or answers a press on one.
    drawing: Alone,
}

/// What may be wrong with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suspicion {
    /// Nothing: there may be something to do.
    None,
    /// One of its sources was changed.
    Changed,
    /// As much as nobody has looked for a while.
    Unread,
}

impl Reports {
    /// Opens the collections.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            reports: store.collection(),
            versions: store.collection(),
            nudged: Mutex::default(),
            nudge: Notify::new(),
            running: Mutex::default(),
            alone: Alone::default(),
            drawing: Alone::default(),
        }
    }

    /// The report of an incident.
    pub(super) async fn get(&self, number: u32) -> Result<Option<Report>, store::Error> {
        self.reports.get(&digits(number)).await
    }

    /// A version of it.
    async fn version(&self, number: u32, version: u32) -> Result<Option<Version>, store::Error> {
        self.versions.get(&version_key(number, version)).await
    }

    /// Changes a report, durably, and gives it as it is then.
    async fn update(
        &self,
        number: u32,
        change: impl Fn(&mut Report),
    ) -> Result<Option<Report>, store::Error> {
        let key = digits(number);
        loop {
            let Some(known) = self.reports.get(&key).await? else {
                return Ok(None);
            };
            let mut changed = known.clone();
            change(&mut changed);
            if changed == known
                || self
                    .reports
                    .compare_and_swap(&key, Some(&known), Some(&changed))
                    .await?
            {
                return Ok(Some(changed));
            }
        }
    }

    /// Has a report looked at.
    pub(super) fn look_at(&self, number: u32) {
        self.want(number, Suspicion::None);
    }

    /// Has its card drawn once more, though nothing changed.
    pub(super) async fn show_again(&self, number: u32) -> Result<(), store::Error> {
        let drawn = self.update(number, |report| report.revision += 1).await;
        drawn.map(drop)
    }

    /// A message of this incident's room was edited or taken back, perhaps.
    pub(super) fn suspect(&self, number: u32) {
        self.want(number, Suspicion::Changed);
    }

    fn want(&self, number: u32, suspicion: Suspicion) {
        let mut nudged = locked(&self.nudged);
        let known = nudged.entry(number).or_insert(suspicion);
        *known = (*known).max(suspicion);
        self.nudge.notify_one();
    }

    /// All of them.
    async fn all(&self) -> Result<Vec<Report>, store::Error> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.reports.scan("", after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|(key, _)| key.clone());
            found.extend(page.into_iter().map(|(_, report)| report));
            if is_last {
                return Ok(found);
            }
        }
    }
}

impl Bot {
    /// The reports.
    pub(super) fn reports(&self) -> &Reports {
        &self.0.reports
    }
}

/// Waits until nobody draws the cards of a report. While the guard lives, nobody does.
pub(super) async fn drawing(bot: &Bot, number: u32) -> Guard {
    bot.reports().drawing.with(&digits(number)).await
}

/// Works for ever: takes up what an earlier process left, then whatever is wished for.
pub(super) async fn run(bot: Bot) {
    match bot.reports().all().await {
        Ok(reports) => reports
            .iter()
            .for_each(|report| bot.reports().look_at(report.number)),
        Err(error) => warn!(%error, "drafts that were cut short wait until somebody asks"),
    }
    let mut work: JoinSet<(u32, Result<(), Trouble>)> = JoinSet::new();
    let mut busy: Vec<u32> = Vec::new();
    let mut clock = interval(CHANGES_EVERY);
    clock.reset();
    loop {
        while work.len() < AT_ONCE
            && let Some((number, suspicion)) = next(&bot, &busy)
        {
            busy.push(number);
            let desk = bot.clone();
            let span = info_span!("report", incident.number = number);
            let look = async move { (number, look(&desk, number, suspicion).await) };
            work.spawn(look.instrument(span));
        }
        tokio::select! {
            () = bot.reports().nudge.notified() => {}
            Some(ended) = work.join_next() => match ended {
                Ok((number, outcome)) => {
                    busy.retain(|one| *one != number);
                    if let Err(error) = outcome {
                        warn!(%error, incident.number = number, "a report cannot be worked on now");
                        let desk = bot.clone();
                        bot.sessions().beside(async move {
                            sleep(AGAIN_AFTER).await;
                            desk.reports().look_at(number);
                        });
                    }
                }
                // A panic, logged by its hook. Which one it was is not known, so it stays busy for ever.
                Err(error) => warn!(%error, "a report is not worked on any more"),
            },
            _ = clock.tick() => {
                changes::look_over(&bot).await;
                actions::look_over(&bot).await;
            }
        }
    }
}

/// The next that nobody works on.
fn next(bot: &Bot, busy: &[u32]) -> Option<(u32, Suspicion)> {
    let mut nudged = locked(&bot.reports().nudged);
    let number = *nudged.keys().find(|number| !busy.contains(number))?;
    nudged.remove(&number).map(|suspicion| (number, suspicion))
}

/// Does what there is to do about one report, until there is nothing any more.
async fn look(bot: &Bot, number: u32, suspicion: Suspicion) -> Result<(), Trouble> {
    if suspicion > Suspicion::None {
        changes::settle(bot, number, suspicion == Suspicion::Unread).await?;
    }
    while let Some(report) = bot.reports().get(number).await?
        && !bot.0.closing.is_cancelled()
    {
        if let Some(job) = &report.job {
            work::run(bot, &report, job).await?;
        } else if let Some(closing) = report.closing.first() {
            show::close(bot, &report, closing).await?;
        } else if report.shown < report.revision && report.version > 0 {
            show::draw(bot, &report).await?;
        } else if report.files_sent < report.files_wanted {
            show::send_file(bot, &report).await?;
        } else if !actions::follow(bot, &report).await? {
            break;
        }
    }
    Ok(())
}

/// Forgets the reports of incidents that are forgotten.
pub(super) async fn sweep(bot: &Bot) -> Result<usize, store::Error> {
    let mut removed = 0;
    for report in bot.reports().all().await? {
        if bot.incidents().numbered(report.number).await?.is_some() {
            continue;
        }
        let prefix = format!("{}/", digits(report.number));
        forget::<Version>(bot, &prefix).await?;
        forget::<Text>(bot, &prefix).await?;
        forget::<KeptChunk>(bot, &prefix).await?;
        forget::<KeptPicture>(bot, &prefix).await?;
        forget::<KeptBundle>(bot, &prefix).await?;
        bot.reports().reports.delete(&digits(report.number)).await?;
        removed += 1;
    }
    Ok(removed)
}

async fn forget<T: store::Record>(bot: &Bot, prefix: &str) -> Result<(), store::Error> {
    let records = bot.store().collection::<T>();
    loop {
        let page = records.scan(prefix, None, PAGE).await?;
        for (key, _) in &page {
            records.delete(key).await?;
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here can panic half way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
