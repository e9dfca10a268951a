//! What a tool is. The tools themselves are in `crate::tools`, one file each.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use jiff::Zoned;
use serde_json::Value;
use tokio::time::Instant;

use super::{Facts, ToolSpec};
use crate::config::Language;

/// Something the model may call. It reads and changes nothing, because it is run at once, beside others.
pub trait Tool: Send + Sync + 'static {
    /// What the model is told about it.
    fn spec(&self) -> ToolSpec;

    /// One line for people that says what this call does. `arguments` is what the model wrote: an object,
    /// and nothing more is known about it.
    fn title(&self, language: Language, arguments: &Value) -> String;

    /// Does it. Dropping the future must stop it. The result should name the exact query that was made and
    /// its full answer, above all when that was "nothing".
    fn call<'a>(
        &'a self,
        arguments: Value,
        scene: &'a Scene,
    ) -> BoxFuture<'a, Result<String, ToolError>>;
}

/// Why a call gave no result, told apart by who can do something about it.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The model can: it reads this sentence and may try something else.
    #[error("{0}")]
    TellModel(String),
    /// Only we can: the turn ends.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

/// Where and when a call is made.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The language people read.
    pub language: Language,
    /// Where the question was asked.
    pub facts: Facts,
    asked_at: Zoned,
    began: Instant,
}

impl Scene {
    /// A scene at the moment `now`, from which its time goes on.
    pub fn new(language: Language, facts: Facts, now: Zoned) -> Self {
        Self {
            language,
            facts,
            asked_at: now,
            began: Instant::now(),
        }
    }

    /// The time, in the zone in which people are shown times.
    pub fn now(&self) -> Zoned {
        self.asked_at
            .checked_add(self.began.elapsed())
            .unwrap_or_else(|_| self.asked_at.clone())
    }
}

/// The tools of a turn, by name. Clones share them.
#[derive(Clone, Default)]
pub struct Toolbox(Arc<BTreeMap<String, Arc<dyn Tool>>>);

impl Toolbox {
    /// A box of these tools. Where two have one name, the later one is kept.
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        Self(Arc::new(
            tools
                .into_iter()
                .map(|tool| (tool.spec().name, tool))
                .collect(),
        ))
    }

    /// What the model is told about them, in the order of their names.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.0.values().map(|tool| tool.spec()).collect()
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.0.get(name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
