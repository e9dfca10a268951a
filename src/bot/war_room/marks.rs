//! A reaction that the team agreed upon puts a message into the timeline, and taking it away removes it.
//!
//! What should be there follows from the reactions, and what is there from the timeline itself, so however
//! often and in whatever order it is heard, a message stands there once for each mark.

use std::collections::BTreeSet;

use crate::{
    bot::Bot,
    feishu::{ChatId, OpenId},
    incident::{By, Channel, What},
};

use super::{
    Trouble,
    record::{Mark, Said},
};

/// How many entries of the timeline are looked through at once.
const ENTRIES_AT_ONCE: usize = 500;

/// Makes the timeline say what the reactions on a message say. `by` took one away, or put it there.
pub(super) async fn settle(
    bot: &Bot,
    room: &ChatId,
    said: &Said,
    by: Option<&OpenId>,
) -> Result<(), Trouble> {
    let configured = &bot.0.config.incidents.rooms.marks;
    let marks: BTreeSet<&String> = configured.values().collect();
    for mark in marks {
        let first = configured
            .iter()
            .filter(|(_, of)| *of == mark)
            .find_map(|(emoji, _)| said.reacted(emoji, |who| is_person(bot, who)));
        let stands = said.marks.iter().find(|one| one.mark == *mark);
        match (first, stands) {
            (Some(first), None) => put(bot, room, said, mark, &OpenId::new(first)).await?,
            (None, Some(stands)) => take(bot, room, said, mark, by.unwrap_or(&stands.by)).await?,
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    Ok(())
}

/// Bots put reactions on messages for their own reasons.
fn is_person(bot: &Bot, id: &str) -> bool {
    !bot.me().is(id) && !id.is_empty() && !id.starts_with("cli_")
}

async fn put(
    bot: &Bot,
    room: &ChatId,
    said: &Said,
    mark: &str,
    by: &OpenId,
) -> Result<(), Trouble> {
    let what = What::Marked {
        message: said.id.as_str().to_owned(),
        mark: mark.to_owned(),
    };
    enter(bot, room, by, what).await?;
    bot.rooms()
        .record()
        .change(&said.id, |said| {
            if !said.marks.iter().any(|one| one.mark == mark) {
                said.marks.push(Mark {
                    mark: mark.to_owned(),
                    by: by.clone(),
                });
            }
        })
        .await?;
    Ok(())
}

async fn take(
    bot: &Bot,
    room: &ChatId,
    said: &Said,
    mark: &str,
    by: &OpenId,
) -> Result<(), Trouble> {
    let what = What::Unmarked {
        message: said.id.as_str().to_owned(),
        mark: mark.to_owned(),
    };
    enter(bot, room, by, what).await?;
    bot.rooms()
        .record()
        .change(&said.id, |said| said.marks.retain(|one| one.mark != mark))
        .await?;
    Ok(())
}

/// Puts it into the timeline, unless the last word there about this message and mark says so already.
async fn enter(bot: &Bot, room: &ChatId, by: &OpenId, what: What) -> Result<(), Trouble> {
    let Some(progress) = bot.rooms().of(room).await? else {
        return Ok(());
    };
    let incidents = bot.incidents();
    let mut stands = false;
    let mut after = 0;
    loop {
        let entries = incidents
            .timeline(progress.number, after, ENTRIES_AT_ONCE)
            .await?;
        for entry in &entries {
            if is_about(&entry.what, &what) {
                stands = matches!(entry.what, What::Marked { .. });
            }
        }
        match entries.last() {
            Some(last) if entries.len() == ENTRIES_AT_ONCE => after = last.number,
            _ => break,
        }
    }
    if stands == matches!(what, What::Marked { .. }) {
        return Ok(());
    }
    let by = By::person(by.as_str(), Channel::WarRoom);
    incidents.note(by, &progress.incident, vec![what]).await?;
    Ok(())
}

/// Whether two entries are about the same message and mark.
fn is_about(one: &What, other: &What) -> bool {
    fn about(what: &What) -> Option<(&str, &str)> {
        match what {
            What::Marked { message, mark } | What::Unmarked { message, mark } => {
                Some((message, mark))
            }
            _ => None,
        }
    }
    about(one).is_some() && about(one) == about(other)
}
