//! `/link me`: somebody wants to be linked, and may say as whom.

use jiff::Timestamp;
use tracing::info;

use super::{Request, answer, broken, either, title, unknown};
use crate::{
    bot::{
        Bot, administrators,
        card::{
            choice::{Choice, Weight},
            notice::{Notice, Template},
        },
        click::{self, link::about},
        members::{Claim, Decided, Kept, NotLinked, Unlinked, bold, refused},
        phrase::Phrase,
    },
    config::{Language, Member},
    feishu::{ChatKind, Error},
};

/// The code with which the platform says that somebody is outside the app's contacts range.
const OUT_OF_RANGE: i64 = 41050;

/// Links the asker as far as the platform vouches for them.
pub(super) async fn link(bot: &Bot, request: &Request) -> &'static str {
    let language = request.language;
    if let Some(member) = bot.members().member_of(&request.asker) {
        answer(bot, request, &is_linked(&member, language), &[]).await;
        return "linked_already";
    }
    match bot.members().link_me(&request.asker).await {
        Ok(member) => {
            answer(bot, request, &now_linked(&member, language), &[]).await;
            "linked"
        }
        Err(unlinked) => {
            let mut text = unlinked.text(language).to_owned();
            if unlinked == Unlinked::NotListed && is_hidden(bot, request).await {
                text = either(
                    language,
                    "I cannot see your e-mail or mobile number: the app's contacts range does not hold you. An administrator can widen it in the developer console, or link you with `/link @you NAME`. Or send me `/link me` and your name in the list.",
                    "我看不到你的邮箱和手机号：你不在应用的通讯录权限范围内。管理员可以在开发者后台扩大范围，或用 `/绑定 @你 姓名` 直接绑定。你也可以发送 `/绑定 我 名单中的姓名`。",
                )
                .to_owned();
            }
            answer(bot, request, &text, &[]).await;
            "not_linked"
        }
    }
}

/// Links the asker to a member where the platform vouches for it, and otherwise lets an administrator decide.
pub(super) async fn claim(bot: &Bot, request: &Request, name: &str) -> &'static str {
    let (members, language) = (bot.members(), request.language);
    let Some(member) = members.get(name).cloned() else {
        answer(bot, request, &unknown(bot, name, request), &[]).await;
        return "unknown_member";
    };
    if let Some(linked) = members.member_of(&request.asker) {
        let text = match linked.name == member.name {
            true => is_linked(&linked, language),
            false => refused(
                &member.name,
                &NotLinked::PersonTaken(linked.name.clone()),
                language,
            ),
        };
        answer(bot, request, &text, &[]).await;
        return "linked_already";
    }
    if members.linked(&member.name).is_some() {
        info!("somebody says that they are a member who is linked to somebody else");
        let outcome = format!("{} claimed, and is somebody else", member.name);
        members.note(&request.asker, &outcome).await;
        let text = refused(&member.name, &NotLinked::MemberTaken, language);
        answer(bot, request, &text, &[]).await;
        return "refused";
    }
    if members.logs_in_as(&request.asker, &member).await
        && let Ok(member) = members.link_me(&request.asker).await
    {
        answer(bot, request, &now_linked(&member, language), &[]).await;
        return "linked";
    }
    hand_to_administrators(bot, request, &member).await
}

async fn hand_to_administrators(bot: &Bot, request: &Request, member: &Member) -> &'static str {
    let (members, language) = (bot.members(), request.language);
    let claim = Claim {
        person: request.asker.clone(),
        member: member.name.clone(),
        chat: request.place.chat.clone(),
        at: Timestamp::now(),
    };
    let code = match members.claims().keep(&claim).await {
        Ok(Kept::Code(code)) => code,
        Ok(Kept::NoRoom) => {
            let text = either(
                language,
                "Too many wait for an administrator already. Please ask one directly.",
                "等待管理员确认的人太多，请直接联系管理员。",
            );
            answer(bot, request, text, &[]).await;
            return "no_room";
        }
        Ok(Kept::TooSoon) => {
            let text = either(
                language,
                "You said a moment ago that you are somebody else. Please wait ten minutes, or ask an administrator.",
                "你刚才声明过自己是另一位成员，请十分钟后再试，或直接联系管理员。",
            );
            answer(bot, request, text, &[]).await;
            return "too_soon";
        }
        Err(error) => return broken(bot, request, &error).await,
    };
    let outcome = format!("{} claimed", member.name);
    members.note(&request.asker, &outcome).await;
    let name = bold(&member.name);
    let text = match language {
        Language::En => format!(
            "The list does not show that you are member {name}, so an administrator has to confirm it: `/link confirm {code}` or `/link decline {code}`. I have told them, and tell you what comes of it."
        ),
        Language::Zh => format!(
            "名单无法证明你是成员 {name}，需要管理员确认：`/绑定 确认 {code}` 或 `/绑定 拒绝 {code}`。我已通知管理员，有结果会告诉你。"
        ),
    };
    answer(bot, request, &text, &choices(bot, request, &code)).await;
    let who = bold(&bot.0.people.name(&request.asker, &request.place.chat).await);
    let phrase = Phrase::MemberClaim {
        who: &who,
        member: &name,
        code: &code,
    };
    administrators::tell(bot, &format!("member-claim/{code}/{}", claim.at), phrase).await;
    "waits"
}

/// Buttons for an administrator who is in the same group. In a direct chat there is none.
fn choices(bot: &Bot, request: &Request, code: &str) -> Vec<Choice> {
    if request.chat_kind == ChatKind::P2p {
        return Vec::new();
    }
    let language = request.language;
    let value = |deed| {
        let clicks = &bot.0.clicks;
        clicks.value(deed, &about(language, code), &request.place.chat)
    };
    vec![
        Choice {
            id: "confirm",
            label: either(language, "Confirm (administrators)", "确认（管理员）").to_owned(),
            weight: Weight::Primary,
            value: value(click::Deed::ConfirmClaim),
        },
        Choice {
            id: "decline",
            label: either(language, "Decline", "拒绝").to_owned(),
            weight: Weight::Plain,
            value: value(click::Deed::DeclineClaim),
        },
    ]
}

/// The card on which a claim was decided.
pub(in crate::bot) fn decided_card(decided: &Decided, language: Language) -> serde_json::Value {
    let told = Notice {
        title: Some(title(language)),
        text: &decided.text(language),
        template: Template::Grey,
    };
    told.render()
}

async fn is_hidden(bot: &Bot, request: &Request) -> bool {
    match bot.0.feishu.user(&request.asker).await {
        Err(Error::Forbidden(refusal)) => refusal.code == OUT_OF_RANGE,
        _ => false,
    }
}

fn is_linked(member: &Member, language: Language) -> String {
    let name = bold(&member.name);
    match language {
        Language::En => format!("You are member {name} already."),
        Language::Zh => format!("你已经是成员 {name}。"),
    }
}

fn now_linked(member: &Member, language: Language) -> String {
    let name = bold(&member.name);
    match language {
        Language::En => format!("You are member {name} now."),
        Language::Zh => format!("你现在是成员 {name}。"),
    }
}
