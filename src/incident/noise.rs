//! Alerts that nobody should be told of now: silenced by people, or explained by another incident.
//!
//! A hushed alert is tracked all the same. It opens no incident and joins none; when the hush ends and it
//! still fires, its next report is taken as if it were the first.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    alert::Alert,
    labels::{Labels, Matchers},
    state::{Incident, IncidentId, State},
    timeline::By,
    window::{Window, Zone},
};

/// The longest time for which a silence can be set.
pub const SILENCE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// A time in which certain alerts are not told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// What people call it.
    pub name: String,
    /// Which alerts.
    pub matchers: Matchers,
    /// From when.
    pub from: Timestamp,
    /// Until when, this time not included.
    pub until: Timestamp,
    /// Within that only at these times of the week. At all times, if there are none.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// Where those times are meant.
    #[serde(default)]
    pub zone: Zone,
    /// Who wanted it so.
    pub by: By,
}

/// Why a silence cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// It would hush everything.
    #[error("it would silence everything: say which labels the alerts have")]
    Everything,
    /// It ends before it begins.
    #[error("it ends before it begins")]
    Backwards,
    /// It lasts too long.
    #[error("a silence can last 30 days")]
    TooLong,
}

impl Silence {
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), SilenceError> {
        // `a=~".*"` matches what has no labels at all, so it matches everything.
        if self.matchers.match_all(&Labels::new()) {
            return Err(SilenceError::Everything);
        }
        if self.until <= self.from {
            return Err(SilenceError::Backwards);
        }
        if self.until.duration_since(self.from).unsigned_abs() > SILENCE_MAX {
            return Err(SilenceError::TooLong);
        }
        Ok(())
    }

    /// A silence for what is like an incident: its alerts' common labels, but for those that say how bad
    /// each of them is.
    pub fn of_incident(incident: &Incident, by: By, now: Timestamp, duration: Duration) -> Self {
        let names: Vec<String> = incident
            .labels
            .keys()
            .filter(|name| !matches!(name.as_str(), "severity" | "priority" | "level"))
            .cloned()
            .collect();
        Self {
            // Used twice, it is the same silence, set anew.
            name: format!("#{}", incident.number),
            matchers: Matchers::like(&incident.labels, &names),
            from: now,
            until: now.checked_add(duration).unwrap_or(Timestamp::MAX),
            windows: Vec::new(),
            zone: Zone::default(),
            by,
        }
    }

    /// Whether it holds for these labels now.
    pub fn holds(&self, labels: &Labels, now: Timestamp) -> bool {
        let local = || now.to_zoned(self.zone.time_zone());
        (self.from <= now && now < self.until)
            && (self.windows.is_empty() || {
                let local = local();
                self.windows.iter().any(|window| window.holds(&local))
            })
            && self.matchers.match_all(labels)
    }
}

/// While one thing is broken, others need not be told of: alerts that match `target` are hushed while an
/// incident matches `source` and agrees with them in the labels of `equal`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inhibition {
    /// Which incidents explain.
    pub source: Matchers,
    /// Which alerts are explained.
    pub target: Matchers,
    /// In which labels the two must agree. A label that neither has does not count as agreement.
    pub equal: Vec<String>,
}

impl Inhibition {
    /// Whether this incident explains an alert with these labels.
    pub fn holds(&self, incident: &Incident, labels: &Labels) -> bool {
        let mut source = incident.labels.clone();
        source.insert("severity".to_owned(), incident.severity.to_string());
        // What nobody works on because it was put off does not explain anything.
        let speaks = matches!(incident.state, State::Triggered | State::Acknowledged);
        // An incident does not explain alerts of its own kind, or nothing would ever join it.
        let both = self.source.match_all(labels) && self.target.match_all(&source);
        let agree = |name: &String| {
            let values = (source.get(name), labels.get(name));
            values.0.is_some() && values.0 == values.1
        };
        speaks
            && incident.firing.total() > 0
            && !both
            && self.source.match_all(&source)
            && self.target.match_all(labels)
            && self.equal.iter().all(agree)
    }
}

/// Why an alert is not told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hush {
    /// This silence holds.
    Silenced {
        /// What it is called.
        name: String,
        /// When it ends at the latest.
        until: Timestamp,
    },
    /// This incident explains it.
    Inhibited {
        /// Which.
        by: IncidentId,
        /// Its number.
        number: u32,
    },
}

/// Whether an alert is not to be told of now. `labels` are those that rules see.
pub fn hushed<'a>(
    alert: &Alert,
    labels: &Labels,
    silences: &[Silence],
    inhibitions: &[Inhibition],
    open: impl IntoIterator<Item = &'a Incident>,
    now: Timestamp,
) -> Option<Hush> {
    if alert.status == super::alert::Status::Resolved {
        return None;
    }
    if let Some(silence) = silences.iter().find(|silence| silence.holds(labels, now)) {
        return Some(Hush::Silenced {
            name: silence.name.clone(),
            until: silence.until,
        });
    }
    let explains = |incident: &&Incident| {
        let mut rules = inhibitions.iter();
        rules.any(|inhibition| inhibition.holds(incident, labels))
    };
    let by = open.into_iter().find(explains)?;
    Some(Hush::Inhibited {
        by: by.id.clone(),
        number: by.number,
    })
}
