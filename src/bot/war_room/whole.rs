//! Everything that was said in the rooms of an incident, for its report.

use tracing::warn;

use crate::bot::{Bot, incidents::Case};

use super::{
    Progress, Trouble,
    fill::{self, Reach},
    tend::is_about_gone_chat,
};

/// The rooms of an incident, the oldest first, those that are still there with their record made whole. `tell`
/// hears meanwhile how many messages of the room that is being read were read.
pub(in crate::bot) async fn whole(
    bot: &Bot,
    case: &Case,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Progress>, Trouble> {
    read(bot, case, Some(Reach::Whole), tell).await
}

/// The same, with what may be new since the history was last read.
pub(in crate::bot) async fn renewed(bot: &Bot, case: &Case) -> Result<Vec<Progress>, Trouble> {
    read(bot, case, Some(Reach::New), &|_| {}).await
}

/// The same, as they were heard so far.
pub(in crate::bot) async fn heard(bot: &Bot, case: &Case) -> Result<Vec<Progress>, Trouble> {
    read(bot, case, None, &|_| {}).await
}

async fn read(
    bot: &Bot,
    case: &Case,
    reach: Option<Reach>,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Progress>, Trouble> {
    let last = case.room.as_ref().map_or(0, |room| room.generation);
    let mut rooms = Vec::new();
    for generation in 1..=last {
        let Some(progress) = bot.rooms().progress(case.number(), generation).await? else {
            continue;
        };
        if let (Some(reach), Some(chat), false) = (reach, &progress.chat, progress.is_gone) {
            match fill::fill_and_tell(bot, &progress, chat, reach, tell).await {
                Ok(()) => {}
                Err(Trouble::Platform(error)) if is_about_gone_chat(&error) => {
                    warn!(%error, "a room is gone; its record has what was heard");
                }
                Err(error) => return Err(error),
            }
        }
        rooms.push(progress);
    }
    Ok(rooms)
}
