//! Makes the group, once, whatever happens on the way.
//!
//! The platform makes one group for one uuid, but does not say what a repetition gives, and forgets after ten
//! hours. So that a making was tried is kept before it is tried, and a group that was made without our
//! knowing is known by the mark in its description.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::{
    bot::{
        Bot,
        card::{
            notice::{Notice, Template},
            shorten,
        },
        incidents::{Case, Room, RoomState},
        notice,
        settings::ChatSettings,
    },
    config::Language,
    feishu::{self, ChatId, Class, GROUP_DESCRIPTION_CHARS_MAX, NewGroup, Recipient},
    incident::What,
};

use super::{Progress, Trouble, by, name::name};

/// For how long the platform knows a uuid, with some time to spare.
const UUID_KNOWN_FOR: Duration = Duration::from_secs(9 * 3600);
/// How many pages of groups are searched for one that may have been made.
const SEARCHED_MAX: usize = 50;

/// Makes the room of a case that wants one.
pub(super) async fn make(bot: &Bot, case: &Case, room: &Room) -> Result<(), Trouble> {
    let rooms = bot.rooms();
    let language = room.language.unwrap_or(bot.0.conversation.language);
    let fresh = Progress::new(case.id().clone(), case.number(), room.generation, language);
    rooms.begin(&fresh).await?;
    let known = rooms.progress(case.number(), room.generation).await?;
    let progress = known.unwrap_or(fresh);
    let name = name(&bot.0.config.incidents.rooms.name, &case.incident);
    let chat = match &progress.chat {
        Some(chat) => chat.clone(),
        None => {
            let chat = match group(bot, &progress, &name).await {
                Err(Trouble::Platform(error)) => {
                    tell_why_not(bot, room, &progress, &error).await;
                    return Err(error.into());
                }
                made => made?,
            };
            let (now, told) = (Timestamp::now(), case.incident.entries);
            rooms
                .update(&progress.key(), |progress| {
                    progress.chat = Some(chat.clone());
                    progress.opened_at = Some(now);
                    // What happened before stands in the first message.
                    progress.told = told;
                })
                .await?;
            chat
        }
    };
    rooms.enter(&chat, progress.key());
    // Otherwise answers there follow whoever asks, as they do everywhere.
    if language != bot.0.conversation.language {
        let settings = ChatSettings {
            language: Some(language),
            ..bot.0.settings.of_chat(&chat).await
        };
        bot.0.settings.set_chat(&chat, &settings).await?;
    }
    announce(bot, case, room, &chat, &name).await
}

/// Says in the case that the room is there, unless somebody did meanwhile.
async fn announce(
    bot: &Bot,
    case: &Case,
    room: &Room,
    chat: &ChatId,
    name: &str,
) -> Result<(), Trouble> {
    let _alone = bot.rooms().alone.with(&case.id().0).await;
    let now = bot.incidents().get(case.id()).await?;
    let still = now.as_ref().and_then(|case| case.room.as_ref());
    if !still.is_some_and(|it| it.state == RoomState::Wanted && it.generation == room.generation) {
        return Ok(());
    }
    let opened = Room {
        state: RoomState::Open,
        chat: Some(chat.clone()),
        name: name.to_owned(),
        since: Timestamp::now(),
        ..room.clone()
    };
    let what = What::RoomOpened {
        chat: chat.as_str().to_owned(),
        name: name.to_owned(),
    };
    let by = by(room.asked_by.as_ref(), room.channel);
    bot.incidents()
        .set_room(by, case.id(), Some(opened), vec![what])
        .await?;
    info!(chat.id = %chat, "a war room is open");
    Ok(())
}

/// The group: one that was made before, or a new one.
async fn group(bot: &Bot, progress: &Progress, name: &str) -> Result<ChatId, Trouble> {
    let now = Timestamp::now();
    if let Some(tried_at) = progress.tried_at
        && now.duration_since(tried_at).unsigned_abs() > UUID_KNOWN_FOR
        && let Some(chat) = find(bot, progress).await?
    {
        return Ok(chat);
    }
    bot.rooms()
        .update(&progress.key(), |progress| {
            progress.tried_at.get_or_insert(now);
        })
        .await?;
    let group = NewGroup {
        name,
        description: &description(progress),
        uuid: &notice::purpose_id(&progress.purpose("group")),
    };
    match bot.0.feishu.at(Class::Page).create_group(&group).await {
        Ok(chat) => Ok(chat),
        // Perhaps it says so because it was made before.
        Err(error) if progress.tried_at.is_some() && !error.is_transient() => {
            find(bot, progress).await?.ok_or(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// What the group is for, and the mark by which it is known.
fn description(progress: &Progress) -> String {
    let (number, mark) = (progress.number, progress.mark());
    let text = match progress.language {
        Language::En => format!("War room of incident #{number}, made by the on-call bot."),
        Language::Zh => format!("故障 #{number} 的作战室，由值班机器人创建。"),
    };
    let room = GROUP_DESCRIPTION_CHARS_MAX.saturating_sub(mark.chars().count() + 1);
    format!("{} {mark}", shorten(&text, room))
}

/// The group that was made for it, if there is one.
async fn find(bot: &Bot, progress: &Progress) -> Result<Option<ChatId>, feishu::Error> {
    let mark = progress.mark();
    let mut token: Option<String> = None;
    for _ in 0..SEARCHED_MAX {
        let page = bot.0.feishu.groups(token.as_deref()).await?;
        let found = page
            .items
            .into_iter()
            .find(|group| group.description.ends_with(&mark));
        if let Some(group) = found {
            return Ok(Some(group.chat_id));
        }
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(None)
}

/// Tells whoever asked why there is no room yet, once. It is tried again all the same.
async fn tell_why_not(bot: &Bot, room: &Room, progress: &Progress, error: &feishu::Error) {
    let Some(person) = &room.asked_by else {
        return;
    };
    if error.is_transient() {
        return;
    }
    let (number, scopes) = (
        progress.number,
        error.refusal().map(|refusal| &refusal.scopes),
    );
    let scope = scopes.and_then(|scopes| scopes.first());
    let text = match (progress.language, scope) {
        (Language::En, Some(scope)) => format!(
            "I cannot make the war room of #{number}: the app lacks the permission `{scope}`. I go on trying; an administrator can grant it."
        ),
        (Language::En, None) => format!(
            "I cannot make the war room of #{number}: Feishu refuses it. I go on trying; the administrators can see why in the log."
        ),
        (Language::Zh, Some(scope)) => format!(
            "无法创建故障 #{number} 的作战室：应用缺少权限 `{scope}`。我会继续尝试，请管理员授权。"
        ),
        (Language::Zh, None) => {
            format!(
                "无法创建故障 #{number} 的作战室：飞书拒绝了请求。我会继续尝试，管理员可在日志中查看原因。"
            )
        }
    };
    let said = Notice {
        title: None,
        text: &text,
        template: Template::Orange,
    };
    let to = Recipient::Person(person.clone());
    if let Err(error) =
        notice::tell(bot, Class::Click, &to, &progress.purpose("not-made"), &said).await
    {
        warn!(%error, "whoever asked for a room does not know why there is none");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bot::war_room::is_made_by_us,
        feishu::{Chat, ChatMode},
        incident::IncidentId,
    };

    #[test]
    fn a_group_is_known_by_its_description() {
        let check = |description: &str, owner: Option<&str>, expected: bool| {
            let chat = Chat {
                name: String::new(),
                description: description.into(),
                kind: ChatMode::Group,
                is_topic: false,
                members: None,
                external: false,
                owner: owner.map(crate::feishu::OpenId::new),
                managers: Vec::new(),
            };
            assert_eq!(is_made_by_us(&chat), expected, "{description}");
        };
        for language in [Language::En, Language::Zh] {
            let id = IncidentId("4294967295-0123456789ab".into());
            let progress = Progress::new(id, u32::MAX, u32::MAX, language);
            let description = description(&progress);
            assert!(description.chars().count() <= GROUP_DESCRIPTION_CHARS_MAX);
            check(&description, None, true);
            check(&description, Some("ou_a"), false);
        }
        check("", None, false);
        check("our group [a/b]", None, false);
    }
}
