//! `[incidents]`: what becomes of alerts, and who is told.
//!
//! Routes, policies and schedules are the rules' own types, so what they mean is said once, in `incident`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    duration,
    incident::{
        Rules,
        grouping::{Grouping, StormRule},
        noise::Inhibition,
        routing::{Policy, Route, Target},
        schedule::Schedule,
    },
};

use super::{RoomsConfig, problems::Problems};

/// The most levels and repetitions of a policy.
const LEVELS_MAX: usize = 20;

/// `[incidents]`: what becomes of alerts, and who is told.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IncidentsConfig {
    /// For how long nothing may fire before an incident is resolved. Flapping alerts need longer.
    #[serde(with = "duration")]
    pub quiet: Duration,
    /// For how long after it was resolved by itself an alert that fires again reopens it.
    #[serde(with = "duration")]
    pub reopen_within: Duration,
    /// For how long repetitions of an alert that was closed by hand while it fired are ignored.
    #[serde(with = "duration")]
    pub ignore_closed: Duration,
    /// How soon after a recovery a firing report that does not tell its time is taken for a late one.
    #[serde(with = "duration")]
    pub late_within: Duration,
    /// The group, by chat id, that is told of what no route takes.
    pub catch_all: Option<String>,
    /// The escalation policy for what no route takes.
    pub catch_all_policy: Option<String>,
    /// Whether people who are paged for something critical get an in-app urgent notification as well.
    pub urgent: bool,
    /// When many new incidents are a storm, and become one.
    pub storm: StormRule,
    /// Which alerts are one incident.
    pub grouping: Vec<Grouping>,
    /// Which incidents explain which alerts.
    pub inhibitions: Vec<Inhibition>,
    /// Where incidents are told of.
    pub routes: Vec<Route>,
    /// Who is told, one level after the other, by name.
    pub policies: BTreeMap<String, Policy>,
    /// Who is on call, by name.
    pub schedules: BTreeMap<String, Schedule>,
    /// Which incidents get a war room, and what is done in it.
    pub rooms: RoomsConfig,
    /// For how long what is over is kept, with its alerts and its timeline.
    #[serde(with = "duration")]
    pub kept: Duration,
}

impl Default for IncidentsConfig {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            quiet: rules.quiet,
            reopen_within: rules.reopen_within,
            ignore_closed: rules.ignore_closed,
            late_within: rules.late_within,
            catch_all: None,
            catch_all_policy: None,
            urgent: false,
            storm: StormRule::default(),
            grouping: Vec::new(),
            inhibitions: Vec::new(),
            routes: Vec::new(),
            policies: BTreeMap::new(),
            schedules: BTreeMap::new(),
            rooms: RoomsConfig::default(),
            kept: Duration::from_secs(365 * 24 * 3600),
        }
    }
}

impl IncidentsConfig {
    /// The times that the rules go by.
    pub fn rules(&self) -> Rules {
        Rules {
            quiet: self.quiet,
            reopen_within: self.reopen_within,
            ignore_closed: self.ignore_closed,
            late_within: self.late_within,
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        self.rooms.check(problems);
        for (at, route) in self.routes.iter().enumerate() {
            self.check_policy(&format!("routes[{at}].policy"), &route.policy, problems);
            check_chats(&format!("routes[{at}].chats"), &route.chats, problems);
            problems.demand(
                !route.chats.is_empty() || route.policy.is_some(),
                &format!("`incidents.routes[{at}]` tells nobody: give it `chats` or a `policy`"),
            );
        }
        self.check_policy("catch_all_policy", &self.catch_all_policy, problems);
        check_chats("catch_all", self.catch_all.as_slice(), problems);
        for (name, policy) in &self.policies {
            self.check_levels(name, policy, problems);
        }
        for (name, schedule) in &self.schedules {
            for problem in schedule.problems() {
                problems.add(format!("`incidents.schedules.{name}.{problem}"));
            }
        }
        for (at, inhibition) in self.inhibitions.iter().enumerate() {
            problems.demand(
                inhibition.source != Default::default() && inhibition.target != Default::default(),
                &format!("`incidents.inhibitions[{at}]` needs both `source` and `target`, or it would hush everything"),
            );
        }
        problems.demand(
            self.storm.incidents > 0,
            "`incidents.storm.incidents` is 0: then nothing would ever be an incident of its own",
        );
    }

    fn check_policy(&self, key: &str, policy: &Option<String>, problems: &mut Problems) {
        let is_known = policy
            .as_ref()
            .is_none_or(|name| self.policies.contains_key(name));
        problems.demand(
            is_known,
            &format!("`incidents.{key}` names a policy that is not in `incidents.policies`"),
        );
    }

    fn check_levels(&self, name: &str, policy: &Policy, problems: &mut Problems) {
        let place = format!("incidents.policies.{name}");
        problems.demand(
            !policy.levels.is_empty() && policy.levels.len() <= LEVELS_MAX,
            &format!("`{place}.levels` must have 1 to {LEVELS_MAX} levels"),
        );
        problems.demand(
            policy.repeat <= 100,
            &format!("`{place}.repeat` can be 100 at most"),
        );
        for (at, level) in policy.levels.iter().enumerate() {
            problems.demand(
                !level.tell.is_empty(),
                &format!("`{place}.levels[{at}].tell` is empty: then nobody is told"),
            );
            for target in &level.tell {
                match target {
                    Target::Schedule(schedule) => problems.demand(
                        self.schedules.contains_key(schedule),
                        &format!("`{place}.levels[{at}]` names a schedule that is not in `incidents.schedules`"),
                    ),
                    Target::Chat(chat) => {
                        check_chats(
                            &format!("policies.{name}.levels[{at}].tell"),
                            std::slice::from_ref(chat),
                            problems,
                        );
                    }
                    Target::Person(_) => {}
                }
            }
        }
    }
}

fn check_chats(key: &str, chats: &[String], problems: &mut Problems) {
    problems.demand(
        chats.iter().all(|chat| chat.starts_with("oc_")),
        &format!("`incidents.{key}` holds something that is no chat (oc_…): send the bot /whoami in a group to see its id"),
    );
}
