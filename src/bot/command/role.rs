//! `/role`: says who does which job in a war room.

use tracing::{debug, error};

use super::{Command, Definition, Request, incident, warroom, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        handling::Right,
        markdown::escape,
        notice,
        war_room::{Trouble, role_name},
    },
    config::Language,
    feishu::OpenId,
    incident::{By, Channel, Deed, PersonId, What},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Role,
    english: &["role"],
    chinese: &["角色"],
    arguments_english: "commander|scribe [@somebody]",
    arguments_chinese: "指挥|记录员 [@某人]",
    needs: Role::Member,
    about_english: "takes a job in a war room, or gives it to somebody",
    about_chinese: "在作战室里认领或指派分工",
    more_english: "",
    more_chinese: "",
};

/// The jobs there are.
pub(super) const ROLES: [&str; 2] = ["commander", "scribe"];

pub(super) async fn run(bot: &Bot, request: &Request) {
    let text = match carry_out(bot, request).await {
        Ok(text) => text,
        Err(error) => {
            error!(%error, "a role could not be given");
            warroom::failed(request.language).to_owned()
        }
    };
    notice::send(bot, &request.place, "role", &text).await;
}

async fn carry_out(bot: &Bot, request: &Request) -> Result<String, Trouble> {
    let (language, chat) = (request.language, &request.place.chat);
    let Some(progress) = bot.rooms().of(chat).await? else {
        return Ok(warroom::not_a_room(language).to_owned());
    };
    if let Err(told) = incident::may(bot, request, Right::Speak).await {
        return Ok(escape(told.text(language)));
    }
    let word = request.invocation.arguments.split_whitespace().next();
    let role = match word.map(str::to_lowercase).as_deref() {
        Some("commander" | "指挥" | "指挥官") => ROLES[0],
        Some("scribe" | "记录" | "记录员") => ROLES[1],
        _ => {
            return Ok(either(
                language,
                "Write `/role commander` or `/role scribe`, and whom you mean if it is not you.",
                "请发送 `/角色 指挥` 或 `/角色 记录员`；如指派他人，请 @ 对方。",
            )
            .to_owned());
        }
    };
    let person = meant(bot, request);
    let name = escape(&bot.0.people.name(&person, chat).await);
    let is_new = bot.rooms().give_role(&progress, role, &person).await?;
    if is_new {
        let who = PersonId(person.as_str().to_owned());
        let by = By::person(request.asker.as_str(), Channel::WarRoom);
        let what = What::RoleTaken {
            role: role.to_owned(),
            who: who.clone(),
        };
        let incidents = bot.incidents();
        incidents
            .note(by.clone(), &progress.incident, vec![what])
            .await?;
        let joins = Deed::AddResponder(who);
        if let Err(error) = incidents.act(by, &progress.incident, joins).await {
            debug!(%error, "whoever has a role works on it already, or it is over");
        }
    }
    let role = role_name(role, language);
    Ok(match language {
        Language::En => format!("**{name}** is {role}."),
        Language::Zh => format!("**{name}** 担任{role}。"),
    })
}

/// Whoever is mentioned beside us, or the asker.
fn meant(bot: &Bot, request: &Request) -> OpenId {
    let mentions = request.message.as_ref().map(|message| &message.mentions);
    let ids = mentions
        .into_iter()
        .flatten()
        .filter_map(|one| one.id.as_deref());
    let mut others = ids.filter(|id| !bot.me().is(id));
    others
        .next()
        .map_or_else(|| request.asker.clone(), OpenId::new)
}
