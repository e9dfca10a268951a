//! The action items of a report as people work with them: a list in the chat, owners and days, and word to
//! whoever has something to do.
//!
//! The items of the draft are read out of its version each time; kept is only what people decided, so that a
//! redraft brings new ones and takes none of theirs away. As long as the report is worked on, a decision also
//! makes a new version of it. Of a published report only "done" can be said, which changes none of its words.

mod deciding;
mod listing;
mod reminding;
mod telling;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        notice,
        war_room::Trouble,
    },
    config::Language,
    feishu::{ChatId, Class, MessageId, OpenId, Recipient},
    postmortem::{
        actions::{ActionItem, items},
        write::{Author, Content},
    },
};

use super::{
    records::{Report, Version},
    rework::Ground,
};

pub(in crate::bot) use deciding::{Decision, Plan, decide};
pub(super) use listing::line;
pub(in crate::bot) use listing::{for_form, list};
pub(super) use reminding::look_over;

/// What is kept of the action items of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Actions {
    /// The items that people decided about, as they left them.
    #[serde(default)]
    pub set: Vec<ActionItem>,
    /// The card that lists all of them.
    #[serde(default)]
    pub list: Option<List>,
    /// How often the chat was to be told of them.
    #[serde(default)]
    pub tellings_wanted: u32,
    /// Up to which of these it was.
    #[serde(default)]
    pub tellings_done: u32,
    /// A short sign of what it was told last.
    #[serde(default)]
    pub told: String,
    /// Which items were due when, and their owners were told so.
    #[serde(default)]
    pub reminded: BTreeSet<String>,
}

/// A card that lists the action items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct List {
    /// The message.
    pub card: MessageId,
    /// Where it stands.
    pub chat: ChatId,
    /// Which revision of the report it shows.
    pub shown: u64,
}

/// Does the next thing that is to be done about the action items; none: false.
pub(super) async fn follow(bot: &Bot, report: &Report) -> Result<bool, Trouble> {
    let actions = &report.actions;
    if let Some(list) = &actions.list
        && list.shown < report.revision
    {
        listing::draw(bot, report, list).await?;
    } else if actions.tellings_done < actions.tellings_wanted {
        telling::tell(bot, report).await?;
    } else if let Some((item, owner, day)) =
        reminding::overdue(report, jiff::Timestamp::now(), &bot.0.zone)
    {
        reminding::remind(bot, report, item, owner, day).await?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn all(ground: &Ground) -> Vec<ActionItem> {
    items(&ground.merged, &ground.records, &ground.transcript)
}

/// Whether the report tells of its action items in code's words, which follow what people decide.
fn is_written_by_code(report: &Report, version: &Version) -> bool {
    let mut sections = version.document.sections.iter();
    sections.any(|section| {
        let is_free = section.author == Author::Code && !report.locked.contains(&section.heading);
        section.content == Content::ActionItems && is_free
    })
}

/// A note to one person. Whoever cannot be reached is left out, and the log says so.
async fn tell_directly(
    bot: &Bot,
    person: &OpenId,
    purpose: &str,
    number: u32,
    language: Language,
    text: &str,
) -> Result<(), Trouble> {
    let title = match language {
        Language::En => format!("Action items of #{number}"),
        Language::Zh => format!("故障 #{number} 行动项"),
    };
    let said = Notice {
        title: Some(&title),
        text,
        template: Template::Blue,
    };
    let to = Recipient::Person(person.clone());
    match notice::tell(bot, Class::Sign, &to, purpose, &said).await {
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            warn!(%error, "an owner of an action item cannot be told");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
