//! What is asked back before something about a report is done that cannot be done by mistake.

use serde_json::Value;

use crate::{
    bot::{
        Bot,
        card::{
            choice::{self, Choice, Weight},
            notice::{Notice, Template},
        },
        incidents::Case,
        markdown::escape,
    },
    config::Language,
    feishu::ChatId,
};

use super::ReportPress;

/// Whether a report is to be published though something does not hold.
pub(in crate::bot) fn question(
    bot: &Bot,
    case: &Case,
    chat: &ChatId,
    version: u32,
    reasons: &[String],
    language: Language,
) -> Value {
    let list: Vec<String> = reasons
        .iter()
        .take(20)
        .map(|reason| format!("- {}", escape(reason)))
        .collect();
    let number = case.number();
    let (title, lead, label) = match language {
        Language::En => (
            format!("Publish the post-mortem of #{number}?"),
            "This does not hold. Whoever publishes it all the same is noted.",
            "Publish all the same",
        ),
        Language::Zh => (
            format!("发布故障 #{number} 的复盘报告？"),
            "以下内容未通过核对。仍要发布的人会被记录。",
            "仍然发布",
        ),
    };
    let mut card = Notice {
        title: Some(&title),
        text: &format!("{lead}\n\n{}", list.join("\n")),
        template: Template::Orange,
    }
    .render();
    let about = format!("{}/{version}", case.id());
    let choice = Choice {
        id: "anyway",
        label: label.to_owned(),
        weight: Weight::Plain,
        value: bot
            .0
            .clicks
            .report_value(ReportPress::PublishAnyway, &about, chat),
    };
    choice::put_under(&mut card, &[choice]);
    card
}

/// Whether an earlier version is to come back.
pub(in crate::bot) fn restore_question(
    bot: &Bot,
    case: &Case,
    chat: &ChatId,
    (wanted, newest): (u32, u32),
    headings: &[String],
    language: Language,
) -> Value {
    let number = case.number();
    let headings: Vec<String> = headings.iter().take(50).map(|one| escape(one)).collect();
    let (title, lead, label) = match language {
        Language::En => (
            format!("Restore version {wanted} of the post-mortem of #{number}?"),
            format!(
                "It becomes the newest version; version {newest} is kept. These sections are not the same: {}.",
                headings.join(", ")
            ),
            format!("Restore version {wanted}"),
        ),
        Language::Zh => (
            format!("恢复故障 #{number} 复盘报告的第 {wanted} 版？"),
            format!(
                "它将成为最新版本，第 {newest} 版会保留。不同的章节：{}。",
                headings.join("、")
            ),
            format!("恢复第 {wanted} 版"),
        ),
    };
    let mut card = Notice {
        title: Some(&title),
        text: &lead,
        template: Template::Orange,
    }
    .render();
    let about = format!("{}/{wanted}/{newest}", case.id());
    let choice = Choice {
        id: "restore",
        label,
        weight: Weight::Plain,
        value: bot
            .0
            .clicks
            .report_value(ReportPress::Restore, &about, chat),
    };
    choice::put_under(&mut card, &[choice]);
    card
}
