//! Tests of the store: what every engine must do, and what sled's folder must withstand.

mod folder;
mod processes;
mod suite;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{Record, Store};
use crate::config::StoreConfig;

/// A record as others have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {
    const COLLECTION: &'static str = "note";
    const VERSION: u8 = 1;
}

fn note(text: impl Into<String>) -> Note {
    Note { text: text.into() }
}

/// A note of exactly this many bytes of JSON, other for another `seed`.
fn long_note(seed: u64, size_bytes: usize) -> Note {
    let mut random = fastrand::Rng::with_seed(seed);
    let size_bytes = size_bytes - r#"{"text":""}"#.len();
    // Of no length that a part has, so that parts differ too.
    let block: String = (0..997).map(|_| random.alphanumeric()).collect();
    let mut text = block.repeat(size_bytes / block.len() + 1);
    text.truncate(size_bytes);
    note(text)
}

/// Another collection, whose name begins like the first's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Notebook {
    notes: usize,
}

impl Record for Notebook {
    const COLLECTION: &'static str = "notebook";
    const VERSION: u8 = 1;
}

/// `note` as a later version of the program has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct NewNote {
    lines: Vec<String>,
}

impl Record for NewNote {
    const COLLECTION: &'static str = "note";
    const VERSION: u8 = 2;

    fn upgrade(version: u8, value: serde_json::Value) -> Option<Self> {
        let old: Note = (version == 1).then(|| serde_json::from_value(value).ok())??;
        let lines = (old.text != "unwanted").then(|| vec![old.text])?;
        Some(Self { lines })
    }
}

/// A record whose JSON comes out in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Votes {
    by_name: HashMap<String, u32>,
}

impl Record for Votes {
    const COLLECTION: &'static str = "votes";
    const VERSION: u8 = 1;
}

/// A record that JSON has no form for, since its keys are not strings.
#[derive(Debug, Serialize, Deserialize)]
struct Shapeless {
    by_place: BTreeMap<(u8, u8), u8>,
}

impl Record for Shapeless {
    const COLLECTION: &'static str = "shapeless";
    const VERSION: u8 = 1;
}

fn config_of(folder: &TempDir) -> StoreConfig {
    StoreConfig {
        path: folder.path().to_owned(),
        ..StoreConfig::default()
    }
}

async fn open(folder: &TempDir) -> Store {
    Store::open(&config_of(folder)).await.unwrap()
}
