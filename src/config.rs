//! The configuration: plain data, one struct per section of `config.example.toml`.
//!
//! A file is read once, overlaid with `NIGHTJAR__SECTION__KEY` variables, checked as a whole, and
//! after that each module is given its own section. No error here ever quotes a value, because the
//! value next to a mistake may be a secret.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

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

/// The two public editions of the platform. They share nothing but their shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Brand {
    /// feishu.cn, in mainland China.
    #[default]
    Feishu,
    /// larksuite.com, everywhere else.
    Lark,
}

impl Brand {
    /// Where this edition serves its API.
    pub fn base_url(self) -> &'static str {
        match self {
            Brand::Feishu => "https://open.feishu.cn",
            Brand::Lark => "https://open.larksuite.com",
        }
    }
}

/// `[feishu]`: the platform and our app on it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeishuConfig {
    /// Which edition the app was made on.
    pub brand: Brand,
    /// Replaces the brand's address, for private deployments and for the sandbox.
    pub base_url: Option<String>,
    /// The app's id, `cli_…`.
    pub app_id: String,
    /// The app's secret.
    #[serde(serialize_with = "masked")]
    pub app_secret: SecretString,
    /// A file that holds the secret, read at start instead of `app_secret`.
    pub app_secret_file: Option<PathBuf>,
    /// How long one call may take, from the first byte sent to the last one read.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long a connection may take to be made.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How long after a ping the long connection may stay silent before it is taken for dead.
    #[serde(with = "duration")]
    pub pong_timeout: Duration,
    /// The longest wait before connecting again. The platform proposes two minutes, which is long for a chat.
    #[serde(with = "duration")]
    pub reconnect_wait_max: Duration,
    /// How many calls a month the organisation's plan has; 0 where they are not counted.
    pub monthly_quota: u64,
}

impl Default for FeishuConfig {
    fn default() -> Self {
        Self {
            brand: Brand::Feishu,
            base_url: None,
            app_id: String::new(),
            app_secret: SecretString::default(),
            app_secret_file: None,
            request_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            pong_timeout: Duration::from_secs(20),
            reconnect_wait_max: Duration::from_secs(10),
            monthly_quota: 0,
        }
    }
}

impl FeishuConfig {
    /// The address all calls start with, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base_url
            .as_deref()
            .unwrap_or(self.brand.base_url())
            .trim_end_matches('/')
    }
}

/// `[model]`: the language model, anything that speaks the OpenAI chat completions protocol.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The address that `/chat/completions` is added to.
    pub base_url: String,
    /// The key sent as a bearer token; servers at home often want none.
    #[serde(serialize_with = "masked")]
    pub api_key: SecretString,
    /// A file that holds the key, read at start instead of `api_key`.
    pub api_key_file: Option<PathBuf>,
    /// The model's name, as its server knows it.
    pub name: String,
    /// How many tokens a request and its answer may have together.
    pub context_tokens: usize,
    /// How many tokens an answer may have; 0 leaves it to the server.
    pub answer_tokens_max: u32,
    /// How long a connection may take to be made.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How long to wait for the first piece of an answer. Reasoning models take their time.
    #[serde(with = "duration")]
    pub first_token_timeout: Duration,
    /// How long an answer may pause before it is taken for broken.
    #[serde(with = "duration")]
    pub stall_timeout: Duration,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".into(),
            api_key: SecretString::default(),
            api_key_file: None,
            name: "gpt-4.1-mini".into(),
            context_tokens: 64_000,
            answer_tokens_max: 0,
            connect_timeout: Duration::from_secs(5),
            first_token_timeout: Duration::from_secs(90),
            stall_timeout: Duration::from_secs(60),
        }
    }
}

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

/// `[conversation]`: what a question is read together with, and how questions wait for each other.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConversationConfig {
    /// How many messages of the chat are read before a question is answered. 0 reads none.
    pub history_messages: usize,
    /// How old they may be.
    #[serde(with = "duration")]
    pub history_age: Duration,
    /// How many tokens they may take together; the newest are kept.
    pub history_tokens: usize,
    /// How many earlier turns of the same session are remembered.
    pub remembered_turns: usize,
    /// How many tokens they may take together; the newest are kept.
    pub remembered_tokens: usize,
    /// How many messages may wait in one session while a turn runs.
    pub waiting_max: usize,
    /// A command that arrives later than this is not carried out.
    #[serde(with = "duration")]
    pub command_age_max: Duration,
    /// The language of our own sentences where the asker's cannot be told.
    pub language: Language,
    /// The time zone of the times people and the model are shown, by its IANA name.
    pub time_zone: String,
}

impl Default for ConversationConfig {
    fn default() -> Self {
        Self {
            history_messages: 50,
            history_age: Duration::from_secs(24 * 3600),
            history_tokens: 8_000,
            remembered_turns: 20,
            remembered_tokens: 16_000,
            waiting_max: 10,
            command_age_max: Duration::from_secs(300),
            language: Language::En,
            time_zone: "UTC".into(),
        }
    }
}

/// A language the bot speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

/// `[agent]`: the limits of one turn of thought.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentConfig {
    /// How many times the model may be asked in one turn.
    pub steps_max: usize,
    /// How long a turn may take in all.
    #[serde(with = "duration")]
    pub time_max: Duration,
    /// How long one tool call may take.
    #[serde(with = "duration")]
    pub tool_timeout: Duration,
    /// How many bytes of one tool's result the model is shown.
    pub tool_result_bytes_max: usize,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            steps_max: 12,
            time_max: Duration::from_secs(600),
            tool_timeout: Duration::from_secs(30),
            tool_result_bytes_max: 32 * 1024,
        }
    }
}

/// `[reply]`: how answers reach the chat.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplyConfig {
    /// How often a streaming card is redrawn. Slower is kinder to the platform's limits.
    #[serde(with = "duration")]
    pub redraw_every: Duration,
    /// The platform ends streaming ten minutes after it was switched on, so it is switched on anew this long after.
    #[serde(with = "duration")]
    pub renew_streaming_after: Duration,
    /// How long a card stays as it is before it shows the time instead, when there is nothing else to show. After
    /// the first time, twice as long.
    #[serde(with = "duration")]
    pub silence_shown_after: Duration,
    /// The reactions that show where a question stands.
    pub reactions: ReactionsConfig,
}

impl Default for ReplyConfig {
    fn default() -> Self {
        Self {
            redraw_every: Duration::from_millis(400),
            renew_streaming_after: Duration::from_secs(9 * 60),
            silence_shown_after: Duration::from_secs(15),
            reactions: ReactionsConfig::default(),
        }
    }
}

/// `[reply.reactions]`: the reactions that show where a question stands, by the platform's `emoji_type`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReactionsConfig {
    /// The question was seen and is being worked on.
    pub seen: String,
    /// The answer is there.
    pub done: String,
    /// Someone stopped the turn.
    pub stopped: String,
    /// There will be no answer; the card says why.
    pub failed: String,
}

impl Default for ReactionsConfig {
    fn default() -> Self {
        Self {
            seen: "OnIt".into(),
            done: "DONE".into(),
            stopped: "CrossMark".into(),
            failed: "ERROR".into(),
        }
    }
}

impl ReactionsConfig {
    /// All of them, with the key each is configured under.
    pub fn all(&self) -> [(&'static str, &str); 4] {
        [
            ("seen", &self.seen),
            ("done", &self.done),
            ("stopped", &self.stopped),
            ("failed", &self.failed),
        ]
    }
}

/// `[web]`: the bot's own HTTP server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Where it listens: health, readiness, metrics.
    pub listen: SocketAddr,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7780)),
        }
    }
}

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// For eyes or for machines.
    pub format: LogFormat,
    /// Which spans and events, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".into(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for eyes.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[shutdown]`: how the process ends.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShutdownConfig {
    /// How long turns that run may take to come to an end. What is left is taken up at the next start.
    #[serde(with = "duration")]
    pub drain: Duration,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(20),
        }
    }
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
        let mut problems = config.read_secret_files();
        problems.extend(config.problems());
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

    fn read_secret_files(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut read = |key: &str, file: &Option<PathBuf>, secret: &mut SecretString| {
            let Some(file) = file else { return };
            match std::fs::read_to_string(file) {
                Ok(text) => *secret = SecretString::from(text.trim()),
                Err(error) => {
                    problems.push(format!("`{key}`: cannot read {}: {error}", file.display()))
                }
            }
        };
        read(
            "feishu.app_secret_file",
            &self.feishu.app_secret_file,
            &mut self.feishu.app_secret,
        );
        read(
            "model.api_key_file",
            &self.model.api_key_file,
            &mut self.model.api_key,
        );
        problems
    }

    /// What keeps this configuration from being used, beyond what types can say.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut demand = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        let is_url = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        let printable =
            |secret: &SecretString| secret.expose_secret().chars().all(|c| c.is_ascii_graphic());
        demand(
            !self.feishu.app_id.is_empty(),
            "`feishu.app_id` is empty: copy the App ID from the developer console, under Credentials & Basic Info",
        );
        demand(
            !self.feishu.app_secret.expose_secret().is_empty(),
            "`feishu.app_secret` is empty: set it, or `feishu.app_secret_file`, or NIGHTJAR__FEISHU__APP_SECRET",
        );
        demand(
            printable(&self.feishu.app_secret),
            "`feishu.app_secret` has characters that a secret cannot have: was it copied whole, without spaces?",
        );
        demand(
            is_url(self.feishu.base_url()),
            "`feishu.base_url` is not an address: it begins with http:// or https://",
        );
        demand(
            is_url(&self.model.base_url),
            "`model.base_url` is not an address: it begins with http:// or https:// and ends before /chat/completions",
        );
        demand(
            !self.model.name.is_empty(),
            "`model.name` is empty: name a model that the server knows",
        );
        demand(
            printable(&self.model.api_key),
            "`model.api_key` has characters that a key cannot have: was it copied whole, without spaces?",
        );
        demand(
            self.model.context_tokens >= 4_000,
            "`model.context_tokens` is below 4000: a question with its context would not fit",
        );
        demand(
            self.conversation.history_tokens + self.conversation.remembered_tokens
                <= self.model.context_tokens * 3 / 4,
            "`conversation.history_tokens` and `conversation.remembered_tokens` take more than three quarters of `model.context_tokens`: lower them",
        );
        demand(
            self.conversation.waiting_max >= 1,
            "`conversation.waiting_max` is 0: allow at least one",
        );
        demand(
            jiff::tz::TimeZone::get(&self.conversation.time_zone).is_ok(),
            "`conversation.time_zone` is not a time zone: use an IANA name such as Asia/Shanghai",
        );
        demand(
            self.agent.steps_max >= 1,
            "`agent.steps_max` is 0: allow at least one",
        );
        demand(
            self.agent.tool_result_bytes_max >= 1024,
            "`agent.tool_result_bytes_max` is below 1024: tools could say nothing",
        );
        demand(
            self.reply.redraw_every >= Duration::from_millis(100),
            "`reply.redraw_every` is below 100ms: the platform takes 10 changes a second of one card",
        );
        demand(
            self.store.cache_mib >= 1,
            "`store.cache_mib` is 0: the database needs at least one",
        );
        problems
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
        let is_text = matches!(last, "app_secret" | "api_key" | "app_id");
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

/// Writes a secret as `***`, or as nothing when there is none.
fn masked<S: serde::Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.expose_secret().is_empty() {
        ""
    } else {
        "***"
    })
}

/// Durations in the friendly form: `400ms`, `10s`, `2m 30s`, `1d`. A day is 24 hours.
mod duration {
    use std::time::Duration;

    use jiff::fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let wrong = || D::Error::custom("not a duration: write it like 400ms, 10s, 5m or 24h");
        let text = String::deserialize(from).map_err(|_| wrong())?;
        // Days are not in the clock's own units, so they are read here.
        if let Some(days) = text.trim().strip_suffix('d') {
            let days: u32 = days.trim().parse().map_err(|_| wrong())?;
            return Ok(Duration::from_secs(u64::from(days) * 24 * 3600));
        }
        SpanParser::new()
            .parse_unsigned_duration(&text)
            .map_err(|_| wrong())
    }

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let printer = SpanPrinter::new()
            .designator(Designator::Compact)
            .spacing(Spacing::None);
        to.serialize_str(&printer.unsigned_duration_to_string(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[feishu]\napp_id = \"cli_a\"\napp_secret = \"s3cret\"\n";

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()));
        Config::parse("test", text, variables).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_shows_every_key_with_its_default() {
        let text = include_str!("../config.example.toml");
        let example = parse(text, &[]).unwrap();
        let shown: toml::Table = text.parse().unwrap();
        let defaults: toml::Table = Config::default().effective().parse().unwrap();

        fn check(path: &str, default: &toml::Table, shown: &toml::Table) {
            for (key, value) in default {
                let path = format!("{path}{key}");
                let shown = shown
                    .get(key)
                    .unwrap_or_else(|| panic!("`{path}` is not shown"));
                if let (toml::Value::Table(default), toml::Value::Table(shown)) = (value, shown) {
                    check(&format!("{path}."), default, shown);
                }
            }
        }
        check("", &defaults, &shown);

        let mut effective: toml::Table = example.effective().parse().unwrap();
        let feishu = effective["feishu"].as_table_mut().unwrap();
        feishu.insert("app_id".into(), "".into());
        feishu.insert("app_secret".into(), "".into());
        assert_eq!(
            effective, defaults,
            "a default differs from what the example says"
        );
        // Keys that are empty by default cannot be shown as values, so they stand there as comments.
        for key in ["base_url", "app_secret_file", "api_key_file"] {
            assert!(
                text.contains(&format!("# {key} = ")),
                "`{key}` is not shown"
            );
        }
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let error = parse(&format!("{LEAST}[reply]\nredraw_evry = \"1s\"\n"), &[]).unwrap_err();
        assert!(error.contains("redraw_evry"), "{error}");
    }

    #[test]
    fn no_error_shows_a_secret() {
        for text in [
            "[feishu]\napp_id = \"cli_a\"\napp_secret = 'hunter2\n",
            "[feishu]\napp_id = \"cli_a\"\napp_secret = [\"hunter2\"]\n",
            "[feishu]\napp_id = \"cli_a\"\napp_secret = \"hunter2 \"\n",
        ] {
            let error = parse(text, &[]).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let config = parse(LEAST, &[]).unwrap();
        assert!(!format!("{config:?}{}", config.effective()).contains("s3cret"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = parse(
            LEAST,
            &[
                ("NIGHTJAR__FEISHU__APP_SECRET", "12345"),
                ("NIGHTJAR__CONVERSATION__WAITING_MAX", "3"),
                ("NIGHTJAR__REPLY__REACTIONS__DONE", "OK"),
                ("UNRELATED", "x"),
            ],
        )
        .unwrap();
        assert_eq!(config.feishu.app_secret.expose_secret(), "12345");
        assert_eq!(config.conversation.waiting_max, 3);
        assert_eq!(config.reply.reactions.done, "OK");
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = parse("[agent]\nsteps_max = 0\n[model]\nname = \"\"\n", &[]).unwrap_err();
        for key in [
            "feishu.app_id",
            "feishu.app_secret",
            "agent.steps_max",
            "model.name",
        ] {
            assert!(error.contains(key), "{key} is not in: {error}");
        }
    }

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, secs) in [
            ("400ms", 0.4),
            ("10s", 10.0),
            ("2m 30s", 150.0),
            ("1d", 86400.0),
        ] {
            let config = parse(&format!("{LEAST}[agent]\ntime_max = \"{text}\"\n"), &[]).unwrap();
            assert_eq!(config.agent.time_max.as_secs_f64(), secs);
            let again: toml::Table = config.effective().parse().unwrap();
            let written = again["agent"]["time_max"].as_str().unwrap().to_owned();
            let config =
                parse(&format!("{LEAST}[agent]\ntime_max = \"{written}\"\n"), &[]).unwrap();
            assert_eq!(config.agent.time_max.as_secs_f64(), secs);
        }
    }

    #[test]
    fn a_secret_can_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "from-file\n").unwrap();
        let text = format!("[feishu]\napp_id = \"cli_a\"\napp_secret_file = {file:?}\n");
        assert_eq!(
            parse(&text, &[]).unwrap().feishu.app_secret.expose_secret(),
            "from-file"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(parse(&text, &[]).unwrap_err().contains("app_secret_file"));
    }
}
