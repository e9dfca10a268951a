//! What people thought of answers: one verdict for each person and turn, the last one counts.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    feishu::OpenId,
    store::{self, Batch, Collection, Record, Store},
};

/// How long a verdict is kept.
const KEPT: Duration = Duration::from_secs(180 * 24 * 3600);

/// More people than ever judged one answer.
const PEOPLE_MAX: usize = 500;

/// Whether an answer helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It did.
    Good,
    /// It did not.
    Bad,
}

impl Verdict {
    /// How metrics call it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Bad => "bad",
        }
    }
}

/// Why an answer did not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// It says something that is not so.
    WrongDiagnosis,
    /// It does not say why.
    NoRootCause,
    /// What it advises cannot be done.
    UnusableRemedy,
    /// It is about something else.
    OffTopic,
}

impl Reason {
    /// All of them, as they are offered.
    pub(super) const ALL: [Reason; 4] = [
        Reason::WrongDiagnosis,
        Reason::NoRootCause,
        Reason::UnusableRemedy,
        Reason::OffTopic,
    ];

    /// What a form sends for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Reason::WrongDiagnosis => "wrong_diagnosis",
            Reason::NoRootCause => "no_root_cause",
            Reason::UnusableRemedy => "unusable_remedy",
            Reason::OffTopic => "off_topic",
        }
    }
}

/// What one person thought of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rating {
    /// Whether it helped.
    pub verdict: Verdict,
    /// Why it did not.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// The same in their own words, as they wrote them.
    #[serde(default)]
    pub text: Option<String>,
    /// Whether they are being asked why.
    #[serde(default)]
    pub is_asked: bool,
    /// When they said so.
    pub at: Timestamp,
}

impl Rating {
    /// A verdict without a reason, given now.
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            reasons: Vec::new(),
            text: None,
            is_asked: false,
            at: Timestamp::now(),
        }
    }
}

impl Record for Rating {
    const COLLECTION: &'static str = "feedback";
    const VERSION: u8 = 1;
}

/// What was said of one answer.
#[derive(Debug, Default)]
pub(super) struct Ratings(Vec<(String, Rating)>);

impl Ratings {
    /// What `person` said.
    pub(super) fn of(&self, person: &OpenId) -> Option<&Rating> {
        let mut all = self.0.iter();
        let found = all.find(|(by, _)| by == person.as_str());
        found.map(|(_, rating)| rating)
    }

    /// Whether anybody but `person` is being asked why.
    pub(super) fn asks_others(&self, person: &OpenId) -> bool {
        let mut others = self.0.iter().filter(|(by, _)| by != person.as_str());
        others.any(|(_, rating)| rating.is_asked)
    }
}

/// The store's side of it.
#[derive(Clone)]
pub(super) struct Feedback {
    ratings: Collection<Rating>,
}

impl Feedback {
    /// Opens the collection.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            ratings: store.collection(),
        }
    }

    /// All that was said of one turn.
    pub(super) async fn all(&self, turn: &str) -> Result<Ratings, store::Error> {
        let prefix = format!("{turn}/");
        let all = self.ratings.scan(&prefix, None, PEOPLE_MAX).await?;
        let by = |key: String| key[prefix.len()..].to_owned();
        let all = all.into_iter().map(|(key, rating)| (by(key), rating));
        Ok(Ratings(all.collect()))
    }

    /// Adds to `batch` what `person` says of a turn, in place of what they said before.
    pub(super) fn put(&self, turn: &str, person: &OpenId, rating: &Rating, batch: &mut Batch) {
        batch.put(&format!("{turn}/{person}"), rating);
    }

    /// Forgets what is older than [`KEPT`].
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        super::sweep::sweep(&self.ratings, |rating| {
            rating.at.duration_until(now).unsigned_abs() > KEPT
        })
        .await
    }
}
