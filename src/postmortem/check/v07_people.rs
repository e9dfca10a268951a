//! V7: every person of a line wrote, or is named in, what it cites. Silent members are no actors.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Placed, Subject};

static ENGLISH_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b").expect("it is compiled by a test"));

/// A family name and one or two more characters, before something that people do.
static CHINESE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let family = "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚]";
    let deed =
        "(?:说|表示|认为|指出|提出|执行|负责|确认|重启|回滚|发布|宣布|发现|认领|决定|处理|修改|误)";
    Regex::new(&format!(
        r"(?:^|[^\x{{4e00}}-\x{{9fff}}]|由|是|和|与)({family}[\x{{4e00}}-\x{{9fff}}]{{1,2}}?){deed}"
    ))
    .expect("it is compiled by a test")
});

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
    let words = placed.line.words();
    let line = crate::postmortem::ground::Ground::of([words.as_str()]);
    let people = subject
        .material
        .transcript
        .people
        .iter()
        .filter(|person| !person.is_bot && person.name.chars().count() >= 2);
    for person in people {
        if line.holds_word(&person.name) && !ground.holds_word(&person.name) {
            return Some(person.name.clone());
        }
    }
    let english = ENGLISH_NAME.find_iter(&words).map(|found| found.as_str());
    let chinese = CHINESE_NAME
        .captures_iter(&words)
        .filter_map(|found| Some(found.get(1)?.as_str()));
    // The first two words of a sentence may both begin with a capital by chance only in a heading.
    english
        .chain(chinese)
        .find(|name| !ground.holds_word(name))
        .map(str::to_owned)
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
            ],
            &[
                "Zhao Yun rolled it back [m5]",
                "Li Lei rolled it back [m5]",
                "John Smith rolled it back [m5]",
                "赵云说已经恢复 [m5]",
                "陈强执行了回滚 [m5]",
            ],
        );
    }
}
