//! `[store]`: where state is kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::problems::Problems;

/// `[store]`: where state is kept.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The folder of the database. One process at a time.
    pub path: PathBuf,
    /// How much of it is kept in memory, in MiB. Real use runs somewhat above.
    pub cache_mib: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("nightjar-data"),
            cache_mib: 32,
        }
    }
}

impl StoreConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            self.cache_mib >= 1,
            "`store.cache_mib` is 0: the database needs at least one",
        );
    }
}
