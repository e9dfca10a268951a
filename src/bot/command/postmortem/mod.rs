//! `/postmortem`: drafts the report about an incident, and what else there is to do with it.

mod parse;
mod versions;

use std::sync::Arc;

use tracing::error;

use super::{Command, Definition, Request, incident, warroom};
use crate::{
    bot::{
        Bot,
        access::Role,
        click::publish_question,
        handling::{Right, Told, Tone},
        incidents::Case,
        markdown::escape,
        notice,
        report::{self, Publishing, Wish},
        war_room::Trouble,
    },
    feishu::Outgoing,
    incident::Channel,
};

use parse::{Asked, Verb, parse};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Postmortem,
    english: &["postmortem", "pm"],
    chinese: &["复盘"],
    arguments_english: "[#42] [status|show [2]|versions|restore 2|template NAME|templates|actions|publish|reopen|cancel|export]",
    arguments_chinese: "[#42] [状态|查看 [2]|版本|恢复 2|模板 名称|模板列表|行动项|发布|重新打开|取消|导出]",
    needs: Role::Member,
    about_english: "drafts the post-mortem of an incident from its room and its records",
    about_chinese: "根据群聊和记录起草复盘报告",
    more_english: "In a war room the number may be left out. `export` sends what was said in the room as a file, `show 2` the file of version 2, and `restore 2` has that version back. `template full` drafts with that template.",
    more_chinese: "在作战室中可以省略编号。`导出` 会将群聊记录作为文件发送，`查看 2` 发送第 2 版的文件，`恢复 2` 恢复第 2 版，`模板 full` 使用该模板起草。",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let text = match carry_out(bot, request).await {
        Ok(text) => text,
        Err(error) => {
            error!(%error, "something about a report could not be done");
            Some(warroom::failed(request.language).to_owned())
        }
    };
    if let Some(text) = text {
        notice::send(bot, &request.place, "postmortem", &text).await;
    }
}

/// Gives what is answered, unless something else was sent.
async fn carry_out(bot: &Bot, request: &Request) -> Result<Option<String>, Trouble> {
    let language = request.language;
    let say = |told: &Told| Ok(Some(escape(told.text(language))));
    let Some(Asked { number, verb }) = parse(&request.invocation.arguments) else {
        return say(&Told::new(
            Tone::Refused,
            "Write /postmortem, or one of status, show, versions, restore 2, template NAME, templates, actions, publish, reopen, cancel and export behind it. An incident is written with a #.",
            "请发送 /复盘，或在其后加上 状态、查看、版本、恢复 2、模板 名称、模板列表、行动项、发布、重新打开、取消、导出 之一。故障编号请加 #。",
        ));
    };
    // What was said in a room is shown to those who may act, wherever they ask.
    let right = match verb {
        Verb::Status | Verb::Versions | Verb::Templates | Verb::Actions => Right::Look,
        _ => Right::Act,
    };
    if let Err(told) = incident::may(bot, request, right).await {
        return say(&told);
    }
    // Templates are the same for all incidents.
    if verb == Verb::Templates {
        return Ok(Some(report::templates(bot, language).await));
    }
    let case = match find(bot, request, number).await? {
        Ok(case) => case,
        Err(told) => return say(&told),
    };
    let by = &request.asker;
    match verb {
        Verb::Draft(template) => say(&report::begin(bot, &case, wish(request, template)).await?),
        Verb::Templates => Ok(None),
        Verb::Versions => versions::list(bot, request, &case).await,
        Verb::Restore(version) => versions::restore(bot, request, &case, version).await,
        Verb::Show(Some(version)) => versions::show(bot, request, &case, version).await,
        Verb::Cancel => say(&report::cancel(bot, case.number(), by).await?),
        Verb::Reopen => {
            let told = report::reopen(bot, &case, by, Channel::Command).await?;
            bot.reports().look_at(case.number());
            say(&told)
        }
        Verb::Status => report::status(bot, &case, language).await.map(Some),
        Verb::Publish => publish(bot, request, &case).await,
        Verb::Show(None) => {
            let is_there = match bot.reports().get(case.number()).await? {
                Some(known) => report::show(bot, &known, &request.place.uuid("show")).await?,
                None => false,
            };
            match is_there {
                true => Ok(None),
                false => say(&Told::new(
                    Tone::Refused,
                    "There is no post-mortem yet. /postmortem drafts one.",
                    "还没有复盘报告。发送 /复盘 起草。",
                )),
            }
        }
        Verb::Actions => actions(bot, request, &case).await,
        Verb::Export => export(bot, request, &case).await,
    }
}

/// The incident that is meant: by its number, or that of the room, also where that is over.
async fn find(
    bot: &Bot,
    request: &Request,
    number: Option<u32>,
) -> Result<Result<Arc<Case>, Told>, Trouble> {
    let room = match bot.rooms().of(&request.place.chat).await? {
        Some(progress) => bot.incidents().get(&progress.incident).await?,
        None => None,
    };
    Ok(incident::find(bot, number, room).await)
}

fn wish(request: &Request, template: Option<String>) -> Wish {
    Wish {
        by: request.asker.clone(),
        chat: request.place.chat.clone(),
        language: request.language,
        only: None,
        template,
    }
}

async fn publish(bot: &Bot, request: &Request, case: &Case) -> Result<Option<String>, Trouble> {
    let language = request.language;
    let published = report::publish(bot, case, &request.asker, Channel::Command, None).await?;
    bot.reports().look_at(case.number());
    match published {
        Publishing::Told(told) => Ok(Some(escape(told.text(language)))),
        Publishing::Asks(version, reasons) => {
            let chat = &request.place.chat;
            let report = bot.reports().get(case.number()).await?;
            // The reasons hold what was said in the room.
            if report.is_none_or(|report| report.chat != *chat) {
                let told = Told::new(
                    Tone::Refused,
                    "Some checks failed. Publish it where its card stands, which asks once more.",
                    "有核对未通过，请在报告卡片所在的群里发布并确认。",
                );
                return Ok(Some(escape(told.text(language))));
            }
            let card = publish_question(bot, case, chat, version, &reasons, language);
            let card = Outgoing::CardJson(card);
            notice::reply_with(bot, &request.place, "publish", &card).await?;
            Ok(None)
        }
    }
}

/// The list quotes the room, so it stands where the report's cards stand, whoever asks for it and wherever.
async fn actions(bot: &Bot, request: &Request, case: &Case) -> Result<Option<String>, Trouble> {
    let report = bot.reports().get(case.number()).await?;
    let purpose = request.place.uuid("actions");
    let told = match &report {
        Some(known) if report::list_actions(bot, known, &purpose).await? => {
            if known.chat == request.place.chat {
                return Ok(None);
            }
            Told::new(
                Tone::Done,
                "The list of action items stands where the report stands.",
                "行动项列表已发送到报告所在的群聊。",
            )
        }
        _ => Told::new(
            Tone::Refused,
            "There is no post-mortem yet. /postmortem drafts one.",
            "还没有复盘报告。发送 /复盘 起草。",
        ),
    };
    Ok(Some(escape(told.text(request.language))))
}

/// The words of a room go into that room, or, where it is gone, to where they are asked for.
async fn export(bot: &Bot, request: &Request, case: &Case) -> Result<Option<String>, Trouble> {
    let language = request.language;
    let here = &request.place.chat;
    let room = case.open_room().and_then(|room| room.chat.as_ref());
    let chat = room.unwrap_or(here);
    let purpose = request.place.uuid("export");
    let is_sent = report::export(bot, case, chat, language, &purpose).await?;
    let told = match (is_sent, chat == here) {
        (true, true) => return Ok(None),
        (true, false) => Told::new(
            Tone::Done,
            "The file stands in the war room.",
            "文件已发送到作战室。",
        ),
        (false, _) => Told::new(
            Tone::Failed,
            "The platform does not take the file.",
            "平台未接受该文件。",
        ),
    };
    Ok(Some(escape(told.text(language))))
}
