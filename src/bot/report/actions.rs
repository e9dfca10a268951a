//! The action items of a report as people work with them: a list in the chat, owners and days, and word to
//! whoever has something to do.
//!
//! The items of the draft are read out of its version each time; kept is only what people decided, so that a
//! redraft brings new ones and takes none of theirs away. As long as the report is worked on, a decision also
//! makes a new version of it. Of a published report only "done" can be said, which changes none of its words.

use std::collections::{BTreeSet, HashSet};

use jiff::{
    Timestamp,
    civil::{Date, time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{debug, warn};

use crate::{
    bot::{
        Bot,
        card::{
            notice::{Notice, Template},
            report::actions::{ItemView, ListCard, Mentioned, TellingCard, count},
        },
        click::ReportPress,
        handling::{self, Told, Tone},
        incidents::{self, Case, Place},
        markdown::escape,
        notice,
        war_room::Trouble,
    },
    config::Language,
    feishu::{ChatId, Class, Error, MessageId, OpenId, Outgoing, Recipient},
    incident::{By, Channel, PersonId, What},
    postmortem::{
        actions::{ActionItem, ActionState, Due, Owner, items},
        write::{Author, Content, neutral},
    },
};

use super::{
    deeds::{changeable, keep},
    records::{Change, Closing, Over, Report, Version},
    rework::{Ground, fingerprint_of},
    show,
};

/// How many items people can decide about.
const SET_MAX: usize = 200;
/// How many characters of a source are quoted.
const QUOTE_CHARS_MAX: usize = 160;
/// At which hour of the day after an owner is told that something was due.
const REMIND_HOUR: i8 = 9;
/// How much of a chat's list of members is read: fifty pages of a hundred.
const MEMBER_PAGES_MAX: usize = 50;

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

/// What a person decides about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) enum Decision {
    /// It is to be done.
    Accept(Plan),
    /// It is not to be done, for this reason.
    Decline(String),
    /// It is done.
    Finish,
    /// This is to be done as well.
    Add(String, Plan),
}

/// Who does something, and until when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bot) struct Plan {
    /// Who.
    pub owner: Option<OpenId>,
    /// Until when.
    pub due: Option<Date>,
}

/// Carries out what somebody decides about the item with this key; for a new one the key is not looked at.
pub(in crate::bot) async fn decide(
    bot: &Bot,
    case: &Case,
    by: &OpenId,
    channel: Channel,
    key: &str,
    decision: Decision,
) -> Result<Told, Trouble> {
    let number = case.number();
    let _alone = bot.reports().alone.with(&case.id().0).await;
    let (report, version) = match changeable(bot, number).await? {
        Ok((report, version)) => (report, Some(version)),
        Err(told) => match bot.reports().get(number).await? {
            // What was published is not written anew for it.
            Some(report) if report.published.is_some() && decision == Decision::Finish => {
                (report, None)
            }
            _ => return Ok(told),
        },
    };
    let Some((_, ground)) = show::newest(bot, &report).await? else {
        return Ok(not_there());
    };
    let all = all(&ground);
    let person = PersonId(by.as_str().to_owned());
    let item = match &decision {
        Decision::Add(text, _) => ActionItem::added(&neutral(text), person.clone()),
        _ => match all.iter().find(|item| item.key == key) {
            Some(item) => item.clone(),
            None => return Ok(not_there()),
        },
    };
    if let Err(told) = fits(&report, &all, &item, &decision) {
        return Ok(told);
    }
    let item = ActionItem {
        set_by: Some(person),
        ..decided(bot, &report, item, &decision).await
    };
    let set = |report: &mut Report| {
        report.actions.set.retain(|old| old.key != item.key);
        report.actions.set.push(item.clone());
    };
    match version.filter(|version| is_written_by_code(&report, version)) {
        Some(version) => {
            let change = Change::Action(item.text.clone());
            keep(bot, &report, version, by, change, set).await?;
        }
        None => {
            bot.reports()
                .update(number, |report| {
                    set(report);
                    report.revision += 1;
                })
                .await?;
        }
    }
    if let Some(what) = entry(&item, &decision) {
        let by = By::person(by.as_str(), channel);
        bot.incidents().note(by, case.id(), vec![what]).await?;
    }
    Ok(done(&decision))
}

/// Whether a decision can be taken.
fn fits(
    report: &Report,
    all: &[ActionItem],
    item: &ActionItem,
    decision: &Decision,
) -> Result<(), Told> {
    let is_known = all.iter().any(|one| one.key == item.key);
    match decision {
        Decision::Add(..) if item.text.is_empty() => Err(Told::nothing_chosen()),
        Decision::Decline(reason) if reason.trim().is_empty() => Err(Told::nothing_chosen()),
        Decision::Add(..) if is_known => Err(Told::new(
            Tone::Nothing,
            "That is on the list already.",
            "列表中已有此项。",
        )),
        Decision::Finish if item.state == ActionState::Done => Err(Told::new(
            Tone::Nothing,
            "That is done already.",
            "此项已完成。",
        )),
        _ if report.actions.set.len() >= SET_MAX && item.set_by.is_none() => Err(Told::new(
            Tone::Refused,
            "The list has as many items as it can have.",
            "列表中的行动项已达上限。",
        )),
        _ => Ok(()),
    }
}

/// The item as it is after a decision.
async fn decided(bot: &Bot, report: &Report, item: ActionItem, decision: &Decision) -> ActionItem {
    let (state, plan) = match decision {
        Decision::Accept(plan) | Decision::Add(_, plan) => (ActionState::Accepted, Some(plan)),
        Decision::Finish => (ActionState::Done, None),
        Decision::Decline(reason) => {
            let reason = reason.trim().to_owned();
            (ActionState::Declined { reason }, None)
        }
    };
    let Some(plan) = plan else {
        return ActionItem { state, ..item };
    };
    let owner = match &plan.owner {
        Some(id) => Some(Owner {
            id: PersonId(id.as_str().to_owned()),
            name: bot.0.people.name(id, &report.chat).await,
        }),
        None => None,
    };
    // A form has no field for "by Friday", so leaving the day empty does not take it back.
    let told = item.due.filter(|due| matches!(due, Due::Told(_)));
    ActionItem {
        owner,
        due: plan.due.map(Due::Day).or(told),
        state,
        ..item
    }
}

/// What the timeline says of a decision.
fn entry(item: &ActionItem, decision: &Decision) -> Option<What> {
    let text = item.text.clone();
    match decision {
        Decision::Finish => Some(What::ActionDone { text }),
        Decision::Decline(reason) => Some(What::ActionDeclined {
            text,
            reason: reason.trim().to_owned(),
        }),
        Decision::Accept(_) | Decision::Add(..) => None,
    }
}

fn done(decision: &Decision) -> Told {
    let (english, chinese) = match decision {
        Decision::Accept(_) => ("It is to be done.", "已确认要做。"),
        Decision::Add(..) => ("It is on the list.", "已加入列表。"),
        Decision::Finish => ("It is done.", "已标为完成。"),
        Decision::Decline(_) => ("It is not to be done.", "已标为不做。"),
    };
    Told::new(Tone::Done, english, chinese)
}

fn not_there() -> Told {
    Told::new(
        Tone::Refused,
        "This item is not on the list any more. /postmortem actions shows what is.",
        "列表中已没有此项。发送 /复盘 行动项 查看。",
    )
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

/// An item as a form shows it.
pub(in crate::bot) async fn for_form(
    bot: &Bot,
    number: u32,
    key: &str,
) -> Result<Option<(Report, Option<ActionItem>)>, Trouble> {
    let Some(report) = bot.reports().get(number).await? else {
        return Ok(None);
    };
    let Some((_, ground)) = show::newest(bot, &report).await? else {
        return Ok(None);
    };
    let item = all(&ground).into_iter().find(|item| item.key == key);
    Ok(Some((report, item)))
}

/// The line of the report's card that counts them.
pub(super) fn line(bot: &Bot, report: &Report, ground: &Ground) -> Value {
    let all = all(ground);
    let unowned = all
        .iter()
        .filter(|item| item.is_open() && item.owner.is_none());
    let value = bot
        .0
        .clicks
        .report_value(ReportPress::Actions, &report.incident.0, &report.chat);
    count(all.len(), unowned.count(), report.language, &value)
}

/// Sends the list to where the report's cards stand. An older list says that there is a newer one.
pub(in crate::bot) async fn list(
    bot: &Bot,
    report: &Report,
    purpose: &str,
) -> Result<bool, Trouble> {
    let Some(drawing) = drawing(bot, report, &report.chat).await? else {
        return Ok(false);
    };
    let to = Recipient::Chat(report.chat.clone());
    let feishu = bot.0.feishu.at(Class::Sign);
    let uuid = notice::purpose_id(purpose);
    let message = match feishu.send(&to, &Outgoing::CardJson(drawing), &uuid).await {
        Ok(message) => message,
        Err(error @ Error::Gone(_)) => {
            debug!(%error, "the chat of a report is gone");
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let shown = report.revision;
    bot.reports()
        .update(report.number, |report| {
            let list = List {
                card: message.id.clone(),
                chat: report.chat.clone(),
                shown,
            };
            let old = report.actions.list.replace(list);
            let old = old.filter(|old| old.card != message.id);
            let why = Over::Replaced;
            let closing = old.map(|old| Closing {
                card: old.card,
                why,
            });
            report.closing.extend(closing);
        })
        .await?;
    bot.reports().look_at(report.number);
    Ok(true)
}

/// The card with the list.
async fn drawing(bot: &Bot, report: &Report, chat: &ChatId) -> Result<Option<Value>, Trouble> {
    let Some((version, ground)) = show::newest(bot, report).await? else {
        return Ok(None);
    };
    let is_published = report.published.is_some();
    let value = |press: ReportPress, about: &str| bot.0.clicks.report_value(press, about, chat);
    let views = all(&ground).into_iter().map(|item| {
        let about = format!("{}/{}", report.incident, item.key);
        let button = |press, is_there: bool| is_there.then(|| value(press, &about));
        let may_change = !is_published;
        ItemView {
            quote: quote(&item, &ground),
            plan: button(ReportPress::PlanAction, may_change),
            decline: button(ReportPress::DeclineAction, may_change && item.is_open()),
            finish: button(ReportPress::FinishAction, item.is_open()),
            item,
        }
    });
    let tells = |section: &&crate::postmortem::Section| section.content == Content::ActionItems;
    let is_told = version.document.sections.iter().any(|one| tells(&one));
    let card = ListCard {
        number: report.number,
        title: &ground.records.incident.title,
        language: report.language,
        items: views.collect(),
        is_published,
        is_section_of_people: is_told && !is_written_by_code(report, &version),
        add: (!is_published).then(|| value(ReportPress::AddAction, &report.incident.0)),
    };
    Ok(Some(card.render()))
}

/// What was said, and by whom.
fn quote(item: &ActionItem, ground: &Ground) -> Option<String> {
    let transcript = &ground.transcript;
    let mut messages = item
        .message_ids
        .iter()
        .filter_map(|id| transcript.message(id));
    let message = messages.next()?;
    let said = message.evidence();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = crate::bot::card::shorten(&said, QUOTE_CHARS_MAX);
    let alias = transcript.alias(&message.id).unwrap_or_default();
    let author = transcript.name(&message.author);
    (!said.is_empty()).then(|| format!("{author}: {said} [{alias}]"))
}

/// Does the next thing that is to be done about the action items; none: false.
pub(super) async fn follow(bot: &Bot, report: &Report) -> Result<bool, Trouble> {
    let actions = &report.actions;
    if let Some(list) = &actions.list
        && list.shown < report.revision
    {
        draw(bot, report, list).await?;
    } else if actions.tellings_done < actions.tellings_wanted {
        tell(bot, report).await?;
    } else if let Some((item, owner, day)) = overdue(report, Timestamp::now(), &bot.0.zone) {
        remind(bot, report, item, owner, day).await?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Makes the list show what there is.
async fn draw(bot: &Bot, report: &Report, list: &List) -> Result<(), Trouble> {
    if let Some(drawing) = drawing(bot, report, &list.chat).await? {
        show::patiently(bot, report.number, &list.card, &drawing).await?;
    }
    let set = |now: &mut Report| {
        let same = now.actions.list.iter_mut();
        same.filter(|one| one.card == list.card)
            .for_each(|one| one.shown = one.shown.max(report.revision));
    };
    bot.reports().update(report.number, set).await?;
    Ok(())
}

/// Tells the chat of a published report who has what to do, unless it was told just that before.
async fn tell(bot: &Bot, report: &Report) -> Result<(), Trouble> {
    let wanted = report.actions.tellings_wanted;
    let mut told = report.actions.told.clone();
    if report.published.is_some()
        && let Some((_, ground)) = show::newest(bot, report).await?
    {
        let open: Vec<ActionItem> = all(&ground)
            .into_iter()
            .filter(ActionItem::is_open)
            .collect();
        let sign = fingerprint_of(&serde_json::to_string(&open).unwrap_or_default());
        if !open.is_empty() && sign != told {
            tell_chat(bot, report, &open).await?;
            tell_absent(bot, report, &open).await?;
            told = sign;
        }
    }
    bot.reports()
        .update(report.number, |report| {
            report.actions.tellings_done = report.actions.tellings_done.max(wanted);
            report.actions.told.clone_from(&told);
        })
        .await?;
    Ok(())
}

async fn tell_chat(bot: &Bot, report: &Report, open: &[ActionItem]) -> Result<(), Trouble> {
    let card = TellingCard {
        number: report.number,
        language: report.language,
        items: open,
    };
    let purpose = telling(report, "chat");
    let to = Recipient::Chat(report.chat.clone());
    let uuid = notice::purpose_id(&purpose);
    let feishu = bot.0.feishu.at(Class::Sign);
    match feishu
        .send(&to, &Outgoing::CardJson(card.render()), &uuid)
        .await
    {
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            warn!(%error, "a chat is not told of its action items");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// Tells those directly who are not in the chat, where a mention reaches nobody.
async fn tell_absent(bot: &Bot, report: &Report, open: &[ActionItem]) -> Result<(), Trouble> {
    let there = members(bot, &report.chat).await?;
    let mut owners: Vec<&PersonId> = open
        .iter()
        .filter_map(|item| Some(&item.owner.as_ref()?.id))
        .collect();
    owners.sort();
    owners.dedup();
    for owner in owners {
        let Some(account) = incidents::known_account(bot, owner).await else {
            continue;
        };
        if there.contains(&account) {
            continue;
        }
        let owned = open
            .iter()
            .filter(|item| item.owner.as_ref().is_some_and(|one| one.id == *owner));
        let items: Vec<&ActionItem> = owned.collect();
        let language = handling::language(bot, &Place::Person(account.clone())).await;
        let text = Mentioned {
            number: report.number,
            items: &items,
        }
        .text(language);
        let purpose = telling(report, account.as_str());
        tell_directly(bot, &account, &purpose, report.number, language, &text).await?;
    }
    Ok(())
}

fn telling(report: &Report, whom: &str) -> String {
    let wanted = report.actions.tellings_wanted;
    format!("report/{}/actions/{wanted}/{whom}", report.incident)
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

/// Who is in a chat. Where that cannot be known nobody is, and a direct note does no harm.
async fn members(bot: &Bot, chat: &ChatId) -> Result<HashSet<OpenId>, Trouble> {
    let feishu = bot.0.feishu.at(Class::Sign);
    let mut found = HashSet::new();
    let mut after: Option<String> = None;
    for _ in 0..MEMBER_PAGES_MAX {
        let page = match feishu.chat_members(chat, after.as_deref()).await {
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                warn!(%error, "who is in the chat of a report is not known");
                break;
            }
            Ok(page) => page,
        };
        found.extend(page.items.into_iter().map(|member| member.open_id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

/// An item that was due and is not done, and whose owner was not told so.
fn overdue<'a>(
    report: &'a Report,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<(&'a ActionItem, &'a Owner, Date)> {
    let items = report.actions.set.iter();
    let accepted = items.filter(|item| item.state == ActionState::Accepted);
    let mut due = accepted.filter_map(|item| match (&item.owner, &item.due) {
        (Some(owner), Some(Due::Day(day))) => Some((item, owner, *day)),
        _ => None,
    });
    due.find(|(item, _, day)| {
        is_over(*day, now, zone) && !report.actions.reminded.contains(&reminder(item, *day))
    })
}

/// Whether a day is over, and those of the next one are at work.
fn is_over(day: Date, now: Timestamp, zone: &TimeZone) -> bool {
    let next = day.tomorrow().ok();
    let at = next.and_then(|next| {
        let morning = next.to_datetime(time(REMIND_HOUR, 0, 0, 0));
        morning.to_zoned(zone.clone()).ok()
    });
    at.is_some_and(|at| at.timestamp() <= now)
}

fn reminder(item: &ActionItem, day: Date) -> String {
    let owner = item.owner.as_ref().map_or("", |owner| owner.id.0.as_str());
    format!("{} {day} {owner}", item.key)
}

/// Tells an owner once that something was due.
async fn remind(
    bot: &Bot,
    report: &Report,
    item: &ActionItem,
    owner: &Owner,
    day: Date,
) -> Result<(), Trouble> {
    let reminder = reminder(item, day);
    if let Some(account) = incidents::known_account(bot, &owner.id).await {
        let language = handling::language(bot, &Place::Person(account.clone())).await;
        let (number, text) = (report.number, escape(&item.text));
        let text = match language {
            Language::En => format!(
                "This was due on {day} and is not done: {text}\n\n`/postmortem #{number} actions` puts the list into the room, where Done says that it is."
            ),
            Language::Zh => format!(
                "以下行动项已于 {day} 到期，尚未完成：{text}\n\n发送 `/复盘 #{number} 行动项` 会在群里显示列表，完成后可在其中标记。"
            ),
        };
        let purpose = format!("report/{}/due/{reminder}", report.incident);
        tell_directly(bot, &account, &purpose, number, language, &text).await?;
    }
    bot.reports()
        .update(report.number, |report| {
            report.actions.reminded.insert(reminder.clone());
        })
        .await?;
    Ok(())
}

/// Has every report looked at in which something was due.
pub(super) async fn look_over(bot: &Bot) {
    match bot.reports().all().await {
        Ok(reports) => reports
            .iter()
            .filter(|report| overdue(report, Timestamp::now(), &bot.0.zone).is_some())
            .for_each(|report| bot.reports().look_at(report.number)),
        Err(error) => warn!(%error, "whether action items are due is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_on_the_morning_after_it() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let check = |now: &str, expected: bool| {
            let day = jiff::civil::date(2026, 11, 30);
            assert_eq!(is_over(day, now.parse().unwrap(), &zone), expected, "{now}");
        };
        check("2026-11-30T23:00:00+08:00", false);
        check("2026-12-01T08:59:00+08:00", false);
        check("2026-12-01T09:00:00+08:00", true);
        check("2027-01-01T00:00:00+08:00", true);
    }
}
