//! What is kept of reports.
//!
//! | collection | key | |
//! |---|---|---|
//! | `report` | incident | [`Report`] |
//! | `report_version` | incident / version | [`Version`] |
//! | `report_text` | incident / name / part | [`Text`]: a frozen room, its records, what was read out of it |
//! | `report_picture` | incident / message / image | [`KeptPicture`], so that no image is looked at twice |
//! | `report_bundle` | incident / message | [`KeptBundle`]: forwarded messages, which are fetched once |
//! | `report_chunk` | incident / chunk | [`KeptChunk`], so that no chunk is paid for twice |
//! | `report_begun` | one record | when drafts were begun lately, of `begun.rs` |
//!
//! Incidents are written as their numbers with ten digits. Every version is kept as long as its incident is, and
//! so is every text that one cites: a version is some kilobytes, and it takes a person to make one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::Language,
    feishu::{ChatId, MessageId, OpenId},
    incident::IncidentId,
    postmortem::{
        Confirmed, Document,
        asking::{Cost, Spent},
        changed::Changed,
        check::{self, Verdict},
        events::ChunkEvents,
        facts::Milestone,
        transcript::Forwarded,
    },
    store::Record,
};

use super::actions::Actions;

/// The report of one incident, and what is done about it. What people see follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::bot) struct Report {
    /// Whose report it is.
    pub incident: IncidentId,
    /// What people call that incident.
    pub number: u32,
    /// Where its cards stand.
    pub chat: ChatId,
    /// Its language.
    pub language: Language,
    /// How many drafts were begun.
    #[serde(default)]
    pub jobs: u32,
    /// The draft that is under way.
    #[serde(default)]
    pub job: Option<Job>,
    /// The newest version; 0: there is none.
    #[serde(default)]
    pub version: u32,
    /// The headings of sections that nobody but people may change.
    #[serde(default)]
    pub locked: BTreeSet<String>,
    /// The moments that people set.
    #[serde(default)]
    pub confirmed: Vec<Confirmed>,
    /// What was edited or taken back since.
    #[serde(default)]
    pub changed: Vec<Changed>,
    /// Who published it.
    #[serde(default)]
    pub published: Option<Published>,
    /// What was published before, and then worked on again.
    #[serde(default)]
    pub was_published: Vec<Published>,
    /// The template of the newest version, which the next draft keeps; none: that of the configuration.
    #[serde(default)]
    pub template: Option<String>,
    /// The message that shows it.
    #[serde(default)]
    pub card: Option<MessageId>,
    /// Goes up whenever something changes that the card shows.
    #[serde(default)]
    pub revision: u64,
    /// Up to which of these the card shows it.
    #[serde(default)]
    pub shown: u64,
    /// How many files were wished for in its chat.
    #[serde(default)]
    pub files_wanted: u32,
    /// How many of them were sent.
    #[serde(default)]
    pub files_sent: u32,
    /// Cards that are to say that they are over.
    #[serde(default)]
    pub closing: Vec<Closing>,
    /// What people made of its action items.
    #[serde(default)]
    pub actions: Actions,
}

/// A draft that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Job {
    /// Which one, from 1.
    pub number: u32,
    /// Who asked for it.
    pub by: OpenId,
    /// When.
    pub at: Timestamp,
    /// The one section that is to be written anew; all of them without it.
    #[serde(default)]
    pub only: Option<OnlySection>,
    /// The template that was asked for; none: that of the report.
    #[serde(default)]
    pub template: Option<String>,
    /// The message that shows how far it is.
    #[serde(default)]
    pub card: Option<MessageId>,
    /// The room that it reads, once that is frozen.
    #[serde(default)]
    pub frozen: Option<Frozen>,
    /// What was spent before the room was frozen, on looking at its images.
    #[serde(default)]
    pub spent: Spent,
    /// Who does not want it any more.
    #[serde(default)]
    pub cancelled_by: Option<OpenId>,
}

/// One section that is to be written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct OnlySection {
    /// Its heading.
    pub heading: String,
    /// What is to be heeded.
    pub remark: String,
}

/// A frozen room, by the names of its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Frozen {
    /// The hash of the transcript.
    pub hash: String,
    /// The transcript.
    pub transcript: String,
    /// The records.
    pub records: String,
}

/// That it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Published {
    /// Which version; 0 where that was not noted yet.
    #[serde(default)]
    pub version: u32,
    /// By whom.
    pub by: OpenId,
    /// When.
    pub at: Timestamp,
    /// With how many checks that failed.
    pub failures: u32,
}

/// A card that is to say that it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Closing {
    /// The message.
    pub card: MessageId,
    /// Why.
    pub why: Over,
}

/// Why a card is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bot) enum Over {
    /// A newer card shows it.
    Replaced,
    /// Somebody did not want it any more.
    Cancelled(OpenId),
    /// The incident is not there any more, or its room cannot be read.
    Failed,
}

impl Record for Report {
    const COLLECTION: &'static str = "report";
    const VERSION: u8 = 1;
}

/// One version of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::bot) struct Version {
    /// Which, from 1.
    pub number: u32,
    /// When it was made.
    pub at: Timestamp,
    /// Who asked for it, or changed it.
    pub by: OpenId,
    /// What it says.
    pub document: Document,
    /// What the checks say of it.
    pub checks: Checked,
    /// What its draft cost.
    pub cost: Cost,
    /// How long its draft took.
    pub seconds: u64,
    /// The model that was asked; none: it was made without one.
    pub model: Option<String>,
    /// What it was written from.
    pub frozen: Frozen,
    /// What was read out of the room, by the name of the text.
    pub events: String,
    /// What made it another one than the version before; none where that was not noted yet.
    #[serde(default)]
    pub change: Option<Change>,
    /// The moments that people had set by then; none where that was not noted yet.
    #[serde(default)]
    pub confirmed: Option<Vec<Confirmed>>,
    /// The template that was asked for; none: that of the configuration.
    #[serde(default)]
    pub template: Option<String>,
}

/// What made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bot) enum Change {
    /// The whole report was drafted.
    Drafted,
    /// Somebody changed the words of this section.
    Edited(String),
    /// This section was written anew.
    Anew(String),
    /// Somebody set when this was.
    Moment(Milestone),
    /// Somebody decided about this action item.
    Action(String),
    /// This version came back.
    Restored(u32),
}

impl Record for Version {
    const COLLECTION: &'static str = "report_version";
    const VERSION: u8 = 1;
}

/// What the checks say, as people read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Checked {
    /// Those that found something, and how many passed.
    pub lines: Vec<CheckedLine>,
    /// How many found nothing.
    pub passed: u32,
    /// How many lines were taken out.
    pub removed: u32,
}

/// A check that found something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct CheckedLine {
    /// Its short name.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, each with its section.
    pub reasons: Vec<String>,
}

/// How many reasons of a check are kept.
const REASONS_MAX: usize = 20;

impl Checked {
    /// What is kept of a report of the checks.
    pub(super) fn of(report: &check::Report) -> Self {
        let mut checked = Self {
            removed: u32::try_from(report.removed.len()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        for line in &report.checks {
            if line.findings.is_empty() {
                checked.passed += 1;
                continue;
            }
            let reasons = line.findings.iter().take(REASONS_MAX);
            checked.lines.push(CheckedLine {
                id: line.id.to_owned(),
                title: line.title.to_owned(),
                verdict: line.verdict,
                reasons: reasons
                    .map(|found| format!("{}: {}", found.section, found.reason))
                    .collect(),
            });
        }
        checked
    }

    /// How many checks come to this.
    pub(in crate::bot) fn count(&self, verdict: Verdict) -> u32 {
        let found = self.lines.iter().filter(|line| line.verdict == verdict);
        let found = u32::try_from(found.count()).unwrap_or(u32::MAX);
        match verdict {
            Verdict::Pass => found + self.passed,
            _ => found,
        }
    }
}

/// A part of a long text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Text {
    /// How many parts there are.
    pub of: u32,
    /// The part.
    pub text: String,
}

impl Record for Text {
    const COLLECTION: &'static str = "report_text";
    const VERSION: u8 = 1;
}

/// What was found in a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptChunk(pub ChunkEvents);

impl Record for KeptChunk {
    const COLLECTION: &'static str = "report_chunk";
    const VERSION: u8 = 1;
}

/// What a model saw in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptPicture {
    /// In words, on one line.
    pub description: String,
}

impl Record for KeptPicture {
    const COLLECTION: &'static str = "report_picture";
    const VERSION: u8 = 1;
}

/// What was in a bundle of forwarded messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptBundle {
    /// The messages, those of bundles within it in their place.
    pub forwarded: Vec<Forwarded>,
    /// How many are not among them, for being too many or too deep.
    #[serde(default)]
    pub left_out: usize,
}

impl Record for KeptBundle {
    const COLLECTION: &'static str = "report_bundle";
    const VERSION: u8 = 1;
}

/// A number within keys.
pub(super) fn digits(number: u32) -> String {
    format!("{number:010}")
}

/// The key of a version.
pub(super) fn version_key(number: u32, version: u32) -> String {
    format!("{}/{}", digits(number), digits(version))
}
