//! One alert comes in: what becomes of it, of its incident, and what should be done.
//!
//! The caller reads three records, calls [`receive`], and writes what comes back in one batch.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    alert::{Alert, Status},
    grouping::{GroupKey, takes},
    state::{Action, AlertHappening, Happening, Incident, IncidentId, Rules},
    timeline::By,
    tracking::{self, Home, Tracked, Verdict},
};

/// What is known before.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The record of the alert's key.
    pub tracked: Option<Tracked>,
    /// The incident where it lives, or the one that was merged into.
    pub home: Option<Incident>,
    /// The newest incident of its group, if it is another one than `home`.
    pub group: Option<Incident>,
    /// Whether a silence or another incident hushes it: then it opens nothing and joins nothing. What is
    /// counted already stays counted.
    pub hushed: bool,
}

/// The identity and the number for an incident, should one be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIncident {
    /// Its identity.
    pub id: IncidentId,
    /// Its number.
    pub number: u32,
}

/// What is to be kept and done.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The record of the alert's key.
    pub tracked: Tracked,
    /// The incident that changed, or was opened.
    pub incident: Option<Incident>,
    /// Whether it was opened just now, so that the number given was used.
    pub opened: bool,
    /// What to do about it.
    pub actions: Vec<Action>,
}

/// Where an alert goes that fires and was not counted.
enum Place {
    Join(Box<Incident>, JoinedAs),
    Open,
    /// Closed by hand, and this is only a repetition.
    Nowhere,
}

enum JoinedAs {
    New,
    Again,
    Relapse,
}

/// Takes an alert in. `group` and `window` are what [`group_of`](super::grouping::group_of) says.
pub fn receive(
    alert: Alert,
    known: Known,
    group: (GroupKey, Duration),
    by: By,
    new: NewIncident,
    rules: &Rules,
    now: Timestamp,
) -> Received {
    let verdict = tracking::weigh(known.tracked.as_ref(), &alert, rules.late_within, now);
    let counted = known.tracked.as_ref().zip(known.home.as_ref());
    let before = counted.and_then(|(tracked, home)| tracked.counted_in(home));
    let mut told = AlertHappening {
        key: alert.key.clone(),
        title: alert.title.clone(),
        labels: alert.labels.clone(),
        by: by.clone(),
        at: alert.order(now),
        before,
        after: None,
        is_new: false,
        acknowledged: alert.status == Status::Acknowledged,
        late: verdict == Verdict::Late,
    };
    let Known {
        tracked,
        home,
        group: other,
        hushed,
    } = known;

    let mut opened = false;
    let mut actions = Vec::new();
    let (incident, counts) = match verdict {
        // Only an incident that counts it, or did in this round, hears of it.
        Verdict::Recovers => (home.filter(|_| before.is_some()), false),
        Verdict::Late => (home.filter(|home| lives_in(tracked.as_ref(), home)), false),
        Verdict::StaysQuiet => (None, false),
        Verdict::GoesOn if before.is_some() => (home, true),
        Verdict::GoesOnLate if before.is_some() => (None, false),
        _ if hushed => (None, false),
        Verdict::Fires | Verdict::GoesOn | Verdict::GoesOnLate => {
            told.late = false;
            match place(&alert, tracked.as_ref(), home, other, group.1, rules, now) {
                Place::Join(mut incident, joined) => {
                    told.is_new = matches!(joined, JoinedAs::New);
                    if matches!(joined, JoinedAs::Relapse) {
                        actions.append(&mut incident.relapse(by, now));
                    }
                    (Some(*incident), true)
                }
                Place::Open => {
                    told.is_new = true;
                    opened = true;
                    let (incident, begun) = Incident::open(new, group.0, &alert, by, now);
                    actions = begun;
                    (Some(incident), true)
                }
                Place::Nowhere => (None, false),
            }
        }
    };

    let mut tracked = tracking::noted(tracked, alert, verdict, now);
    if hushed && before.is_none() && tracked.is_firing() {
        // It fires where nobody counts it; the incident where it lived must not be asked for it.
        tracked.home = None;
    }
    let incident = incident.map(|mut incident| {
        if counts {
            told.after = Some(tracked.alert.severity);
            tracked.home = Some(Home {
                incident: incident.id.clone(),
                round: incident.round,
            });
        }
        actions.append(&mut incident.observe(Happening::Alert(told), rules, now));
        incident
    });
    Received {
        tracked,
        incident,
        opened,
        actions,
    }
}

fn lives_in(tracked: Option<&Tracked>, incident: &Incident) -> bool {
    let home = tracked.and_then(|tracked| tracked.home.as_ref());
    home.is_some_and(|home| incident.counts(home))
}

fn place(
    alert: &Alert,
    tracked: Option<&Tracked>,
    home: Option<Incident>,
    other: Option<Incident>,
    window: Duration,
    rules: &Rules,
    now: Timestamp,
) -> Place {
    if let Some(home) = home {
        if lives_in(tracked, &home) {
            return Place::Join(Box::new(home), JoinedAs::Again);
        }
        if alert.status != Status::Firing {
            return Place::Nowhere;
        }
        let since = |at: Timestamp| now.duration_since(at).unsigned_abs();
        let over_for = home.resolved_at.map(since);
        let repeats = tracked.is_some_and(|tracked| {
            let began = alert.starts_at;
            tracked.is_firing() && began.is_some() && began == tracked.alert.starts_at
        });
        let soon = |within: Duration| over_for.is_some_and(|over_for| over_for <= within);
        if home.closed_by_hand && repeats && soon(rules.ignore_closed) {
            return Place::Nowhere;
        }
        let group_is_open = other
            .as_ref()
            .is_some_and(|other| takes(other, window, now));
        let by_itself = !home.is_open() && !home.closed_by_hand && home.merged_into.is_none();
        if by_itself && soon(rules.reopen_within) && !group_is_open {
            return Place::Join(Box::new(home), JoinedAs::Relapse);
        }
        if takes(&home, window, now) {
            return Place::Join(Box::new(home), JoinedAs::Again);
        }
    }
    match other {
        // An acknowledgement at the sender, of an alert that we do not know, is no reason to open one.
        _ if alert.status != Status::Firing => Place::Nowhere,
        Some(other) if takes(&other, window, now) => Place::Join(Box::new(other), JoinedAs::New),
        _ => Place::Open,
    }
}
