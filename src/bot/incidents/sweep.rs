//! Lets go of what has been kept long enough: incidents that are over with all that belongs to them, alerts
//! that are quiet and belong nowhere, and changes.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use crate::{
    config::IncidentsConfig,
    store::{self, Batch, Collection, Record, Store},
};

use super::{
    Incidents,
    records::{Belongs, Case, DrawnCard, KeptAlert, KeptChange, KeptEntry, NewestOfGroup, digits},
};

/// How much is read at once.
const PAGE: usize = 200;
/// How long a quiet alert without an incident is remembered, and a change.
const QUIET_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads the records of a prefix one after the other, in order.
pub(super) async fn each<T: Record>(
    store: &Store,
    prefix: &str,
    mut read: impl FnMut(String, T),
) -> Result<(), store::Error> {
    let collection: Collection<T> = store.collection();
    let mut after: Option<String> = None;
    loop {
        let page = collection.scan(prefix, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|(key, _)| key.clone());
        for (key, record) in page {
            read(key, record);
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Removes what is old. What fails now is tried again with the next sweep.
pub(super) async fn sweep(incidents: &Incidents, config: &IncidentsConfig, now: Timestamp) {
    let swept = async {
        old_cases(incidents, config.kept, now).await?;
        quiet_alerts(incidents, now).await?;
        old_changes(incidents, now).await
    };
    if let Err(error) = swept.await {
        warn!(%error, "what is old of incidents could not be swept away");
    }
}

fn is_older(at: Timestamp, kept: Duration, now: Timestamp) -> bool {
    at < now && now.duration_since(at).unsigned_abs() > kept
}

async fn old_cases(
    incidents: &Incidents,
    kept: Duration,
    now: Timestamp,
) -> Result<(), store::Error> {
    let store = &incidents.0.store;
    let mut old = Vec::new();
    each::<Case>(store, "", |_, case| {
        let over = case.incident.resolved_at;
        if over.is_some_and(|at| is_older(at, kept, now)) {
            old.push((case.number(), case.incident.group.as_str().to_owned()));
        }
    })
    .await?;
    for (number, group) in old {
        let prefix = format!("{}/", digits(number));
        let mut batch = Batch::default();
        let mut alerts = Vec::new();
        each::<KeptEntry>(store, &prefix, |key, _| {
            batch.delete::<KeptEntry>(&key);
        })
        .await?;
        each::<DrawnCard>(store, &prefix, |key, _| {
            batch.delete::<DrawnCard>(&key);
        })
        .await?;
        each::<Belongs>(store, &prefix, |key, _| {
            alerts.push(key[prefix.len()..].to_owned());
            batch.delete::<Belongs>(&key);
        })
        .await?;
        for key in alerts {
            let known = store.collection::<KeptAlert>().get(&key).await?;
            let is_its = |kept: &KeptAlert| {
                let home = kept.0.home.as_ref();
                home.is_none_or(|home| super::number_of(&home.incident) == Some(number))
            };
            if known.is_some_and(|known| is_its(&known) && !known.0.is_firing()) {
                batch.delete::<KeptAlert>(&key);
            }
        }
        let newest = store.collection::<NewestOfGroup>().get(&group).await?;
        if newest.is_some_and(|newest| newest.incident == number) {
            batch.delete::<NewestOfGroup>(&group);
        }
        batch.delete::<Case>(&digits(number));
        store.commit(batch).await?;
    }
    Ok(())
}

async fn quiet_alerts(incidents: &Incidents, now: Timestamp) -> Result<(), store::Error> {
    let store = &incidents.0.store;
    let mut quiet = Vec::new();
    each::<KeptAlert>(store, "", |key, KeptAlert(tracked)| {
        let is_old = is_older(tracked.received_at, QUIET_KEPT, now);
        if tracked.home.is_none() && !tracked.is_firing() && is_old {
            quiet.push(key);
        }
    })
    .await?;
    for key in quiet {
        store.collection::<KeptAlert>().delete(&key).await?;
    }
    Ok(())
}

async fn old_changes(incidents: &Incidents, now: Timestamp) -> Result<(), store::Error> {
    let changes: Collection<KeptChange> = incidents.0.store.collection();
    loop {
        // They are in the order of their time, so the old ones come first.
        let page = changes.scan("", None, PAGE).await?;
        let mut removed = 0;
        for (key, change) in &page {
            if !is_older(change.at, QUIET_KEPT, now) {
                return Ok(());
            }
            changes.delete(key).await?;
            removed += 1;
        }
        if removed < PAGE {
            return Ok(());
        }
    }
}
