//! Word to those who have something to do, when a report is published.

use std::collections::HashSet;

use tracing::warn;

use crate::{
    bot::{
        Bot,
        card::report::actions::{Mentioned, TellingCard},
        handling, incidents,
        incidents::Place,
        notice,
        war_room::Trouble,
    },
    feishu::{ChatId, Class, OpenId, Outgoing, Recipient},
    incident::PersonId,
    postmortem::actions::ActionItem,
};

use super::{
    super::{records::Report, rework::fingerprint_of, show},
    all, tell_directly,
};

/// How much of a chat's list of members is read: fifty pages of a hundred.
const MEMBER_PAGES_MAX: usize = 50;

/// Tells the chat of a published report who has what to do, unless it was told just that before.
pub(super) async fn tell(bot: &Bot, report: &Report) -> Result<(), Trouble> {
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
