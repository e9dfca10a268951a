//! `nightjar postmortem`: the draft of a report from files, for trying things out and for rooms of other tools.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Language, PostmortemConfig},
    llm::Model,
    postmortem::{self, Draft, Progress, asking::PATIENCE, check::Verdict, events},
    telemetry,
};

/// How often progress is told at most, where there is much of it.
const TOLD_EVERY: Duration = Duration::from_secs(1);

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
    /// [default: the configuration's, or default]
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Where the files are written, and parts that are read are kept until then
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Ask the model of this configuration, and take from its [postmortem] what no option says; without it, no
    /// model is used
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A host that the report may link to; may be given several times [default: the configuration's, or none]
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// How many tokens of the room the model reads at most, 0 for all; what is left out is said to be left out
    /// [default: the configuration's, or 0]
    #[arg(long, value_name = "TOKENS")]
    tokens_max: Option<usize>,
    /// How many requests to the model may be under way at once, 1 to 32 [default: the configuration's, or 4]
    #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u8).range(1..=32))]
    parallel: Option<u8>,
}

/// Drafts a report from files. Ctrl-C ends it, and what was read by then is not read again.
pub(super) async fn draft(args: PostmortemArgs) -> anyhow::Result<()> {
    let transcript = read_text(&args.transcript)?;
    let transcript = postmortem::Transcript::from_ndjson(&transcript)
        .with_context(|| args.transcript.display().to_string())?;
    let records = postmortem::Records::from_json(&read_text(&args.incident)?)
        .map_err(anyhow::Error::msg)
        .with_context(|| args.incident.display().to_string())?;
    let (settings, model) = settings(&args)?;
    let folder = settings.folder();
    let template = postmortem::Template::told(&folder, &settings.template, args.lang)
        .map_err(anyhow::Error::msg)?;
    let kept = KeptInFolder(args.out.join("postmortem.parts"));
    std::fs::create_dir_all(&kept.0)
        .with_context(|| format!("cannot make the folder {}", kept.0.display()))?;
    let order = postmortem::Order {
        transcript: &transcript,
        records: &records,
        template: &template,
        language: args.lang,
        model: model.as_ref(),
        parallel: settings.parallel,
        tokens_max: (settings.tokens_max > 0).then_some(settings.tokens_max),
        hosts: &settings.hosts,
        human: &[],
        only: None,
        patience: PATIENCE,
        cancel: CancellationToken::new(),
    };
    let teller = Teller::new(args.lang);
    let tell = |progress| teller.tell(progress);
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
    super::say(&summary(&draft, &args.out, args.lang))
}

/// What the options say, then the configuration, then the defaults; and the model that is asked, if any.
fn settings(args: &PostmortemArgs) -> anyhow::Result<(PostmortemConfig, Option<Model>)> {
    let (mut settings, model) = match &args.config {
        None => (PostmortemConfig::default(), None),
        Some(file) => {
            let config = Config::load(file)?;
            let model = || Model::new(&config.model, telemetry::Metrics::default());
            let model = match config.postmortem.model.as_str() {
                "none" => None,
                "" => Some(model()?),
                name => Some(model()?.with_name(name)),
            };
            (config.postmortem, model)
        }
    };
    if let Some(template) = &args.template {
        settings.template.clone_from(template);
    }
    if !args.hosts.is_empty() {
        settings.hosts.clone_from(&args.hosts);
    }
    settings.tokens_max = args.tokens_max.unwrap_or(settings.tokens_max);
    settings.parallel = args.parallel.map_or(settings.parallel, usize::from);
    Ok((settings, model))
}

/// Tells on standard error how far the draft is.
struct Teller {
    language: Language,
    told_at: Mutex<Option<Instant>>,
}

impl Teller {
    fn new(language: Language) -> Self {
        Self {
            language,
            told_at: Mutex::default(),
        }
    }

    fn tell(&self, progress: Progress) {
        let is_between = match progress {
            Progress::Reading { done, of } | Progress::Writing { done, of } => done < of,
            Progress::Facts { .. } | Progress::Checking => false,
        };
        let Ok(mut told_at) = self.told_at.lock() else {
            return;
        };
        if is_between && told_at.is_some_and(|at| at.elapsed() < TOLD_EVERY) {
            return;
        }
        *told_at = Some(Instant::now());
        // A closed standard error means that nobody reads.
        let _ = writeln!(std::io::stderr(), "{}", sentence(progress, self.language));
    }
}

fn sentence(progress: Progress, language: Language) -> String {
    match (progress, language) {
        (Progress::Facts { messages }, Language::En) => {
            format!("The facts of {messages} messages are computed.")
        }
        (Progress::Facts { messages }, Language::Zh) => {
            format!("已根据 {messages} 条消息算出关键数据。")
        }
        (Progress::Reading { done, of }, Language::En) => {
            format!("The model has read {done} of {of} parts of the room.")
        }
        (Progress::Reading { done, of }, Language::Zh) => {
            format!("模型已读取群聊：{done}/{of} 段。")
        }
        (Progress::Writing { done, of }, Language::En) => {
            format!("{done} of {of} sections are written.")
        }
        (Progress::Writing { done, of }, Language::Zh) => format!("已写好 {done}/{of} 节。"),
        (Progress::Checking, Language::En) => "Every line is held against its sources.".to_owned(),
        (Progress::Checking, Language::Zh) => "正在逐条核对出处。".to_owned(),
    }
}

/// What was written, what it cost, and what the checks say.
fn summary(draft: &Draft, out: &Path, language: Language) -> String {
    let folder = out.display();
    let count = |verdict: Verdict| {
        let checks = draft.checks.checks.iter();
        checks.filter(|check| check.verdict == verdict).count()
    };
    let (passed, warned, failed) = (
        count(Verdict::Pass),
        count(Verdict::Warn),
        count(Verdict::Fail),
    );
    let (calls, tokens) = (draft.cost.calls(), draft.cost.tokens());
    let percent = draft.cost.read_percent();
    match language {
        Language::En => {
            let read = percent.map_or_else(String::new, |percent| {
                format!(" (reading: {:.2} × the room)", percent as f64 / 100.0)
            });
            format!(
                "wrote postmortem.md, events.json and checks.json to {folder}; {calls} requests, {tokens} tokens{read}; \
                 checks: {passed} passed, {warned} to look at, {failed} failed"
            )
        }
        Language::Zh => {
            let read = percent.map_or_else(String::new, |percent| {
                format!("（读取为群聊的 {:.2} 倍）", percent as f64 / 100.0)
            });
            format!(
                "已将 postmortem.md、events.json 和 checks.json 写入 {folder}；请求 {calls} 次，{tokens} tokens{read}；\
                 核对：通过 {passed} 项，需要看一下 {warned} 项，未通过 {failed} 项"
            )
        }
    }
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
