//! What configuration says about a sender of its own kind: where in its JSON things are.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{super::Status, Path};
use crate::incident::severity::Severity;

/// Where things are in a sender's JSON. Paths begin at one alert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// The list of alerts in the body. Without it the body is one alert, or a list of alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Path>,
    /// What together makes the identity of an alert. Without it, its title and labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<Path>,
    /// One line.
    pub title: Field,
    /// More about it.
    pub description: Field,
    /// How bad it is.
    pub severity: Field,
    /// The sender's words for severities, in any case. What is not here is read as usual.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, Severity>,
    /// Whether it fires or is over.
    pub status: Field,
    /// The sender's words for statuses, in any case. What is not here is read as usual.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, Status>,
    /// Labels, each with its own place.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Field>,
    /// Objects all of whose members become labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels_from: Vec<Path>,
    /// What was measured.
    pub value: Field,
    /// When it began.
    pub starts_at: Field,
    /// When it ended.
    pub ends_at: Field,
    /// When the sender made the report.
    pub as_of: Field,
    /// How times are written.
    pub time: TimeFormat,
    /// The link to the rule or page behind it.
    pub link: Field,
    /// The link to what to do about it.
    pub runbook: Field,
    /// The link to the dashboard.
    pub dashboard: Field,
    /// The link to a picture.
    pub image: Field,
    /// What sent it.
    pub source: Field,
}

/// Where one thing is: a path, several of which the first that is there counts, and what to take otherwise.
///
/// In configuration `"event.name"`, `["event.name", "name"]` or `{ path = "event.name", default = "x" }`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Field {
    /// Tried in this order.
    #[serde(rename = "path")]
    pub paths: Vec<Path>,
    /// What it is when none of them is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a path, a list of paths, or { path = …, default = … }"
)]
enum Written {
    Paths(OneOrMore),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    path: Option<OneOrMore>,
    default: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Path),
    More(Vec<Path>),
}

impl From<OneOrMore> for Vec<Path> {
    fn from(written: OneOrMore) -> Self {
        match written {
            OneOrMore::One(path) => vec![path],
            OneOrMore::More(paths) => paths,
        }
    }
}

impl From<Written> for Field {
    fn from(written: Written) -> Self {
        match written {
            Written::Paths(paths) => Self {
                paths: paths.into(),
                default: None,
            },
            Written::Table(table) => Self {
                paths: table.path.map(Vec::from).unwrap_or_default(),
                default: table.default,
            },
        }
    }
}

/// How a sender writes times.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeFormat {
    /// A pattern in the manner of `strptime`, such as `%Y/%m/%d %H:%M`. Without it, the usual ways are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The time zone of times that do not say theirs, such as `Asia/Shanghai`. UTC if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl TimeFormat {
    /// The zone. One that does not exist is taken for UTC; [`Mapping::problems`] tells of it.
    pub(super) fn time_zone(&self) -> TimeZone {
        let zone = self.zone.as_deref().map(TimeZone::get);
        zone.and_then(Result::ok).unwrap_or(TimeZone::UTC)
    }
}

impl Mapping {
    /// What is wrong with it beyond its form: one sentence per problem, with the key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(zone) = &self.time.zone
            && TimeZone::get(zone).is_err()
        {
            problems.push("time.zone is not a time zone: write it like Asia/Shanghai".to_owned());
        }
        if self.title == Field::default() {
            problems.push("title is missing: say where an alert's title is".to_owned());
        }
        problems
    }
}
