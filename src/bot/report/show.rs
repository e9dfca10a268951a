//! What people see of a report: its card, its files, and what commands tell of it.

use bytes::Bytes;
use serde_json::Value;
use tracing::{debug, warn};

use crate::{
    bot::{
        Bot,
        card::report::{DraftCard, Over as OverCard, SectionView, Small, form},
        click::ReportPress,
        incidents::Case,
        markdown::escape,
        notice,
        people::stand_in,
        reply::Patience,
        war_room::{self, Trouble},
    },
    config::Language,
    feishu::{ChatId, Class, Error, FileType, OpenId, Outgoing, Recipient, UploadError},
    postmortem::{
        Records, Transcript,
        check::Verdict,
        merge::Merged,
        write::{Author, Content, render_section},
    },
};

use super::{
    freeze::{self, Bundles},
    records::{Closing, Frozen, Over, Report, Version},
    rework::{Ground, fingerprint, is_of_people},
    texts,
    work::read_records,
};

/// The most checks and reasons that a card lists.
const REASONS_MAX: usize = 15;

/// A frozen room; nothing where a part of it is lost.
pub(super) async fn frozen(
    bot: &Bot,
    number: u32,
    frozen: &Frozen,
) -> Result<Option<(Transcript, Records)>, Trouble> {
    let store = bot.store();
    let transcript = texts::read(store, number, &frozen.transcript).await?;
    let records = texts::read(store, number, &frozen.records).await?;
    let Some((transcript, records)) = transcript.zip(records) else {
        return Ok(None);
    };
    let transcript = match Transcript::from_ndjson(&transcript) {
        Ok(transcript) => transcript,
        Err(error) => {
            warn!(%error, "a frozen room cannot be read");
            return Ok(None);
        }
    };
    Ok(read_records(&records).map(|records| (transcript, records)))
}

/// What a version was written from, with the moments that people set since.
pub(super) async fn ground(
    bot: &Bot,
    report: &Report,
    version: &Version,
) -> Result<Option<Ground>, Trouble> {
    let Some((transcript, mut records)) = frozen(bot, report.number, &version.frozen).await? else {
        return Ok(None);
    };
    records.confirmed.clone_from(&report.confirmed);
    records.actions.clone_from(&report.actions.set);
    let merged = texts::read(bot.store(), report.number, &version.events).await?;
    let merged: Merged = serde_json::from_str(&merged.unwrap_or_default()).unwrap_or_default();
    Ok(Some(Ground {
        transcript,
        records,
        merged,
        language: report.language,
        hosts: bot.0.config.postmortem.hosts.clone(),
    }))
}

/// The newest version, and what it was written from.
pub(super) async fn newest(
    bot: &Bot,
    report: &Report,
) -> Result<Option<(Version, Ground)>, Trouble> {
    let version = bot.reports().version(report.number, report.version).await?;
    let Some(version) = version else {
        return Ok(None);
    };
    let ground = ground(bot, report, &version).await?;
    Ok(ground.map(|ground| (version, ground)))
}

/// Makes the card show the report as it is.
pub(super) async fn draw(bot: &Bot, report: &Report) -> Result<(), Trouble> {
    if let Some(card) = &report.card
        && let Some(drawing) = drawing(bot, report).await?
    {
        patiently(bot, report.number, card, &drawing).await?;
    }
    bot.reports()
        .update(report.number, |now| {
            now.shown = now.shown.max(report.revision)
        })
        .await?;
    Ok(())
}

/// Changes a card of a report, once no press on it waits for its answer: the platform would undo the change. One
/// that cannot be changed any more stays as it is.
pub(super) async fn patiently(
    bot: &Bot,
    number: u32,
    card: &crate::feishu::MessageId,
    drawing: &Value,
) -> Result<(), Trouble> {
    let mut patience = Patience::new();
    let feishu = bot.0.feishu.at(Class::Sign);
    loop {
        let patched = {
            let _nobody_presses = super::drawing(bot, number).await;
            feishu.patch_card(card, drawing).await
        };
        match patched {
            Err(error) if patience.allows(&error).await => {}
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                warn!(%error, "the card of a report cannot be changed any more");
                return Ok(());
            }
            Ok(()) => return Ok(()),
        }
    }
}

/// The card of the newest version.
pub(super) async fn drawing(bot: &Bot, report: &Report) -> Result<Option<Value>, Trouble> {
    let Some((version, ground)) = newest(bot, report).await? else {
        return Ok(None);
    };
    let language = report.language;
    let value =
        |press: ReportPress, about: String| bot.0.clicks.report_value(press, &about, &report.chat);
    let incident = &report.incident;
    let is_open = report.published.is_none();
    let sections: Vec<SectionView> = version
        .document
        .sections
        .iter()
        .enumerate()
        .map(|(place, section)| {
            let about = || format!("{incident}/{place}");
            let is_locked = report.locked.contains(&section.heading);
            let may = is_open && is_of_people(section);
            let may_be_written = may && !is_locked && section.author != Author::Person;
            let is_times = is_open && section.content == Content::KeyFacts;
            SectionView {
                heading: section.heading.clone(),
                text: render_section(section, &ground.transcript, language),
                is_summary: section.content == Content::Summary,
                is_by_person: section.author == Author::Person,
                is_locked,
                edit: may.then(|| value(ReportPress::Edit, about())),
                lock: may.then(|| value(ReportPress::Lock, about())),
                again: may_be_written.then(|| value(ReportPress::Again, about())),
                correct: is_times.then(|| value(ReportPress::Milestone, incident.0.clone())),
            }
        })
        .collect();
    let count = |verdict| version.checks.count(verdict);
    let published = match &report.published {
        Some(published) => Some((
            escape(&name(bot, &published.by, &report.chat).await),
            published.failures,
        )),
        None => None,
    };
    let card = DraftCard {
        number: report.number,
        title: &ground.records.incident.title,
        language,
        version: version.number,
        by: &escape(&name(bot, &version.by, &report.chat).await),
        sections: &sections,
        section: is_open.then(|| value(ReportPress::Section, incident.0.clone())),
        counts: [
            count(Verdict::Pass),
            count(Verdict::Warn),
            count(Verdict::Fail),
        ],
        checks: reasons(&version),
        removed: version.checks.removed,
        changed: report
            .changed
            .iter()
            .map(|one| one.words().text(language).to_owned())
            .collect(),
        model: version.model.as_deref(),
        cost: version.cost,
        seconds: version.seconds,
        published,
        publish: is_open.then(|| value(ReportPress::Publish, incident.0.clone())),
        redraft: is_open.then(|| value(ReportPress::Draft, incident.0.clone())),
        reopen: (!is_open).then(|| value(ReportPress::Reopen, incident.0.clone())),
        actions: Some(super::actions::line(bot, report, &ground)),
    };
    Ok(Some(card.render()))
}

/// What the checks of a version found, as Markdown.
fn reasons(version: &Version) -> Vec<String> {
    let found = version.checks.lines.iter().flat_map(|line| {
        let sign = match line.verdict {
            Verdict::Fail => "❌",
            Verdict::Warn => "⚠️",
            Verdict::Pass => "✅",
        };
        let reasons = line.reasons.iter();
        reasons.map(move |reason| format!("{sign} {} {}", line.id, escape(reason)))
    });
    found.take(REASONS_MAX).collect()
}

pub(super) async fn name(bot: &Bot, person: &OpenId, chat: &ChatId) -> String {
    let names = bot.0.people.names(std::slice::from_ref(person), chat);
    let name = names.await.remove(person);
    name.unwrap_or_else(|| stand_in(person.as_str()))
}

/// Makes a card say that it is over.
pub(super) async fn close(bot: &Bot, report: &Report, closing: &Closing) -> Result<(), Trouble> {
    let cancelled_by;
    let why = match &closing.why {
        Over::Replaced => OverCard::Replaced,
        Over::Failed => OverCard::Failed,
        Over::Cancelled(by) => {
            cancelled_by = escape(&name(bot, by, &report.chat).await);
            OverCard::Cancelled(&cancelled_by)
        }
    };
    let card = Small {
        number: report.number,
        language: report.language,
        why,
    };
    patiently(bot, report.number, &closing.card, &card.render()).await?;
    bot.reports()
        .update(report.number, |report| {
            report.closing.retain(|one| one != closing);
        })
        .await?;
    Ok(())
}

/// Sends the newest version as a Markdown file, once for each time that it was wished for.
pub(super) async fn send_file(bot: &Bot, report: &Report) -> Result<(), Trouble> {
    if let Some((version, ground)) = newest(bot, report).await? {
        let text = ground.markdown(&version.document);
        let name = format!("postmortem-{}-v{}.md", report.number, version.number);
        let purpose = format!("report/{}/file/{}", report.incident, report.files_wanted);
        let to = Recipient::Chat(report.chat.clone());
        upload(bot, &to, &name, text, &purpose).await?;
    }
    bot.reports()
        .update(report.number, |now| {
            now.files_sent = now.files_sent.max(report.files_wanted);
        })
        .await?;
    Ok(())
}

/// Sends a text as a file. Where the platform takes none, the cards are what there is.
pub(super) async fn upload(
    bot: &Bot,
    to: &Recipient,
    name: &str,
    text: String,
    purpose: &str,
) -> Result<bool, Trouble> {
    let feishu = bot.0.feishu.at(Class::Sign);
    let sent = async {
        let bytes = Bytes::from(text.into_bytes());
        let key = feishu.upload_file(name, bytes, FileType::Stream).await?;
        let uuid = notice::purpose_id(purpose);
        feishu.send(to, &Outgoing::File(key), &uuid).await?;
        Ok::<_, UploadError>(())
    };
    match sent.await {
        Ok(()) => Ok(true),
        Err(UploadError::Refused(error)) if error.is_transient() => Err(error.into()),
        Err(error) => {
            warn!(%error, "a report cannot be sent as a file");
            Ok(false)
        }
    }
}

/// What `/postmortem export` does: the room as it is now, frozen, as a file in a chat.
pub(in crate::bot) async fn export(
    bot: &Bot,
    case: &Case,
    chat: &ChatId,
    language: Language,
    purpose: &str,
) -> Result<bool, Trouble> {
    let rooms = war_room::whole(bot, case, &|_| {}).await?;
    let transcript = freeze::transcript(bot, case, &rooms, language, Bundles::Fetched).await?;
    let name = format!("transcript-{}.ndjson", case.number());
    let to = Recipient::Chat(chat.clone());
    upload(bot, &to, &name, transcript.to_ndjson(), purpose).await
}

/// What `/postmortem show` does: the card and the file once more, where the report's cards stand.
pub(in crate::bot) async fn show(
    bot: &Bot,
    report: &Report,
    purpose: &str,
) -> Result<bool, Trouble> {
    let Some(drawing) = drawing(bot, report).await? else {
        return Ok(false);
    };
    let to = Recipient::Chat(report.chat.clone());
    let feishu = bot.0.feishu.at(Class::Sign);
    let uuid = notice::purpose_id(purpose);
    let sent = feishu.send(&to, &Outgoing::CardJson(drawing), &uuid).await;
    let message = match sent {
        Ok(message) => message,
        Err(error @ Error::Gone(_)) => {
            debug!(%error, "the chat of a report is gone");
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    bot.reports()
        .update(report.number, |report| {
            let old = report.card.replace(message.id.clone());
            let old = old.filter(|old| *old != message.id);
            let why = Over::Replaced;
            report.closing.extend(old.map(|card| Closing { card, why }));
            report.files_wanted += 1;
        })
        .await?;
    bot.reports().look_at(report.number);
    Ok(true)
}

/// What `/postmortem status` tells, as Markdown.
pub(in crate::bot) async fn status(
    bot: &Bot,
    case: &Case,
    language: Language,
) -> Result<String, Trouble> {
    super::changes::settle(bot, case.number(), true).await?;
    bot.reports().look_at(case.number());
    let report = bot.reports().get(case.number()).await?;
    let either = |english: String, chinese: String| match language {
        Language::En => english,
        Language::Zh => chinese,
    };
    let number = case.number();
    let Some(report) = report else {
        return Ok(either(
            format!("There is no post-mortem of #{number} yet. `/postmortem` drafts one."),
            format!("故障 #{number} 还没有复盘报告。发送 `/复盘` 起草。"),
        ));
    };
    let mut lines = Vec::new();
    if report.job.is_some() {
        lines.push(either(
            "- A draft is under way.".into(),
            "- 正在起草。".into(),
        ));
    }
    let version = bot.reports().version(number, report.version).await?;
    if let Some(version) = version {
        let [pass, warn, fail] =
            [Verdict::Pass, Verdict::Warn, Verdict::Fail].map(|one| version.checks.count(one));
        let version = version.number;
        lines.push(either(
            format!(
                "- Version {version}; checks: {pass} passed, {warn} to look at, {fail} failed."
            ),
            format!("- 第 {version} 版；核对：通过 {pass}，需留意 {warn}，未通过 {fail}。"),
        ));
    }
    for one in &report.changed {
        lines.push(format!("- {}", one.words().text(language)));
    }
    if let Some(published) = &report.published {
        let by = escape(&name(bot, &published.by, &report.chat).await);
        lines.push(either(
            format!("- {by} published it."),
            format!("- {by} 已发布。"),
        ));
    }
    Ok(lines.join("\n"))
}

/// A section as a form shows it.
pub(in crate::bot) struct SectionForForm {
    /// Its report.
    pub report: Report,
    /// Its heading.
    pub heading: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// The fingerprint of its words.
    pub seen: String,
    /// Whether it is locked.
    pub is_locked: bool,
    /// Whether it may be written anew.
    pub may_be_written: bool,
}

/// A section that people may change, by its place.
pub(in crate::bot) async fn section_for_form(
    bot: &Bot,
    number: u32,
    place: usize,
) -> Result<Option<SectionForForm>, Trouble> {
    let Some(report) = bot.reports().get(number).await? else {
        return Ok(None);
    };
    let version = bot.reports().version(number, report.version).await?;
    let section = version.and_then(|version| version.document.sections.into_iter().nth(place));
    Ok(section.filter(is_of_people).map(|section| {
        let is_locked = report.locked.contains(&section.heading);
        SectionForForm {
            lines: section.texts(),
            seen: fingerprint(&section),
            is_locked,
            may_be_written: !is_locked && section.author != Author::Person,
            heading: section.heading,
            report,
        }
    }))
}

/// The moments that a form offers, each as it is now.
pub(in crate::bot) async fn facts_for_form(
    bot: &Bot,
    number: u32,
) -> Result<Option<(Report, Vec<form::Moment>)>, Trouble> {
    let Some(report) = bot.reports().get(number).await? else {
        return Ok(None);
    };
    let Some((_, ground)) = newest(bot, &report).await? else {
        return Ok(None);
    };
    let zone = &bot.0.zone;
    let moments = ground.facts().milestones.into_iter().map(|fixed| {
        let at = fixed.at.map(|at| at.to_zoned(zone.clone()));
        form::Moment {
            milestone: fixed.milestone,
            at: at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        }
    });
    Ok(Some((report, moments.collect())))
}
