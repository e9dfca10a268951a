//! `nightjar postmortem`: the draft of a report from files, for trying things out and for rooms of other tools.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Language},
    llm::Model,
    postmortem::{self, events},
    telemetry,
};

#[derive(Debug, Args)]
pub(super) struct PostmortemArgs {
    /// What was said in the room; docs/postmortem.md describes the format
    #[arg(long, value_name = "FILE")]
    transcript: PathBuf,
    /// The incident and its timeline, as JSON
    #[arg(long, value_name = "FILE")]
    incident: PathBuf,
    /// The language of the report: en or zh
    #[arg(long, value_name = "LANGUAGE", value_parser = super::language, default_value = "en")]
    lang: Language,
    /// The template: default, full, one of the configuration's folder, or a Markdown file of your own
    #[arg(long, value_name = "NAME", default_value = "default")]
    template: String,
    /// Where the files are written, and parts that are read are kept until then
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Ask the model of this configuration; without it, no model is used
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Drafts a report from files. Ctrl-C ends it, and what was read by then is not read again.
pub(super) async fn draft(args: PostmortemArgs) -> anyhow::Result<()> {
    let transcript = read_text(&args.transcript)?;
    let transcript = postmortem::Transcript::from_ndjson(&transcript)
        .with_context(|| args.transcript.display().to_string())?;
    let records = postmortem::Records::from_json(&read_text(&args.incident)?)
        .map_err(anyhow::Error::msg)
        .with_context(|| args.incident.display().to_string())?;
    let config = args.config.as_deref().map(Config::load).transpose()?;
    let folder = config.as_ref().map(|config| config.postmortem.folder());
    let folder = folder.unwrap_or_default();
    let template = postmortem::Template::told(&folder, &args.template, args.lang)
        .map_err(anyhow::Error::msg)?;
    let model = match &config {
        None => None,
        Some(config) => Some(Model::new(&config.model, telemetry::Metrics::default())?),
    };
    let kept = KeptInFolder(args.out.join("postmortem.parts"));
    std::fs::create_dir_all(&kept.0)
        .with_context(|| format!("cannot make the folder {}", kept.0.display()))?;
    let order = postmortem::Order {
        transcript: &transcript,
        records: &records,
        template: &template,
        language: args.lang,
        model: model.as_ref(),
        parallel: 4,
        tokens_max: None,
        hosts: &[],
        human: &[],
        only: None,
        cancel: CancellationToken::new(),
    };
    let tell = |progress: postmortem::Progress| {
        // A closed standard error means that nobody reads.
        let _ = writeln!(std::io::stderr(), "{progress:?}");
    };
    let draft = tokio::select! {
        draft = postmortem::draft(&order, &kept, &tell) => draft?,
        () = super::told_to_stop() => anyhow::bail!("the draft was cancelled"),
    };
    let write = |name: &str, text: &str| {
        let file = args.out.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    write("postmortem.md", &draft.markdown)?;
    write("events.json", &serde_json::to_string_pretty(&draft.events)?)?;
    write("checks.json", &serde_json::to_string_pretty(&draft.checks)?)?;
    // The draft is there, so nothing has to be resumed any more; a folder that stays does no harm.
    let _ = std::fs::remove_dir_all(&kept.0);
    let folder = args.out.display();
    let (calls, tokens) = (
        draft.cost.calls,
        draft.cost.prompt_tokens + draft.cost.completion_tokens,
    );
    super::say(&format!(
        "wrote postmortem.md, events.json and checks.json to {folder}; {calls} requests, {tokens} tokens"
    ))
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Parts that were read, a file each, so that a draft that was cut short does not pay for them twice.
struct KeptInFolder(PathBuf);

impl KeptInFolder {
    fn file(&self, key: &str) -> PathBuf {
        self.0.join(format!("{key}.json"))
    }
}

impl events::KeptChunks for KeptInFolder {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<events::ChunkEvents>> {
        let text = std::fs::read_to_string(self.file(key)).ok();
        Box::pin(std::future::ready(
            text.and_then(|text| serde_json::from_str(&text).ok()),
        ))
    }

    fn keep<'a>(&'a self, key: &'a str, found: &'a events::ChunkEvents) -> BoxFuture<'a, ()> {
        let (file, part) = (self.file(key), self.file(&format!("{key}.part")));
        let text = serde_json::to_string(found).unwrap_or_default();
        // Renamed into place, so that a file that is there is whole. What cannot be kept is read again.
        let _ = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &file));
        Box::pin(std::future::ready(()))
    }
}
