//! `/warroom`: makes the war room of an incident, or tells about the one that is there.

use tracing::error;

use super::{Command, Definition, Request, incident, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        handling::Right,
        incidents::{Case, Place},
        markdown::escape,
        notice,
        war_room::{self, Invitation, Progress, Trouble, role_name},
    },
    config::Language,
    feishu::ChatId,
    incident::Channel,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::WarRoom,
    english: &["warroom"],
    chinese: &["作战室"],
    arguments_english: "[#number|close]",
    arguments_chinese: "[#编号|关闭]",
    needs: Role::Member,
    about_english: "makes a war room for an incident, or shows the one there is",
    about_chinese: "为故障创建作战室，或查看已有的作战室",
    more_english: "In a war room, `/warroom` alone shows how things are there, and `/warroom close` asks what is to become of it.",
    more_chinese: "在作战室里单独发送 `/作战室` 查看状态，`/作战室 关闭` 选择保留或解散。",
};

/// How many incidents are listed.
const LISTED_MAX: usize = 10;

pub(super) async fn run(bot: &Bot, request: &Request) {
    let done = match carry_out(bot, request).await {
        Ok(done) => done,
        Err(error) => {
            error!(%error, "a war room could not be asked for");
            Some(failed(request.language).to_owned())
        }
    };
    if let Some(text) = done {
        notice::send(bot, &request.place, "warroom", &text).await;
    }
}

/// What is said where something of ours fails.
pub(super) fn failed(language: Language) -> &'static str {
    either(
        language,
        "That could not be done now. Please try again in a moment.",
        "暂时无法完成，请稍后再试。",
    )
}

async fn carry_out(bot: &Bot, request: &Request) -> Result<Option<String>, Trouble> {
    let (language, chat) = (request.language, &request.place.chat);
    let arguments = request.invocation.arguments.trim();
    let here = bot.rooms().of(chat).await?;
    if matches!(arguments, "close" | "end" | "关闭" | "结束") {
        return match here {
            Some(progress) => {
                let purpose = request.place.uuid("ending");
                war_room::ask_what_becomes(bot, &progress, chat, &purpose).await?;
                Ok(None)
            }
            None => Ok(Some(not_a_room(language).to_owned())),
        };
    }
    if let (Some(progress), true) = (&here, arguments.is_empty()) {
        show(bot, request, progress).await?;
        return Ok(None);
    }
    let Some(case) = which(bot, arguments, chat).await? else {
        return Ok(Some(list(bot, arguments, language)));
    };
    if let Err(told) = incident::may(bot, request, Right::Act).await {
        return Ok(Some(escape(told.text(language))));
    }
    let channel = match here {
        Some(_) => Channel::WarRoom,
        None => Channel::Command,
    };
    let asker = Some(request.asker.clone());
    let opened = war_room::open_in(bot, case.id(), asker, channel, Some(language)).await?;
    let told = war_room::told(&case, &opened);
    Ok(Some(escape(told.text(language))))
}

/// What is said to a command that belongs into a war room, elsewhere.
pub(super) fn not_a_room(language: Language) -> &'static str {
    either(
        language,
        "This is no war room. Use the command in one.",
        "这里不是作战室，请在作战室里使用该命令。",
    )
}

/// The incident that is meant: by its number, or the only open one that this chat sees.
async fn which(
    bot: &Bot,
    arguments: &str,
    chat: &ChatId,
) -> Result<Option<std::sync::Arc<Case>>, Trouble> {
    let incidents = bot.incidents();
    if !arguments.is_empty() {
        let number = arguments.trim_start_matches(['#', '＃']).parse();
        return match number {
            Ok(number) => Ok(incidents.numbered(number).await?),
            Err(_) => Ok(None),
        };
    }
    let place = Place::Chat(chat.clone());
    let mut seen = incidents.list_open();
    seen.retain(|case| case.places.contains(&place));
    Ok(match seen.len() {
        1 => seen.pop(),
        _ => None,
    })
}

fn list(bot: &Bot, arguments: &str, language: Language) -> String {
    let open = bot.incidents().list_open();
    let lines: Vec<String> = open
        .iter()
        .rev()
        .take(LISTED_MAX)
        .map(|case| format!("- **#{}** {}", case.number(), escape(&case.incident.title)))
        .collect();
    match (lines.is_empty(), arguments.is_empty()) {
        (true, true) => {
            either(language, "No incident is open.", "当前没有进行中的故障。").to_owned()
        }
        (true, false) => {
            either(language, "There is no such incident.", "没有这个故障。").to_owned()
        }
        (false, _) => format!(
            "{}\n{}",
            either(
                language,
                "Which incident? Write `/warroom #number`:",
                "哪个故障？请发送 `/作战室 #编号`："
            ),
            lines.join("\n")
        ),
    }
}

/// How things are in a room.
async fn show(bot: &Bot, request: &Request, progress: &Progress) -> Result<(), Trouble> {
    let (language, chat) = (request.language, &request.place.chat);
    let colon = either(language, ": ", "：");
    let mut lines = Vec::new();
    for role in super::role::ROLES {
        let name = match progress.roles.get(role) {
            Some(person) => escape(&bot.0.people.name(person, chat).await),
            None => either(language, "nobody yet", "无").to_owned(),
        };
        lines.push(format!("- {}{colon}{name}", role_name(role, language)));
    }
    let missing = progress.invited.values();
    let missing = missing.filter(|it| **it != Invitation::Added).count();
    if missing > 0 {
        let text = either(language, "could not be added", "未能加入");
        lines.push(format!("- {text}{colon}{missing}"));
    }
    let title = match language {
        Language::En => format!("War room of #{}", progress.number),
        Language::Zh => format!("故障 #{} 作战室", progress.number),
    };
    let text = lines.join("\n");
    let said = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "warroom", &said).await;
    Ok(())
}
