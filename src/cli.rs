//! The command line, and what each command joins together.

mod on_call;
mod postmortem;
mod preview;

use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{
    app::App,
    config::{Config, ConfigError, ENV_PREFIX, Language},
    doctor,
    feishu::{ChatId, OpenId, Recipient},
    sandbox::{Access, AlertTarget, Options, Sandbox},
    telemetry,
};

/// The integration as which anything can send alerts to the bot of a sandbox. No secret: it is in the
/// documentation, and whoever reaches a sandbox may do everything there anyway.
const SANDBOX_ALERTS_KEY: &str = "sandbox-alerts-key";
const SANDBOX_INTEGRATION: &str = "{ name = \"sandbox\", key = \"sandbox-alerts-key\", mapping = { key = [\"id\"], title = \"title\", \
     description = \"description\", severity = \"severity\", status = \"status\", labels_from = [\"labels\"], link = \"url\" } }";

/// An on-call teammate that lives in Feishu/Lark.
#[derive(Debug, Parser)]
#[command(name = "nightjar", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bot
    Run {
        /// The configuration; config.example.toml shows every key
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Try everything here: a small Feishu with a chat page, a rule-made model, and the bot connected to them
    Sandbox(SandboxArgs),
    /// Say what works and what is missing, each with the remedy; ends with 0 only when the bot can do its job
    Doctor(DoctorArgs),
    /// Draft the report of an incident from files: postmortem.md, events.json, checks.json
    Postmortem(postmortem::PostmortemArgs),
    /// Look at a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Validate a configuration and print what is in force, with secrets masked
    Check {
        /// The configuration to check
        file: PathBuf,
    },
    /// Show what would become of an alert: how it is read, what it is grouped with, and who would be told
    PreviewAlert(preview::PreviewArgs),
}

#[derive(Debug, Args)]
struct DoctorArgs {
    /// The configuration of the bot, which may run meanwhile: no event is taken from it
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// For machines; docs/doctor.md describes it
    #[arg(long)]
    json: bool,
    /// A group (oc_…) or a person (ou_…): a card is sent there, a reaction tried, and a press waited for
    #[arg(long, value_name = "ID", value_parser = place)]
    chat: Option<Recipient>,
    /// How many seconds to wait for somebody to press the card's button
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "chat")]
    wait: u64,
    /// The language of the report: en or zh; without it, that of the configuration
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    lang: Option<Language>,
}

fn place(id: &str) -> Result<Recipient, String> {
    match id.split_once('_') {
        Some(("oc", rest)) if !rest.is_empty() => Ok(Recipient::Chat(ChatId::new(id))),
        Some(("ou", rest)) if !rest.is_empty() => Ok(Recipient::Person(OpenId::new(id))),
        _ => Err("an id of a group begins with oc_, one of a person with ou_".to_owned()),
    }
}

fn language(name: &str) -> Result<Language, String> {
    match name {
        "en" => Ok(Language::En),
        "zh" => Ok(Language::Zh),
        _ => Err("it is en or zh".to_owned()),
    }
}

#[derive(Debug, Args)]
struct SandboxArgs {
    /// Where the page, the platform and the model are served; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// Where the bot keeps its state; without it, in a folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Serve the platform and the model only; connect a bot from a process of its own
    #[arg(long)]
    platform_only: bool,
    /// Write the configuration with which `nightjar run` connects to this sandbox
    #[arg(long, value_name = "FILE")]
    write_config: Option<PathBuf>,
    /// A configuration for the bot in here; what it says of the platform is replaced
    #[arg(long, value_name = "FILE", conflicts_with = "platform_only")]
    config: Option<PathBuf>,
    /// Makes ids, tokens and every chance the same each time
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Cli {
    /// Does what the command line says, until it is done or the process is told to stop.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let done = match self.command {
            Command::Run { config } => run(&config).await,
            Command::Sandbox(args) => sandbox(args).await,
            Command::Doctor(args) => return examine(args).await,
            Command::Postmortem(args) => postmortem::draft(args).await,
            Command::Config(ConfigCommand::Check { file }) => {
                let config = Config::load(&file)?;
                crate::app::check_reactions(&config)?;
                for fault in config.postmortem.folder().faults() {
                    // A closed standard error means that nobody reads.
                    let _ = writeln!(std::io::stderr(), "a template cannot be used: {fault}");
                }
                say(&config.effective())
            }
            Command::Config(ConfigCommand::PreviewAlert(args)) => say(&preview::preview(&args)?),
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

/// Examines a bot, and says what was found.
async fn examine(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let (report, language) = match load(&args.config) {
        Ok(config) => {
            let language = args.lang.unwrap_or(config.conversation.language);
            let ask = |what: &doctor::Both| {
                // A closed standard error means that nobody reads.
                let _ = writeln!(std::io::stderr(), "{}", what.text(language));
            };
            let outside = doctor::Outside {
                file: Some(&args.config),
                place: args.chat.map(doctor::Place::Card),
                wait: Duration::from_secs(args.wait),
                patience: doctor::PATIENCE,
                endpoints: Vec::new(),
                say: &ask,
            };
            (doctor::examine(&config, outside).await, language)
        }
        Err(error) => (doctor::unusable(&error), args.lang.unwrap_or_default()),
    };
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)?,
        false => report
            .to_text(language, has_colours())
            .trim_end()
            .to_owned(),
    };
    say(&text)?;
    Ok(match report.can_work {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Everything in a configuration that keeps the bot from starting.
fn load(file: &Path) -> Result<Config, ConfigError> {
    let config = Config::load(file)?;
    crate::app::check_reactions(&config).map_err(|error| ConfigError {
        source: file.display().to_string(),
        problems: vec![error.to_string()],
    })?;
    Ok(config)
}

/// Colours are for eyes, and not for all of them (<https://no-color.org>).
fn has_colours() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !unwanted
}

async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    telemetry::init(&config.log)?;
    App::build(config).await?.run_until(told_to_stop()).await
}

async fn sandbox(args: SandboxArgs) -> anyhow::Result<()> {
    let options = Options {
        listen: args.listen,
        seed: args.seed,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.with_context(|| {
        format!(
            "cannot serve the sandbox at {}; --listen 127.0.0.1:0 takes any free port",
            args.listen
        )
    })?;
    let access = sandbox.state();
    if let Some(file) = &args.write_config {
        std::fs::write(
            file,
            written_config(&access, &state_beside(file, args.data.as_deref())),
        )
        .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.platform_only {
        telemetry::init(&Config::default().log)?;
        say(&platform_greeting(&access, args.write_config.as_deref()))?;
        told_to_stop().await;
    } else {
        run_bot_in(&sandbox, &args).await?;
    }
    sandbox.stop();
    sandbox.stopped().await;
    Ok(())
}

/// Runs the bot against the sandbox it shares a process with.
async fn run_bot_in(sandbox: &Sandbox, args: &SandboxArgs) -> anyhow::Result<()> {
    let access = &sandbox.state();
    let temporary = TemporaryFolder::new(access)?;
    let data = args.data.as_deref().unwrap_or(&temporary.0);
    let (source, text) = match &args.config {
        None => ("the sandbox".to_owned(), on_call::sections(access)),
        Some(file) => (
            file.display().to_string(),
            std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
        ),
    };
    let config = Config::parse(
        &source,
        &text,
        sandbox_variables(access, data, args.config.is_some()),
    )?;
    telemetry::init(&config.log)?;
    let model = if config.model.base_url == access.model_url {
        "answers come from rules; set OPENAI_API_KEY to use a real model".to_owned()
    } else {
        format!(
            "answers come from {} at {}",
            config.model.name, config.model.base_url
        )
    };
    let takes_alerts = args.config.is_none();
    let app = App::build(config).await?;
    let alerts = match takes_alerts {
        true => {
            let base_url = format!("http://{}", app.web_address());
            let line = format!(
                "\n  alerts are taken at {base_url}/alerts/{SANDBOX_ALERTS_KEY}/<format>; docs/alerts.md has the formats"
            );
            // For the page's button; who brings a configuration says it by POST /sandbox/alerts/to.
            sandbox.send_alerts_to(AlertTarget {
                base_url,
                integration_key: SANDBOX_ALERTS_KEY.to_owned(),
            });
            line
        }
        false => String::new(),
    };
    say(&greeting(access, &format!("{model}{alerts}")))?;
    app.run_until(told_to_stop()).await
}

/// What the sandbox decides, the model that the environment names, and last what the user set by hand.
fn sandbox_variables(access: &Access, data: &Path, has_file: bool) -> Vec<(String, String)> {
    let env = |name: &str| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.trim().is_empty())
    };
    let mut variables = vec![
        ("FEISHU__BASE_URL", access.base_url.clone()),
        ("FEISHU__APP_ID", access.app_id.clone()),
        ("FEISHU__APP_SECRET", access.app_secret.clone()),
        // For webhook mode, which NIGHTJAR__FEISHU__EVENTS switches on.
        (
            "FEISHU__VERIFICATION_TOKEN",
            access.verification_token.clone(),
        ),
        ("FEISHU__ENCRYPT_KEY", access.encrypt_key.clone()),
        (
            "STORE__PATH",
            toml_text(&data.join("store").display().to_string()),
        ),
    ];
    if !has_file {
        // So that what only administrators may do can be tried too.
        if let Some(person) = &access.first_person {
            variables.push(("ACCESS__ADMINISTRATORS", format!("[{}]", toml_text(person))));
        }
        variables.push(("ALERTS__INTEGRATIONS", format!("[{SANDBOX_INTEGRATION}]")));
        // The port is of no interest to someone who tries things out, and must never be taken.
        variables.push(("WEB__LISTEN", "127.0.0.1:0".to_owned()));
        let (base_url, key) = (env("OPENAI_BASE_URL"), env("OPENAI_API_KEY"));
        if base_url.is_none() && key.is_none() {
            variables.push(("MODEL__BASE_URL", access.model_url.clone()));
            variables.push(("MODEL__NAME", "rules".to_owned()));
        }
        variables.extend(base_url.map(|url| ("MODEL__BASE_URL", url)));
        variables.extend(key.map(|key| ("MODEL__API_KEY", key.trim().to_owned())));
        variables.extend(env("OPENAI_MODEL").map(|name| ("MODEL__NAME", name)));
    }
    let prefixed = variables
        .into_iter()
        .map(|(name, value)| (format!("{ENV_PREFIX}{name}"), value));
    // Later ones win, so a NIGHTJAR__ variable is stronger than the sandbox's own choice.
    prefixed
        .chain(std::env::vars().filter(|(name, _)| name.starts_with(ENV_PREFIX)))
        .collect()
}

/// The configuration of a bot in a process of its own.
fn written_config(access: &Access, store: &Path) -> String {
    format!(
        "# Connects `nightjar run --config` to the sandbox at {base_url}.\n\
         [feishu]\nbase_url = {base}\napp_id = {id}\napp_secret = {secret}\n\
         # For events = \"webhook\"; the sandbox is told where to post by POST /sandbox/webhook.\n\
         verification_token = {token}\nencrypt_key = {key}\n\n\
         [model]\nbase_url = {model}\nname = \"rules\"\n\n\
         [store]\npath = {store}\n\n\
         # Who may use /doctor and /audit: the person as whom the page opens.\n\
         [access]\nadministrators = [{administrators}]\n\n\
         # Alerts are posted to /alerts/<key>/<format> at the address of [web]; docs/alerts.md.\n\
         [alerts]\nintegrations = [{SANDBOX_INTEGRATION}]\n\n\
         {on_call}\
         [web]\nlisten = \"127.0.0.1:0\"\n",
        on_call = on_call::sections(access),
        base_url = access.base_url,
        base = toml_text(&access.base_url),
        id = toml_text(&access.app_id),
        secret = toml_text(&access.app_secret),
        token = toml_text(&access.verification_token),
        key = toml_text(&access.encrypt_key),
        model = toml_text(&access.model_url),
        store = toml_text(&store.display().to_string()),
        administrators = access
            .first_person
            .as_deref()
            .map(toml_text)
            .unwrap_or_default(),
    )
}

/// Where a bot that is started with the written configuration keeps its state.
fn state_beside(file: &Path, data: Option<&Path>) -> PathBuf {
    let store = match data {
        Some(data) => data.join("store"),
        None => file.with_extension("store"),
    };
    std::path::absolute(&store).unwrap_or(store)
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn greeting(access: &Access, line: &str) -> String {
    format!(
        "Nightjar's sandbox is at {}\n  open it, and write \"@Nightjar what is going on?\" into the group\n  {line}\n  Ctrl-C ends it",
        access.page_url
    )
}

/// What one reads where no bot is in this process.
fn platform_greeting(access: &Access, config: Option<&Path>) -> String {
    let line = match config {
        Some(file) => format!(
            "no bot is in here yet; this connects one: nightjar run --config {}",
            file.display()
        ),
        None => {
            "no bot is in here; --write-config FILE writes what one needs to connect".to_owned()
        }
    };
    greeting(access, &line)
}

/// Prints to standard output, where a closed pipe is the reader's business and not an error of ours.
fn say(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Completes at Ctrl-C or SIGTERM.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate =
        signal(SignalKind::terminate()).expect("a process may listen for its own SIGTERM");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("told to stop");
}

/// A folder that goes away with its owner, also when the sandbox ends with an error.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new(access: &Access) -> anyhow::Result<Self> {
        let name = format!("nightjar-sandbox-{}-{}", std::process::id(), access.app_id);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
