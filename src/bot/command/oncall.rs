//! `/oncall`: who is on call now, and who is next, for each schedule of the configuration.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{Command, Definition, Request, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::{
            incident::{Names, open_id},
            notice::{Notice, Template},
        },
        handling::names,
        markdown::escape,
        notice, times,
    },
    config::Language,
    incident::schedule::{Schedule, Shift},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Oncall,
    english: &["oncall", "on-call"],
    chinese: &["值班"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "shows who is on call now and who is next",
    about_chinese: "显示当前和下一位值班人员",
    more_english: "Times are in the zone of each schedule.",
    more_chinese: "时间按各值班表的时区显示。",
};

/// How far it is looked ahead for whoever is next.
const AHEAD: Duration = Duration::from_secs(60 * 24 * 3600);

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (language, now) = (request.language, Timestamp::now());
    let schedules = bot.incidents().schedules();
    let shifts = soon(schedules, now);
    let people = shifts
        .values()
        .flatten()
        .filter_map(|shift| shift.person.as_ref());
    let people: Vec<_> = people.filter_map(open_id).collect();
    let names = names(bot, &people, &request.place.chat).await;
    let text = text(schedules, &shifts, &names, now, language);
    let notice = Notice {
        title: Some(either(language, "On call", "值班")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "oncall", &notice).await;
}

/// This shift of each schedule and those after it.
fn soon(schedules: &BTreeMap<String, Schedule>, now: Timestamp) -> BTreeMap<&str, Vec<Shift>> {
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let soon = |schedule: &Schedule| schedule.shifts(now, until);
    schedules
        .iter()
        .map(|(name, schedule)| (name.as_str(), soon(schedule)))
        .collect()
}

fn text(
    schedules: &BTreeMap<String, Schedule>,
    shifts: &BTreeMap<&str, Vec<Shift>>,
    names: &Names,
    now: Timestamp,
    language: Language,
) -> String {
    if schedules.is_empty() {
        let none = either(
            language,
            "There is no schedule. An administrator can write them down under [incidents.schedules] in my configuration.",
            "没有值班表。管理员可以在我的配置 [incidents.schedules] 中填写。",
        );
        return none.to_owned();
    }
    let lines = schedules.iter().map(|(name, schedule)| {
        let shifts = shifts.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        line(
            name,
            shifts,
            &schedule.zone.time_zone(),
            names,
            now,
            language,
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn line(
    name: &str,
    shifts: &[Shift],
    zone: &TimeZone,
    names: &Names,
    now: Timestamp,
    language: Language,
) -> String {
    let who = |shift: &Shift| match &shift.person {
        Some(person) => escape(&names.of(person)),
        None => either(language, "nobody", "无人").to_owned(),
    };
    let Some(current) = shifts.first() else {
        return format!("- **{}**", escape(name));
    };
    let mut line = format!("- **{}**: {}", escape(name), who(current));
    // The last one goes on beyond what was looked at.
    if let Some(next) = shifts.get(1) {
        let until = times::in_full(current.until, zone);
        let left = times::before(language, now, current.until);
        let left = left.trim_end_matches(" ago").trim_end_matches('前');
        line.push_str(&match language {
            Language::En => format!(", until {until} ({left} left); then {}", who(next)),
            Language::Zh => format!("，至 {until}（还有 {left}）；之后 {}", who(next)),
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn it_says_who_is_on_call_until_when_and_who_is_next() {
        let schedules: BTreeMap<String, Schedule> = toml::from_str(
            r#"
            [primary]
            zone = "Asia/Shanghai"
            layers = [{ people = ["li", "mei"], starts = "2026-03-02T10:00:00" }]
            [nobody]
            "#,
        )
        .unwrap();
        let now = "2026-03-04T02:00:00Z".parse().unwrap();
        let shifts = soon(&schedules, now);
        let said = |language| text(&schedules, &shifts, &Names::default(), now, language);
        assert_snapshot!(said(Language::En), @r"
        - **nobody**: nobody
        - **primary**: li, until 2026-03-09 10:00:00 UTC+8 (5 d left); then mei
        ");
        assert_snapshot!(said(Language::Zh), @r"
        - **nobody**: 无人
        - **primary**: li，至 2026-03-09 10:00:00 UTC+8（还有 5 天）；之后 mei
        ");
        let none = text(
            &BTreeMap::new(),
            &BTreeMap::new(),
            &Names::default(),
            now,
            Language::Zh,
        );
        assert_snapshot!(none, @"没有值班表。管理员可以在我的配置 [incidents.schedules] 中填写。");
    }
}
