//! Alerts on order: what monitoring systems would post to the bot's own web address, in their own formats.
//!
//! The alerts come from outside of the platform, so they bear the real time and not the sandbox's, which the
//! bot's clock could not follow.

mod bodies;
mod scenario;
mod send;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::{
    bodies::{Post, Report},
    scenario::Alert,
};

pub(super) use self::{
    bodies::{FORMATS, Format},
    scenario::{SCENARIOS, Scenario},
};

/// How many alerts can be fired at once.
pub(super) const COUNT_MAX: usize = 1000;
/// How far apart the changes of a flapping alert are.
const FLAP_S: i64 = 20;
/// How long an alert has been going on that is resolved without ever having been fired.
const UNSEEN_S: i64 = 600;
/// How many answers are shown.
const ANSWERS_MAX: usize = 20;

/// Where alerts are posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertTarget {
    /// The bot's own web address, without a slash at the end.
    pub base_url: String,
    /// The key of the bot's integration.
    pub integration_key: String,
}

/// What is to be fired.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) format: Format,
    pub(super) scenario: Option<String>,
    #[serde(default)]
    pub(super) status: Status,
    pub(super) count: Option<usize>,
    /// Replaces the whole address.
    pub(super) url: Option<String>,
}

/// Whether the alerts begin or end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    #[default]
    Firing,
    Resolved,
}

/// Fires alerts, and remembers since when each has been going on. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Alerts(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    target: Mutex<Option<AlertTarget>>,
    /// By format, scenario and number: when it began, in seconds.
    going_on: Mutex<HashMap<(Format, &'static str, usize), i64>>,
    http: reqwest::Client,
}

impl Alerts {
    /// With nobody to post to.
    pub(super) fn new() -> Self {
        Self(Arc::new(Parts {
            target: Mutex::default(),
            going_on: Mutex::default(),
            http: send::client(),
        }))
    }

    /// Where alerts are posted from now on; `None`: nowhere.
    pub(super) fn set_target(&self, target: Option<AlertTarget>) {
        *locked(&self.0.target) = target;
    }

    /// Where alerts are posted.
    pub(super) fn target(&self) -> Option<AlertTarget> {
        locked(&self.0.target).clone()
    }

    /// Posts what is ordered, and answers what came back; or the sentence that says what is wrong.
    pub(super) async fn fire(&self, order: Order) -> Result<Value, String> {
        let scenario = scenario(order.scenario.as_deref())?;
        let count = order.count.unwrap_or(scenario.count);
        if !(1..=COUNT_MAX).contains(&count) {
            return Err(format!("count must be between 1 and {COUNT_MAX}"));
        }
        let target = match (self.target(), &order.url) {
            (Some(target), _) => target,
            (None, Some(_)) => AlertTarget {
                base_url: String::new(),
                integration_key: String::new(),
            },
            (None, None) => {
                let sentence =
                    "nobody has said where alerts go: set it with POST /sandbox/alerts/to";
                return Err(sentence.to_owned());
            }
        };
        let reports = self.reports(order.format, scenario, order.status, count);
        let posts = order.format.posts(&reports, &target.integration_key);
        let url = |post: &Post| match &order.url {
            Some(url) => url.clone(),
            None => format!("{}{}", target.base_url, post.path),
        };
        let answers = send::all(&self.0.http, &posts, &url, scenario.flaps).await;
        let refused = answers.iter().filter(|one| !one.is_success()).count();
        let shown: Vec<Value> = answers
            .iter()
            .take(ANSWERS_MAX)
            .map(|one| json!(one))
            .collect();
        Ok(json!({
            "alerts": reports.len(), "posts": posts.len(), "refused": refused, "answers": shown,
        }))
    }

    /// What is told of each alert, in order. A flapping one comes and goes `count` times and ends as ordered.
    fn reports(
        &self,
        format: Format,
        scenario: &'static Scenario,
        status: Status,
        count: usize,
    ) -> Vec<Report> {
        let now_s = jiff::Timestamp::now().as_second();
        if !scenario.flaps {
            let numbers = 0..count;
            return numbers
                .map(|number| self.report(format, scenario, number, status, now_s))
                .collect();
        }
        let changes = match status {
            Status::Firing => 2 * count - 1,
            Status::Resolved => 2 * count,
        };
        (0..changes)
            .map(|change| {
                let left = i64::try_from(changes - 1 - change).unwrap_or_default();
                let status = match change % 2 {
                    0 => Status::Firing,
                    _ => Status::Resolved,
                };
                self.report(format, scenario, 0, status, now_s - left * FLAP_S)
            })
            .collect()
    }

    fn report(
        &self,
        format: Format,
        scenario: &'static Scenario,
        number: usize,
        status: Status,
        at_s: i64,
    ) -> Report {
        let mut going_on = locked(&self.0.going_on);
        let key = (format, scenario.id, number);
        let (began_s, ended_s) = match status {
            // Fired again while it goes on, it is a repeat.
            Status::Firing => (*going_on.entry(key).or_insert(at_s), None),
            Status::Resolved => (going_on.remove(&key).unwrap_or(at_s - UNSEEN_S), Some(at_s)),
        };
        Report {
            scenario: scenario.id,
            number,
            alert: (scenario.alert)(number),
            began_s,
            ended_s,
            at_s,
        }
    }
}

/// The one that is named, or the first.
fn scenario(id: Option<&str>) -> Result<&'static Scenario, String> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(&SCENARIOS[0]);
    };
    let found = SCENARIOS.iter().find(|one| one.id == id);
    found.ok_or_else(|| {
        let ids: Vec<&str> = SCENARIOS.iter().map(|one| one.id).collect();
        format!("there is no scenario {id:?}; there are {}", ids.join(", "))
    })
}

/// What is under these locks is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
