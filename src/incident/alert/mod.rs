//! Alerts: one shape for all of them, and a file for each format that they arrive in.
//!
//! A format is a function from a body to a [`Batch`], without I/O. What cannot be read is refused with a
//! sentence for the sender; what can be read in part is taken in part, with a note of what was left out.
//! Whatever an alert says is data written by others: its texts are bounded, its links are links of the web,
//! and nothing in it is a right.

pub mod alertmanager;
mod bounds;
pub mod cloudevents;
pub mod feishu_bot;
mod fields;
pub mod flashduty;
pub mod generic;
pub mod grafana;
pub mod nightingale;
pub mod pagerduty;
mod read;
#[cfg(test)]
mod tests;
mod time;
mod words;

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{labels::Labels, severity::Severity};

pub use bounds::{ALERTS_MAX, LINKS_MAX};
pub use read::{read, read_change};

/// The headers of a request: names in lower case, and values.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// The identity of an alert within one integration: two reports with the same key are of the same alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertKey(String);

/// The longest key, in bytes: what PagerDuty allows, and short enough for a key of the store.
const KEY_BYTES_MAX: usize = 255;

impl AlertKey {
    /// Takes the sender's own key. One that is too long or has control characters is replaced by its digest.
    pub fn new(key: impl Into<String>) -> Self {
        let key = key.into();
        if key.len() > KEY_BYTES_MAX || key.chars().any(char::is_control) {
            return Self::digest(&[&key]);
        }
        Self(key)
    }

    /// A key for a sender that gives none: the same parts always make the same key.
    pub fn digest(parts: &[&str]) -> Self {
        // The length goes before each part, so that `ab`, `c` and `a`, `bc` differ.
        let text: String = parts
            .iter()
            .map(|part| format!("{}:{part};", part.len()))
            .collect();
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
        Self(format!("digest:{}", id.simple()))
    }

    /// A key made of labels.
    pub fn of_labels(labels: &Labels) -> Self {
        let parts: Vec<&str> = labels
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()])
            .collect();
        Self::digest(&parts)
    }

    /// The key as text, at most 255 bytes without control characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a report says of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The condition holds.
    Firing,
    /// The condition holds, and somebody over there knows.
    Acknowledged,
    /// The condition holds no more.
    Resolved,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        })
    }
}

/// Who an alert came from, by the shape of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Prometheus Alertmanager's webhook, version 4.
    Alertmanager,
    /// Grafana's unified alerting, webhook contact point.
    Grafana,
    /// Nightingale, also known as n9e.
    Nightingale,
    /// PagerDuty's Events API v2.
    Pagerduty,
    /// Flashduty's standard alert events.
    Flashduty,
    /// CloudEvents 1.0 over HTTP.
    Cloudevents,
    /// What is sent to a custom robot of a Feishu or Lark group.
    FeishuBot,
    /// Any JSON, by a mapping from configuration.
    Generic,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::Alertmanager,
        Self::Grafana,
        Self::Nightingale,
        Self::Pagerduty,
        Self::Flashduty,
        Self::Cloudevents,
        Self::FeishuBot,
        Self::Generic,
    ];

    /// Its name in addresses and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::Nightingale => "nightingale",
            Self::Pagerduty => "pagerduty",
            Self::Flashduty => "flashduty",
            Self::Cloudevents => "cloudevents",
            Self::FeishuBot => "feishu-bot",
            Self::Generic => "generic",
        }
    }
}

/// One report of one alert, whatever it came as. All texts are bounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Which alert this is a report of.
    pub key: AlertKey,
    /// What the report says.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// One line. Never empty.
    pub title: String,
    /// What the sender adds in prose. May have several lines, or none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the alert is about; routing, grouping and silences look at these.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What is said about it for people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What was measured, by the name the sender gives it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// When the condition began to hold, by the sender's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When it ceased to, by the sender's clock. Only with [`Status::Resolved`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// When the sender made this report, by its own clock. Many do not say; see [`Alert::order`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Where to look further.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// What sent it: an address, a host, a team, as the sender names it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What it came as.
    pub format: Format,
    /// Members we do not know, as they came. Bounded.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub unknown: Map<String, Value>,
    /// What was cut, mended or guessed while reading, in words for whoever set up the sender.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Alert {
    /// A firing alert with nothing but its identity; a format fills in the rest.
    fn new(format: Format, key: AlertKey) -> Self {
        Self {
            key,
            status: Status::Firing,
            severity: Severity::default(),
            title: String::new(),
            description: String::new(),
            labels: Labels::new(),
            annotations: BTreeMap::new(),
            values: BTreeMap::new(),
            starts_at: None,
            ends_at: None,
            as_of: None,
            links: Links::default(),
            source: String::new(),
            format,
            unknown: Map::new(),
            notes: Vec::new(),
        }
    }

    /// The time by which reports of one alert are ordered, never later than `received`.
    ///
    /// A sender's clock that runs ahead would otherwise outrank its own recovery, and a recovery that ends
    /// before it begins would never count.
    pub fn order(&self, received: Timestamp) -> Timestamp {
        let told = match self.status {
            Status::Firing => self.as_of.or(self.starts_at),
            // Without a time of its own it is of now: the beginning says nothing about it.
            Status::Acknowledged => self.as_of,
            Status::Resolved => {
                let ended = self.as_of.or(self.ends_at);
                ended.map(|ended| self.starts_at.map_or(ended, |began| ended.max(began)))
            }
        };
        told.unwrap_or(received).min(received)
    }

    /// Whether the sender says when the report was made. Otherwise a firing alert can only be placed by its
    /// beginning, which it repeats for as long as it lasts.
    pub fn order_is_exact(&self) -> bool {
        self.as_of.is_some() || (self.status == Status::Resolved && self.ends_at.is_some())
    }
}

/// Addresses where to look further, each of `http` or `https`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Links {
    /// The rule or query behind the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it can be silenced at the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// The dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
    /// The panel of the dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
    /// A picture of the measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Others, with the sender's words for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Link>,
}

/// An address with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the sender calls it; may be empty.
    pub text: String,
    /// The address.
    pub url: String,
}

impl Links {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that was changed on purpose, such as a deployment: kept for the timeline, never paged for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which change it is, where the sender says so; the same key means the same change.
    pub key: AlertKey,
    /// One line.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How far it is, in the sender's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// When it happened, by the sender's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Where to look further.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// What sent it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What it came as.
    pub format: Format,
}

/// What one request brought.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Batch {
    /// The reports, in the order in which they came, but one for each key and status.
    pub alerts: Vec<Alert>,
    /// Changes that were told of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// How many alerts there are beyond these, which the sender or we left out.
    pub left_out: u64,
    /// What was skipped or mended, in words for whoever set up the sender.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Batch {
    /// Takes the next alert, within bounds. A repetition within the same request is dropped.
    fn push(&mut self, alert: Alert) {
        if self.alerts.len() >= ALERTS_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.alerts.push(alert.within_bounds());
    }

    fn note(&mut self, note: impl Into<String>) {
        bounds::add_note(&mut self.notes, note);
    }

    /// Ends the reading: one report per key, status and time, and at least one thing that could be read.
    fn finish(mut self) -> Result<Self, AlertError> {
        let mut seen = std::collections::HashSet::new();
        let before = self.alerts.len();
        self.alerts.retain(|alert| {
            let times = (alert.starts_at, alert.ends_at, alert.as_of);
            seen.insert((alert.key.clone(), alert.status, times))
        });
        let repeated = before - self.alerts.len();
        if repeated > 0 {
            self.note(format!("{repeated} alerts came twice in the same request"));
        }
        if self.alerts.len() >= ALERTS_MAX && self.left_out > 0 {
            self.note(format!("only the first {ALERTS_MAX} alerts were taken"));
        }
        Ok(self)
    }
}

/// Why a request cannot be read. Its words go back to the sender: they say what to do, and never quote a
/// value, which may be a secret sent to the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// It is not what the address is for. Sending it again will not help.
    #[error("{0}")]
    Unreadable(String),
    /// It is well formed but of a kind that is not taken, such as another content type.
    #[error("{0}")]
    Unsupported(String),
    /// Its signature is missing, wrong or too old.
    #[error("{0}")]
    Unsigned(String),
}

impl AlertError {
    /// The HTTP status it is answered with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unreadable(_) => 400,
            Self::Unsupported(_) => 415,
            Self::Unsigned(_) => 401,
        }
    }
}
