//! Fills the record from the platform's history: what was said while we were away, what edits changed, what
//! was pinned, and our own messages, which no event tells of.
//!
//! Until when it was read is kept after each page, so that a long history is read once. The last half hour
//! before it is read again, since people edit what they have just said.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use tracing::{debug, info, warn};

use crate::{
    bot::{Bot, incidents::Case},
    feishu::{ChatId, Container, Error, ListMessages, Message, MessageId, ThreadId},
};

use super::{
    Progress, Trouble, lock, marks,
    progress::THREADS_MAX,
    tend::{Next, is_about_gone_chat},
};

/// How often a room in which people talk is read.
const LIVELY_EVERY: Duration = Duration::from_secs(300);
/// How often one in which nobody does.
const QUIET_EVERY: Duration = Duration::from_secs(3600);
/// How much before it is read again.
const OVERLAP: Duration = Duration::from_secs(1800);
/// Of how many messages reactions are read after we were away.
const REACTIONS_MAX: usize = 100;
/// How many pages of pins are read.
const PIN_PAGES_MAX: usize = 20;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// What may be new.
    New,
    /// What may be new after we were away: reactions too.
    Missed,
    /// Everything, for the last time.
    Whole,
}

/// Reads the history if it is time.
pub(super) async fn when_due(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
    next: &mut Next,
) -> Result<(), Trouble> {
    let now = Timestamp::now();
    let last = lock(&bot.rooms().filled).get(chat).copied();
    let due = match last {
        None => now,
        Some(last) => {
            let heard = bot.rooms().last_heard(chat);
            let every = match heard.is_some_and(|heard| heard > last) {
                true => LIVELY_EVERY,
                false => QUIET_EVERY,
            };
            last.checked_add(every).unwrap_or(Timestamp::MAX)
        }
    };
    if due > now {
        if case.incident.is_open() {
            next.at(due);
        }
        return Ok(());
    }
    let is_fresh = progress.filled_until.is_none()
        && progress
            .opened_at
            .is_some_and(|at| now.duration_since(at).unsigned_abs() < LIVELY_EVERY);
    let reach = match last {
        None if is_fresh => Reach::New,
        None => Reach::Missed,
        Some(_) => Reach::New,
    };
    fill(bot, progress, chat, reach).await?;
    // What was edited may be a source of its report.
    bot.reports().suspect(progress.number);
    if case.incident.is_open() {
        next.after(LIVELY_EVERY);
    }
    Ok(())
}

/// Reads the history of a room into its record.
pub(super) async fn fill(
    bot: &Bot,
    progress: &Progress,
    chat: &ChatId,
    reach: Reach,
) -> Result<(), Trouble> {
    fill_and_tell(bot, progress, chat, reach, &|_| {}).await
}

/// The same, and tells after each page how many messages were read. Where it may not be read, the record stays as it was heard.
pub(super) async fn fill_and_tell(
    bot: &Bot,
    progress: &Progress,
    chat: &ChatId,
    reach: Reach,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<(), Trouble> {
    let began = Timestamp::now();
    let outcome = read(bot, progress, chat, reach, tell).await;
    lock(&bot.rooms().filled).insert(chat.clone(), began);
    match outcome {
        Ok(()) => {
            bot.rooms()
                .update(&progress.key(), |progress| {
                    progress.filled_until = Some(began)
                })
                .await?;
            Ok(())
        }
        Err(Trouble::Platform(error)) if !error.is_transient() && !is_about_gone_chat(&error) => {
            warn!(%error, "the history of a room cannot be read; its record has what was heard");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn read(
    bot: &Bot,
    progress: &Progress,
    chat: &ChatId,
    reach: Reach,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<(), Trouble> {
    let since = match reach {
        Reach::Whole => None,
        Reach::New | Reach::Missed => progress
            .filled_until
            .and_then(|until| until.checked_sub(OVERLAP).ok()),
    };
    let mut threads = progress.threads.clone();
    let mut heard: Vec<MessageId> = Vec::new();
    let mut list = ListMessages {
        container: Container::Chat(chat.clone()),
        since,
        until: None,
        newest_first: false,
        page_size: 50,
        page_token: None,
    };
    loop {
        let page = bot.0.feishu.messages(&list).await?;
        let newest = page.items.iter().map(|message| message.created_at).max();
        threads.extend(
            page.items
                .iter()
                .filter_map(|message| message.thread_id.clone()),
        );
        heard.extend(page.items.iter().map(|message| message.id.clone()));
        hear(bot, chat, page.items).await?;
        tell(heard.len());
        bot.rooms()
            .update(&progress.key(), |progress| {
                note_progress(progress, newest, &threads);
            })
            .await?;
        list.page_token = page.next;
        if list.page_token.is_none() {
            break;
        }
    }
    for thread in threads {
        heard.extend(read_thread(bot, chat, &thread, since).await?);
        tell(heard.len());
    }
    read_pins(bot, chat).await?;
    if reach != Reach::New {
        let newest = heard.iter().rev().take(REACTIONS_MAX);
        read_reactions(bot, chat, newest).await?;
    }
    info!(chat.id = %chat, messages = heard.len(), ?reach, "the history of a room was read");
    Ok(())
}

/// A page was read. Only what is newer than what was read before counts.
fn note_progress(progress: &mut Progress, newest: Option<Timestamp>, threads: &BTreeSet<ThreadId>) {
    for thread in threads {
        if progress.threads.len() < THREADS_MAX {
            progress.threads.insert(thread.clone());
        }
    }
    if let Some(newest) = newest {
        let until = progress.filled_until.unwrap_or(newest);
        progress.filled_until = Some(until.max(newest));
    }
}

/// Reads a thread from its newest end, since the platform takes no times for threads.
async fn read_thread(
    bot: &Bot,
    chat: &ChatId,
    thread: &ThreadId,
    since: Option<Timestamp>,
) -> Result<Vec<MessageId>, Trouble> {
    let mut list = ListMessages {
        container: Container::Thread(thread.clone()),
        since: None,
        until: None,
        newest_first: true,
        page_size: 50,
        page_token: None,
    };
    let mut heard = Vec::new();
    loop {
        let page = match bot.0.feishu.messages(&list).await {
            Ok(page) => page,
            // Its first message was recalled, or it is hidden from us.
            Err(error @ (Error::Gone(_) | Error::Forbidden(_) | Error::Refused(_)))
                if !is_about_gone_chat(&error) =>
            {
                debug!(%error, "a thread cannot be read");
                return Ok(heard);
            }
            Err(error) => return Err(error.into()),
        };
        let reached = page
            .items
            .iter()
            .any(|message| since.is_some_and(|since| message.created_at < since));
        heard.extend(page.items.iter().map(|message| message.id.clone()));
        hear(bot, chat, page.items).await?;
        list.page_token = page.next;
        if reached || list.page_token.is_none() {
            return Ok(heard);
        }
    }
}

/// Takes messages into the record, ours with the words that we know of them.
pub(super) async fn hear(bot: &Bot, chat: &ChatId, messages: Vec<Message>) -> Result<(), Trouble> {
    let mut heard = Vec::with_capacity(messages.len());
    for message in messages {
        // The platform would not list another chat's; the record must not rest on that.
        if message.chat_id != *chat {
            continue;
        }
        let ours = match bot.me().is(&message.sender.id) && !message.deleted {
            true => bot.0.memory.answer(&message.id).await.ok().flatten(),
            false => None,
        };
        heard.push((message, ours.map(|answer| answer.text)));
    }
    Ok(bot.rooms().record().hear(&heard, bot.me()).await?)
}

async fn read_pins(bot: &Bot, chat: &ChatId) -> Result<(), Trouble> {
    let mut pinned = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..PIN_PAGES_MAX {
        let page = match bot.0.feishu.pins(chat, token.as_deref()).await {
            Ok(page) => page,
            Err(error) if error.is_transient() || is_about_gone_chat(&error) => {
                return Err(error.into());
            }
            Err(error) => {
                warn!(%error, "what is pinned in a room cannot be read");
                return Ok(());
            }
        };
        pinned.extend(page.items.into_iter().map(|pin| pin.message_id));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(bot.rooms().record().set_pins(chat, &pinned).await?)
}

async fn read_reactions(
    bot: &Bot,
    chat: &ChatId,
    messages: impl Iterator<Item = &MessageId>,
) -> Result<(), Trouble> {
    for message in messages {
        let reactions = match bot.0.feishu.reactions(message).await {
            Ok(reactions) => reactions,
            Err(error) if error.is_transient() || is_about_gone_chat(&error) => {
                return Err(error.into());
            }
            // A message of the system, or one that was recalled; or the right to read them is missing.
            Err(error @ Error::Forbidden(_)) => {
                warn!(%error, "reactions in a room cannot be read");
                return Ok(());
            }
            Err(_) => continue,
        };
        let pairs: Vec<(String, String)> = reactions
            .into_iter()
            .map(|one| (one.emoji, one.operator.id))
            .collect();
        if let Some((_, said)) = bot.rooms().record().set_reactions(message, &pairs).await? {
            marks::settle(bot, chat, &said, None).await?;
        }
    }
    Ok(())
}
