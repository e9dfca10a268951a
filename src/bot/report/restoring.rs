//! An earlier version of a report comes back. It becomes a new one, so nothing that was written since is lost.

use crate::{
    bot::{
        Bot,
        handling::{Told, Tone},
        incidents::Case,
        war_room::Trouble,
    },
    feishu::OpenId,
    incident::{Channel, What},
};

use super::{
    deeds::{changeable, keep},
    differences::compare,
    publishing::note,
    records::{Change, Report},
    versions::whole,
};

/// What it comes to when somebody wants a version back.
#[derive(Debug)]
pub(in crate::bot) enum Restoring {
    /// A sentence for whoever asked.
    Told(Told),
    /// It takes a second word.
    Asks {
        /// The newest version, as it is now.
        newest: u32,
        /// The sections that would say something else.
        headings: Vec<String>,
    },
}

/// Makes a new version with what an earlier one says, once it was seen which is the newest now.
pub(in crate::bot) async fn restore(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    channel: Channel,
    wanted: u32,
    seen: Option<u32>,
) -> Result<Restoring, Trouble> {
    let number = case.number();
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let (report, newest) = match changeable(bot, number).await? {
        Ok((report, newest)) => (report, newest.number),
        Err(told) => return Ok(Restoring::Told(told)),
    };
    if wanted == newest {
        return Ok(Restoring::Told(Told::new(
            Tone::Nothing,
            format!("Version {wanted} is the newest already."),
            format!("第 {wanted} 版已是最新版本。"),
        )));
    }
    let (version, _) = match whole(bot, &report, wanted).await? {
        Ok(found) => found,
        Err(told) => return Ok(Restoring::Told(told)),
    };
    match seen {
        None => {
            let found = compare(bot, &report, &version).await?;
            let headings = found.headings().into_iter().map(str::to_owned);
            let headings = headings.collect();
            return Ok(Restoring::Asks { newest, headings });
        }
        Some(seen) if seen != newest => return Ok(Restoring::Told(changed_meanwhile())),
        Some(_) => {}
    }
    let confirmed = version.confirmed.clone();
    let confirmed = confirmed.unwrap_or_else(|| report.confirmed.clone());
    let change = Change::Restored(wanted);
    let set = |report: &mut Report| report.confirmed.clone_from(&confirmed);
    let next = keep(bot, &report, version, by, change, set).await?;
    // What was found to be edited or taken back was found for other citations.
    bot.reports()
        .update(number, |report| report.changed.clear())
        .await?;
    bot.reports().suspect(number);
    let what = What::ReportRestored {
        version: next,
        from: wanted,
    };
    note(bot, case, by, channel, what, "restored").await?;
    Ok(Restoring::Told(Told::new(
        Tone::Done,
        format!("Version {wanted} is back, as version {next}."),
        format!("已恢复第 {wanted} 版，现为第 {next} 版。"),
    )))
}

fn changed_meanwhile() -> Told {
    Told::new(
        Tone::Refused,
        "The report was changed meanwhile. Send /postmortem restore once more.",
        "报告已被修改，请重新发送 /复盘 恢复。",
    )
}
