//! `/whoami`: whom the bot takes somebody for, and the ids that the configuration wants.

use super::{
    Command, Definition, Request,
    words::{either, name_of},
};
use crate::{
    bot::{
        Bot,
        access::{Name, Role},
        card::notice::{Notice, Template},
        markdown, notice,
    },
    config::Language,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Whoami,
    english: &["whoami"],
    chinese: &["我是谁"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "shows your id, your role and why, this chat's id, and your language",
    about_chinese: "显示你的 ID、角色及原因、本会话的 ID 和语言",
    more_english: "",
    more_chinese: "",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (language, place) = (request.language, &request.place);
    let name = bot.0.people.name(&request.asker, &place.chat).await;
    let say = |english, chinese| either(language, english, chinese);
    let organisation = bot.access().own().map(|tenant| tenant.to_string());
    let organisation = organisation.unwrap_or_else(|| say("unknown", "未知").to_owned());
    let lines = [
        (say("Name", "姓名"), markdown::escape(&name)),
        ("open_id", format!("`{}`", request.asker)),
        (say("Role", "角色"), role(request, language)),
        (say("Member", "成员"), member(bot, request, language)),
        (say("Chat", "会话"), format!("`{}`", place.chat)),
        (
            say("Organisation of this app", "应用所属组织"),
            format!("`{}`", markdown::escape(&organisation)),
        ),
        (
            say("Language", "语言"),
            name_of(language, Some(language)).to_owned(),
        ),
    ];
    let lines = lines
        .iter()
        .map(|(name, value)| format!("- **{name}** {value}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let notice = Notice {
        title: Some(say("Who you are to me", "你是谁")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, place, "whoami", &notice).await;
}

/// Which member of the list they are.
fn member(bot: &Bot, request: &Request, language: Language) -> String {
    let members = bot.members();
    match members.member_of(&request.asker) {
        Some(member) => markdown::escape(&member.name),
        None if members.is_empty() => either(language, "there is no list", "没有名单").to_owned(),
        None => either(
            language,
            "none; `/link me` links you",
            "无；发送 `/绑定 我` 绑定",
        )
        .to_owned(),
    }
}

/// The role, and by what the configuration gives it. The name itself may be nobody else's business.
fn role(request: &Request, language: Language) -> String {
    let name = request.role.name();
    let why = match &request.by {
        None => either(
            language,
            "as everybody is who is not listed",
            "未列入任何名单的人都是",
        ),
        Some(Name::Person(_)) => either(language, "listed by your open_id", "按 open_id 列入名单"),
        Some(Name::Email(_)) => either(language, "listed by your e-mail", "按邮箱列入名单"),
        Some(Name::Chat(_)) => either(
            language,
            "as a member of a chat that is listed",
            "所在的群在名单中",
        ),
    };
    match language {
        Language::En => format!("{name}, {why}"),
        Language::Zh => format!("{name}，{why}"),
    }
}
