//! What people do with a report, by a button, a form or a command. Each is kept before it is answered.

use jiff::{Timestamp, civil};

use crate::{
    bot::{
        Bot,
        handling::{Told, Tone},
        incidents::Case,
        war_room::Trouble,
    },
    config::Language,
    feishu::{ChatId, OpenId},
    incident::PersonId,
    postmortem::{
        Confirmed,
        asking::Spent,
        facts::Milestone,
        write::{Author, Section},
    },
};

use super::{
    begun, locked,
    records::{Change, Checked, Job, OnlySection, Report, Version, digits, version_key},
    rework::{fingerprint, is_of_people},
    show, template,
};

/// A draft that somebody wants.
#[derive(Debug, Clone)]
pub(in crate::bot) struct Wish {
    /// Who.
    pub by: OpenId,
    /// Where it is shown if the incident has no room.
    pub chat: ChatId,
    /// The language of a first draft.
    pub language: Language,
    /// The one section that is to be written anew, by its place, and what is to be heeded.
    pub only: Option<(usize, String)>,
    /// The template that it is drafted with, by its name; none: that of the report.
    pub template: Option<String>,
}

/// Has a draft made. It is kept when this returns; the draft comes later.
pub(in crate::bot) async fn begin(bot: &Bot, case: &Case, wish: Wish) -> Result<Told, Trouble> {
    let number = case.number();
    let _alone = bot.reports().alone.with(&case.id().0).await;
    // After a store was lost numbers begin anew, and an old report is another incident's.
    let known = bot.reports().get(number).await?;
    let known = known.filter(|report| report.incident == *case.id());
    if let Some(told) = known.as_ref().and_then(in_the_way) {
        return Ok(told);
    }
    let (mut only, mut frozen) = (None, None);
    if let Some((place, remark)) = wish.only.clone() {
        let version = newest(bot, known.as_ref()).await?;
        let Some((report, version)) = known.as_ref().zip(version) else {
            return Ok(no_draft(number));
        };
        let Some(section) = section(&version, place) else {
            return Ok(Told::nothing_chosen());
        };
        if section.author == Author::Person || report.locked.contains(&section.heading) {
            return Ok(is_peoples());
        }
        let heading = section.heading.clone();
        only = Some(OnlySection { heading, remark });
        // The other sections cite the room as it was frozen.
        frozen = Some(version.frozen);
    }
    if let Some(name) = &wish.template
        && let Err(told) = template::is_there(bot, name, wish.language).await
    {
        return Ok(told);
    }
    if !begun::may_begin(bot).await? {
        return Ok(too_often());
    }
    let room = case.open_room().and_then(|room| room.chat.clone());
    let reports = &bot.reports().reports;
    let key = digits(number);
    // Whoever shows the report notes that in it meanwhile, which is no reason to refuse the wish.
    loop {
        let stored = reports.get(&key).await?;
        let known = stored.clone().filter(|one| one.incident == *case.id());
        let mut report = known.unwrap_or_else(|| new_report(case, &wish));
        report.chat = room.clone().unwrap_or_else(|| wish.chat.clone());
        report.jobs += 1;
        report.job = Some(Job {
            number: report.jobs,
            by: wish.by.clone(),
            at: Timestamp::now(),
            only: only.clone(),
            template: wish.template.clone(),
            card: None,
            frozen: frozen.clone(),
            spent: Spent::default(),
            cancelled_by: None,
        });
        if reports
            .compare_and_swap(&key, stored.as_ref(), Some(&report))
            .await?
        {
            break;
        }
    }
    bot.reports().look_at(number);
    Ok(Told::new(
        Tone::Done,
        format!("The post-mortem of #{number} is being drafted."),
        format!("正在起草故障 #{number} 的复盘报告。"),
    ))
}

fn new_report(case: &Case, wish: &Wish) -> Report {
    Report {
        incident: case.id().clone(),
        number: case.number(),
        chat: wish.chat.clone(),
        language: wish.language,
        jobs: 0,
        job: None,
        version: 0,
        locked: Default::default(),
        confirmed: Vec::new(),
        changed: Vec::new(),
        published: None,
        was_published: Vec::new(),
        template: None,
        card: None,
        revision: 0,
        shown: 0,
        files_wanted: 0,
        files_sent: 0,
        closing: Vec::new(),
        actions: Default::default(),
    }
}

/// Why a report cannot be changed now.
fn in_the_way(report: &Report) -> Option<Told> {
    let number = report.number;
    if report.job.is_some() {
        return Some(Told::new(
            Tone::Refused,
            format!(
                "A draft of the post-mortem of #{number} is under way. Wait for it, or cancel it."
            ),
            format!("故障 #{number} 的复盘报告正在起草。请等待完成，或先取消。"),
        ));
    }
    report.published.as_ref().map(|_| {
        Told::new(
            Tone::Refused,
            format!(
                "The post-mortem of #{number} is published. Reopen it first: /postmortem reopen."
            ),
            format!("故障 #{number} 的复盘报告已发布。请先重新打开：/复盘 重新打开。"),
        )
    })
}

pub(super) fn no_draft(number: u32) -> Told {
    Told::new(
        Tone::Refused,
        format!("There is no post-mortem of #{number} yet. /postmortem drafts one."),
        format!("故障 #{number} 还没有复盘报告。发送 /复盘 起草。"),
    )
}

fn is_peoples() -> Told {
    Told::new(
        Tone::Refused,
        "A person wrote or locked this section, so it is not written anew. Unlock it first, or edit it.",
        "本节由人撰写或已锁定，不会重新生成。请先解锁，或直接编辑。",
    )
}

fn too_often() -> Told {
    Told::new(
        Tone::Refused,
        "Many drafts were begun within the last minute. Please try again in a minute.",
        "一分钟内起草次数过多，请稍后再试。",
    )
}

async fn newest(bot: &Bot, report: Option<&Report>) -> Result<Option<Version>, Trouble> {
    match report {
        Some(report) => Ok(bot.reports().version(report.number, report.version).await?),
        None => Ok(None),
    }
}

/// A section that people may change, by its place in the document.
fn section(version: &Version, place: usize) -> Option<&Section> {
    let section = version.document.sections.get(place);
    section.filter(|section| is_of_people(section))
}

/// Ends the draft that is under way.
pub(in crate::bot) async fn cancel(bot: &Bot, number: u32, by: &OpenId) -> Result<Told, Trouble> {
    let nothing = || {
        Told::new(
            Tone::Nothing,
            "No draft is under way.",
            "当前没有正在起草的复盘报告。",
        )
    };
    let report = bot.reports().get(number).await?;
    if report.is_none_or(|report| report.job.is_none()) {
        return Ok(nothing());
    }
    bot.reports()
        .update(number, |report| {
            if let Some(job) = &mut report.job {
                job.cancelled_by.get_or_insert_with(|| by.clone());
            }
        })
        .await?;
    if let Some(running) = locked(&bot.reports().running).get(&number) {
        running.cancel();
    }
    bot.reports().look_at(number);
    Ok(Told::new(
        Tone::Done,
        "The draft was cancelled.",
        "已取消起草。",
    ))
}

/// The report of an incident and its newest version, where they can be changed now.
pub(super) async fn changeable(
    bot: &Bot,
    number: u32,
) -> Result<Result<(Report, Version), Told>, Trouble> {
    let report = bot.reports().get(number).await?;
    let version = newest(bot, report.as_ref()).await?;
    Ok(match report.zip(version) {
        None => Err(no_draft(number)),
        Some((report, version)) => match in_the_way(&report) {
            Some(told) => Err(told),
            None => Ok((report, version)),
        },
    })
}

/// What a form about a section was filled in with.
#[derive(Debug)]
pub(in crate::bot) struct Words<'a> {
    /// The fingerprint of the section as it was seen.
    pub seen: &'a str,
    /// How many of its lines stood in the form; none: all.
    pub lines: Option<usize>,
    /// What stands there now.
    pub text: &'a str,
}

/// Puts a person's words in the place of a section's. What had no room in the form stays as it is.
pub(in crate::bot) async fn edit(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    place: usize,
    words: Words<'_>,
) -> Result<Told, Trouble> {
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let (report, mut version) = match changeable(bot, case.number()).await? {
        Ok(found) => found,
        Err(told) => return Ok(told),
    };
    let Some(section) = section(&version, place) else {
        return Ok(Told::nothing_chosen());
    };
    if fingerprint(section) != words.seen {
        return Ok(Told::new(
            Tone::Refused,
            "This section was changed meanwhile. Copy your text, open the form again and look.",
            "本节内容已被修改。请复制你的文字，重新打开表单后再提交。",
        ));
    }
    let lines = words.lines.unwrap_or(section.lines.len());
    let rewritten = section.rewritten(words.text, lines);
    if rewritten.lines.is_empty() {
        return Ok(Told::new(
            Tone::Refused,
            "A section cannot be empty.",
            "章节内容不能为空。",
        ));
    }
    let heading = rewritten.heading.clone();
    version.document.sections[place] = rewritten;
    let change = Change::Edited(heading.clone());
    keep(bot, &report, version, by, change, |_| {}).await?;
    Ok(Told::new(
        Tone::Done,
        format!("Saved. Nobody but people changes \"{heading}\" from now on."),
        format!("已保存。「{heading}」此后只由人修改。"),
    ))
}

/// Keeps what a person made of a version as the newest one, checked anew, and what they set in the report.
pub(super) async fn keep(
    bot: &Bot,
    report: &Report,
    version: Version,
    by: &OpenId,
    change: Change,
    set: impl Fn(&mut Report),
) -> Result<u32, Trouble> {
    let number = report.number;
    let mut changed = report.clone();
    set(&mut changed);
    let Some(ground) = show::ground(bot, &changed, &version).await? else {
        return Err(crate::bot::incidents::Error::NotKept.into());
    };
    let locked = report.locked.clone();
    let (document, checks) = ground.rework(&version.document, |section| {
        locked.contains(&section.heading)
    });
    let next = Version {
        number: report.version + 1,
        at: Timestamp::now(),
        by: by.clone(),
        document,
        checks: Checked::of(&checks),
        change: Some(change),
        confirmed: Some(changed.confirmed),
        ..version
    };
    let mut batch = bot.store().batch();
    batch.put(&version_key(number, next.number), &next);
    bot.store().commit(batch).await?;
    bot.reports()
        .update(number, |report| {
            set(report);
            report.template.clone_from(&next.template);
            report.version = next.number;
            report.revision += 1;
        })
        .await?;
    Ok(next.number)
}

/// Locks a section against redrafts, or unlocks it.
pub(in crate::bot) async fn lock(bot: &Bot, case: &Case, place: usize) -> Result<Told, Trouble> {
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let (report, version) = match changeable(bot, case.number()).await? {
        Ok(found) => found,
        Err(told) => return Ok(told),
    };
    let Some(section) = section(&version, place) else {
        return Ok(Told::nothing_chosen());
    };
    let heading = &section.heading;
    let is_locked = !report.locked.contains(heading);
    bot.reports()
        .update(case.number(), |report| {
            match is_locked {
                true => report.locked.insert(heading.clone()),
                false => report.locked.remove(heading),
            };
            report.revision += 1;
        })
        .await?;
    Ok(match is_locked {
        true => Told::new(
            Tone::Done,
            format!("\"{heading}\" is locked: a new draft leaves it as it is."),
            format!("「{heading}」已锁定，重新起草时保持不变。"),
        ),
        false => Told::new(
            Tone::Done,
            format!("\"{heading}\" is unlocked."),
            format!("「{heading}」已解锁。"),
        ),
    })
}

/// Sets when something was. Without a time, what is shown is accepted.
pub(in crate::bot) async fn set_milestone(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    milestone: Milestone,
    time: &str,
) -> Result<Told, Trouble> {
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let (report, version) = match changeable(bot, case.number()).await? {
        Ok(found) => found,
        Err(told) => return Ok(told),
    };
    let Some(ground) = show::ground(bot, &report, &version).await? else {
        return Ok(no_draft(case.number()));
    };
    let known = ground.facts().at(milestone);
    let opened = case.incident.opened_at;
    let at = match time.trim() {
        "" => known,
        time => read_time(time, known.unwrap_or(opened), &bot.0.zone),
    };
    let Some(at) = at.filter(|at| *at <= Timestamp::now()) else {
        return Ok(Told::new(
            Tone::Refused,
            "Write a time that is past, such as 14:05 or 2026-11-21 14:05.",
            "请填写一个已过去的时间，例如 14:05 或 2026-11-21 14:05。",
        ));
    };
    let confirmed = Confirmed {
        milestone,
        at,
        by: PersonId(by.as_str().to_owned()),
    };
    let set = |report: &mut Report| {
        report.confirmed.retain(|old| old.milestone != milestone);
        report.confirmed.push(confirmed.clone());
    };
    let change = Change::Moment(milestone);
    keep(bot, &report, version, by, change, set).await?;
    Ok(Told::new(
        Tone::Done,
        "Set. The numbers that follow from it are computed anew.",
        "已确认，相关指标已重新计算。",
    ))
}

/// A time as a form has it: with its day, or on the day of what it corrects.
fn read_time(text: &str, near: Timestamp, zone: &jiff::tz::TimeZone) -> Option<Timestamp> {
    let text = text.replace('：', ":");
    let day = near.to_zoned(zone.clone()).date();
    let read = |pattern: &str, text: &str| civil::DateTime::strptime(pattern, text).ok();
    let dated = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let whole = dated.iter().find_map(|pattern| read(pattern, text.trim()));
    let on_day = format!("{day} {}", text.trim());
    let found = whole.or_else(|| dated.iter().find_map(|pattern| read(pattern, &on_day)))?;
    Some(found.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_day_or_on_the_day_of_what_it_corrects() {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let near = "2026-11-21T06:00:00Z".parse().unwrap();
        let check = |text: &str, expected: Option<&str>| {
            let expected = expected.map(|at| at.parse().unwrap());
            assert_eq!(read_time(text, near, &zone), expected, "{text}");
        };
        check("14:05", Some("2026-11-21T06:05:00Z"));
        check(" 14：05 ", Some("2026-11-21T06:05:00Z"));
        check("2026-11-20 23:59:30", Some("2026-11-20T15:59:30Z"));
        check("soon", None);
        check("25:00", None);
    }
}
