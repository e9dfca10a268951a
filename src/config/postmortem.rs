//! `[postmortem]`: how the report about an incident is drafted.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    Language,
    problems::Problems,
    templates::{TemplateFolder, read_template},
};

/// `[postmortem]`: how the report about an incident is drafted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostmortemConfig {
    /// `default`, `full`, a name from the folder of templates, or a Markdown file.
    pub template: String,
    /// The folder with the team's own templates; empty: there is none.
    pub templates: String,
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
            templates: String::new(),
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
    fn is_built_in(&self) -> bool {
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
        if let Some(why) = self.why_not_usable() {
            problems.add(format!("`postmortem.template` cannot be used: {why}"));
        }
    }

    /// The folder with the team's own templates.
    pub fn folder(&self) -> TemplateFolder {
        TemplateFolder::new(&self.templates)
    }

    /// Why the template that is used unless another one is asked for cannot be read.
    fn why_not_usable(&self) -> Option<String> {
        let either = [Language::En, Language::Zh];
        let mut own = either
            .iter()
            .filter_map(|language| self.folder().read(&self.template, *language))
            .peekable();
        if own.peek().is_some() {
            return own.find_map(Result::err).map(|fault| fault.to_string());
        }
        if self.is_built_in() {
            return None;
        }
        let read = read_template(Path::new(&self.template));
        read.err().map(|fault| {
            format!("{fault} (it is \"default\", \"full\", a name from `postmortem.templates`, or a Markdown file)")
        })
    }
}
