//! Where an incident is told of, and who is told next when nobody answers.
//!
//! Routes are tried from the top. What no route takes goes to the catch-all chat and says so: an alert that
//! nobody hears of is the worst kind.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duration;

use super::{
    labels::{Labels, Matchers},
    severity::Severity,
    timeline::PersonId,
    window::{Window, Zone},
};

/// One rule of where incidents go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// What people call it.
    pub name: String,
    /// Which incidents, by the labels that rules see.
    pub matchers: Matchers,
    /// Only those that are at least this bad.
    pub severity_min: Option<Severity>,
    /// Only at these times of the week. At all times, if there are none.
    pub windows: Vec<Window>,
    /// Where those times are meant.
    pub zone: Zone,
    /// The groups that get a card, by chat id.
    pub chats: Vec<String>,
    /// The escalation policy by which people are paged, by its name. Nobody is paged without one.
    pub policy: Option<String>,
    /// Whether the routes below are tried too.
    pub go_on: bool,
}

impl Route {
    fn takes(&self, labels: &Labels, severity: Severity, now: Timestamp) -> bool {
        let in_time = || {
            let local = now.to_zoned(self.zone.time_zone());
            self.windows.iter().any(|window| window.holds(&local))
        };
        self.severity_min.is_none_or(|least| severity >= least)
            && self.matchers.match_all(labels)
            && (self.windows.is_empty() || in_time())
    }
}

/// The routes that an incident takes, the first one first. None: it is unrouted.
pub fn routes<'a>(
    routes: &'a [Route],
    labels: &Labels,
    severity: Severity,
    now: Timestamp,
) -> Vec<&'a Route> {
    let mut taken = Vec::new();
    for route in routes {
        if route.takes(labels, severity, now) {
            taken.push(route);
            if !route.go_on {
                break;
            }
        }
    }
    taken
}

/// Who is told, one level after the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The levels. Without any, nobody is paged.
    pub levels: Vec<Level>,
    /// How often it begins again after the last level, each time after the longest wait between its levels.
    pub repeat: u32,
}

/// Those who are told together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Level {
    /// How long to wait for an answer to the level before. For the first: before anyone is told.
    #[serde(with = "duration")]
    pub after: Duration,
    /// Who is told.
    pub tell: Vec<Target>,
}

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A person, by the name that the list of members has for them.
    Person(PersonId),
    /// Whoever is on call by this schedule then.
    Schedule(String),
    /// A group, by chat id.
    Chat(String),
}

/// How soon a policy begins again of which no level waits.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

/// How far the paging of one incident is. Kept with the incident.
///
/// A step is taken once: whoever performs it stores what [`Paging::taken`] gives before or together with the
/// sending, and sends under a purpose made of the incident, `began_at` and the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// When it began; another beginning is another paging.
    pub began_at: Timestamp,
    /// How many steps were taken.
    pub steps: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

/// What is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<'a> {
    /// Tell these people now.
    Tell {
        /// The step, from 0, over all repetitions.
        step: u32,
        /// The level, from 1.
        level: u32,
        /// Who.
        whom: &'a [Target],
    },
    /// Nothing before this time.
    Wait(Timestamp),
    /// Everybody was told as often as was wanted, and nobody answered.
    Exhausted,
}

impl Paging {
    /// Paging that begins now.
    pub fn begin(now: Timestamp) -> Self {
        Self {
            began_at: now,
            steps: 0,
            last_at: now,
        }
    }

    /// What is next by this policy. Delays count from the step before, so that after a long stop the levels
    /// do not all come at once.
    pub fn next<'a>(&self, policy: &'a Policy, now: Timestamp) -> Next<'a> {
        let Ok(levels) = u32::try_from(policy.levels.len()) else {
            return Next::Exhausted;
        };
        let steps = u64::from(levels) * (u64::from(policy.repeat) + 1);
        if u64::from(self.steps) >= steps {
            return Next::Exhausted;
        }
        let at = self.steps % levels;
        let Some(level) = usize::try_from(at)
            .ok()
            .and_then(|at| policy.levels.get(at))
        else {
            return Next::Exhausted;
        };
        let due = self.last_at.checked_add(self.wait(policy, level));
        let due = due.unwrap_or(Timestamp::MAX);
        match now >= due {
            true => Next::Tell {
                step: self.steps,
                level: at + 1,
                whom: &level.tell,
            },
            false => Next::Wait(due),
        }
    }

    /// How long to wait for an answer before this level is told. The first level has nobody before it, so
    /// beginning again would not wait at all: it waits as long as the slowest level does.
    fn wait(&self, policy: &Policy, level: &Level) -> Duration {
        let (steps, levels) = (self.steps as usize, policy.levels.len().max(1));
        let begins_again = steps > 0 && steps.is_multiple_of(levels);
        let slowest = policy.levels.iter().map(|level| level.after).max();
        match (begins_again, slowest) {
            (true, Some(Duration::ZERO)) => AGAIN_AFTER,
            (true, Some(slowest)) => slowest,
            _ => level.after,
        }
    }

    /// After a step was taken.
    pub fn taken(&self, now: Timestamp) -> Self {
        Self {
            began_at: self.began_at,
            steps: self.steps.saturating_add(1),
            last_at: now,
        }
    }

    /// After somebody asked for the next level now, without waiting.
    pub fn hurried(&self, policy: &Policy, now: Timestamp) -> Self {
        let levels = policy.levels.len().max(1);
        let at = usize::try_from(self.steps).unwrap_or_default() % levels;
        let level = policy.levels.get(at);
        let after = level.map(|level| self.wait(policy, level));
        let last_at = now.checked_sub(after.unwrap_or_default());
        Self {
            last_at: last_at.unwrap_or(now).min(self.last_at),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn routes_are_tried_from_the_top() {
        #[derive(Deserialize)]
        struct Written {
            route: Vec<Route>,
        }
        let written: Written = toml::from_str(
            r#"
            [[route]]
            name = "audit"
            matchers = "team=~\".+\""
            go_on = true
            [[route]]
            name = "db at night"
            matchers = "team=db"
            severity_min = "error"
            windows = [{ from = "22:00", to = "08:00" }]
            zone = "Asia/Shanghai"
            policy = "db"
            [[route]]
            name = "db"
            matchers = "{team=\"db\"}"
            chats = ["oc_db"]
            "#,
        )
        .unwrap();
        let check = |text: &str, severity: Severity, at: &str, expected: &[&str]| {
            let taken = routes(&written.route, &labels(text), severity, at.parse().unwrap());
            let names: Vec<&str> = taken.iter().map(|route| route.name.as_str()).collect();
            assert_eq!(names, expected, "{text}");
        };
        let (day, night) = ("2026-03-02T04:00:00Z", "2026-03-02T16:00:00Z");
        check(
            "team=db",
            Severity::Critical,
            night,
            &["audit", "db at night"],
        );
        check("team=db", Severity::Warning, night, &["audit", "db"]);
        check("team=db", Severity::Critical, day, &["audit", "db"]);
        check("team=web", Severity::Critical, day, &["audit"]);
        check("", Severity::Critical, day, &[]);
    }

    #[test]
    fn levels_come_one_after_the_other_and_each_once() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let level = |after: u64, chat: &str| Level {
            after: minutes(after),
            tell: vec![Target::Chat(chat.to_owned())],
        };
        let policy = Policy {
            levels: vec![level(0, "a"), level(5, "b"), level(10, "c")],
            repeat: 1,
        };
        let start: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let at = |minute: u64| start + minutes(minute);
        let mut paging = Paging::begin(start);
        let mut told = Vec::new();
        // Looked at every minute, with a stop of half an hour in between.
        for minute in (0..7).chain(37..80) {
            // What is kept is all that is known.
            let kept = serde_json::to_string(&paging).unwrap();
            paging = serde_json::from_str(&kept).unwrap();
            while let Next::Tell { step, level, .. } = paging.next(&policy, at(minute)) {
                told.push((minute, step, level));
                paging = paging.taken(at(minute));
            }
        }
        assert_eq!(
            told,
            [
                (0, 0, 1),
                (5, 1, 2),
                (37, 2, 3),
                (47, 3, 1),
                (52, 4, 2),
                (62, 5, 3)
            ]
        );
        assert_eq!(paging.next(&policy, at(1000)), Next::Exhausted);
        assert_eq!(
            Paging::begin(start).next(&Policy::default(), start),
            Next::Exhausted
        );

        // One level that does not wait begins again all the same only after a while.
        let alone = Policy {
            levels: vec![level(0, "a")],
            repeat: 1,
        };
        let again = Paging::begin(start).taken(at(0));
        assert_eq!(again.next(&alone, at(0)), Next::Wait(at(5)));

        let first = Paging::begin(start).taken(at(0));
        assert_eq!(first.next(&policy, at(1)), Next::Wait(at(5)));
        let hurried = first.hurried(&policy, at(1));
        assert!(matches!(
            hurried.next(&policy, at(1)),
            Next::Tell { level: 2, .. }
        ));
    }
}
