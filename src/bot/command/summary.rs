//! `/summary`: tells what happened in a war room so far.

use tracing::error;

use super::{Command, Definition, Request, warroom};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        notice, war_room,
    },
    config::Language,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Summary,
    english: &["summary"],
    chinese: &["总结"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "tells what happened in a war room so far",
    about_chinese: "总结作战室目前的进展",
    more_english: "",
    more_chinese: "",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (language, place) = (request.language, &request.place);
    let progress = match bot.rooms().of(&place.chat).await {
        Ok(Some(progress)) => progress,
        Ok(None) => {
            return notice::send(bot, place, "summary", warroom::not_a_room(language)).await;
        }
        Err(error) => {
            error!(%error, "it is not known whether this is a war room");
            return notice::send(bot, place, "summary", warroom::failed(language)).await;
        }
    };
    let summary = match war_room::summary(bot, &progress, &place.chat, language).await {
        Ok(summary) => summary,
        Err(error) => {
            error!(%error, "a war room could not be summed up");
            return notice::send(bot, place, "summary", warroom::failed(language)).await;
        }
    };
    let title = match language {
        Language::En => format!("#{} so far", progress.number),
        Language::Zh => format!("故障 #{} 目前的进展", progress.number),
    };
    let text = summary.whole(language);
    let said = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, place, "summary", &said).await;
}
