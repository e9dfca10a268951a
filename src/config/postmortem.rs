//! `[postmortem]`: how the report about an incident is drafted.

use serde::{Deserialize, Serialize};

use super::problems::Problems;

/// `[postmortem]`: how the report about an incident is drafted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostmortemConfig {
    /// `default`, `full`, or a Markdown file.
    pub template: String,
    /// Another model of the same server; empty: that of `[model]`; `none`: no model.
    pub model: String,
    /// How many requests of one draft may be under way at once.
    pub parallel: usize,
    /// How many tokens of a room are read at most; 0: all.
    pub tokens_max: usize,
    /// How many images of a room a model looks at for one draft; 0: none.
    pub images_max: usize,
    /// Hosts that a report may link to.
    pub hosts: Vec<String>,
    /// How many drafts may be begun in a minute.
    pub per_minute: usize,
}

impl Default for PostmortemConfig {
    fn default() -> Self {
        Self {
            template: "default".into(),
            model: String::new(),
            parallel: 4,
            tokens_max: 0,
            images_max: 20,
            hosts: Vec::new(),
            per_minute: 5,
        }
    }
}

impl PostmortemConfig {
    /// Whether the template is one that comes with the program.
    pub fn is_built_in(&self) -> bool {
        matches!(self.template.as_str(), "default" | "full")
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.demand(
            (1..=32).contains(&self.parallel),
            "`postmortem.parallel` must be 1 to 32",
        );
        problems.demand(
            self.per_minute > 0,
            "`postmortem.per_minute` is 0: then no report could be drafted",
        );
        if self.is_built_in() {
            return;
        }
        let text = std::fs::read_to_string(&self.template).unwrap_or_default();
        problems.demand(
            text.lines().any(|line| line.starts_with("## ")),
            "`postmortem.template` is neither \"default\" nor \"full\", nor a Markdown file with a line `## Heading`",
        );
    }
}
