//! `[files]`: what people send with a question, and how much of it is read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

use super::problems::Problems;

/// `[files]`: what people send with a question, and how much of it is read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// How many files and images of one message are read. 0 reads none.
    pub per_message: usize,
    /// The largest file that is read, in MiB. What is larger is named only.
    pub file_mib_max: u64,
    /// The largest image that is read, in MiB.
    pub image_mib_max: u64,
    /// How many tokens the texts of all files of a question may take together; of what is longer the middle
    /// is left out.
    pub tokens_max: usize,
    /// How long an answer waits for files. What is not there by then is said to be unknown.
    #[serde(with = "duration")]
    pub read_within: Duration,
    /// A file that the asker sent so shortly before the question is read with it, since a file cannot mention
    /// anybody. 0s reads none.
    #[serde(with = "duration")]
    pub sent_before: Duration,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            per_message: 9,
            file_mib_max: 50,
            image_mib_max: 10,
            tokens_max: 12_000,
            read_within: Duration::from_secs(20),
            sent_before: Duration::from_secs(300),
        }
    }
}

impl FilesConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            self.file_mib_max <= 100,
            "`files.file_mib_max` is above 100: the platform gives no larger files",
        );
        problems.demand(
            self.image_mib_max <= 20,
            "`files.image_mib_max` is above 20: no model takes larger images",
        );
    }
}
