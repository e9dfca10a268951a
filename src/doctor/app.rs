//! The app itself: whether the platform accepts it.

use super::{
    finding::{Check, Finding, Verdict, both},
    pages::Pages,
    refusal::{bot_ability, explain},
};
use crate::{
    config::{Brand, FeishuConfig},
    feishu::{
        BotInfo, Error,
        ws::{Fatal, NotLetIn},
    },
};

const CREDENTIALS: Check = Check::required(
    "credentials",
    "The platform accepts the app",
    "平台接受该应用",
);
const BRAND: Check = Check::required("brand", "The app is of this edition", "应用属于该版本平台");
const BOT: Check = Check::required("bot", "The bot is enabled", "机器人已启用");
/// What the platform said when the app showed itself.
pub(super) struct Introduction {
    /// Who the bot is.
    pub(super) bot: Result<BotInfo, Error>,
    /// What was said at the door of the long connection.
    pub(super) door: Result<(), NotLetIn>,
    /// Whether the other edition knows the app, where that was asked.
    pub(super) other_brand: Option<(Brand, bool)>,
}

/// Whether it is worth asking the other edition about the app: only where this one does not know it, and
/// only if both are the public ones.
pub(super) fn should_ask_other_brand(config: &FeishuConfig, bot: &Result<BotInfo, Error>) -> bool {
    config.base_url.is_none() && matches!(bot, Err(Error::Unauthorized(_)))
}

/// Lines about who the app is.
pub(super) fn introduction(
    config: &FeishuConfig,
    seen: &Introduction,
    pages: &Pages,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(finding) = wrong_brand(config, seen, pages) {
        findings.push(finding);
    }
    match &seen.bot {
        Ok(bot) => {
            findings.push(CREDENTIALS.works(both(
                format!("{} is known there as \"{}\"", config.app_id, bot.name),
                format!("{} 在平台上名为“{}”", config.app_id, bot.name),
            )));
            findings.push(enabled(bot, pages));
        }
        Err(error) => findings.push(not_accepted(error, pages)),
    }
    findings
}

fn wrong_brand(config: &FeishuConfig, seen: &Introduction, pages: &Pages) -> Option<Finding> {
    let refused_at_the_door = matches!(seen.door, Err(NotLetIn::Fatal(Fatal::WrongBrand { .. })));
    let other = match (seen.other_brand, refused_at_the_door) {
        (Some((other, true)), _) => other,
        (_, true) => config.brand.other(),
        (_, false) => return None,
    };
    let (name, key) = match other {
        Brand::Feishu => ("Feishu (feishu.cn)", "feishu"),
        Brand::Lark => ("Lark (larksuite.com)", "lark"),
    };
    let found = match seen.other_brand {
        Some((_, true)) => both(
            format!(
                "the app is unknown here, and {name} knows it; it was asked because this edition did not accept the app"
            ),
            format!("此版本平台不认识该应用，而 {name} 认识它（因为此处不接受，才去询问了对方）"),
        ),
        _ => both(
            "the long connection is refused with \"Incorrect domain name\" (code 1000040351)",
            "长连接被拒绝：“Incorrect domain name”（错误码 1000040351）",
        ),
    };
    let line = BRAND
        .missing(found)
        .symptom(
            "The bot is silent everywhere, and the log says that the app is not accepted or not known.",
            "机器人在哪里都不作声，日志提示应用不被接受或不认识。",
        )
        .link(pages.credentials());
    Some(match config.base_url {
        None => line.remedy(
            format!("Set feishu.brand = \"{key}\"."),
            format!("请设置 feishu.brand = \"{key}\"。"),
        ),
        Some(_) => line.remedy(
            "Set feishu.base_url to the platform on which the app was made.",
            "请把 feishu.base_url 设为创建该应用的平台地址。",
        ),
    })
}

fn not_accepted(error: &Error, pages: &Pages) -> Finding {
    let line = explain(&CREDENTIALS, error, pages);
    let Error::Unauthorized(refusal) = error else {
        return line;
    };
    let line = line.symptom(
        "The bot is silent everywhere, and the process ends with \"the app is not accepted\".",
        "机器人在哪里都不作声，进程以“the app is not accepted”结束。",
    );
    match refusal.code {
        99991662 | 99991673 => line
            .remedy(
                "Publish a version, and have an administrator enable the app in the admin console.",
                "请发布版本，并由管理员在管理后台启用该应用。",
            )
            .link(pages.versions()),
        99991401 => explain(&CREDENTIALS, error, pages),
        _ => line
            .remedy(
                "Copy App ID and App Secret anew from Credentials & Basic Info into feishu.app_id and feishu.app_secret.",
                "请从“凭证与基础信息”重新复制 App ID 和 App Secret 到 feishu.app_id 和 feishu.app_secret。",
            )
            .link(pages.credentials()),
    }
}

fn enabled(bot: &BotInfo, pages: &Pages) -> Finding {
    let (en, zh) = match bot.activate_status {
        2 => return BOT.works(both("enabled", "已启用")),
        0 => ("not enabled yet", "尚未启用"),
        1 => ("disabled by the organisation", "已被组织停用"),
        3 => ("installed, and waiting to be enabled", "已安装，等待启用"),
        4 => ("waiting for an upgrade to be approved", "等待升级审核"),
        5 => ("its licence has expired", "许可已过期"),
        6 => ("the organisation's plan was reduced", "组织套餐已降级"),
        other => {
            return BOT.unknown(both(
                format!("a status that is not documented: {other}"),
                format!("文档中没有的状态：{other}"),
            ));
        }
    };
    let status = bot.activate_status;
    let line = BOT.missing(both(
        format!("{en} (activate_status {status})"),
        format!("{zh}（activate_status {status}）"),
    ));
    match status {
        0 => bot_ability(line, pages),
        _ => line
            .symptom(
                "People cannot find the bot, or it never answers them.",
                "大家找不到机器人，或永远得不到回答。",
            )
            .remedy(
                "Have an administrator enable the app in the admin console (Workplace, App Management), and publish a version if none is.",
                "请管理员在管理后台（工作台 → 应用管理）启用该应用；若尚未发布版本，请先发布。",
            )
            .link(pages.versions()),
    }
}

/// Whether nothing more can be asked of the platform.
pub(super) fn is_dead_end(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|one| one.check == CREDENTIALS.id && one.verdict != Verdict::Works)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::OpenId;

    fn pages() -> Pages {
        Pages::of(&FeishuConfig::default())
    }

    fn bot(activate_status: i64) -> BotInfo {
        BotInfo {
            open_id: OpenId::new("ou_bot"),
            name: "Nightjar".into(),
            activate_status,
        }
    }

    #[test]
    fn only_an_enabled_bot_is_one() {
        for (status, expected) in [
            (2, Verdict::Works),
            (0, Verdict::Missing),
            (3, Verdict::Missing),
            (99, Verdict::Unknown),
        ] {
            assert_eq!(enabled(&bot(status), &pages()).verdict, expected);
        }
    }

    #[test]
    fn the_other_edition_is_named_by_whoever_knows() {
        let wrong = || {
            let base_url = "https://open.feishu.cn".to_owned();
            Err(NotLetIn::Fatal(Fatal::WrongBrand { base_url }))
        };
        let remedy = |door, other_brand| {
            let seen = Introduction {
                bot: Ok(bot(2)),
                door,
                other_brand,
            };
            let findings = introduction(&FeishuConfig::default(), &seen, &pages());
            let brand = findings.iter().find(|one| one.check == "brand");
            brand.map(|line| line.remedy.clone().unwrap().en)
        };
        let lark = Some("Set feishu.brand = \"lark\".".to_owned());
        assert_eq!(remedy(wrong(), None), lark);
        assert_eq!(remedy(Ok(()), Some((Brand::Lark, true))), lark);
        assert_eq!(remedy(Ok(()), Some((Brand::Lark, false))), None);
        assert_eq!(remedy(Ok(()), None), None);
    }
}
