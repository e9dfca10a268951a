//! The list of incidents.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::error;

use crate::{
    bot::{
        Bot,
        card::{
            incident::{Names, open_id, severity_word, status_word},
            notice::{Notice, Template},
            shorten,
        },
        command::Request,
        handling::{self, Told},
        incidents::Case,
        markdown::escape,
        notice, times,
    },
    config::Language,
    incident::severity::Severity,
};

use super::{say, title};

/// How many are listed.
const SHOWN: usize = 30;
/// How many of the last ones.
const LAST_SHOWN: usize = 20;
const TITLE_CHARS_MAX: usize = 100;

pub(super) async fn run(bot: &Bot, request: &Request, all: bool) {
    let cases = match all {
        false => bot.incidents().list_open(),
        true => match bot.incidents().latest(LAST_SHOWN).await {
            Ok(cases) => cases,
            Err(error) => {
                error!(%error, "the last incidents cannot be read");
                return say(bot, request, "incident", &Told::not_read()).await;
            }
        },
    };
    let people = cases
        .iter()
        .filter_map(|case| case.incident.responders.first());
    let people: Vec<_> = people.filter_map(open_id).collect();
    let names = handling::names(bot, &people, &request.place.chat).await;
    let text = text(&cases, all, &names, Timestamp::now(), request.language);
    let title = match all {
        false => title(request, "Open incidents", "未解决的故障"),
        true => title(request, "The last incidents", "最近的故障"),
    };
    let notice = Notice {
        title: Some(title),
        text: &text,
        template: match cases.iter().any(|case| case.incident.is_open()) {
            true => Template::Orange,
            false => Template::Green,
        },
    };
    notice::send_card(bot, &request.place, "incident", &notice).await;
}

fn text(
    cases: &[Arc<Case>],
    all: bool,
    names: &Names,
    now: Timestamp,
    language: Language,
) -> String {
    if cases.is_empty() {
        return match (all, language) {
            (false, Language::En) => "Nothing is open.".to_owned(),
            (false, Language::Zh) => "没有未解决的故障。".to_owned(),
            (true, Language::En) => "There has been none yet.".to_owned(),
            (true, Language::Zh) => "还没有发生过故障。".to_owned(),
        };
    }
    let lines = cases
        .iter()
        .take(SHOWN)
        .map(|case| line(case, names, now, language));
    let mut text: Vec<String> = lines.collect();
    if let Some(more) = cases.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push(match language {
            Language::En => format!("- and {more} more"),
            Language::Zh => format!("- 另有 {more} 个"),
        });
    }
    text.join("\n")
}

fn line(case: &Case, names: &Names, now: Timestamp, language: Language) -> String {
    let incident = &case.incident;
    let mut facts = vec![
        severity_word(incident.severity, language).to_owned(),
        status_word(incident, language),
        times::before(language, incident.started_at, now),
    ];
    if let Some(first) = incident.responders.first() {
        facts.push(names.of(first));
    }
    let separator = match language {
        Language::En => ", ",
        Language::Zh => "，",
    };
    format!(
        "- {} **#{}** {} ({})",
        dot(incident.severity, incident.is_open()),
        incident.number,
        escape(&shorten(&incident.title, TITLE_CHARS_MAX)),
        escape(&facts.join(separator)),
    )
}

fn dot(severity: Severity, is_open: bool) -> &'static str {
    match severity {
        _ if !is_open => "🟢",
        Severity::Critical => "🔴",
        Severity::Error => "🟠",
        Severity::Warning => "🟡",
        Severity::Info => "🔵",
    }
}
