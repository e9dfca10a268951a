//! What is said about members and their links, in both languages.

use crate::{bot::markdown, config::Language};

use super::{Doubt, How, NotLinked, Trouble, Why};

impl How {
    /// As the audit has it.
    pub(in crate::bot) fn name(self) -> &'static str {
        match self {
            How::Email => "by e-mail",
            How::Mobile => "by mobile number",
            How::Administrator => "by an administrator",
            How::Undone => "undone",
        }
    }

    /// As people read it.
    pub(in crate::bot) fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (_, Language::En) => self.name(),
            (How::Email, Language::Zh) => "按邮箱",
            (How::Mobile, Language::Zh) => "按手机号",
            (How::Administrator, Language::Zh) => "由管理员指定",
            (How::Undone, Language::Zh) => "已解除",
        }
    }
}

impl Why {
    /// Half a sentence, for a line about the member.
    pub(in crate::bot) fn text(&self, language: Language) -> String {
        let (english, chinese) = match self {
            Why::NotAMember => (
                "nobody of this name is in the list of members",
                "成员名单里没有这个名字",
            ),
            Why::NoAddress => (
                "the list has neither an e-mail nor a mobile number for them",
                "名单里没有其邮箱和手机号",
            ),
            Why::NotTried => (
                "not linked yet; they are when they first write to me, or by `/link all`",
                "尚未绑定；本人第一次发言或执行 `/绑定 全部` 时会自动绑定",
            ),
            Why::NotFound => (
                "not found: nobody logs in with this e-mail or mobile number, or the app's contacts range hides them",
                "没有找到：没有人用这个邮箱或手机号登录，或不在应用的通讯录权限范围内",
            ),
            Why::Left => (
                "whoever logged in with it has left the organisation",
                "对应的人已离职",
            ),
            Why::Several => (
                "the e-mail belongs to one person and the mobile number to another",
                "邮箱和手机号属于两个不同的人",
            ),
            Why::Undone => (
                "somebody undid the link; `/link me` or an administrator brings it back",
                "绑定已被解除；本人发送 `/绑定 我` 或由管理员恢复",
            ),
            Why::Taken { by } => {
                let by = markdown::escape(by);
                return match language {
                    Language::En => format!("the person who was found is also member {by}"),
                    Language::Zh => format!("找到的人同时也是成员 {by}"),
                };
            }
        };
        one_of(language, english, chinese).to_owned()
    }
}

impl Doubt {
    /// Half a sentence.
    pub(in crate::bot) fn text(self, language: Language) -> &'static str {
        match self {
            Doubt::Moved => one_of(
                language,
                "their e-mail or mobile number belongs to somebody else by now",
                "其邮箱或手机号现在属于另一个人",
            ),
            Doubt::Left => one_of(
                language,
                "whoever logged in with their e-mail or mobile number has left the organisation",
                "用其邮箱或手机号登录的人已离职",
            ),
        }
    }
}

impl Trouble {
    /// A sentence.
    pub(in crate::bot) fn text(self, language: Language) -> &'static str {
        match self {
            Trouble::LacksScope => one_of(
                language,
                "I may not look people up: an administrator has to grant me `contact:user.id:readonly` and publish a version.",
                "我没有查询用户的权限：请管理员开通 `contact:user.id:readonly` 并发布版本。",
            ),
            Trouble::NoAnswer => one_of(
                language,
                "I could not look people up just now. Please try again in a while.",
                "暂时查询不到用户，请稍后再试。",
            ),
        }
    }
}

/// Why somebody is no member to us, and what they can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Unlinked {
    /// The list names nobody with what they log in with.
    NotListed,
    /// They were linked, and it was undone.
    Undone,
    /// The list, or the links there are, contradict it.
    Several,
    /// It is still being found out.
    LookingUp,
    /// It cannot be found out.
    Trouble(Trouble),
    /// The disk takes nothing.
    NotKept,
}

impl Unlinked {
    /// A sentence or two, short enough for a toast.
    pub(in crate::bot) fn text(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Unlinked::NotListed => (
                "You are not linked to a member: the list has nobody with your e-mail or mobile number. Send me `/link me` and your name there.",
                "你尚未绑定成员：名单里没有你的邮箱或手机号。请发送 `/绑定 我 名单中的姓名`。",
            ),
            Unlinked::Undone => (
                "Your link was undone. Send me `/link me` to have it back.",
                "你的绑定已被解除。发送 `/绑定 我` 可以恢复。",
            ),
            Unlinked::Several => (
                "You cannot be linked by yourself: the list, or a link, says something else. Please ask an administrator to look at `/link all`.",
                "无法自动绑定：名单或已有的绑定与你的信息不一致。请管理员查看 `/绑定 全部`。",
            ),
            Unlinked::LookingUp => (
                "I am still finding out which member you are. Please try again in a moment.",
                "正在确认你是哪位成员，请稍后再试。",
            ),
            Unlinked::Trouble(trouble) => return trouble.text(language),
            Unlinked::NotKept => (
                "I cannot write to my disk at the moment, so you are not linked. Please try again in a while.",
                "我暂时无法写入磁盘，未能完成绑定。请稍后再试。",
            ),
        };
        one_of(language, english, chinese)
    }
}

impl From<Trouble> for Unlinked {
    fn from(trouble: Trouble) -> Self {
        Unlinked::Trouble(trouble)
    }
}

impl From<NotLinked> for Unlinked {
    fn from(why: NotLinked) -> Self {
        match why {
            NotLinked::MemberTaken | NotLinked::PersonTaken(_) => Unlinked::Several,
            NotLinked::NotKept(error) => {
                tracing::error!(%error, "a link could not be kept");
                Unlinked::NotKept
            }
        }
    }
}

pub(super) fn one_of<'a>(language: Language, english: &'a str, chinese: &'a str) -> &'a str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}
