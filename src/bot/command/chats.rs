//! `/chats`: lists the groups that the bot is in, with the ids that routes need. War rooms are left out.

use tracing::warn;

use super::{Command, Definition, Request, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        markdown::escape,
        notice,
    },
    feishu::{ChatKind, Error, Group},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Chats,
    english: &["chats"],
    chinese: &["群列表"],
    arguments_english: "[part of a name]",
    arguments_chinese: "[群名的一部分]",
    needs: Role::Administrator,
    about_english: "lists the groups I am in, with the ids that routes need",
    about_chinese: "列出我所在的群及路由需要的群 ID",
    more_english: "",
    more_chinese: "",
};

/// How many groups are read, in pages of a hundred, and how many are shown.
const PAGES_MAX: usize = 20;
const SHOWN_MAX: usize = 50;

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (language, place) = (request.language, &request.place);
    if request.chat_kind != ChatKind::P2p {
        let text = either(
            language,
            "I tell that in the direct chat only.",
            "请在私聊中使用该命令。",
        );
        return notice::send(bot, place, "chats", text).await;
    }
    let groups = match groups(bot).await {
        Ok(groups) => groups,
        Err(error) => {
            warn!(%error, "the groups cannot be listed");
            let text = either(
                language,
                "Feishu does not list the groups now. The app needs the permission `im:chat` for it.",
                "暂时无法获取群列表。应用需要权限 `im:chat`。",
            );
            return notice::send(bot, place, "chats", text).await;
        }
    };
    let part = request.invocation.arguments.to_lowercase();
    let found: Vec<&Group> = groups
        .iter()
        .filter(|group| group.name.to_lowercase().contains(&part))
        .filter(|group| !bot.rooms().is_room(&group.chat_id))
        .collect();
    let lines: Vec<String> = found
        .iter()
        .take(SHOWN_MAX)
        .map(|group| format!("- {} `{}`", escape(&group.name), group.chat_id))
        .collect();
    let text = match lines.is_empty() {
        true => either(language, "There is none.", "没有找到群。").to_owned(),
        false => lines.join("\n"),
    };
    let title = either(language, "Groups I am in", "我所在的群");
    let title = match found.len() {
        0..=SHOWN_MAX => title.to_owned(),
        many => format!("{title} ({SHOWN_MAX}/{many})"),
    };
    let said = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, place, "chats", &said).await;
}

/// The groups the bot is in, by name.
async fn groups(bot: &Bot) -> Result<Vec<Group>, Error> {
    let mut groups = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = bot.0.feishu.groups(token.as_deref()).await?;
        groups.extend(page.items);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    groups.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(groups)
}
