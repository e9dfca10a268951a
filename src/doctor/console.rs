//! What the developer console is set to: a version that is in force, and the events and callbacks in it.
//!
//! An app may read its own page only with a permission that few have, so that it cannot be read is no fault.

use super::{
    finding::{Check, Finding, Need, both},
    pages::Pages,
    refusal::explain,
};
use crate::{
    config::Intake,
    feishu::{AppVersion, ApplicationConfig, Error, Subscription, VersionStatus, Way},
};

const VERSION: Check = Check::required("version", "A version is published", "已发布版本");
const EVENTS: Check = Check::required(
    "events.subscribed",
    "Events are subscribed to",
    "已订阅事件",
);
const CALLBACKS: Check = Check::optional(
    "callbacks.subscribed",
    "Callbacks are subscribed to",
    "已订阅回调",
);
const EVENT_MODE: Check = Check::required(
    "events.mode",
    "Events come the way the bot listens",
    "事件推送方式与机器人一致",
);
const CALLBACK_MODE: Check = Check::optional(
    "callbacks.mode",
    "Callbacks come the way the bot listens",
    "回调推送方式与机器人一致",
);

/// In place of the four before, where the app's page cannot be read.
const CONSOLE: Check = Check::required(
    "console",
    "Events and callbacks are set as they should be",
    "事件与回调设置正确",
);

/// The event without which no question arrives.
const QUESTION: &str = "im.message.receive_v1";
/// Those that it goes better with.
const OTHER_EVENTS: &[&str] = &[
    "im.message.recalled_v1",
    "im.message.reaction.created_v1",
    "im.message.reaction.deleted_v1",
    "im.chat.disbanded_v1",
    "im.chat.member.bot.added_v1",
    "im.chat.member.bot.deleted_v1",
    "im.chat.member.user.added_v1",
    "im.chat.member.user.deleted_v1",
];
/// The callback of a pressed button.
const PRESS: &str = "card.action.trigger";

/// What the console is set to, as far as it may be read.
pub(super) struct Settings {
    /// The app's page.
    pub(super) application: Result<ApplicationConfig, Error>,
    /// Its versions.
    pub(super) versions: Result<Vec<AppVersion>, Error>,
    /// How the bot that is examined listens.
    pub(super) intake: Intake,
}

/// Lines about what the console is set to.
pub(super) fn settings(seen: &Settings, pages: &Pages) -> Vec<Finding> {
    let mut findings = vec![published(&seen.versions, pages)];
    let application = match &seen.application {
        Ok(application) => application,
        Err(error) => {
            findings.push(unreadable(&CONSOLE, error, pages));
            return findings;
        }
    };
    // The version that is in force says which events are in force; the app's page says what is set.
    let in_force = seen.versions.as_ref().ok().and_then(|versions| {
        let mut versions = versions.iter();
        let newest = versions.find(|one| one.status == VersionStatus::Approved)?;
        (!newest.events.is_empty()).then(|| newest.events.clone())
    });
    let (events, callbacks) = (&application.events, &application.callbacks);
    findings.push(subscribed(
        &EVENTS,
        in_force.or(named(events)),
        QUESTION,
        OTHER_EVENTS,
        pages,
    ));
    findings.push(comes(&EVENT_MODE, events.way, seen.intake, pages));
    findings.push(subscribed(&CALLBACKS, named(callbacks), PRESS, &[], pages));
    findings.push(comes(&CALLBACK_MODE, callbacks.way, seen.intake, pages));
    findings
}

/// What is subscribed to. A platform that says nothing at all leaves it unknown.
fn named(subscription: &Subscription) -> Option<Vec<String>> {
    let says_nothing = subscription.way.is_none() && subscription.kinds.is_empty();
    (!says_nothing).then(|| subscription.kinds.clone())
}

/// A setting that the app may not read. That it may not is no fault.
fn unreadable(check: &Check, error: &Error, pages: &Pages) -> Finding {
    let line = explain(check, error, pages);
    let lacks_scope = !line.scopes.is_empty();
    let (en, zh) = match lacks_scope {
        true => (
            "the app may not read its own page of the console, which is usual",
            "应用无权读取自己的后台页面，这很常见",
        ),
        false => (line.found.en.as_str(), line.found.zh.as_str()),
    };
    let (link, look_en, look_zh) = match check.id == VERSION.id {
        true => (
            pages.versions(),
            "Look whether the newest version is published and approved.",
            "请查看最新版本是否已发布并通过审核。",
        ),
        false => (
            pages.events(),
            "Look for long connection, the event im.message.receive_v1 and the callback card.action.trigger.",
            "请查看是否选择了长连接、事件 im.message.receive_v1 和回调 card.action.trigger。",
        ),
    };
    check
        .unknown(both(en, zh))
        .remedy(
            format!(
                "{look_en} Or grant application:application:self_manage, and it is checked here."
            ),
            format!("{look_zh}或开通 application:application:self_manage，即可在这里检查。"),
        )
        .link(link)
        .need(Need::Optional)
}

fn published(versions: &Result<Vec<AppVersion>, Error>, pages: &Pages) -> Finding {
    let versions = match versions {
        Ok(versions) => versions,
        Err(error) => return unreadable(&VERSION, error, pages),
    };
    let approved = versions
        .iter()
        .find(|version| version.status == VersionStatus::Approved);
    let newest = versions.first();
    match (approved, newest) {
        (Some(approved), Some(newest)) if approved != newest => {
            let (en, zh) = standing(newest.status);
            VERSION
                .missing(both(
                    format!("{} is in force; {} {en}", approved.version, newest.version),
                    format!("{} 已生效；{} {zh}", approved.version, newest.version),
                ))
                .need(Need::Optional)
                .symptom(
                    "What was changed since (permissions, events, availability) has no effect yet.",
                    "此后的改动（权限、事件、可用范围）尚未生效。",
                )
                .remedy(
                    "Publish it, and have it approved.",
                    "请发布该版本并通过审核。",
                )
                .link(pages.versions())
        }
        (Some(approved), _) => VERSION.works(both(
            format!("{} is in force", approved.version),
            format!("{} 已生效", approved.version),
        )),
        (None, newest) => {
            let (en, zh) = newest.map_or(("none was made", "还没有版本"), |newest| {
                standing(newest.status)
            });
            VERSION
                .missing(both(
                    format!("no version is in force: the newest {en}"),
                    format!("没有生效的版本：最新的{zh}"),
                ))
                .symptom(
                    "People cannot find the bot, and nothing that was set in the console has any effect.",
                    "大家找不到机器人，后台的任何设置都不起作用。",
                )
                .remedy(
                    "Make a version under Version Management & Release, publish it, and have it approved.",
                    "请在“版本管理与发布”中创建版本、发布并通过审核。",
                )
                .link(pages.versions())
        }
    }
}

fn standing(status: VersionStatus) -> (&'static str, &'static str) {
    match status {
        VersionStatus::Approved => ("is approved", "已通过"),
        VersionStatus::Rejected => ("was rejected", "被驳回"),
        VersionStatus::InReview => ("waits for approval", "正在等待审核"),
        VersionStatus::Unsubmitted => ("was never handed in", "从未提交"),
    }
}

fn subscribed(
    check: &Check,
    names: Option<Vec<String>>,
    needed: &str,
    others: &[&str],
    pages: &Pages,
) -> Finding {
    let Some(names) = names else {
        return check
            .unknown(both("the platform does not say", "平台没有说明"))
            .remedy(
                format!("Look whether {needed} is there."),
                format!("请查看其中是否有 {needed}。"),
            )
            .link(pages.events())
            .need(Need::Optional);
    };
    let has = |name: &str| names.iter().any(|one| one == name);
    let lacking: Vec<&str> = others.iter().copied().filter(|name| !has(name)).collect();
    if has(needed) && lacking.is_empty() {
        return check.works(both(needed, needed));
    }
    let line = match has(needed) {
        false => {
            let line = check.missing(both(format!("not {needed}"), format!("缺 {needed}")));
            match needed {
                QUESTION => line.symptom(
                    "Nobody is ever answered: no message arrives.",
                    "谁都得不到回答：消息不会送达。",
                ),
                _ => line.symptom(
                    "Pressing a button on a card shows an error of the client (200340).",
                    "点击卡片按钮时客户端报错（200340）。",
                ),
            }
        }
        true => {
            let lacking = lacking.join(", ");
            check
                .missing(both(format!("not {lacking}"), format!("缺 {lacking}")))
                .need(Need::Optional)
                .symptom(
                    "Some things go unnoticed: recalled questions, reactions, groups that it enters or that are gone.",
                    "有些事情不会被注意到：撤回的问题、表情回复、进群或群解散。",
                )
        }
    };
    let mut add: Vec<&str> = lacking;
    if !has(needed) {
        add.insert(0, needed);
    }
    let add = add.join(", ");
    line.remedy(
        format!("Add {add} under Events & Callbacks, then publish a version."),
        format!("在“事件与回调”中添加 {add}，然后发布版本。"),
    )
    .link(pages.events())
}

fn comes(check: &Check, way: Option<Way>, intake: Intake, pages: &Pages) -> Finding {
    let (here_en, here_zh) = match intake.connects() {
        true => ("long connection", "长连接"),
        false => ("the developer's server", "开发者服务器"),
    };
    match way {
        None => check
            .unknown(both("the platform does not say", "平台没有说明"))
            .remedy(
                format!("Look whether {here_en} is chosen there."),
                format!("请查看那里选择的是否为{here_zh}。"),
            )
            .link(pages.events())
            .need(Need::Optional),
        Some(way) if is_heard(way, intake) => check.works(both(
            "set to what feishu.events says",
            "与 feishu.events 一致",
        )),
        Some(_) => check
            .missing(both(
                format!("the console is not set to {here_en}, which is how this bot listens"),
                format!("后台没有设为{here_zh}，而机器人以此方式接收"),
            ))
            .symptom(
                "The bot is connected and well, and hears nothing.",
                "机器人已连接、一切正常，却什么也收不到。",
            )
            .remedy(
                format!("Choose {here_en} under Events & Callbacks while the bot runs (the console only lets you save it then), then publish a version."),
                format!("在机器人运行时，于“事件与回调”中选择{here_zh}（只有此时后台才允许保存），然后发布版本。"),
            )
            .link(pages.events()),
    }
}

/// Whether a bot that listens like this hears what is sent that way.
fn is_heard(way: Way, intake: Intake) -> bool {
    match way {
        Way::LongConnection => intake.connects(),
        Way::Webhook => intake.is_posted_to(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::FeishuConfig, doctor::finding::Verdict};

    fn pages() -> Pages {
        Pages::of(&FeishuConfig::default())
    }

    fn verdict(findings: &[Finding], check: &str) -> (Verdict, Need) {
        let finding = findings.iter().find(|one| one.check == check).unwrap();
        (finding.verdict, finding.need)
    }

    fn version(version: &str, status: VersionStatus) -> AppVersion {
        AppVersion {
            version: version.into(),
            status,
            events: Vec::new(),
            published_at: None,
        }
    }

    #[test]
    fn a_version_counts_once_it_is_approved() {
        use VersionStatus::{Approved, InReview, Unsubmitted};
        let check = |versions: Vec<AppVersion>, expected: (Verdict, Need)| {
            let line = published(&Ok(versions), &pages());
            assert_eq!((line.verdict, line.need), expected);
        };
        let required = (Verdict::Missing, Need::Required);
        check(vec![], required);
        check(vec![version("1.0.0", Unsubmitted)], required);
        check(
            vec![version("1.0.0", Approved)],
            (Verdict::Works, Need::Required),
        );
        check(
            vec![version("1.0.1", InReview), version("1.0.0", Approved)],
            (Verdict::Missing, Need::Optional),
        );
    }

    #[test]
    fn what_the_console_is_set_to_is_compared_with_how_the_bot_listens() {
        let subscription = |way, names: &[&str]| Subscription {
            way: Some(way),
            request_url: None,
            kinds: names.iter().map(|name| name.to_string()).collect(),
        };
        let all: Vec<&str> = OTHER_EVENTS.iter().copied().chain([QUESTION]).collect();
        let settle = |events, callbacks, intake| {
            let seen = Settings {
                application: Ok(ApplicationConfig { events, callbacks }),
                versions: Ok(vec![version("1.0.0", VersionStatus::Approved)]),
                intake,
            };
            settings(&seen, &pages())
        };
        let well = settle(
            subscription(Way::LongConnection, &all),
            subscription(Way::LongConnection, &[PRESS]),
            Intake::LongConnection,
        );
        assert!(well.iter().all(|one| one.verdict == Verdict::Works));

        let ill = settle(
            subscription(Way::Webhook, OTHER_EVENTS),
            subscription(Way::LongConnection, &[]),
            Intake::LongConnection,
        );
        let required = (Verdict::Missing, Need::Required);
        let optional = (Verdict::Missing, Need::Optional);
        assert_eq!(verdict(&ill, "events.subscribed"), required);
        assert_eq!(verdict(&ill, "events.mode"), required);
        assert_eq!(verdict(&ill, "callbacks.subscribed"), optional);
        assert_eq!(
            verdict(&ill, "callbacks.mode"),
            (Verdict::Works, Need::Optional)
        );

        let partly = settle(
            subscription(Way::Webhook, &[QUESTION]),
            Subscription::default(),
            Intake::Webhook,
        );
        assert_eq!(verdict(&partly, "events.subscribed"), optional);
        assert_eq!(
            verdict(&partly, "events.mode"),
            (Verdict::Works, Need::Required)
        );
        assert_eq!(
            verdict(&partly, "callbacks.subscribed"),
            (Verdict::Unknown, Need::Optional)
        );
    }
}
