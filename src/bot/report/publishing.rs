//! Publishing a report, and taking it back to work on it again. Who publishes what does not hold says so twice,
//! and the timeline and the audit have it.

use jiff::Timestamp;

use crate::{
    bot::{
        Bot, audit,
        handling::{Told, Tone},
        incidents::Case,
        war_room::Trouble,
    },
    feishu::OpenId,
    incident::{By, Channel, What},
    postmortem::check::Verdict,
};

use super::{
    changes,
    deeds::changeable,
    records::{Published, Report, Version},
};

/// What publishing comes to.
#[derive(Debug)]
pub(in crate::bot) enum Publishing {
    /// A sentence for whoever asked.
    Told(Told),
    /// Something does not hold: it takes a second word. The version that was looked at, and why.
    Asks(u32, Vec<String>),
}

/// Publishes a report. With something that does not hold, only where `anyway` is the version that was shown
/// with the reasons.
pub(in crate::bot) async fn publish(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    channel: Channel,
    anyway: Option<u32>,
) -> Result<Publishing, Trouble> {
    let number = case.number();
    changes::settle(bot, number, true).await?;
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let (report, version) = match changeable(bot, number).await? {
        Ok(found) => found,
        Err(told) => return Ok(Publishing::Told(told)),
    };
    let reasons = open_points(&report, &version);
    let failures = u32::try_from(reasons.len()).unwrap_or(u32::MAX);
    if !reasons.is_empty() && anyway != Some(version.number) {
        return Ok(Publishing::Asks(version.number, reasons));
    }
    let at = Timestamp::now();
    bot.reports()
        .update(number, |report| {
            report.published = Some(Published {
                version: version.number,
                by: by.clone(),
                at,
                failures,
            });
            report.revision += 1;
            report.files_wanted += 1;
            report.actions.tellings_wanted += 1;
        })
        .await?;
    let what = What::ReportPublished {
        version: version.number,
        failures,
    };
    note(bot, case, by, channel, what, "published").await?;
    Ok(Publishing::Told(Told::new(
        Tone::Done,
        format!("The post-mortem of #{number} is published."),
        format!("故障 #{number} 的复盘报告已发布。"),
    )))
}

/// What does not hold in a version, in its language.
fn open_points(report: &Report, version: &Version) -> Vec<String> {
    let failed = version.checks.lines.iter();
    let failed = failed.filter(|line| line.verdict == Verdict::Fail);
    let reasons = failed.flat_map(|line| {
        let reasons = line.reasons.iter();
        reasons.map(|reason| format!("{} {reason}", line.id))
    });
    let changed = report.changed.iter();
    let changed = changed.map(|one| one.words().text(report.language).to_owned());
    reasons.chain(changed).collect()
}

/// Has a published report worked on again.
pub(in crate::bot) async fn reopen(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    channel: Channel,
) -> Result<Told, Trouble> {
    let number = case.number();
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let report = bot.reports().get(number).await?;
    if report.is_none_or(|report| report.published.is_none()) {
        return Ok(Told::new(
            Tone::Nothing,
            format!("The post-mortem of #{number} is not published."),
            format!("故障 #{number} 的复盘报告尚未发布。"),
        ));
    }
    bot.reports()
        .update(number, |report| {
            if let Some(mut published) = report.published.take() {
                published.version = report.version;
                report.was_published.push(published);
            }
            report.revision += 1;
        })
        .await?;
    note(bot, case, by, channel, What::ReportReopened, "reopened").await?;
    Ok(Told::new(
        Tone::Done,
        format!("The post-mortem of #{number} can be changed again."),
        format!("故障 #{number} 的复盘报告已重新打开。"),
    ))
}

/// Enters into the timeline and the audit what became of a report.
pub(super) async fn note(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    channel: Channel,
    what: What,
    outcome: &str,
) -> Result<(), Trouble> {
    let more = match &what {
        What::ReportPublished { failures, .. } if *failures > 0 => {
            format!(" with {failures} open points")
        }
        What::ReportRestored { version, from } => format!(" version {from} as version {version}"),
        _ => String::new(),
    };
    let deed = audit::Deed {
        who: by.clone(),
        what: format!("post-mortem #{}{more}", case.number()),
        chat: None,
        message: None,
        outcome: outcome.to_owned(),
    };
    audit::note(bot, deed).await;
    let by = By::person(by.as_str(), channel);
    bot.incidents().note(by, case.id(), vec![what]).await?;
    Ok(())
}
