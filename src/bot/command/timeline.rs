//! `/timeline`: what happened to an incident. In a war room the number may be left out.

use super::{Command, Definition, Request, incident, incident::words::take_number};
use crate::bot::{
    Bot,
    access::Role,
    card::notice::{Notice, Template},
    handling::{self, Right},
    notice, war_room,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Timeline,
    english: &["timeline"],
    chinese: &["时间线"],
    arguments_english: "[#42]",
    arguments_chinese: "[#42]",
    needs: Role::Member,
    about_english: "shows what happened to an incident; in a war room, to its own",
    about_chinese: "显示故障的时间线；在作战室中可省略编号",
    more_english: "The 40 newest entries are shown.",
    more_chinese: "显示最近的 40 条。",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let mut arguments = request.invocation.arguments.as_str();
    let number = take_number(&mut arguments, false);
    let room = war_room::incident_of(bot, &request.place.chat).await;
    let case = match incident::may(bot, request, Right::Look).await {
        Ok(()) => incident::find(bot, number, room).await,
        Err(told) => Err(told),
    };
    let case = match case {
        Ok(case) => case,
        Err(told) => return incident::say(bot, request, "timeline", &told).await,
    };
    let (language, chat) = (request.language, &request.place.chat);
    let text = handling::timeline(bot, &case, chat, language).await;
    let notice = Notice {
        title: Some(&format!("#{} {}", case.number(), case.incident.title)),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "timeline", &notice).await;
}
