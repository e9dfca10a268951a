//! `/unlink`: a member is nobody on the platform any more, until somebody links them again.

use super::{Command, Definition, Request, link, words::either};
use crate::{
    bot::{
        Bot,
        access::{Denied, Role},
        members::bold,
        notice,
        phrase::Phrase,
    },
    config::Language,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Unlink,
    english: &["unlink"],
    chinese: &["解绑"],
    arguments_english: "me|name",
    arguments_chinese: "我|姓名",
    needs: Role::Member,
    about_english: "undoes your link to a member; administrators undo anybody's",
    about_chinese: "解除你与成员的绑定；管理员可以解除任何人的",
    more_english: "It does not come back by itself: `/link me` does that.",
    more_chinese: "解除后不会自动恢复，需要时请发送 `/绑定 我`。",
};

pub(super) async fn run(bot: &Bot, request: &Request) -> &'static str {
    let (members, language) = (bot.members(), request.language);
    let own = members.member_of(&request.asker);
    let name = request.invocation.arguments.as_str();
    let member = match name.to_lowercase().as_str() {
        "" => {
            say(bot, request, DEFINITION.usage(language).as_str()).await;
            return "not_understood";
        }
        "me" | "我" | "本人" => own.clone(),
        _ => members.get(name).cloned(),
    };
    let is_own = |name: &str| own.as_ref().is_some_and(|own| own.name == name);
    let is_me = matches!(name.to_lowercase().as_str(), "me" | "我" | "本人");
    let may = is_me
        || request.role >= Role::Administrator
        || member.as_ref().is_some_and(|one| is_own(&one.name));
    if !may {
        let denied = Denied::Needs(Role::Administrator);
        say(bot, request, &Phrase::Denied(&denied).text(language)).await;
        return denied.name();
    }
    let Some(member) = member else {
        let text = match is_me {
            true => either(
                language,
                "You are not linked to a member.",
                "你没有绑定成员。",
            )
            .to_owned(),
            false => link::unknown(bot, name, request),
        };
        say(bot, request, &text).await;
        return "nothing";
    };
    let undone = match members.unlink(&member, &request.asker).await {
        Ok(undone) => undone,
        Err(error) => return link::broken(bot, request, &error).await,
    };
    let name = bold(&member.name);
    let text = match (undone, language) {
        (true, Language::En) => format!("Member {name} is not linked any more."),
        (true, Language::Zh) => format!("成员 {name} 已解除绑定。"),
        (false, Language::En) => format!("Member {name} is not linked."),
        (false, Language::Zh) => format!("成员 {name} 没有绑定。"),
    };
    say(bot, request, &text).await;
    if undone { "unlinked" } else { "nothing" }
}

async fn say(bot: &Bot, request: &Request, text: &str) {
    notice::send(bot, &request.place, "unlink", text).await;
}
