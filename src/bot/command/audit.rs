//! `/audit`: who asked the bot for what, for administrators, and only where nobody else reads it.

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
    feishu::{ChatId, ChatKind},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Audit,
    english: &["audit"],
    chinese: &["审计"],
    arguments_english: "[number]",
    arguments_chinese: "[条数]",
    needs: Role::Administrator,
    about_english: "shows who asked me for what, the newest first, 20 unless you say how many; in a direct chat only",
    about_chinese: "显示谁让我做过什么，最新的在前，默认 20 条；仅限私聊",
    more_english: "At most 100 are shown. No words of anybody are kept there.",
    more_chinese: "最多显示 100 条，其中不保存任何人的消息内容。",
};

const SHOWN: usize = 20;
const SHOWN_MAX: usize = 100;

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (language, place) = (request.language, &request.place);
    let say = async |phrase: Phrase<'_>| {
        notice::send(bot, place, "audit", &phrase.text(language)).await;
    };
    if request.chat_kind != ChatKind::P2p {
        return say(Phrase::OnlyInDirectChat).await;
    }
    let wanted = match request.invocation.arguments.as_str() {
        "" => Some(SHOWN),
        number => number.parse().ok().filter(|number| *number > 0),
    };
    let Some(wanted) = wanted else {
        return say(Phrase::NumberNotUnderstood).await;
    };
    let latest = match bot.0.audit.latest(wanted.min(SHOWN_MAX)).await {
        Ok(latest) => latest,
        Err(error) => {
            error!(%error, "the audit cannot be read");
            let trace = &request.trace;
            return say(Phrase::Broken { trace }).await;
        }
    };
    let mut text = String::new();
    for noted in &latest {
        let deed = &noted.deed;
        let at = noted.at.to_zoned(bot.0.zone.clone());
        let chat = deed.chat.as_ref();
        let who = bot
            .0
            .people
            .name(&deed.who, chat.unwrap_or(&place.chat))
            .await;
        text.push_str(&format!(
            "- {} **{}** {} `{}` {}\n",
            at.strftime("%m-%d %H:%M:%S"),
            markdown::escape(&who),
            markdown::escape(&deed.what),
            chat.map_or("-", ChatId::as_str),
            markdown::escape(&deed.outcome),
        ));
    }
    if text.is_empty() {
        text = either(language, "Nothing yet.", "还没有记录。").to_owned();
    }
    let notice = Notice {
        title: Some(either(language, "Who asked me for what", "操作记录")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, place, "audit", &notice).await;
}
