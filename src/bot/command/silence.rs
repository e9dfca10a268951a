//! `/silence`: lists silences, sets one by labels or for what is like an incident, and lifts one.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Command, Definition, Request, incident, incident::words::take_number};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::{
            incident::{Names, open_id},
            notice::{Notice, Template},
        },
        handling::{Right, Told, Tone, names},
        markdown::escape,
        notice, times, war_room,
    },
    config::Language,
    incident::{
        Actor,
        labels::{MatcherError, Matchers},
        noise::{SILENCE_MAX, Silence},
        window::Zone,
    },
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Silence,
    english: &["silence", "silences"],
    chinese: &["静默"],
    arguments_english: "[time labels|#42|lift name]",
    arguments_chinese: "[时长 标签|#42|解除 名称]",
    needs: Role::Member,
    about_english: "lists the silences; silences alerts for a time, or ends a silence",
    about_chinese: "列出静默；在一段时间内静默告警，或解除静默",
    more_english: "\n- `/silence 2h service=checkout, env=~\"staging|test\"`: alerts with these labels\
        \n- `/silence 2h #42`: new alerts like those of an incident; it stays as it is\
        \n- `/silence lift s-3f2a`: ends one\
        \n\nSilenced alerts are kept. When the silence ends, those that still fire are told of. At most 30 days.",
    more_chinese: "\n- `/静默 2小时 service=checkout, env=~\"staging|test\"`：带有这些标签的告警\
        \n- `/静默 2小时 #42`：与该故障同类的新告警，故障本身不变\
        \n- `/静默 解除 s-3f2a`：解除一条静默\
        \n\n被静默的告警会保留；静默结束后仍未恢复的会再通知。最长 30 天。",
};

/// How many are listed.
const SHOWN: usize = 30;

/// What somebody wants who writes `/silence …`.
#[derive(Debug, PartialEq)]
enum Wish {
    /// To see them.
    List,
    /// To end one, by its name.
    Lift(String),
    /// To silence what is like an incident, for a time.
    Like(Option<u32>, Duration),
    /// To silence alerts with labels, for a time.
    Labels(Matchers, Duration),
}

/// Why it is not understood.
#[derive(Debug, PartialEq)]
enum Misread {
    /// There is no time, at either end.
    Time,
    /// The labels cannot be read.
    Labels(MatcherError),
}

/// Reads it. `in_room`: a time alone means what is like the room's incident.
fn parse(text: &str, in_room: bool) -> Result<Wish, Misread> {
    let narrow = times::narrow(text);
    let text = narrow.trim();
    let word = text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_lowercase();
    if matches!(word.as_str(), "" | "list" | "列表") {
        return Ok(Wish::List);
    }
    for verb in ["lift", "end", "remove", "delete", "解除", "取消", "删除"] {
        let rest = match text.get(..verb.len()) {
            Some(start) if start.eq_ignore_ascii_case(verb) => &text[verb.len()..],
            _ => continue,
        };
        return Ok(Wish::Lift(rest.trim().to_owned()));
    }
    let (time, rest) = take_time(text).ok_or(Misread::Time)?;
    let mut about = rest.trim_start_matches("for ").trim();
    if about.is_empty() && in_room {
        return Ok(Wish::Like(None, time));
    }
    if let Some(number) = take_number(&mut about, false)
        && about.is_empty()
    {
        return Ok(Wish::Like(Some(number), time));
    }
    let matchers = Matchers::parse(about).map_err(Misread::Labels)?;
    Ok(Wish::Labels(matchers, time))
}

/// A time from the front or from the end, and what is left.
fn take_time(text: &str) -> Option<(Duration, &str)> {
    let first = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if let Some(time) = times::parse_spoken(first.0) {
        return Some((time, first.1.trim()));
    }
    let (rest, last) = text.rsplit_once(char::is_whitespace)?;
    let time = times::parse_spoken(last)?;
    Some((time, rest.trim()))
}

pub(super) async fn run(bot: &Bot, request: &Request) {
    let room = war_room::incident_of(bot, &request.place.chat).await;
    let wish = match parse(&request.invocation.arguments, room.is_some()) {
        Ok(wish) => wish,
        Err(misread) => return incident::say(bot, request, "silence", &why(&misread)).await,
    };
    let right = match wish {
        Wish::List => Right::Look,
        _ => Right::Act,
    };
    if let Err(told) = incident::may(bot, request, right).await {
        return incident::say(bot, request, "silence", &told).await;
    }
    let told = match wish {
        Wish::List => return list(bot, request).await,
        Wish::Lift(name) => lift(bot, &name).await,
        Wish::Like(number, time) => match incident::find(bot, number, room).await {
            Ok(case) => {
                let hand = incident::hand(bot, request, Some(&case));
                hand.silence_like(&case, time).await.told
            }
            Err(told) => told,
        },
        Wish::Labels(matchers, time) => set(bot, request, matchers, time).await,
    };
    incident::say(bot, request, "silence", &told).await;
}

async fn set(bot: &Bot, request: &Request, matchers: Matchers, time: Duration) -> Told {
    let now = Timestamp::now();
    let hand = incident::hand(bot, request, None);
    let random = Uuid::new_v4().simple().to_string();
    let name = format!("s-{}", &random[..6]);
    let silence = Silence {
        name: name.clone(),
        matchers,
        from: now,
        until: now.checked_add(time).unwrap_or(Timestamp::MAX),
        windows: Vec::new(),
        zone: Zone::default(),
        by: hand.by.clone(),
    };
    let told = hand.silence(silence).await;
    match told.tone {
        Tone::Done => Told::new(
            Tone::Done,
            format!("{} /silence lift {name} ends it.", told.text(Language::En)),
            format!("{}发送 /静默 解除 {name} 可解除。", told.text(Language::Zh)),
        ),
        _ => told,
    }
}

async fn lift(bot: &Bot, name: &str) -> Told {
    let mut rest = name;
    // That of an incident is called by its number.
    let name = match take_number(&mut rest, false) {
        Some(number) if rest.is_empty() => format!("#{number}"),
        _ => name.to_owned(),
    };
    match bot.incidents().lift(&name).await {
        Ok(()) => Told::new(
            Tone::Done,
            format!("{name} is lifted. What it silenced and still fires is told of now."),
            format!("已解除 {name}，仍未恢复的告警将立即通知。"),
        ),
        Err(error) => Told::failed(&error),
    }
}

async fn list(bot: &Bot, request: &Request) {
    let silences = bot.incidents().silences();
    let people = silences
        .iter()
        .filter_map(|silence| match &silence.by.actor {
            Actor::Person(person) => open_id(person),
            _ => None,
        });
    let people: Vec<_> = people.collect();
    let names = names(bot, &people, &request.place.chat).await;
    let now = Timestamp::now();
    let lines = silences.iter().filter(|silence| silence.until > now);
    let lines = lines.map(|silence| line(bot, silence, &names, now, request.language));
    let mut lines: Vec<String> = lines.collect();
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("- +{more}"));
    }
    let text = match lines.is_empty() {
        true => incident::title(
            request,
            "Nothing is silenced. `/help silence` says how.",
            "没有静默。发送 `/帮助 静默` 查看用法。",
        )
        .to_owned(),
        false => lines.join("\n"),
    };
    let notice = Notice {
        title: Some(incident::title(request, "Silences", "静默")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "silence", &notice).await;
}

fn line(bot: &Bot, silence: &Silence, names: &Names, now: Timestamp, language: Language) -> String {
    let until = times::in_short(silence.until, now, &bot.0.zone);
    let who = escape(&names.of_actor(&silence.by, language));
    let name = escape(&silence.name);
    let matchers = format!("`{}`", silence.matchers.to_string().replace('`', "'"));
    match language {
        Language::En => format!("- **{name}** {matchers} until {until}, by {who}"),
        Language::Zh => format!("- **{name}** {matchers} 至 {until}，{who}"),
    }
}

fn why(misread: &Misread) -> Told {
    match misread {
        Misread::Time => Told::time_not_understood(SILENCE_MAX).with(
            " For example: /silence 2h service=checkout",
            "例如：/静默 2小时 service=checkout",
        ),
        Misread::Labels(why) => Told::new(
            Tone::Refused,
            format!(
                "I cannot read the labels, {why}. Write them like service=checkout, env=~\"staging|test\""
            ),
            format!(
                "第 {} 个字符处的标签无法识别。请写成 service=checkout, env=~\"staging|test\"",
                why.position
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_are_read_with_the_time_at_either_end() {
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        let check = |text: &str, expected: Wish| {
            assert_eq!(parse(text, true).unwrap(), expected, "{text}");
        };
        let labels = |text: &str| Wish::Labels(Matchers::parse(text).unwrap(), hours(2));
        check("", Wish::List);
        check("列表", Wish::List);
        check("lift s-3f2a", Wish::Lift("s-3f2a".into()));
        check("解除 #42", Wish::Lift("#42".into()));
        check(
            "2h service=checkout, env=prod",
            labels("service=checkout,env=prod"),
        );
        check(
            "service=checkout, env=prod 2h",
            labels("service=checkout,env=prod"),
        );
        check(
            "２小时 service＝“check out”",
            labels("service=\"check out\""),
        );
        check("2h #42", Wish::Like(Some(42), hours(2)));
        check("42 2h", Wish::Like(Some(42), hours(2)));
        check("2h for #42", Wish::Like(Some(42), hours(2)));
        check("2h", Wish::Like(None, hours(2)));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(parse("service=checkout", false), Err(Misread::Time));
        assert_eq!(parse("2", false), Err(Misread::Time));
        let wrong = parse("2h service", false).unwrap_err();
        assert!(matches!(wrong, Misread::Labels(why) if why.problem.contains("expected =")));
    }
}
