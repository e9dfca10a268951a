//! `/doctor`: the bot examines itself, over its own connection and with its own store, so that no event goes
//! astray meanwhile.

use super::{Command, Definition, Request};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        notice,
    },
    doctor::{self, Inside, MembersSeen},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Doctor,
    english: &["doctor"],
    chinese: &["诊断"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Administrator,
    about_english: "examines me: what works, what is missing, and what mends it",
    about_chinese: "检查我自己：哪些正常、缺什么、怎么解决",
    more_english: "It takes some seconds. Nothing is left behind but a look at what I may do here.",
    more_chinese: "需要几秒钟，除了检查我在这里的权限，不会留下任何东西。",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (place, language) = (&request.place, request.language);
    let desk = &bot.0;
    let inside = Inside {
        feishu: &desk.feishu,
        model: &desk.model,
        store: &desk.store,
        metrics: &desk.metrics,
        members: members_seen(bot),
        place: doctor::Place::Question {
            chat: place.chat.clone(),
            message: place.question.clone(),
            asker: request.asker.clone(),
        },
        endpoints: Vec::new(),
    };
    let report = doctor::examine_from_inside(&desk.config, inside).await;
    let template = match (report.can_work, report.missing) {
        (true, 0) => Template::Green,
        (true, _) => Template::Orange,
        (false, _) => Template::Red,
    };
    let notice = Notice {
        title: Some(report.conclusion(language)),
        text: &report.to_markdown(language),
        template,
    };
    notice::send_card(bot, place, "doctor", &notice).await;
}

fn members_seen(bot: &Bot) -> MembersSeen {
    let members = bot.members();
    let unlinked = members.all().iter();
    let unlinked = unlinked.filter(|member| members.linked(&member.name).is_none());
    MembersSeen {
        all: members.all().len(),
        unlinked: unlinked.map(|member| member.name.clone()).collect(),
    }
}
