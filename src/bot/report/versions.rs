//! The versions of a report as people see them: which there are, and what has become of one since.

use jiff::Timestamp;

use crate::{
    bot::{
        Bot,
        card::shorten,
        handling::{Told, Tone},
        markdown::escape,
        war_room::Trouble,
    },
    config::Language,
    feishu::Recipient,
    postmortem::{check::Verdict, write::milestone_words},
};

use super::{
    deeds::no_draft,
    differences::{Differences, compare, find},
    records::{Change, Report, Version},
    rework::Ground,
    show::{ground, name, upload},
    texts,
};

/// How many versions a list shows; those before it can be seen by their numbers.
const LISTED_MAX: u32 = 40;

/// How much of an action item a list repeats.
const ITEM_CHARS_MAX: usize = 60;

/// One of two texts.
fn either(language: Language, english: String, chinese: String) -> String {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// What `/postmortem versions` tells, as Markdown, the newest first. Nothing where there is no draft.
pub(in crate::bot) async fn list(
    bot: &Bot,
    number: u32,
    language: Language,
) -> Result<Option<String>, Trouble> {
    let report = bot.reports().get(number).await?;
    let Some(report) = report.filter(|report| report.version > 0) else {
        return Ok(None);
    };
    let mut lines = Vec::new();
    let oldest = report.version.saturating_sub(LISTED_MAX);
    for one in (oldest + 1..=report.version).rev() {
        if let Some(version) = bot.reports().version(number, one).await? {
            lines.push(line(bot, &report, &version, language).await);
        }
    }
    if oldest > 0 {
        lines.push(either(
            language,
            format!("- Older ones: 1 to {oldest}"),
            format!("- 更早的版本：1 至 {oldest}"),
        ));
    }
    lines.push(either(
        language,
        "\n`/postmortem show 2` sends the file of version 2; `/postmortem restore 2` has it back."
            .into(),
        "\n发送 `/复盘 查看 2` 获取第 2 版的文件，`/复盘 恢复 2` 恢复第 2 版。".into(),
    ));
    Ok(Some(lines.join("\n")))
}

async fn line(bot: &Bot, report: &Report, version: &Version, language: Language) -> String {
    let [pass, warn, fail] =
        [Verdict::Pass, Verdict::Warn, Verdict::Fail].map(|one| version.checks.count(one));
    let checks = either(
        language,
        format!("checks: {pass} passed, {warn} to look at, {fail} failed"),
        format!("核对：通过 {pass}，需留意 {warn}，未通过 {fail}"),
    );
    let mut parts = vec![
        format!("**{}**", version.number),
        time(bot, version.at),
        escape(&name(bot, &version.by, &report.chat).await),
    ];
    parts.extend(version.change.as_ref().map(|one| words(one, language)));
    parts.push(checks);
    parts.extend(publishing(report, version.number, language));
    format!("- {}", parts.join(" · "))
}

fn time(bot: &Bot, at: Timestamp) -> String {
    let at = at.to_zoned(bot.0.zone.clone());
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What made a version, as Markdown.
fn words(change: &Change, language: Language) -> String {
    match change {
        Change::Drafted => either(language, "draft".into(), "起草".into()),
        Change::Edited(heading) => {
            let heading = escape(heading);
            either(
                language,
                format!("section edited: {heading}"),
                format!("编辑章节：{heading}"),
            )
        }
        Change::Anew(heading) => {
            let heading = escape(heading);
            either(
                language,
                format!("section written anew: {heading}"),
                format!("重新生成章节：{heading}"),
            )
        }
        Change::Moment(milestone) => {
            let milestone = milestone_words(*milestone, language);
            either(
                language,
                format!("time set: {milestone}"),
                format!("修正时间：{milestone}"),
            )
        }
        Change::Action(text) => {
            let text = escape(&shorten(text, ITEM_CHARS_MAX));
            either(
                language,
                format!("action item: {text}"),
                format!("行动项：{text}"),
            )
        }
        Change::Restored(from) => either(
            language,
            format!("version {from} restored"),
            format!("恢复自第 {from} 版"),
        ),
    }
}

/// Whether a version is published, or was.
fn publishing(report: &Report, version: u32, language: Language) -> Option<String> {
    // Nothing changes while it is published, so then it is the newest.
    if report.published.is_some() && version == report.version {
        return Some(either(
            language,
            "**published**".into(),
            "**已发布**".into(),
        ));
    }
    let was = report.was_published.iter();
    let was = was.filter(|one| one.version == version).count() > 0;
    was.then(|| either(language, "was published".into(), "曾发布".into()))
}

/// The differences as Markdown, a line for each section.
async fn told(bot: &Bot, report: &Report, found: &Differences, language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    for section in &found.first {
        let state = match find(&found.last, &section.heading) {
            None => either(language, "not in it".into(), "新版中没有".into()),
            Some(now) if found.is_same(section, now) => {
                either(language, "unchanged".into(), "未变".into())
            }
            Some(_) => changed(bot, report, found, &section.heading, language).await,
        };
        lines.push(format!("- **{}**: {state}", escape(&section.heading)));
    }
    for now in &found.last {
        if find(&found.first, &now.heading).is_none() {
            let state = changed(bot, report, found, &now.heading, language).await;
            let new = either(language, "new; ".into(), "新增，".into());
            lines.push(format!("- **{}**: {new}{state}", escape(&now.heading)));
        }
    }
    lines
}

async fn changed(
    bot: &Bot,
    report: &Report,
    found: &Differences,
    heading: &str,
    language: Language,
) -> String {
    let mut changes = found.changes.iter();
    match changes.find(|(known, ..)| known == heading) {
        Some((_, version, by)) => {
            let by = escape(&name(bot, by, &report.chat).await);
            either(
                language,
                format!("changed by {by} (version {version})"),
                format!("{by} 修改（第 {version} 版）"),
            )
        }
        None => either(language, "changed".into(), "有改动".into()),
    }
}

fn no_version(wanted: u32, newest: u32) -> Told {
    Told::new(
        Tone::Refused,
        format!(
            "There is no version {wanted}; there are 1 to {newest}. An incident is written with a #, as #{wanted}."
        ),
        format!("没有第 {wanted} 版，现有第 1 至 {newest} 版。故障编号请加 #，例如 #{wanted}。"),
    )
}

fn not_there(wanted: u32) -> Told {
    Told::new(
        Tone::Failed,
        format!(
            "What version {wanted} was written from is not kept any more, so it cannot be had."
        ),
        format!("第 {wanted} 版所依据的记录已不存在，无法使用。"),
    )
}

/// A version that somebody asks for, with all that it was written from.
pub(super) async fn whole(
    bot: &Bot,
    report: &Report,
    wanted: u32,
) -> Result<Result<(Version, Ground), Told>, Trouble> {
    let Some(version) = bot.reports().version(report.number, wanted).await? else {
        return Ok(Err(no_version(wanted, report.version)));
    };
    // Without these a section that code writes would come back empty.
    let events = texts::read(bot.store(), report.number, &version.events).await?;
    Ok(match ground(bot, report, &version).await? {
        Some(ground) if events.is_some() => Ok((version, ground)),
        _ => Err(not_there(wanted)),
    })
}

/// What `/postmortem show 2` does: the file of that version, where the report's cards stand. Gives as Markdown
/// what differs from the newest.
pub(in crate::bot) async fn show(
    bot: &Bot,
    report: &Report,
    wanted: u32,
    language: Language,
    purpose: &str,
) -> Result<Result<String, Told>, Trouble> {
    let (version, ground) = match whole(bot, report, wanted).await? {
        Ok(found) => found,
        Err(told) => return Ok(Err(told)),
    };
    let file = format!("postmortem-{}-v{wanted}.md", report.number);
    let text = ground.markdown(&version.document);
    let to = Recipient::Chat(report.chat.clone());
    if !upload(bot, &to, &file, text, purpose).await? {
        return Ok(Err(Told::new(
            Tone::Failed,
            "The platform does not take the file.",
            "平台未接受该文件。",
        )));
    }
    let newest = report.version;
    let mut lines = vec![line(bot, report, &version, language).await, String::new()];
    if wanted == newest {
        lines.push(either(
            language,
            "It is the newest version.".into(),
            "这是最新版本。".into(),
        ));
        return Ok(Ok(lines.join("\n")));
    }
    lines.push(either(
        language,
        format!("In version {newest}, the newest:"),
        format!("与最新的第 {newest} 版相比："),
    ));
    lines.push(String::new());
    let found = compare(bot, report, &version).await?;
    lines.extend(told(bot, report, &found, language).await);
    Ok(Ok(lines.join("\n")))
}

/// There is nothing to list or to show.
pub(in crate::bot) fn nothing(number: u32) -> Told {
    no_draft(number)
}
