//! `/postmortem versions`, `show 2` and `restore 2`.

use crate::{
    bot::{
        Bot,
        click::restore_question,
        command::Request,
        handling::{Told, Tone},
        incidents::Case,
        markdown::escape,
        notice,
        report::{self, Restoring},
        war_room::Trouble,
    },
    feishu::Outgoing,
    incident::Channel,
};

/// Which versions there are.
pub(super) async fn list(
    bot: &Bot,
    request: &Request,
    case: &Case,
) -> Result<Option<String>, Trouble> {
    let listed = report::versions(bot, case.number(), request.language).await?;
    let nothing = || say(request, &report::no_versions(case.number()));
    Ok(listed.or_else(nothing))
}

/// The file of a version, and how it differs from the newest.
pub(super) async fn show(
    bot: &Bot,
    request: &Request,
    case: &Case,
    version: u32,
) -> Result<Option<String>, Trouble> {
    let report = bot.reports().get(case.number()).await?;
    let Some(report) = report.filter(|report| report.version > 0) else {
        return Ok(say(request, &report::no_versions(case.number())));
    };
    let purpose = request.place.uuid("version");
    let shown = report::show_version(bot, &report, version, request.language, &purpose).await?;
    Ok(match shown {
        Ok(text) => Some(text),
        Err(told) => say(request, &told),
    })
}

/// Asks whether a version is to come back. That it does takes a second word.
pub(super) async fn restore(
    bot: &Bot,
    request: &Request,
    case: &Case,
    version: u32,
) -> Result<Option<String>, Trouble> {
    let by = &request.asker;
    let restoring = report::restore(bot, case, by, Channel::Command, version, None).await?;
    let (newest, headings) = match restoring {
        Restoring::Told(told) => return Ok(say(request, &told)),
        Restoring::Asks { newest, headings } => (newest, headings),
    };
    let chat = &request.place.chat;
    let report = bot.reports().get(case.number()).await?;
    if report.is_none_or(|report| report.chat != *chat) {
        let told = Told::new(
            Tone::Refused,
            "Restore it where the report's card stands, which asks once more.",
            "请在报告卡片所在的群里恢复并确认。",
        );
        return Ok(say(request, &told));
    }
    let versions = (version, newest);
    let card = restore_question(bot, case, chat, versions, &headings, request.language);
    let card = Outgoing::CardJson(card);
    notice::reply_with(bot, &request.place, "restore", &card).await?;
    Ok(None)
}

fn say(request: &Request, told: &Told) -> Option<String> {
    Some(escape(told.text(request.language)))
}
