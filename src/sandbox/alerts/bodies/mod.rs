//! Reports of alerts in the bodies that each system posts.

mod events;
mod nightingale;
mod prometheus;
mod robot;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Alert;

/// How many alerts stand in one body at most, of the formats that put several into one.
const IN_ONE_BODY: usize = 100;
const JSON: &str = "application/json";

/// The formats that alerts are fired in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sandbox) enum Format {
    Alertmanager,
    Grafana,
    Nightingale,
    Pagerduty,
    Flashduty,
    Cloudevents,
    FeishuBot,
    Generic,
}

/// Their names, as addresses have them and in the order in which the page offers them.
pub(in crate::sandbox) const FORMATS: &[&str] = &[
    "alertmanager",
    "grafana",
    "nightingale",
    "pagerduty",
    "flashduty",
    "cloudevents",
    "feishu-bot",
    "generic",
];

/// One report of one alert.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) scenario: &'static str,
    /// Which alert of the scenario.
    pub(super) number: usize,
    pub(super) alert: Alert,
    pub(super) began_s: i64,
    /// None while it goes on.
    pub(super) ended_s: Option<i64>,
    /// When it is told.
    pub(super) at_s: i64,
}

/// What is posted.
#[derive(Debug)]
pub(super) struct Post {
    /// Below the bot's address.
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: Value,
}

impl Report {
    fn is_over(&self) -> bool {
        self.ended_s.is_some()
    }

    /// The same for every report of this alert: 16 hex digits.
    fn fingerprint(&self) -> String {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in self.scenario.bytes().chain(self.number.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        format!("{hash:016x}")
    }

    /// The labels, in the order of their names.
    fn labels(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let labels = self.alert.labels.iter();
        labels.map(|(name, value)| (*name, value.as_str()))
    }
}

/// As RFC 3339, in UTC.
fn written(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| String::new(), |time| time.to_string())
}

impl Format {
    fn name(self) -> &'static str {
        FORMATS[self as usize]
    }

    /// What is posted for these reports, in their order.
    pub(super) fn posts(self, reports: &[Report], key: &str) -> Vec<Post> {
        let bodies: Vec<Value> = match self {
            Self::Alertmanager => prometheus::grouped(reports, prometheus::alertmanager),
            Self::Grafana => prometheus::grouped(reports, prometheus::grafana),
            Self::Nightingale => nightingale::bodies(reports),
            Self::Pagerduty => each(reports, |report| events::pagerduty(report, key)),
            Self::Flashduty => each(reports, events::flashduty),
            Self::Cloudevents => each(reports, events::cloudevents),
            Self::FeishuBot => each(reports, robot::card),
            Self::Generic => each(reports, events::generic),
        };
        let path = match self {
            // A drop-in: its senders only know another host.
            Self::Pagerduty => "/v2/enqueue".to_owned(),
            _ => format!("/alerts/{key}/{}", self.name()),
        };
        let content_type = match self {
            Self::Cloudevents => "application/cloudevents+json",
            _ => JSON,
        };
        let post = |body| Post {
            path: path.clone(),
            content_type,
            body,
        };
        bodies.into_iter().map(post).collect()
    }
}

fn each(reports: &[Report], body: impl Fn(&Report) -> Value) -> Vec<Value> {
    reports.iter().map(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_the_name_that_it_is_asked_for_by() {
        for name in FORMATS {
            let format: Format = serde_json::from_value(serde_json::json!(name)).unwrap();
            assert_eq!(format.name(), *name);
        }
    }
}
