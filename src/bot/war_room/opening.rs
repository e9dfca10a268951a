//! The first message of a room: what is known, what is not, and how to use the room.

use jiff::tz::TimeZone;

use crate::{
    bot::{
        Bot,
        card::{
            incident::{Names, people_of, severity_word, status_word},
            notice::{Notice, Template},
            shorten,
        },
        handling,
        incidents::Case,
        markdown::escape,
        notice, times,
    },
    config::Language,
    feishu::{ChatId, Class, Recipient},
    incident::{Incident, Tracked},
};

use super::{Progress, Trouble, members, words::either};

/// How many labels are shown, and how much of each text.
const LABELS_MAX: usize = 8;
const TEXT_CHARS_MAX: usize = 300;

/// Says it, if it was not said yet.
pub(super) async fn say(
    bot: &Bot,
    case: &Case,
    progress: &Progress,
    chat: &ChatId,
) -> Result<(), Trouble> {
    if progress.is_opening_said {
        return Ok(());
    }
    let language = progress.language;
    let latest = bot.incidents().latest_alert(case).await?;
    let people = people_of(&case.incident, &[]);
    let names = handling::names(bot, &people, chat).await;
    let mut text = known(
        &case.incident,
        latest.as_ref(),
        &names,
        &bot.0.zone,
        language,
    );
    if let Some(missing) = members::missing(bot, chat, &progress.invited, language).await {
        text = format!("{text}\n\n{missing}");
    }
    text = format!("{text}\n\n{}", how(language));
    let title = match language {
        Language::En => format!("War room of #{}", case.number()),
        Language::Zh => format!("故障 #{} 作战室", case.number()),
    };
    let said = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    let to = Recipient::Chat(chat.clone());
    notice::tell(bot, Class::Page, &to, &progress.purpose("opening"), &said).await?;
    bot.rooms()
        .update(&progress.key(), |progress| progress.is_opening_said = true)
        .await?;
    Ok(())
}

/// What is known of an incident, and what is not.
pub(super) fn known(
    incident: &Incident,
    latest: Option<&Tracked>,
    names: &Names,
    zone: &TimeZone,
    language: Language,
) -> String {
    let say = |english, chinese| either(language, english, chinese);
    let colon = say(": ", "：");
    let line = |name: &str, value: &str| format!("- {name}{colon}{value}");
    let mut known = vec![
        format!("**{}**", escape(&one_line(&incident.title))),
        line(
            say("Severity", "级别"),
            severity_word(incident.severity, language),
        ),
        line(say("State", "状态"), &status_word(incident, language)),
        line(
            say("Since", "开始时间"),
            &times::in_full(incident.started_at, zone),
        ),
    ];
    if incident.alerts > 0 {
        let (firing, all) = (incident.firing.total(), incident.alerts);
        known.push(line(
            say("Alerts", "告警"),
            &match language {
                Language::En => format!("{firing} firing, {all} in all"),
                Language::Zh => format!("{firing} 条触发中，共 {all} 条"),
            },
        ));
    }
    if let Some(latest) = latest.filter(|latest| latest.alert.title != incident.title) {
        known.push(line(
            say("Latest alert", "最近告警"),
            &escape(&one_line(&latest.alert.title)),
        ));
    }
    let labels: Vec<String> = incident
        .labels
        .iter()
        .take(LABELS_MAX)
        .map(|(name, value)| format!("{}={}", escape(&one_line(name)), escape(&one_line(value))))
        .collect();
    if !labels.is_empty() {
        known.push(line(say("Labels", "标签"), &labels.join(", ")));
    }
    let mut unknown = Vec::new();
    let people: Vec<String> = incident
        .responders
        .iter()
        .map(|person| escape(&names.of(person)))
        .collect();
    match people.is_empty() {
        true => unknown.push(say("- Who works on it", "- 由谁处理")),
        false => known.push(line(say("Working on it", "处理人"), &people.join(", "))),
    }
    match incident.impact.is_empty() {
        true => unknown.push(say("- Who is hurt by it, and how", "- 影响了谁、影响多大")),
        false => known.push(line(
            say("Impact", "影响"),
            &escape(&one_line(&incident.impact)),
        )),
    }
    unknown.push(say(
        "- The cause: nobody has looked yet, or nobody has said so here",
        "- 原因：尚无人排查，或尚未在此说明",
    ));
    format!(
        "{}\n{}\n\n{}\n{}",
        say("**What is known**", "**已知**"),
        known.join("\n"),
        say("**What is not known**", "**未知**"),
        unknown.join("\n"),
    )
}

/// How to use the room.
fn how(language: Language) -> &'static str {
    either(
        language,
        "What you say here is kept for the post-mortem. `/role commander` and `/role scribe` say who does what, `/summary` tells what happened so far, `/close` ends it.",
        "这里的发言会为复盘保留。`/角色 指挥`、`/角色 记录员` 认领分工，`/总结` 了解进展，`/关闭` 结束故障。",
    )
}

/// A text that somebody else wrote, on one line.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&line, TEXT_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{bot::war_room::tests::incident, incident::PersonId};

    #[test]
    fn what_is_known_and_what_is_not_stand_apart() {
        let mut it = incident(42);
        it.labels = [("team".to_owned(), "db".to_owned())].into();
        assert_snapshot!(known(&it, None, &Names::default(), &TimeZone::UTC, Language::En), @r"
        **What is known**
        **checkout is slow**
        - Severity: Critical
        - State: Triggered
        - Since: 2026-11-21 08:00:00 UTC
        - Labels: team=db

        **What is not known**
        - Who works on it
        - Who is hurt by it, and how
        - The cause: nobody has looked yet, or nobody has said so here
        ");
        it.impact = "checkout fails *for all*".into();
        let lei = PersonId("ou_lei".into());
        it.responders = vec![lei.clone()];
        let mut names = Names::default();
        names.insert(lei, "李雷".to_owned());
        assert_snapshot!(known(&it, None, &names, &TimeZone::UTC, Language::Zh), @r"
        **已知**
        **checkout is slow**
        - 级别：严重
        - 状态：待处理
        - 开始时间：2026-11-21 08:00:00 UTC
        - 标签：team=db
        - 处理人：李雷
        - 影响：checkout fails &#42;for all&#42;

        **未知**
        - 原因：尚无人排查，或尚未在此说明
        ");
    }
}
