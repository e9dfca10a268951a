//! Whether the sources of a draft are still as they were: its card says what was edited or taken back since.

use tracing::warn;

use crate::{
    bot::{
        Bot,
        war_room::{self, Trouble},
    },
    postmortem::changed::changed,
};

use super::{
    Suspicion,
    freeze::{self, Bundles},
    show,
};

/// Compares a draft with its room. `read`: what may be new is read from the platform first, since no event
/// tells of an edit.
pub(super) async fn settle(bot: &Bot, number: u32, read: bool) -> Result<(), Trouble> {
    let Some(report) = bot.reports().get(number).await? else {
        return Ok(());
    };
    let Some(case) = bot.incidents().get(&report.incident).await? else {
        return Ok(());
    };
    if report.version == 0 || report.job.is_some() {
        return Ok(());
    }
    let Some((version, ground)) = show::newest(bot, &report).await? else {
        return Ok(());
    };
    let rooms = match read {
        true => war_room::renewed(bot, &case).await?,
        false => war_room::heard(bot, &case).await?,
    };
    let language = report.language;
    let now = freeze::transcript(bot, &case, &rooms, language, Bundles::Kept).await?;
    let found = changed(&version.document, &ground.transcript, &now);
    bot.reports()
        .update(number, |report| {
            if report.version == version.number && report.changed != found {
                report.changed.clone_from(&found);
                report.revision += 1;
            }
        })
        .await?;
    Ok(())
}

/// Has every draft that people still work on compared with its room.
pub(super) async fn look_over(bot: &Bot) {
    match bot.reports().all().await {
        Ok(reports) => reports
            .iter()
            .filter(|report| report.published.is_none() && report.version > 0)
            .for_each(|report| bot.reports().want(report.number, Suspicion::Unread)),
        Err(error) => warn!(%error, "whether sources of drafts were edited is not known"),
    }
}
