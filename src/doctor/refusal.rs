//! What a call that failed says about the set-up, and what mends it.

use super::{
    finding::{Both, Check, Finding, both},
    pages::Pages,
    scopes,
};
use crate::feishu::{Error, Refusal};

/// The line of a check whose call failed.
pub(super) fn explain(check: &Check, error: &Error, pages: &Pages) -> Finding {
    let Some(refusal) = error.refusal() else {
        return not_answered(check, error);
    };
    let lacking = lacking_scopes(refusal);
    if !lacking.is_empty() {
        return lacks_scopes(check, refusal, lacking, pages);
    }
    let line = check.missing(refused(refusal));
    match refusal.code {
        230002 | 232011 | 99992356 | 232009 | 232006 => line
            .symptom(
                "Nobody in that chat is ever answered: the bot is not in it.",
                "那个会话里没有人会得到回答：机器人不在其中。",
            )
            .remedy(
                "Add the bot to the chat: group settings, Bots, Add. Or name another chat.",
                "把机器人加入该群：群设置 → 群机器人 → 添加。或换一个会话。",
            ),
        230006 | 234007 => bot_ability(line, pages),
        230013 | 232024 => line
            .symptom(
                "Some people get no answer: the app is not available to them.",
                "部分人得不到回答：应用对他们不可用。",
            )
            .remedy(
                "Widen the availability of the app in the next version, or have an administrator do it.",
                "在下一个版本中扩大“可用范围”，或请管理员调整。",
            )
            .link(pages.versions()),
        41050 => line
            .symptom(
                "Some people are called \"someone (…a1b2)\": they are outside the app's contacts range.",
                "部分人名显示为“某人（…a1b2）”：他们不在应用的通讯录权限范围内。",
            )
            .remedy(
                "Widen the contacts range under Permissions & Scopes, then publish a version.",
                "在“权限管理”中扩大通讯录权限范围，然后发布版本。",
            )
            .link(pages.scopes::<&str>(&[])),
        99991401 => line
            .symptom(
                "Nothing works from here: this machine's address is not on the app's list.",
                "在这台机器上什么都不能用：它的地址不在应用的 IP 白名单里。",
            )
            .remedy(
                "Add the address with which this machine leaves to the IP allow-list under Security Settings.",
                "在“安全设置”的 IP 白名单中加入本机的出口地址。",
            )
            .link(pages.security()),
        99991403 => line
            .symptom(
                "The bot has fallen silent: the organisation's calls of this month are used up.",
                "机器人不再说话：本组织本月的调用次数已用完。",
            )
            .remedy(
                "Raise the plan in the admin console, or wait for the first of the month; set feishu.monthly_quota, so that the bot saves calls in time.",
                "在管理后台升级套餐，或等到下月一日；设置 feishu.monthly_quota，机器人会提前节省调用。",
            ),
        _ if error.is_transient() => Finding {
            verdict: super::finding::Verdict::Unknown,
            ..line.remedy("Ask again in a while.", "请稍后再试。")
        },
        _ => line.remedy(
            "Look the code up in the platform's documentation; its support asks for the log id.",
            "请在平台文档中查询该错误码；联系平台支持时请提供日志编号。",
        ),
    }
}

/// A line about the bot ability.
pub(super) fn bot_ability(line: Finding, pages: &Pages) -> Finding {
    line.symptom(
        "The app cannot be found or mentioned in chats: it has no bot.",
        "在会话里找不到、也 @ 不到它：应用没有机器人能力。",
    )
    .remedy(
        "Add the Bot feature under Add Features, then publish a version.",
        "在“添加应用能力”中添加“机器人”，然后发布版本。",
    )
    .link(pages.bot())
}

/// The scopes that a refusal is about: those of our table, or else whatever it names.
pub(super) fn lacking_scopes(refusal: &Refusal) -> Vec<String> {
    let ours = refusal.scopes.iter();
    let ours: Vec<String> = ours
        .filter(|name| scopes::find(name).is_some())
        .cloned()
        .collect();
    match ours.is_empty() {
        true => refusal.scopes.clone(),
        false => ours,
    }
}

fn lacks_scopes(check: &Check, refusal: &Refusal, lacking: Vec<String>, pages: &Pages) -> Finding {
    let names = lacking.join(", ");
    let symptom = lacking.iter().find_map(|name| scopes::find(name));
    let line = check.missing(both(
        format!("refused for want of a permission (code {})", refusal.code),
        format!("因缺少权限被拒绝（错误码 {}）", refusal.code),
    ));
    let line = match symptom {
        Some(scope) => line.symptom(scope.symptom.0, scope.symptom.1),
        None => line,
    };
    let link = refusal.help.clone();
    let line = line
        .remedy(
            format!("Add {names} under Permissions & Scopes, then publish a version."),
            format!("在“权限管理”中开通 {names}，然后发布版本。"),
        )
        .link(link.unwrap_or_else(|| pages.scopes(&lacking)));
    Finding {
        scopes: lacking,
        ..line
    }
}

fn refused(refusal: &Refusal) -> Both {
    let log_id = refusal.log_id.as_deref().unwrap_or("-");
    both(
        format!(
            "refused: {} (code {}, log id {log_id})",
            refusal.message, refusal.code
        ),
        format!(
            "被拒绝：{}（错误码 {}，日志编号 {log_id}）",
            refusal.message, refusal.code
        ),
    )
}

fn not_answered(check: &Check, error: &Error) -> Finding {
    let found = match error {
        Error::TooFast { .. } => both(
            "no answer in time, or held back because people's questions come first",
            "未能及时应答，或因优先处理大家的问题而推迟",
        ),
        Error::Unreadable { .. } => both("the answer cannot be read", "应答无法解读"),
        _ => both("no answer", "没有应答"),
    };
    check
        .unknown(found)
        .remedy("Ask again in a while.", "请稍后再试。")
}
