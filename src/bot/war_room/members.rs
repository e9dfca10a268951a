//! Who belongs into a room: those who work on the incident, those who were told of it and those on call for
//! it, and who asked. Everybody is invited once: whoever leaves is not dragged back.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        incidents::Case,
        markdown::escape,
        notice,
    },
    config::{IncidentsConfig, Language},
    feishu::{ChatId, Class, OpenId, Recipient},
    incident::{
        PersonId, What,
        labels::Labels,
        routing::{self, Target},
    },
};

use super::{Invitation, Progress, Trouble, account, progress::INVITED_MAX, words::either};

/// How many entries of the timeline are looked through at once.
const ENTRIES_AT_ONCE: usize = 500;

/// Invites who belongs into the room and was not invited before.
pub(super) async fn invite(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
) -> Result<Progress, Trouble> {
    let (told, looked) = told(bot, case, progress).await?;
    let mut wanted: Vec<PersonId> = case.incident.responders.clone();
    let room = case.room.as_ref();
    let asked_by = room.and_then(|room| room.asked_by.as_ref());
    wanted.extend(asked_by.map(|person| PersonId(person.as_str().to_owned())));
    wanted.extend(progress.wanted.iter().cloned().map(PersonId));
    wanted.extend(told);
    if case.incident.is_open() {
        let (config, now) = (&bot.0.config.incidents, Timestamp::now());
        wanted.extend(on_call(config, &case.labels(), case, now));
    }
    let mut accounts: Vec<(PersonId, OpenId)> = Vec::new();
    let mut outcome: BTreeMap<String, Invitation> = BTreeMap::new();
    for person in wanted {
        let before = progress.invited.get(&person.0);
        let is_known = before.is_some_and(|before| *before != Invitation::Unlinked);
        if is_known || accounts.iter().any(|(other, _)| *other == person) {
            continue;
        }
        match account(bot, &person).await {
            Some(id) => accounts.push((person, id)),
            None if before.is_none() => {
                outcome.insert(person.0, Invitation::Unlinked);
            }
            None => {}
        }
    }
    if accounts.is_empty() && outcome.is_empty() && looked == progress.looked {
        return Ok(progress.clone());
    }
    outcome.extend(add(bot, chat, &accounts).await?);
    if progress.is_opening_said {
        say_who_is_missing(bot, progress, chat, &outcome).await?;
    }
    let changed = bot
        .rooms()
        .update(&progress.key(), |progress| {
            progress.looked = looked.max(progress.looked);
            for (person, invitation) in &outcome {
                if progress.invited.len() < INVITED_MAX || progress.invited.contains_key(person) {
                    progress.invited.insert(person.clone(), *invitation);
                }
            }
        })
        .await?;
    Ok(changed.unwrap_or_else(|| progress.clone()))
}

/// Who was told of the incident since it was last looked, and up to which entry it was looked.
async fn told(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
) -> Result<(Vec<PersonId>, u32), Trouble> {
    let incidents = bot.incidents();
    let entries = incidents
        .timeline(case.number(), progress.looked, ENTRIES_AT_ONCE)
        .await?;
    let looked = entries.last().map_or(progress.looked, |entry| entry.number);
    let told = entries.into_iter().filter_map(|entry| match entry.what {
        What::Paged { who, .. } => Some(who),
        _ => None,
    });
    Ok((told.collect(), looked))
}

/// Those on call for it now: the first level of each policy that its routes name. Further levels belong here
/// once they were told.
fn on_call(
    config: &IncidentsConfig,
    labels: &Labels,
    case: &Case,
    now: Timestamp,
) -> Vec<PersonId> {
    let routes = routing::routes(&config.routes, labels, case.incident.severity, now);
    let mut policies: Vec<&String> = routes
        .iter()
        .filter_map(|route| route.policy.as_ref())
        .collect();
    if routes.is_empty() {
        policies.extend(&config.catch_all_policy);
    }
    let levels = policies
        .into_iter()
        .filter_map(|name| config.policies.get(name)?.levels.first());
    let targets = levels.flat_map(|level| &level.tell);
    targets
        .filter_map(|target| match target {
            Target::Person(person) => Some(person.clone()),
            Target::Schedule(name) => config.schedules.get(name)?.on_call(now).cloned(),
            Target::Chat(_) => None,
        })
        .collect()
}

/// Adds people to the group, and gives what became of each.
async fn add(
    bot: &Bot,
    chat: &ChatId,
    people: &[(PersonId, OpenId)],
) -> Result<BTreeMap<String, Invitation>, Trouble> {
    if people.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut ids: Vec<OpenId> = people.iter().map(|(_, id)| id.clone()).collect();
    ids.sort();
    ids.dedup();
    let feishu = bot.0.feishu.at(Class::Page);
    let not_added = feishu.add_members(chat, &ids).await?;
    bot.0.chats.forget(chat);
    let outcome = people.iter().map(|(person, id)| {
        let failed = not_added.iter().find(|one| one.person == *id);
        let invitation = failed.map_or(Invitation::Added, |one| one.why.into());
        (person.0.clone(), invitation)
    });
    Ok(outcome.collect())
}

/// Says in a room that is in use who could not be added to it.
async fn say_who_is_missing(
    bot: &Bot,
    progress: &Progress,
    chat: &ChatId,
    outcome: &BTreeMap<String, Invitation>,
) -> Result<(), Trouble> {
    let Some(text) = missing(bot, chat, outcome, progress.language).await else {
        return Ok(());
    };
    let who: Vec<&str> = outcome.keys().map(String::as_str).collect();
    let purpose = progress.purpose(&format!("missing/{}", who.join(",")));
    let said = Notice {
        title: None,
        text: &text,
        template: Template::Orange,
    };
    let to = Recipient::Chat(chat.clone());
    notice::tell(bot, Class::Sign, &to, &purpose, &said).await?;
    Ok(())
}

/// A list of those who could not be added, with the reason and what helps; none if there are none.
pub(super) async fn missing(
    bot: &Bot,
    chat: &ChatId,
    invited: &BTreeMap<String, Invitation>,
    language: Language,
) -> Option<String> {
    let mut lines = Vec::new();
    for (person, invitation) in invited {
        if *invitation == Invitation::Added {
            continue;
        }
        let name = match person.starts_with("ou_") {
            true => bot.0.people.name(&OpenId::new(person.as_str()), chat).await,
            false => person.clone(),
        };
        lines.push(format!(
            "- **{}**: {}",
            escape(&name),
            why(*invitation, language)
        ));
    }
    let head = either(language, "Could not be added:", "未能加入群聊：");
    (!lines.is_empty()).then(|| format!("{head}\n{}", lines.join("\n")))
}

fn why(invitation: Invitation, language: Language) -> &'static str {
    let (english, chinese) = match invitation {
        Invitation::Added => ("added", "已加入"),
        Invitation::Unlinked => (
            "I know no Feishu account of theirs. They can link it with `/link me`.",
            "没有绑定飞书账号。本人发送 `/绑定 我` 即可绑定。",
        ),
        Invitation::NotReachable => (
            "the app is not available to them, or they have left. An administrator can widen the app's range.",
            "不在应用可用范围内或已离职，请管理员调整应用的可用范围。",
        ),
        Invitation::Unknown => ("Feishu does not know this account.", "飞书中找不到该账号。"),
        Invitation::AwaitsApproval => (
            "somebody who manages the group has to agree.",
            "需要群管理员同意。",
        ),
        Invitation::Full => ("the group is full.", "群成员已满。"),
        Invitation::Refused => ("Feishu refused it.", "飞书拒绝了添加。"),
    };
    either(language, english, chinese)
}
