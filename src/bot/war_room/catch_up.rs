//! What happened in a room so far, in a few lines: from the incident's records and the room's own words.
//!
//! The model writes it where there is one. Without it the same is told from the records alone, and says so;
//! an outage takes models down too.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::warn;

use crate::{
    agent::{
        self, Attached, ChatKind, Content, Context, Excerpt, Facts, Outcome, Toolbox, TurnEvent,
        With,
    },
    bot::{
        Bot,
        card::{
            incident::{self, Names, people_of},
            shorten,
        },
        handling,
        incidents::Case,
        markdown::escape,
        people::stand_in,
    },
    config::Language,
    feishu::{ChatId, OpenId},
    incident::{Entry, PersonId, What},
    prompt::{self, Prompt},
};

use super::{
    Progress, Trouble, lock,
    opening::known,
    record::Said,
    told_line::{self, Telling},
    words::{either, mark_name, role_name},
};

/// How long the model may take.
const WITHIN: Duration = Duration::from_secs(90);
/// How long those who ask one after the other are told the same.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// How many entries of the timeline are told of.
const ENTRIES_MAX: u32 = 60;
/// How many marked messages are told of.
const MARKED_MAX: usize = 20;
/// How many of the newest messages are read, and how long ago the first look goes.
const SAID_MAX: usize = 400;
const FIRST_LOOK: Duration = Duration::from_secs(2 * 3600);
const QUOTE_CHARS_MAX: usize = 160;

/// A summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) struct Summary {
    /// What it says.
    pub text: String,
    /// Whether the model wrote it.
    pub is_by_model: bool,
}

/// A summary that was told lately.
pub(super) struct Kept {
    at: Timestamp,
    language: Language,
    summary: Summary,
}

impl Summary {
    /// With a word about where it comes from.
    pub(in crate::bot) fn whole(&self, language: Language) -> String {
        let from = match self.is_by_model {
            true => either(
                language,
                "Written by the model from the records and from what was said here; check what matters.",
                "由模型根据记录和群内发言整理，重要信息请核实。",
            ),
            false => either(
                language,
                "From the records alone: the model could not be asked.",
                "仅来自记录：模型暂不可用。",
            ),
        };
        format!("{}\n\n{from}", self.text)
    }
}

/// What happened so far.
pub(in crate::bot) async fn summary(
    bot: &Bot,
    progress: &Progress,
    room: &ChatId,
    language: Language,
) -> Result<Summary, Trouble> {
    if let Some(kept) = recent(bot, room, language) {
        return Ok(kept);
    }
    let case = bot.incidents().get(&progress.incident).await?;
    let case = case.ok_or(crate::bot::incidents::Error::Unknown)?;
    let records = records(bot, &case, progress, room, language).await?;
    let said = newest(bot, room).await?;
    let asked = timeout(WITHIN, ask(bot, room, &records, said, language)).await;
    let written = asked.ok().flatten();
    let summary = Summary {
        is_by_model: written.is_some(),
        text: written.unwrap_or(records),
    };
    lock(&bot.rooms().summaries).insert(
        room.clone(),
        Kept {
            at: Timestamp::now(),
            language,
            summary: summary.clone(),
        },
    );
    Ok(summary)
}

/// The last one, if it is fresh and nothing was said since.
fn recent(bot: &Bot, room: &ChatId, language: Language) -> Option<Summary> {
    let heard = bot.rooms().last_heard(room);
    let summaries = lock(&bot.rooms().summaries);
    let kept = summaries.get(room)?;
    let age = Timestamp::now().duration_since(kept.at).unsigned_abs();
    let is_fresh = age < KEPT_FOR && heard.is_none_or(|heard| heard < kept.at);
    (is_fresh && kept.language == language && kept.summary.is_by_model)
        .then(|| kept.summary.clone())
}

/// What the records say.
async fn records(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    room: &ChatId,
    language: Language,
) -> Result<String, Trouble> {
    let incidents = bot.incidents();
    let latest = incidents.latest_alert(case).await?;
    let after = case.incident.entries.saturating_sub(ENTRIES_MAX);
    let entries = incidents
        .timeline(case.number(), after, ENTRIES_MAX as usize)
        .await?;
    let mut people = people_of(&case.incident, &entries);
    people.extend(progress.roles.values().cloned());
    let names = handling::names(bot, &people, room).await;
    let mut text = known(
        &case.incident,
        latest.as_ref(),
        &names,
        &bot.0.zone,
        language,
    );
    for (role, person) in &progress.roles {
        let person = PersonId(person.as_str().to_owned());
        let name = escape(&names.of(&person));
        let role = role_name(role, language);
        text.push_str(&format!("\n- {role}{}{name}", either(language, ": ", "：")));
    }
    let marked = marked(bot, room, language).await?;
    if !marked.is_empty() {
        let head = either(language, "**Marked in the room**", "**群内标记**");
        text.push_str(&format!("\n\n{head}\n{}", marked.join("\n")));
    }
    let lines = timeline(bot, &entries, &names, language);
    if !lines.is_empty() {
        let head = either(language, "**What was done**", "**操作记录**");
        text.push_str(&format!("\n\n{head}\n{}", lines.join("\n")));
    }
    Ok(text)
}

/// The messages that were marked, the newest ones, in their order.
async fn marked(bot: &Bot, room: &ChatId, language: Language) -> Result<Vec<String>, Trouble> {
    let mut lines: Vec<String> = Vec::new();
    let zone = &bot.0.zone;
    bot.rooms()
        .record()
        .each(room, None, |said| {
            for mark in &said.marks {
                let at = said.at.to_zoned(zone.clone());
                let quote = said
                    .shown()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ");
                lines.push(format!(
                    "- {} {}{}{}",
                    at.strftime("%m-%d %H:%M"),
                    mark_name(&mark.mark, language),
                    either(language, ": ", "："),
                    escape(&shorten(&quote, QUOTE_CHARS_MAX)),
                ));
            }
        })
        .await?;
    let first = lines.len().saturating_sub(MARKED_MAX);
    Ok(lines.split_off(first))
}

/// A line for each entry; those of one minute together.
fn timeline(bot: &Bot, entries: &[Entry], names: &Names, language: Language) -> Vec<String> {
    let telling = Telling {
        sentences: incident::Telling {
            names,
            zone: &bot.0.zone,
            now: Timestamp::now(),
            language,
        },
        messages: &HashMap::new(),
    };
    let minute = |entry: &Entry| entry.at.as_second() / 60;
    let together = entries.chunk_by(|one, other| minute(one) == minute(other));
    together
        .filter_map(|together| {
            let shown: Vec<Entry> = together
                .iter()
                // Their words stand above already.
                .filter(|entry| !matches!(entry.what, What::Marked { .. } | What::Unmarked { .. }))
                .cloned()
                .collect();
            let line = told_line::line(&shown, &telling)?;
            let at = together.first()?.at.to_zoned(bot.0.zone.clone());
            Some(format!("- {} {line}", at.strftime("%m-%d %H:%M")))
        })
        .collect()
}

/// The newest words of this room and of no other, the oldest first.
pub(super) async fn newest(bot: &Bot, room: &ChatId) -> Result<Vec<agent::Said>, Trouble> {
    let now = Timestamp::now();
    let mut look = FIRST_LOOK;
    let said = loop {
        let since = now.checked_sub(look).ok();
        let mut said: Vec<Said> = Vec::new();
        bot.rooms()
            .record()
            .each(room, since, |one| {
                said.push(one);
                if said.len() > 2 * SAID_MAX {
                    said.drain(..SAID_MAX);
                }
            })
            .await?;
        // A room in which little was said lately is looked at further back, up to a month.
        if said.len() >= SAID_MAX / 4 || look > Duration::from_secs(30 * 24 * 3600) {
            break said;
        }
        look *= 6;
    };
    let first = said.len().saturating_sub(SAID_MAX);
    let said = &said[first..];
    let mut people: Vec<OpenId> = said
        .iter()
        .filter(|one| !one.author.is_bot)
        .map(|one| OpenId::new(one.author.id.as_str()))
        .collect();
    people.sort();
    people.dedup();
    let names = bot.0.people.names(&people, room).await;
    let author = |one: &Said| match (bot.me().is(&one.author.id), &one.author.name) {
        (true, _) => bot.me().name.clone(),
        (false, Some(name)) if one.author.is_bot => name.clone(),
        (false, _) => {
            let name = names.get(&OpenId::new(one.author.id.as_str())).cloned();
            name.unwrap_or_else(|| stand_in(&one.author.id))
        }
    };
    let authors: HashMap<_, _> = said.iter().map(|one| (&one.id, author(one))).collect();
    let lines = said.iter().map(|one| agent::Said {
        author: author(one),
        is_bot: one.author.is_bot,
        at: one.at,
        text: one.shown().to_owned(),
        reply_to: one.parent.as_ref().and_then(|id| authors.get(id).cloned()),
    });
    Ok(lines.collect())
}

/// What the model makes of it; nothing where it makes nothing.
async fn ask(
    bot: &Bot,
    room: &ChatId,
    records: &str,
    said: Vec<agent::Said>,
    language: Language,
) -> Option<String> {
    let desk = &bot.0;
    let chat = desk.chats.get(room).await;
    let now = Timestamp::now();
    let question = prompt::Summary {
        language: either(language, "English", "Chinese"),
    };
    let context = Context {
        language,
        now: now.to_zoned(desk.zone.clone()),
        facts: Facts {
            bot_name: desk.me.name.clone(),
            chat_name: chat.as_ref().map(|chat| chat.name.clone()),
            chat_kind: ChatKind::Group,
            in_thread: false,
            asker: desk.me.name.clone(),
            members: chat.and_then(|chat| chat.members),
        },
        remembered: Vec::new(),
        remembered_left_out: 0,
        history: said,
        history_left_out: 0,
        history_problem: None,
        quoted: None,
        attached: vec![Attached {
            with: With::Question,
            kind: "records of the incident",
            name: None,
            bytes: None,
            content: Content::Text(Excerpt::whole(records.to_owned())),
        }],
        question: agent::Said {
            author: desk.me.name.clone(),
            is_bot: true,
            at: now,
            text: question.render(),
            reply_to: None,
        },
        budgets: desk.budgets,
    };
    let mut events = agent::run_turn(
        context,
        Toolbox::new([]),
        desk.model.clone(),
        desk.agent.clone(),
        desk.closing.child_token(),
        desk.metrics.clone(),
    );
    let mut text = String::new();
    while let Some(event) = events.recv().await {
        match event {
            TurnEvent::Text(more) => text.push_str(&more),
            TurnEvent::Ended(ending) => {
                let is_answer = matches!(ending.outcome, Outcome::Answered | Outcome::CutShort(_));
                if !is_answer {
                    warn!("the model gave no summary; the records are told instead");
                }
                return (is_answer && !text.trim().is_empty()).then_some(text);
            }
            _ => {}
        }
    }
    None
}
