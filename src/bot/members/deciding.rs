//! An administrator confirms or declines what somebody said about themselves.

use tracing::warn;

use crate::{
    bot::{
        Bot,
        card::notice::{Notice, Template},
        notice,
    },
    config::Language,
    feishu::{Class, OpenId, Recipient},
    store,
};

use super::{Claim, Decision, How, NotLinked, report::bold, words::one_of};

/// What came of a decision.
#[derive(Debug)]
pub(in crate::bot) enum Decided {
    /// There is no such claim, any more.
    Gone,
    /// It was done as was said.
    Done(Decision, Claim),
    /// It was confirmed, and does not go together with the links there are.
    Refused(Claim, NotLinked),
}

impl Decided {
    /// A sentence for whoever decided.
    pub(in crate::bot) fn text(&self, language: Language) -> String {
        let (decision, member) = match self {
            Decided::Gone => {
                return one_of(
                    language,
                    "Nobody waits for this any more.",
                    "没有等待确认的申请，可能已经处理过。",
                )
                .to_owned();
            }
            Decided::Refused(claim, why) => return refused(&claim.member, why, language),
            Decided::Done(decision, claim) => (*decision, bold(&claim.member)),
        };
        match (decision, language) {
            (Decision::Confirm, Language::En) => format!("Done: they are member {member} now."),
            (Decision::Confirm, Language::Zh) => format!("已确认，对方现在是成员 {member}。"),
            (Decision::Decline, Language::En) => format!("Declined: they are not member {member}."),
            (Decision::Decline, Language::Zh) => format!("已拒绝，对方不是成员 {member}。"),
        }
    }
}

/// Why a member cannot be linked to a person, and what to do first.
pub(in crate::bot) fn refused(member: &str, why: &NotLinked, language: Language) -> String {
    let member = bold(member);
    match (why, language) {
        (NotLinked::MemberTaken, Language::En) => {
            format!("Member {member} is linked to somebody else. `/unlink` and the name undoes that.")
        }
        (NotLinked::MemberTaken, Language::Zh) => {
            format!("成员 {member} 已绑定其他人。可先发送 `/解绑` 加姓名解除。")
        }
        (NotLinked::PersonTaken(other), Language::En) => format!(
            "This person is linked to member {} already. `/unlink` and that name undoes it.",
            bold(other)
        ),
        (NotLinked::PersonTaken(other), Language::Zh) => format!(
            "此人已绑定成员 {}。可先发送 `/解绑` 加该姓名解除。",
            bold(other)
        ),
        (NotLinked::NotKept(_), _) => one_of(
            language,
            "I cannot write to my disk at the moment, so nothing was done. Please try again in a while.",
            "我暂时无法写入磁盘，没有做任何修改。请稍后再试。",
        )
        .to_owned(),
    }
}

/// Carries a decision out, and tells the one it is about.
pub(in crate::bot) async fn decide(
    bot: &Bot,
    by: &OpenId,
    code: &str,
    decision: Decision,
) -> Result<Decided, store::Error> {
    let members = bot.members();
    let Some(claim) = members.claims().take(code).await? else {
        return Ok(Decided::Gone);
    };
    if decision == Decision::Confirm {
        let Some(member) = members.get(&claim.member).cloned() else {
            return Ok(Decided::Gone);
        };
        let linked = members.link(&member, &claim.person, How::Administrator, by);
        match linked.await {
            Ok(()) => {}
            Err(why) => return Ok(Decided::Refused(claim, why)),
        }
    } else {
        let outcome = format!("{} declined", claim.member);
        members.note(by, &outcome).await;
    }
    tell(bot, code, &claim, decision).await;
    Ok(Decided::Done(decision, claim))
}

async fn tell(bot: &Bot, code: &str, claim: &Claim, decision: Decision) {
    let set = bot.0.settings.of_person(&claim.person).await.language;
    let language = set.unwrap_or(bot.0.conversation.language);
    let member = bold(&claim.member);
    let (text, template) = match (decision, language) {
        (Decision::Confirm, Language::En) => (
            format!("An administrator has confirmed it: you are member {member} now."),
            Template::Green,
        ),
        (Decision::Confirm, Language::Zh) => (
            format!("管理员已确认：你现在是成员 {member}。"),
            Template::Green,
        ),
        (Decision::Decline, Language::En) => (
            format!("An administrator has declined it: you are not linked to member {member}."),
            Template::Orange,
        ),
        (Decision::Decline, Language::Zh) => (
            format!("管理员已拒绝：你没有绑定成员 {member}。"),
            Template::Orange,
        ),
    };
    let told = Notice {
        title: None,
        text: &text,
        template,
    };
    let to = Recipient::Person(claim.person.clone());
    let purpose = format!("member-claim/{code}/{}", claim.at);
    if let Err(error) = notice::tell(bot, Class::Click, &to, &purpose, &told).await {
        warn!(%error, "somebody does not know what came of their claim");
    }
}
