//! Tells the room what was done to its incident, one line for what came together.
//!
//! How far it was told is kept, and before something is said also how far that goes: after a crash the same
//! line is said under the same purpose, and the platform knows it.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use crate::{
    bot::{
        Bot,
        card::{
            incident,
            notice::{Notice, Template},
        },
        handling,
        incidents::Case,
        notice,
    },
    feishu::{ChatId, Class, MessageId, Recipient},
    incident::{Entry, What},
};

use super::{
    Progress, Trouble,
    tend::Next,
    told_line::{self, Telling},
};

/// How long nothing more may come until it is told.
const QUIET: Duration = Duration::from_secs(2);
/// How long the oldest waits at most.
const WAITS_MAX: Duration = Duration::from_secs(10);
/// How many entries one line is made of at most.
const AT_ONCE: usize = 200;

/// Tells what was not told yet, if it is time.
pub(super) async fn tell(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
    next: &mut Next,
) -> Result<(), Trouble> {
    if progress.told >= case.incident.entries {
        return Ok(());
    }
    let incidents = bot.incidents();
    let mut entries = incidents
        .timeline(case.number(), progress.told, AT_ONCE)
        .await?;
    match progress.telling {
        // An earlier process may have said exactly this.
        Some(to) => entries.retain(|entry| entry.number <= to),
        None => {
            if let Some(at) = not_before(&entries, Timestamp::now()) {
                next.at(at);
                return Ok(());
            }
        }
    }
    let Some(to) = entries.last().map(|entry| entry.number) else {
        return Ok(());
    };
    let rooms = bot.rooms();
    let key = progress.key();
    rooms
        .update(&key, |progress| progress.telling = Some(to))
        .await?;
    if let Some(line) = line(bot, case, progress, chat, &entries).await? {
        let said = Notice {
            title: None,
            text: &line,
            template: Template::Grey,
        };
        let purpose = progress.purpose(&format!("told/{}-{to}", progress.told));
        let recipient = Recipient::Chat(chat.clone());
        notice::tell(bot, Class::Sign, &recipient, &purpose, &said).await?;
    }
    rooms
        .update(&key, |progress| {
            progress.told = to;
            progress.telling = None;
        })
        .await?;
    if to < case.incident.entries {
        next.after(QUIET);
    }
    Ok(())
}

/// Until when it is waited for what comes together with these.
fn not_before(entries: &[Entry], now: Timestamp) -> Option<Timestamp> {
    let (first, last) = (entries.first()?, entries.last()?);
    let after = |at: Timestamp, wait: Duration| at.checked_add(wait).unwrap_or(at);
    let due = after(last.noted_at, QUIET).min(after(first.noted_at, WAITS_MAX));
    (due > now && entries.len() < AT_ONCE).then_some(due)
}

async fn line(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
    entries: &[Entry],
) -> Result<Option<String>, Trouble> {
    let people = incident::people_of(&case.incident, entries);
    let names = handling::names(bot, &people, chat).await;
    let mut messages = HashMap::new();
    for entry in entries {
        if let What::Marked { message, .. } | What::Unmarked { message, .. } = &entry.what {
            let id = MessageId::new(message.as_str());
            if let Some((room, said)) = bot.rooms().record().get(&id).await?
                && room == *chat
            {
                messages.insert(message.clone(), said.shown().to_owned());
            }
        }
    }
    let telling = Telling {
        sentences: incident::Telling {
            names: &names,
            zone: &bot.0.zone,
            now: Timestamp::now(),
            language: progress.language,
        },
        messages: &messages,
    };
    Ok(told_line::line(entries, &telling))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::By;

    #[test]
    fn what_comes_within_moments_waits_for_each_other_but_not_for_ever() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let check = |noted: &[i64], now: i64, expected: Option<i64>| {
            let entry = |second: &i64| Entry {
                number: 1,
                at: at(0),
                noted_at: at(*second),
                by: By::clock(),
                what: What::Acknowledged,
            };
            let entries: Vec<Entry> = noted.iter().map(entry).collect();
            assert_eq!(not_before(&entries, at(now)), expected.map(at), "{noted:?}");
        };
        check(&[], 0, None);
        check(&[10], 10, Some(12));
        check(&[10], 12, None);
        check(&[10, 13], 13, Some(15));
        check(&[10, 13, 19], 19, Some(20));
        check(&[10, 13, 20], 20, None);
    }
}
