//! The configuration: plain data, one struct per section of `config.example.toml`.
//!
//! A file is read once, overlaid with `NIGHTJAR__SECTION__KEY` variables, checked as a whole, and
//! after that each module is given its own section. No error here ever quotes a value, because the
//! value next to a mistake may be a secret.

mod access;
mod agent;
mod alerts;
mod conversation;
mod feishu;
mod files;
mod incidents;
mod log;
mod members;
mod model;
mod postmortem;
mod problems;
mod reply;
mod rooms;
mod secret;
mod shutdown;
mod store;
mod templates;
#[cfg(test)]
mod tests;
mod web;

use std::{collections::BTreeMap, fmt, path::Path};

use serde::{Deserialize, Serialize};

pub use access::AccessConfig;
pub use agent::AgentConfig;
pub use alerts::{AlertsConfig, IntegrationConfig};
pub use conversation::{ConversationConfig, Language};
pub use feishu::{Brand, FeishuConfig, Intake, is_this_machine};
pub use files::FilesConfig;
pub use incidents::IncidentsConfig;
pub use log::{LogConfig, LogFormat};
pub use members::{Member, MembersConfig, canonical_mobile};
pub use model::ModelConfig;
pub use postmortem::PostmortemConfig;
pub use reply::{ReactionsConfig, ReplyConfig};
pub use rooms::RoomsConfig;
pub use shutdown::ShutdownConfig;
pub use store::StoreConfig;
pub use templates::{
    TemplateFault, TemplateFolder, TemplateHeading, is_template_name, parse_template, read_template,
};
pub use web::WebConfig;

use problems::Problems;

/// Variables that begin with this replace single keys of the file.
pub const ENV_PREFIX: &str = "NIGHTJAR__";

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The platform and our app on it.
    pub feishu: FeishuConfig,
    /// The language model.
    pub model: ModelConfig,
    /// Where state is kept.
    pub store: StoreConfig,
    /// What a question is read together with, and how questions wait for each other.
    pub conversation: ConversationConfig,
    /// What people send with a question, and how much of it is read.
    pub files: FilesConfig,
    /// Who may use the bot, who may do more, and how often.
    pub access: AccessConfig,
    /// The people who answer for incidents.
    pub members: MembersConfig,
    /// Who may send alerts, and as what.
    pub alerts: AlertsConfig,
    /// What becomes of alerts, and who is told.
    pub incidents: IncidentsConfig,
    /// How the report about an incident is drafted.
    pub postmortem: PostmortemConfig,
    /// The limits of one turn of thought.
    pub agent: AgentConfig,
    /// How answers reach the chat.
    pub reply: ReplyConfig,
    /// The bot's own HTTP server.
    pub web: WebConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// How the process ends.
    pub shutdown: ShutdownConfig,
}

/// What is wrong with a configuration, each with the key and what to do.
#[derive(Debug)]
pub struct ConfigError {
    /// The file, or what stood in its place.
    pub source: String,
    /// One sentence per problem; never a value.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration in {} cannot be used:", self.source)?;
        for problem in &self.problems {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a file and this process's `NIGHTJAR__…` variables, and checks the result.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let source = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            source: source.clone(),
            problems: vec![format!("cannot read the file: {error}")],
        })?;
        Self::parse(&source, &text, std::env::vars())
    }

    /// As [`Config::load`], from a text and from variables that are given.
    pub fn parse(
        source: &str,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let fail = |problem: String| ConfigError {
            source: source.to_owned(),
            problems: vec![problem],
        };
        let mut table: toml::Table = text.parse().map_err(|error| fail(not_toml(text, &error)))?;
        overlay(&mut table, variables).map_err(fail)?;
        let mut config: Config = serde_path_to_error::deserialize(table).map_err(|error| {
            fail(format!(
                "`{}`: {}",
                error.path(),
                first_line(error.inner().message())
            ))
        })?;
        let problems = config.check();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError {
                source: source.to_owned(),
                problems,
            })
        }
    }

    /// The configuration as it is in force, as TOML, with secrets masked.
    pub fn effective(&self) -> String {
        toml::to_string_pretty(self).expect("plain data can always be written as TOML")
    }

    /// Reads the secrets that stand in files, then asks each section what is wrong with it.
    fn check(&mut self) -> Vec<String> {
        let mut problems = Problems::default();
        self.feishu.read_secrets(&mut problems);
        self.model.read_secrets(&mut problems);
        self.alerts.read_secrets(&mut problems);
        self.feishu.check(&mut problems);
        self.model.check(&mut problems);
        self.store.check(&mut problems);
        self.conversation.check(&mut problems);
        problems.demand(
            self.conversation.history_tokens + self.conversation.remembered_tokens
                <= self.model.context_tokens * 3 / 4,
            "`conversation.history_tokens` and `conversation.remembered_tokens` take more than three quarters of `model.context_tokens`: lower them",
        );
        self.files.check(&mut problems);
        self.access.check(&mut problems);
        self.members.check(&mut problems);
        self.alerts.check(&mut problems);
        self.incidents.check(&mut problems);
        self.postmortem.check(&mut problems);
        self.agent.check(&mut problems);
        self.reply.check(&mut problems);
        problems.into_sentences()
    }
}

/// Puts `NIGHTJAR__SECTION__KEY=value` over the file's keys. A value is read as TOML where it is TOML
/// (`5`, `true`, `["a"]`) and as plain text otherwise.
fn overlay(
    table: &mut toml::Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), String> {
    // In order of names, so that what is set does not depend on the environment's order.
    let variables: BTreeMap<_, _> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(ENV_PREFIX))
        .collect();
    for (name, value) in variables {
        let path = name[ENV_PREFIX.len()..].to_lowercase();
        let mut keys: Vec<&str> = path.split("__").collect();
        let last = keys.pop().unwrap_or_default();
        let mut place = &mut *table;
        for key in keys {
            place = place
                .entry(key)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                .as_table_mut()
                .ok_or_else(|| format!("{name}: `{key}` is not a section"))?;
        }
        // A secret that happens to be digits stays text.
        let is_text = secret::KEYS.contains(&last);
        let parsed = format!("v = {value}").parse::<toml::Table>().ok();
        let value = match parsed.and_then(|mut table| table.remove("v")) {
            Some(parsed) if !is_text => parsed,
            _ => toml::Value::String(value),
        };
        place.insert(last.to_owned(), value);
    }
    Ok(())
}

/// Where a text stops being TOML, without quoting it.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(0, |span| {
        text[..span.start.min(text.len())].lines().count().max(1)
    });
    format!("line {line} is not TOML: {}", first_line(error.message()))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
