//! Word to an owner on the morning after an item was due.

use jiff::{
    Timestamp,
    civil::{Date, time},
    tz::TimeZone,
};
use tracing::warn;

use crate::{
    bot::{Bot, handling, incidents, incidents::Place, markdown::escape, war_room::Trouble},
    config::Language,
    postmortem::actions::{ActionItem, ActionState, Due, Owner},
};

use super::{super::records::Report, tell_directly};

/// At which hour of the day after an owner is told that something was due.
const REMIND_HOUR: i8 = 9;

/// An item that was due and is not done, and whose owner was not told so.
pub(super) fn overdue<'a>(
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
pub(super) async fn remind(
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
pub(in crate::bot::report) async fn look_over(bot: &Bot) {
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
