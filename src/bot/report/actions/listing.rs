//! The list of action items in the chat, and the line of the report's card that counts them.

use serde_json::Value;
use tracing::debug;

use crate::{
    bot::{
        Bot,
        card::{
            report::actions::{ItemView, ListCard, count},
            shorten,
        },
        click::ReportPress,
        notice,
        war_room::Trouble,
    },
    feishu::{ChatId, Class, Error, Outgoing, Recipient},
    postmortem::{actions::ActionItem, write::Content},
};

use super::{
    super::{
        records::{Closing, Over, Report},
        rework::Ground,
        show,
    },
    List, all, is_written_by_code,
};

/// How many characters of a source are quoted.
const QUOTE_CHARS_MAX: usize = 160;

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
pub(in crate::bot::report) fn line(bot: &Bot, report: &Report, ground: &Ground) -> Value {
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
    let said = shorten(&said, QUOTE_CHARS_MAX);
    let alias = transcript.alias(&message.id).unwrap_or_default();
    let author = transcript.name(&message.author);
    (!said.is_empty()).then(|| format!("{author}: {said} [{alias}]"))
}

/// Makes the list show what there is.
pub(super) async fn draw(bot: &Bot, report: &Report, list: &List) -> Result<(), Trouble> {
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
