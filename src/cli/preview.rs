//! `nightjar config preview-alert`: what a payload would become, why, and who would be told. Sends nothing.

use std::{
    collections::BTreeMap,
    fmt::Write,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    config::{Config, IncidentsConfig, IntegrationConfig},
    incident::{
        alert::{
            self, Alert, Change, Format, Status,
            generic::{self, Reason},
        },
        grouping::{Grouping, labels_for_rules},
        labels::Labels,
        routing::{self, Route},
    },
};

/// How many alerts are shown. Whoever looks for a mistake finds it in the first.
const SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The integration that it would come from
    #[arg(long, value_name = "NAME")]
    integration: String,
    /// The format; without it the one that the integration sends, or its own by its mapping
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// A header of the request, such as "ce-type: com.example.disk.full"; CloudEvents may need some
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// For machines
    #[arg(long)]
    json: bool,
    /// The body of the request; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    body: PathBuf,
}

fn format(name: &str) -> Result<Format, String> {
    let mut formats = Format::ALL.into_iter();
    formats.find(|one| one.as_str() == name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.into_iter().map(Format::as_str).collect();
        format!("it is one of {}", names.join(", "))
    })
}

fn header(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once(':');
    pair.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .ok_or_else(|| "write it as NAME: VALUE".to_owned())
}

/// Everything that can be said of a payload.
#[derive(Serialize)]
struct Preview {
    format: Format,
    alerts: Vec<Shown>,
    /// How many alerts are not shown here.
    further: usize,
    changes: Vec<Change>,
    /// How many alerts were left out of the request, or did not fit.
    left_out: u64,
    notes: Vec<String>,
}

/// One alert, and what would come of it.
#[derive(Serialize)]
struct Shown {
    alert: Alert,
    /// Where its parts came from, where a mapping decides that.
    reasons: Vec<Reason>,
    /// Alerts that agree in these are one incident.
    group: BTreeMap<String, String>,
    /// Who would be told now. Empty: the catch-all.
    routes: Vec<Route>,
}

/// Reads the payload and gives the text to print.
pub(super) fn preview(args: &PreviewArgs) -> anyhow::Result<String> {
    let config = Config::load(&args.config)?;
    let mut integrations = config.alerts.integrations.iter();
    let Some(integration) = integrations.find(|one| one.name == args.integration) else {
        let names = config.alerts.integrations.iter().map(|one| &*one.name);
        bail!(
            "there is no integration of this name in [alerts]; there are: {}",
            names.collect::<Vec<_>>().join(", ")
        );
    };
    let format = match args.format {
        Some(format) => format,
        None => format_of(integration)?,
    };
    let preview = look(
        &config,
        integration,
        format,
        &args.headers,
        &read(&args.body)?,
    )?;
    match args.json {
        true => Ok(serde_json::to_string_pretty(&preview)?),
        false => Ok(preview.to_text(&config.incidents).trim_end().to_owned()),
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    match file == Path::new("-") {
        true => std::io::stdin()
            .read_to_end(&mut body)
            .context("cannot read standard input")?,
        false => {
            body =
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            body.len()
        }
    };
    Ok(body)
}

fn format_of(integration: &IntegrationConfig) -> anyhow::Result<Format> {
    match (&*integration.formats, &integration.mapping) {
        ([only], _) => Ok(*only),
        ([], Some(_)) => Ok(Format::Generic),
        _ => bail!("this integration may send several formats: say which one with --format"),
    }
}

fn look(
    config: &Config,
    integration: &IntegrationConfig,
    format: Format,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Preview, alert::AlertError> {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
    let mapping = integration.mapping.as_ref();
    let batch = alert::read(format, body, &headers, mapping)?;
    let told = batch.alerts.len();
    let explained: Vec<(Alert, Vec<Reason>)> = match mapping {
        Some(mapping) if format == Format::Generic => generic::preview(body, mapping)?
            .into_iter()
            .map(|one| (one.alert, one.reasons))
            .collect(),
        _ => {
            let alerts = batch.alerts.into_iter().take(SHOWN_MAX);
            alerts.map(|alert| (alert, Vec::new())).collect()
        }
    };
    let show = |(alert, reasons)| shown(alert, reasons, &integration.name, &config.incidents);
    let alerts: Vec<Shown> = explained.into_iter().map(show).collect();
    Ok(Preview {
        format,
        further: told.saturating_sub(alerts.len()),
        alerts,
        changes: batch.changes,
        left_out: batch.left_out,
        notes: batch.notes,
    })
}

fn shown(alert: Alert, reasons: Vec<Reason>, integration: &str, config: &IncidentsConfig) -> Shown {
    let labels = labels_for_rules(&alert, integration);
    let default = Grouping::default();
    let mut rules = config.grouping.iter();
    let rule = rules.find(|rule| rule.matchers.match_all(&labels));
    let names = &rule.unwrap_or(&default).by;
    let found = |name: &String| Some((name.clone(), labels.get(name)?.clone()));
    let routes = routing::routes(&config.routes, &labels, alert.severity, Timestamp::now());
    Shown {
        group: names.iter().filter_map(found).collect(),
        routes: routes.into_iter().cloned().collect(),
        alert,
        reasons,
    }
}

impl Preview {
    fn to_text(&self, config: &IncidentsConfig) -> String {
        let mut text = String::new();
        let count = self.alerts.len() + self.further;
        for (at, shown) in self.alerts.iter().enumerate() {
            let _ = writeln!(text, "Alert {} of {count}", at + 1);
            shown.write(config, &mut text);
            text.push('\n');
        }
        if self.further > 0 {
            let _ = writeln!(text, "{} further alerts are not shown.\n", self.further);
        }
        if self.alerts.is_empty() {
            text.push_str("There is no alert in it.\n\n");
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }
}

impl Shown {
    fn write(&self, config: &IncidentsConfig, text: &mut String) {
        let alert = &self.alert;
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                // What has several lines stays in its column.
                let value = value.replace('\n', "\n               ");
                let _ = writeln!(text, "  {name:<12} {value}");
            }
        };
        line("title", &alert.title);
        line("status", &alert.status.to_string());
        line("severity", alert.severity.as_str());
        line("key", alert.key.as_str());
        line("description", &alert.description);
        line("labels", &pairs(&alert.labels));
        line("annotations", &pairs(&alert.annotations));
        line("values", &pairs(&alert.values));
        line("began", &time(alert.starts_at));
        if alert.status == Status::Resolved {
            line("ended", &time(alert.ends_at));
        }
        line("reported", &time(alert.as_of));
        line("source", &alert.source);
        line("links", &links(&alert.links).join("\n"));
        let unknown: Vec<&str> = alert.unknown.keys().map(String::as_str).collect();
        line("also kept", &unknown.join(", "));
        line("notes", &alert.notes.join("\n"));
        line(
            "one incident",
            &match self.group.is_empty() {
                true => "with reports of the same alert only".to_owned(),
                false => format!("with alerts that agree in {}", pairs(&self.group)),
            },
        );
        line("told", &self.told(config));
        let reasons = self.reasons.iter();
        let reasons = reasons.map(|reason| format!("{}: {}", reason.part, reason.why));
        line("because", &reasons.collect::<Vec<_>>().join("\n"));
    }

    fn told(&self, config: &IncidentsConfig) -> String {
        let who = |chats: &[String], policy: &Option<String>| {
            let policy = policy.iter().map(|name| format!("policy {name}"));
            let all: Vec<String> = chats.iter().cloned().chain(policy).collect();
            all.join(", ")
        };
        if self.routes.is_empty() {
            let who = who(config.catch_all.as_slice(), &config.catch_all_policy);
            return match who.is_empty() {
                true => "nobody: no route takes it, and there is no `catch_all`".to_owned(),
                false => format!("no route takes it, so the catch-all: {who}"),
            };
        }
        let routes = self.routes.iter();
        let routes = routes.map(|route| {
            let name = match route.name.is_empty() {
                true => "a route without a name",
                false => &route.name,
            };
            format!("{name}: {}", who(&route.chats, &route.policy))
        });
        routes.collect::<Vec<_>>().join("\n")
    }
}

fn pairs(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

fn time(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn links(links: &alert::Links) -> Vec<String> {
    let named = [
        ("source", &links.source),
        ("silence", &links.silence),
        ("runbook", &links.runbook),
        ("dashboard", &links.dashboard),
        ("panel", &links.panel),
        ("image", &links.image),
    ];
    let named = named.into_iter();
    let named = named.filter_map(|(name, url)| Some(format!("{name}: {}", url.as_ref()?)));
    let others = links.others.iter();
    named
        .chain(others.map(|link| format!("{}: {}", link.text, link.url)))
        .collect()
}
