//! What becomes of an alert that came in: what is known is read, the rules decide, and what they say is put
//! into the round's draft.

use std::{collections::HashMap, time::Duration};

use tracing::info;

use crate::{
    config::Language,
    incident::{
        By, Deed, Happening, Incident, Known, NewIncident, Received, Tracked, What,
        alert::{Alert, Change, Status},
        grouping::{GroupKey, Storm, StormRule, group_of, labels_for_rules},
        labels::Labels,
        noise::hushed,
        receive,
    },
    store,
};

use super::{
    draft::Draft,
    identity,
    records::{Case, KeptChange},
};

/// How often an incident that became another is followed.
const MERGES_MAX: usize = 10;

/// What became of one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    pub(super) opened: bool,
    pub(super) hushed: bool,
}

/// Notices storms, for each integration.
pub(super) struct Storms {
    rule: StormRule,
    language: Language,
    of: HashMap<String, Storm>,
}

impl Storms {
    /// By this rule; with titles in this language.
    pub(super) fn new(rule: StormRule, language: Language) -> Self {
        Self {
            rule,
            language,
            of: HashMap::new(),
        }
    }

    fn title(&self, integration: &str) -> String {
        match self.language {
            Language::En => format!("Alert storm from {integration}"),
            Language::Zh => format!("来自 {integration} 的告警风暴"),
        }
    }
}

/// The key of an alert's record.
pub(super) fn key(integration: &str, alert: &Alert) -> String {
    format!("{integration}/{}", alert.key)
}

/// Takes one report in.
pub(super) async fn take(
    draft: &mut Draft<'_>,
    storms: &mut Storms,
    integration: &str,
    alert: Alert,
) -> Result<Outcome, store::Error> {
    let key = key(integration, &alert);
    let tracked = draft.alert(&key).await?;
    let home = home(draft, tracked.as_ref()).await?;
    let (group, window) = group_of(&alert, integration, &draft.config.grouping);
    let newest = draft.newest_of(group.as_str()).await?;
    let is_hushed = is_hushed(draft, integration, &alert);
    let mut known = Seen {
        tracked,
        home,
        group: newest,
    };
    let mut received = decide(
        draft,
        &alert,
        &known,
        (group, window),
        is_hushed,
        integration,
    );
    let storm = storms.of.entry(integration.to_owned()).or_default();
    let mut is_storm = false;
    if received.opened && storm.rages(storms.rule, draft.now) {
        // One too many: it joins the incident of the storm, or opens that.
        let group = Storm::group(integration);
        known.group = draft.newest_of(group.as_str()).await?;
        let group = (group, Duration::ZERO);
        received = decide(draft, &alert, &known, group, is_hushed, integration);
        is_storm = received.opened;
    }
    let outcome = keep(draft, integration, &key, known, received).await?;
    if is_storm {
        let title = storms.title(integration);
        rename(draft, title).await?;
    }
    Ok(Outcome {
        hushed: is_hushed,
        ..outcome
    })
}

fn decide(
    draft: &Draft<'_>,
    alert: &Alert,
    seen: &Seen,
    group: (GroupKey, Duration),
    is_hushed: bool,
    integration: &str,
) -> Received {
    let number = draft.last_number + 1;
    let new = NewIncident {
        id: identity(number),
        number,
    };
    let by = By::monitor(integration);
    let (alert, known) = (alert.clone(), seen.known(is_hushed));
    receive(alert, known, group, by, new, &draft.rules, draft.now)
}

/// The records that a report is decided by.
struct Seen {
    tracked: Option<Tracked>,
    home: Option<Case>,
    group: Option<Case>,
}

impl Seen {
    fn known(&self, hushed: bool) -> Known {
        let home = self.home.as_ref().map(|case| case.incident.clone());
        let group = self.group.as_ref().map(|case| case.incident.clone());
        let is_other = |group: &Incident| home.as_ref().is_none_or(|home| home.id != group.id);
        Known {
            tracked: self.tracked.clone(),
            group: group.filter(is_other),
            home,
            hushed,
        }
    }

    /// The case that was read for an incident.
    fn case(self, incident: &Incident) -> Option<Case> {
        let is_it = |case: &Case| case.incident.id == incident.id;
        self.home.filter(is_it).or_else(|| self.group.filter(is_it))
    }
}

/// Where an alert is counted, by way of what that was merged into.
async fn home(draft: &Draft<'_>, tracked: Option<&Tracked>) -> Result<Option<Case>, store::Error> {
    let Some(home) = tracked.and_then(|tracked| tracked.home.as_ref()) else {
        return Ok(None);
    };
    let mut id = home.incident.clone();
    for _ in 0..MERGES_MAX {
        let Some(number) = super::number_of(&id) else {
            return Ok(None);
        };
        let Some(case) = draft.case(number).await?.filter(|case| *case.id() == id) else {
            return Ok(None);
        };
        match &case.incident.merged_into {
            Some(into) => id = into.clone(),
            None => return Ok(Some(case)),
        }
    }
    Ok(None)
}

/// Whether a silence or another incident hushes it.
pub(super) fn is_hushed(draft: &Draft<'_>, integration: &str, alert: &Alert) -> bool {
    let silences = draft.silences();
    let inhibitions = &draft.config.inhibitions;
    if silences.is_empty() && inhibitions.is_empty() {
        return false;
    }
    let labels = labels_for_rules(alert, integration);
    let open = match inhibitions.is_empty() {
        true => Vec::new(),
        false => draft.open(),
    };
    hushed(alert, &labels, &silences, inhibitions, &open, draft.now).is_some()
}

async fn keep(
    draft: &mut Draft<'_>,
    integration: &str,
    key: &str,
    seen: Seen,
    received: Received,
) -> Result<Outcome, store::Error> {
    let Received {
        tracked,
        incident,
        opened,
        actions,
    } = received;
    let counts = tracked.home.is_some() && tracked.is_firing();
    let belongs = tracked.home.as_ref().zip(incident.as_ref());
    let belongs = belongs.filter(|(home, incident)| home.incident == incident.id);
    let number = belongs.map(|(_, incident)| incident.number);
    // An alert that fires and that no incident counts is looked at again when what hushes it ends.
    let is_lost = tracked.is_firing() && !counts;
    draft.hushed.insert(key.to_owned(), is_lost);
    draft.put_alert(key, tracked, number);
    let Some(incident) = incident else {
        return Ok(Outcome::default());
    };
    let mut case = match opened {
        true => {
            let case = Case::new(incident, Some(integration.to_owned()));
            let severity = case.incident.severity;
            info!(incident.number = case.number(), %severity, integration, "an incident opens");
            draft.open_case(&case);
            case
        }
        false => match seen.case(&incident) {
            Some(mut case) => {
                case.incident = incident;
                case
            }
            None => return Ok(Outcome::default()),
        },
    };
    draft.perform(&mut case, actions);
    if opened {
        note_changes_before(draft, &mut case).await?;
    }
    draft.put(case);
    Ok(Outcome {
        opened,
        hushed: false,
    })
}

/// Gives the newest case another title.
async fn rename(draft: &mut Draft<'_>, title: String) -> Result<(), store::Error> {
    if let Some(mut case) = draft.case(draft.last_number).await? {
        draft.observe(
            &mut case,
            Happening::Deed(By::clock(), Deed::SetTitle(title)),
        );
        draft.put(case);
    }
    Ok(())
}

/// Looks again at an alert that nobody was told of: if nothing hushes it any more and it still fires, it is
/// taken as if it came now.
pub(super) async fn look_again(
    draft: &mut Draft<'_>,
    storms: &mut Storms,
    key: &str,
) -> Result<(), store::Error> {
    let integration = key.split('/').next().unwrap_or_default();
    match draft.alert(key).await? {
        Some(tracked) if tracked.is_firing() => {
            if !is_hushed(draft, integration, &tracked.alert) {
                take(draft, storms, integration, tracked.alert).await?;
            }
        }
        _ => drop(draft.hushed.insert(key.to_owned(), false)),
    }
    Ok(())
}

/// Takes an alert for recovered whose sender does not speak of it any more.
pub(super) async fn expire(
    draft: &mut Draft<'_>,
    storms: &mut Storms,
    integration: &str,
    mut alert: Alert,
) -> Result<(), store::Error> {
    alert.status = Status::Resolved;
    alert.ends_at = Some(draft.now);
    alert.as_of = Some(draft.now);
    take(draft, storms, integration, alert).await?;
    Ok(())
}

/// How long before an incident a change may have been to be named in its timeline.
const CHANGED_BEFORE: Duration = Duration::from_secs(3600);
/// How many changes are named.
const CHANGES_MAX: usize = 20;

/// Keeps a change, and enters it into the timelines of open incidents that it may have to do with.
pub(super) async fn take_change(
    draft: &mut Draft<'_>,
    integration: &str,
    change: Change,
) -> Result<(), store::Error> {
    let at = change.at.unwrap_or(draft.now).min(draft.now);
    let key = format!("{:014}/{integration}/{}", at.as_millisecond(), change.key);
    let what = What::ChangeSeen {
        key: change.key.clone(),
        title: change.title.clone(),
    };
    for incident in draft.open() {
        if !is_related(&incident.labels, &change.labels) {
            continue;
        }
        if let Some(mut case) = draft.case(incident.number).await? {
            draft.note(&mut case, By::monitor(integration), what.clone());
            case.version += 1;
            draft.put(case);
        }
    }
    let kept = KeptChange {
        integration: integration.to_owned(),
        at,
        change,
    };
    draft.put_change(&key, &kept);
    Ok(())
}

/// Names the changes of the last hour that a new incident may have to do with.
async fn note_changes_before(draft: &mut Draft<'_>, case: &mut Case) -> Result<(), store::Error> {
    let since = case.incident.started_at.min(draft.now) - CHANGED_BEFORE;
    let mut noted = 0;
    for kept in draft.changes_since(since).await? {
        let is_before = kept.at <= draft.now;
        if is_before
            && noted < CHANGES_MAX
            && is_related(&case.incident.labels, &kept.change.labels)
        {
            let what = What::ChangeSeen {
                key: kept.change.key.clone(),
                title: kept.change.title.clone(),
            };
            draft.note(case, By::monitor(&kept.integration), what);
            noted += 1;
        }
    }
    Ok(())
}

/// Whether a change and an incident are about the same thing: they agree in a label that says where something
/// runs, and do not disagree in another one.
fn is_related(incident: &Labels, change: &Labels) -> bool {
    let says_how_bad = |name: &str| matches!(name, "severity" | "priority" | "level" | "alertname");
    let mut agree = false;
    for (name, value) in change {
        match incident.get(name) {
            Some(other) if says_how_bad(name) || other.is_empty() => {}
            Some(other) if other == value => agree = true,
            Some(_) => return false,
            None => {}
        }
    }
    agree
}
