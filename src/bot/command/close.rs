//! `/close`: ends the incident of a war room. What is to become of the room is asked after that.

use tracing::error;

use super::{Command, Definition, Request, incident, warroom, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        handling::Right,
        incidents::Error,
        markdown::escape,
        notice,
        war_room::{self, Trouble},
    },
    config::Language,
    incident::{By, Channel, Deed, Refusal},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Close,
    english: &["close"],
    chinese: &["关闭"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "closes the incident of a war room, and asks what becomes of the room",
    about_chinese: "关闭作战室对应的故障，并选择保留或解散群聊",
    more_english: "",
    more_chinese: "",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let text = match carry_out(bot, request).await {
        Ok(text) => text,
        Err(error) => {
            error!(%error, "an incident could not be closed from its room");
            warroom::failed(request.language).to_owned()
        }
    };
    notice::send(bot, &request.place, "close", &text).await;
}

async fn carry_out(bot: &Bot, request: &Request) -> Result<String, Trouble> {
    let (language, chat) = (request.language, &request.place.chat);
    let Some(progress) = bot.rooms().of(chat).await? else {
        return Ok(warroom::not_a_room(language).to_owned());
    };
    if let Err(told) = incident::may(bot, request, Right::Act).await {
        return Ok(escape(told.text(language)));
    }
    let number = progress.number;
    let by = By::person(request.asker.as_str(), Channel::WarRoom);
    let closed = bot
        .incidents()
        .act(by, &progress.incident, Deed::Resolve)
        .await;
    Ok(match closed {
        // The card with the choice follows by itself.
        Ok(_) => match language {
            Language::En => format!("**#{number}** is closed. What was said here is kept."),
            Language::Zh => format!("故障 **#{number}** 已关闭，这里的发言已存档。"),
        },
        Err(Error::Refused(Refusal::AlreadyResolved(_))) => {
            let purpose = request.place.uuid("ending");
            war_room::ask_what_becomes(bot, &progress, chat, &purpose).await?;
            match language {
                Language::En => format!("**#{number}** is closed already."),
                Language::Zh => format!("故障 **#{number}** 此前已关闭。"),
            }
        }
        Err(Error::Refused(Refusal::Merged(_))) => either(
            language,
            "This incident is part of another one now, which has to be closed instead.",
            "该故障已并入另一个故障，请关闭那个故障。",
        )
        .to_owned(),
        Err(error) => return Err(error.into()),
    })
}
