//! `/link`: who of the members is whom on the platform.
//!
//! Everybody may link themselves as far as the platform vouches for them; the rest is for administrators.

mod everybody;
mod me;
mod wish;

use super::{Command, Definition, Request, words::either};
use crate::{
    bot::{
        Bot,
        access::{Denied, Role},
        card::{
            choice::Choice,
            notice::{Notice, Template},
        },
        members::{Decision, Finding, How, bold, decide, refused},
        notice,
        phrase::Phrase,
    },
    config::Language,
    feishu::OpenId,
    store,
};

use wish::{Mentioned, Wish};

pub(in crate::bot) use everybody::{apply, plan_card};
pub(in crate::bot) use me::decided_card;

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Link,
    english: &["link"],
    chinese: &["绑定"],
    arguments_english: "[me|all|list|oncall]",
    arguments_chinese: "[我|全部|列表|值班]",
    needs: Role::Member,
    about_english: "says which member you are, and links members to people; see `/help link`",
    about_chinese: "显示你是哪位成员，并把成员绑定到平台用户，详见 `/帮助 绑定`",
    more_english: "\n- `/link me`: links you to the member with your e-mail or mobile number\
        \n- `/link me NAME`: says that you are this member; an administrator has to confirm it\
        \n- `/link all`: shows what linking everybody would do, `/link all apply` does it (administrators)\
        \n- `/link @person NAME`: links somebody to a member (administrators)\
        \n- `/link list [all|linked|unlinked] [words]`: lists members (administrators)\
        \n- `/link oncall`: says who of the people on call I cannot page (responders)\
        \n- `/link confirm CODE`, `/link decline CODE`: decides what somebody said about themselves (administrators)",
    more_chinese: "\n- `/绑定 我`：按邮箱或手机号把你绑定到对应的成员\
        \n- `/绑定 我 姓名`：声明你是这位成员，需管理员确认\
        \n- `/绑定 全部`：显示绑定所有人的结果预览，`/绑定 全部 执行` 才会执行（管理员）\
        \n- `/绑定 @某人 姓名`：把某人绑定到成员（管理员）\
        \n- `/绑定 列表 [全部|已绑定|未绑定] [关键词]`：列出成员（管理员）\
        \n- `/绑定 值班`：列出值班人员中我无法通知的人（响应人员）\
        \n- `/绑定 确认 编号`、`/绑定 拒绝 编号`：处理待确认的声明（管理员）",
};

pub(super) async fn run(bot: &Bot, request: &Request) -> &'static str {
    let mentioned = mentioned(bot, request);
    let wish = wish::read(&request.invocation.arguments, &mentioned);
    if let Some(denied) = denied(&wish, request.role) {
        answer(
            bot,
            request,
            &Phrase::Denied(&denied).text(request.language),
            &[],
        )
        .await;
        return denied.name();
    }
    if bot.members().is_empty() && wish != Wish::NotUnderstood {
        answer(bot, request, no_members(request), &[]).await;
        return "no_members";
    }
    match wish {
        Wish::Show => show(bot, request).await,
        Wish::Plan(page) => everybody::plan(bot, request, page).await,
        Wish::Apply => everybody::apply_now(bot, request).await,
        Wish::Me => me::link(bot, request).await,
        Wish::MeAs(name) => me::claim(bot, request, name).await,
        Wish::Person(person, name) => link_person(bot, request, &person, name).await,
        Wish::List(which, words, page) => everybody::list(bot, request, which, words, page).await,
        Wish::OnCall => everybody::on_call(bot, request).await,
        Wish::Decide(decision, code) => decide_by_code(bot, request, decision, code).await,
        Wish::NotUnderstood => {
            let more = DEFINITION.more(request.language);
            answer(bot, request, more.trim_start(), &[]).await;
            "not_understood"
        }
    }
}

/// Why somebody may not wish for this.
fn denied(wish: &Wish<'_>, role: Role) -> Option<Denied> {
    let needs = match wish {
        Wish::Show | Wish::Me | Wish::MeAs(_) | Wish::NotUnderstood => Role::Member,
        Wish::OnCall => Role::Responder,
        Wish::Plan(_) | Wish::Apply | Wish::Person(..) | Wish::List(..) | Wish::Decide(..) => {
            Role::Administrator
        }
    };
    (role < needs).then_some(Denied::Needs(needs))
}

/// Those who are mentioned beside us, called as the text of a command calls them.
fn mentioned(bot: &Bot, request: &Request) -> Vec<Mentioned> {
    let mentions = request.message.iter().flat_map(|message| &message.mentions);
    let others = mentions.filter_map(|mention| {
        let id = mention.id.as_deref().filter(|id| !bot.me().is(id))?;
        let name = mention
            .name
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Some((name, OpenId::new(id)))
    });
    others.filter(|(name, _)| !name.is_empty()).collect()
}

fn no_members(request: &Request) -> &'static str {
    either(
        request.language,
        "There is no list of members, so nobody needs a link. Whoever runs me can write one down under [members] in my configuration.",
        "没有成员名单，因此不需要绑定。管理员可以在我的配置 [members] 中填写。",
    )
}

/// Says who somebody is, and tries to find it out.
async fn show(bot: &Bot, request: &Request) -> &'static str {
    let language = request.language;
    let text = match bot.members().may_act(&request.asker).await {
        Ok(Some(member)) => {
            let name = bold(&member.name);
            let how = match bot.members().finding(&member) {
                Finding::Linked(link, _) => link.how,
                // It was undone this very moment.
                _ => How::Undone,
            };
            let how = how.text(language);
            either(language, "You are member {name}, {how}.", "你是成员 {name}（{how}）。")
                .replace("{name}", &name)
                .replace("{how}", how)
        }
        Ok(None) => either(
            language,
            "You are not linked to a member, and need not be: everybody here may work on incidents. `/link me` links you.",
            "你尚未绑定成员，目前也不必绑定：这里的每个人都可以处理事件。发送 `/绑定 我` 可以绑定。",
        )
        .to_owned(),
        Err(unlinked) => unlinked.text(language).to_owned(),
    };
    answer(bot, request, &text, &[]).await;
    "done"
}

async fn link_person(bot: &Bot, request: &Request, person: &OpenId, name: &str) -> &'static str {
    let (members, language) = (bot.members(), request.language);
    let Some(member) = members.get(name).cloned() else {
        answer(bot, request, &unknown(bot, name, request), &[]).await;
        return "unknown_member";
    };
    let linked = members.link(&member, person, How::Administrator, &request.asker);
    let text = match linked.await {
        Ok(()) => {
            let who = bot.0.people.name(person, &request.place.chat).await;
            let (who, name) = (bold(&who), bold(&member.name));
            either(
                language,
                "{who} is member {name} now.",
                "{who} 现在是成员 {name}。",
            )
            .replace("{who}", &who)
            .replace("{name}", &name)
        }
        Err(why) => {
            answer(bot, request, &refused(&member.name, &why, language), &[]).await;
            return "refused";
        }
    };
    answer(bot, request, &text, &[]).await;
    "linked"
}

async fn decide_by_code(
    bot: &Bot,
    request: &Request,
    decision: Decision,
    code: &str,
) -> &'static str {
    match decide(bot, &request.asker, code, decision).await {
        Ok(decided) => {
            answer(bot, request, &decided.text(request.language), &[]).await;
            "decided"
        }
        Err(error) => broken(bot, request, &error).await,
    }
}

/// That the list has nobody of this name, and whom it has of a similar one.
pub(super) fn unknown(bot: &Bot, name: &str, request: &Request) -> String {
    let (members, language) = (bot.members(), request.language);
    let wanted = name.to_lowercase();
    let distance = |member: &str| strsim::osa_distance(&member.to_lowercase(), &wanted);
    let near = members.all().iter().map(|member| member.name.as_str());
    let near = near
        .min_by_key(|member| distance(member))
        .filter(|member| distance(member) * 3 <= wanted.chars().count().max(3));
    let name = bold(name);
    match (near, language) {
        (Some(near), Language::En) => {
            format!(
                "The list has no member {name}. Did you mean {}?",
                bold(near)
            )
        }
        (None, Language::En) => format!("The list has no member {name}."),
        (Some(near), Language::Zh) => {
            format!("名单里没有成员 {name}。你是指 {} 吗？", bold(near))
        }
        (None, Language::Zh) => format!("名单里没有成员 {name}。"),
    }
}

/// Says that the store failed.
pub(super) async fn broken(bot: &Bot, request: &Request, error: &store::Error) -> &'static str {
    tracing::error!(%error, "links could not be read or kept");
    let trace = &request.trace;
    answer(
        bot,
        request,
        &Phrase::Broken { trace }.text(request.language),
        &[],
    )
    .await;
    "failed"
}

/// Replies with a card of ours, perhaps with buttons.
async fn answer(bot: &Bot, request: &Request, text: &str, choices: &[Choice]) {
    let told = Notice {
        title: Some(title(request.language)),
        text,
        template: Template::Blue,
    };
    notice::send_choice(bot, &request.place, "link", &told, choices).await;
}

fn title(language: Language) -> &'static str {
    either(language, "Linked members", "成员绑定")
}
