//! `/feedback`: tells those who run the bot something about it. Administrators read it with the same word.

use tracing::error;

use super::{Command, Definition, Request, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        markdown, notice,
        phrase::Phrase,
    },
    feishu::ChatKind,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Feedback,
    english: &["feedback"],
    chinese: &["反馈"],
    arguments_english: "text",
    arguments_chinese: "内容",
    needs: Role::Member,
    about_english: "tells those who run me what you think; they can read it",
    about_chinese: "把你的意见告诉管理员",
    more_english: "Administrators read the latest with `/feedback` alone, in a direct chat.",
    more_chinese: "管理员在私聊中单独发送 `/反馈` 查看最近的意见。",
};

/// How many are shown.
const SHOWN: usize = 20;

pub(super) async fn run(bot: &Bot, request: &Request) {
    let language = request.language;
    let text = request.invocation.arguments.as_str();
    if text.is_empty() {
        return show(bot, request).await;
    }
    let chat = &request.place.chat;
    let kept = bot
        .0
        .remarks
        .keep(&request.asker, chat, &request.session, text)
        .await;
    let text = match kept {
        Ok(()) => {
            bot.metrics().remarks.inc();
            Phrase::FeedbackKept.text(language)
        }
        Err(error) => {
            error!(%error, "a remark could not be kept");
            let trace = &request.trace;
            Phrase::Broken { trace }.text(language)
        }
    };
    notice::send(bot, &request.place, "feedback", &text).await;
}

/// Shows the latest, to administrators and where nobody else reads it.
async fn show(bot: &Bot, request: &Request) {
    let (language, place) = (request.language, &request.place);
    if request.role < Role::Administrator {
        let text = Phrase::FeedbackIsEmpty.text(language);
        return notice::send(bot, place, "feedback", &text).await;
    }
    if request.chat_kind != ChatKind::P2p {
        let text = Phrase::OnlyInDirectChat.text(language);
        return notice::send(bot, place, "feedback", &text).await;
    }
    let all = bot.0.remarks.all().await.unwrap_or_default();
    let mut text = String::new();
    for remark in all.iter().rev().take(SHOWN) {
        let name = bot.0.people.name(&remark.who, &remark.chat).await;
        let at = remark.at.to_zoned(bot.0.zone.clone());
        text.push_str(&format!(
            "- {} **{}** {}\n",
            at.strftime("%m-%d %H:%M"),
            markdown::escape(&name),
            markdown::escape(&remark.text.replace('\n', " "))
        ));
    }
    if text.is_empty() {
        text = either(
            language,
            "Nobody has said anything yet.",
            "还没有人留下意见。",
        )
        .to_owned();
    }
    let title = match all.len() {
        0..=SHOWN => either(language, "What people say", "大家的意见").to_owned(),
        many => format!(
            "{} ({SHOWN}/{many})",
            either(language, "What people say", "大家的意见")
        ),
    };
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, place, "feedback", &notice).await;
}
