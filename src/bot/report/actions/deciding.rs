//! What people decide about an action item, and what becomes of it.

use jiff::civil::Date;

use crate::{
    bot::{
        Bot,
        handling::{Told, Tone},
        incidents::Case,
        war_room::Trouble,
    },
    feishu::OpenId,
    incident::{By, Channel, PersonId, What},
    postmortem::{
        actions::{ActionItem, ActionState, Due, Owner},
        write::neutral,
    },
};

use super::{
    super::{
        deeds::{changeable, keep},
        records::{Change, Report},
        show,
    },
    all, is_written_by_code,
};

/// How many items people can decide about.
const SET_MAX: usize = 200;

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
