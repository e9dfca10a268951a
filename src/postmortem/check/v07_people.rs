//! V7: every person of a line wrote, or is named in, what it cites. Silent members are no actors.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Placed, Subject};
use crate::postmortem::ground::{Ground, is_chinese, narrow};

static ENGLISH_NAME: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b\p{Lu}[\p{L}'’-]*\p{Ll} \p{Lu}[\p{L}'’-]*\p{Ll}\b|\b\p{Lu}\. \p{Lu}\p{Ll}+|@[\p{L}_][\p{L}\w.-]*",
    )
});

/// A word with a capital before something that only people do.
static FIRST_NAME: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(\p{Lu}\p{Ll}{2,}) (?:said|says|noticed|suspected|suggested|proposed|decided|thought|believed|asked|apologi[sz]ed|rolled|restarted|reverted|deployed|declared|acknowledged|joined|investigated|volunteered|took over)\b",
    )
});

/// Roles that nobody has unless somebody says so.
static ROLE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:the|a|an|our|their) (dba|cto|ceo|cio|cfo|vp|vendor|supplier|contractor|consultant|intern|trainee|director|manager|lawyer|legal team|security team|network team|database team|auditor|regulator)s?\b|(数据库管理员|总监|经理|实习生|新人|厂商|供应商|外包|顾问|法务|安全团队|网络团队|高管|老板|监管部门)",
    )
});

const FAMILY: &str = "(?:欧阳|司马|上官|诸葛|[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚])";

/// A family name and one or two more characters, before something that people do.
static CHINESE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let deed = "(?:说|表示|认为|指出|提出|建议|执行|负责|确认|重启|回滚|扩容|切换|发布|宣布|发现|认领|决定|处理|修改|修复|排查|删除|加入|接手|误)";
    regex(&format!(
        r"(?:^|[^\x{{4e00}}-\x{{9fff}}]|由|是|和|与)({FAMILY}[\x{{4e00}}-\x{{9fff}}]{{1,2}}?){deed}|([\x{{4e00}}-\x{{9fff}}]{{1,6}}·[\x{{4e00}}-\x{{9fff}}]{{1,4}}?)(?:{deed}|的|，|。|和|$)"
    ))
});

/// How colleagues call each other: 小王, 王工.
static NICKNAME: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r"(?:^|[^\x{{4e00}}-\x{{9fff}}]|由|是|和|与)(?:[小老]({FAMILY})|({FAMILY})(?:工|总|哥|姐|老师|主管))(?:说|表示|认为|指出|建议|执行|负责|确认|重启|回滚|扩容|切换|发布|宣布|发现|认领|决定|处理|修改|修复|排查|误)"
    ))
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("every pattern is compiled by a test")
}

/// Words with a capital that do what people do and are no names.
const NOBODY: [&str; 18] = [
    "They",
    "She",
    "Someone",
    "Somebody",
    "Everyone",
    "Everybody",
    "Nobody",
    "Support",
    "Operations",
    "Engineering",
    "Management",
    "Monitoring",
    "Customers",
    "Users",
    "Engineers",
    "Responders",
    "Team",
    "Who",
];

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    subject
        .claims()
        .filter_map(|placed| {
            stranger(&placed, subject).map(|name| {
                placed.fails(
                    format!("{name} neither wrote nor is named in its sources"),
                    format!("{name} 没有在出处中发言或被提到"),
                )
            })
        })
        .chain(super::outside::people(subject))
        .collect()
}

/// The first name in a line that does not belong there.
fn stranger(placed: &Placed<'_>, subject: &Subject<'_>) -> Option<String> {
    let ground = subject.sources.ground(placed.line);
    let words = narrow(&placed.line.words()).into_owned();
    silent(&words, &ground, subject)
        .or_else(|| unknown(&words, &ground))
        .or_else(|| nicknamed(&words, &ground, subject))
}

/// Somebody of the room, by the whole name or a part of it, who has nothing to do with the line's sources.
fn silent(words: &str, ground: &Ground, subject: &Subject<'_>) -> Option<String> {
    let line = Ground::of([words]);
    let people = subject.material.transcript.people.iter();
    let people = people.filter(|person| !person.is_bot && person.name.chars().count() >= 2);
    let mut strangers = people.filter(|person| !ground.holds_word(&person.name));
    strangers.find_map(|person| {
        if line.holds_word(&person.name) {
            return Some(person.name.clone());
        }
        let mut parts = parts(&person.name).into_iter();
        // A part with a small letter is a word, and one that a source has may be somebody else's.
        parts.find(|part| stands(words, part) && !ground.holds_word(part))
    })
}

/// First and last names, and the given name of a Chinese one.
fn parts(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    if is_chinese(name) && characters.len() == 3 {
        return vec![characters[1..].iter().collect()];
    }
    let parts = name.split_whitespace().filter(|part| part.len() >= 3);
    parts
        .filter(|part| part.starts_with(char::is_uppercase) && *part != name)
        .map(str::to_owned)
        .collect()
}

/// Whether a part of a name stands in a text as a word, in the same letters.
fn stands(words: &str, part: &str) -> bool {
    if is_chinese(part) {
        return words.contains(part);
    }
    words
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == part)
}

/// A name or a role that no source has.
fn unknown(words: &str, ground: &Ground) -> Option<String> {
    let group = |pattern: &'static LazyLock<Regex>| {
        let found = pattern.captures_iter(words);
        found.filter_map(|found| Some(found.iter().skip(1).flatten().next()?.as_str()))
    };
    let english = ENGLISH_NAME.find_iter(words).map(|found| found.as_str());
    let first = group(&FIRST_NAME).filter(|name| !NOBODY.contains(name));
    // The first two words of a sentence may both begin with a capital by chance only in a heading.
    english
        .map(|name| name.trim_start_matches('@'))
        .chain(first)
        .chain(group(&CHINESE_NAME))
        .chain(group(&ROLE))
        .find(|name| !ground.holds_word(name))
        .map(str::to_owned)
}

/// Somebody who is called by a family name that nobody among the line's sources has.
fn nicknamed(words: &str, ground: &Ground, subject: &Subject<'_>) -> Option<String> {
    let mut families = NICKNAME
        .captures_iter(words)
        .filter_map(|found| Some(found.get(1).or_else(|| found.get(2))?.as_str()));
    let people = &subject.material.transcript.people;
    let is_there = |family: &str| {
        let mut named = people
            .iter()
            .filter(|person| person.name.starts_with(family));
        named.any(|person| ground.holds_word(&person.name))
    };
    families.find(|family| !is_there(family)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn people_who_are_not_in_the_sources_fail() {
        check_lines(
            7,
            Content::Response,
            &[
                "Han Meimei rolled it back [m5]",
                "It was rolled back [m5]",
                "王芳认为是缓存 [m3]",
                "Han Meimei took it [r2]",
                "Han rolled it back [m5]",
                "Li suspected the pool [m1]",
                "小王认为是缓存 [m3]",
                "Traffic was moved by hand [m5]",
                "Support said so [m6]",
            ],
            &[
                "Zhao Yun rolled it back [m5]",
                "Li Lei rolled it back [m5]",
                "John Smith rolled it back [m5]",
                "赵云说已经恢复 [m5]",
                "陈强执行了回滚 [m5]",
                "Zhao rolled it back [m5]",
                "John rolled it back [m5]",
                "J. Smith rolled it back [m5]",
                "Jean-Luc O'Brien rolled it back [m5]",
                "@john rolled it back [m5]",
                "The DBA rolled it back [m5]",
                "It was handed to the vendor [m5]",
                "老王执行了回滚 [m5]",
                "欧阳锋执行了回滚 [m5]",
                "约翰·史密斯执行了回滚 [m5]",
                "实习生执行了回滚 [m5]",
            ],
        );
    }
}
