//! What is shown of the members: lists of lines, by the page.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::{
    bot::{card::shorten, markdown},
    config::{Language, Member},
};

use super::{Finding, Plan, Why, words::one_of};

/// How many lines a page has. With the longest names and reasons they still fit into one card.
const LINES: usize = 40;

/// How many characters of a name are shown.
const NAME_CHARS_MAX: usize = 40;

/// A member's name, as a card shows it.
pub(in crate::bot) fn bold(name: &str) -> String {
    format!("**{}**", markdown::escape(&shorten(name, NAME_CHARS_MAX)))
}

/// One page of lines, and how to see the next. A page that does not exist is the last one.
pub(in crate::bot) fn page(
    lines: &[String],
    number: usize,
    command: &str,
    language: Language,
) -> String {
    let pages = lines.len().div_ceil(LINES).max(1);
    let number = number.clamp(1, pages);
    let shown = lines.iter().skip((number - 1) * LINES).take(LINES);
    let mut text = String::new();
    for line in shown {
        text.push_str(line);
        text.push('\n');
    }
    if pages > 1 {
        let next = number % pages + 1;
        text.push_str(&match language {
            Language::En => {
                format!("\nPage {number} of {pages}; `{command} {next}` shows another.")
            }
            Language::Zh => {
                format!("\n第 {number} 页，共 {pages} 页；发送 `{command} {next}` 查看其他页。")
            }
        });
    }
    text
}

impl Plan {
    /// How many would be linked, are linked, and cannot be.
    pub(in crate::bot) fn counts(&self) -> (usize, usize, usize) {
        let (mut found, mut linked, mut not) = (0, 0, 0);
        for (_, finding) in &self.lines {
            match finding {
                Finding::Found(..) => found += 1,
                Finding::Linked(..) => linked += 1,
                Finding::Not(_) => not += 1,
            }
        }
        (found, linked, not)
    }

    /// A line for each member: first those whom somebody has to do something about.
    pub(in crate::bot) fn lines(&self, language: Language) -> Vec<String> {
        let mut lines: Vec<_> = self
            .lines
            .iter()
            .map(|(member, finding)| {
                let rank = match finding {
                    Finding::Not(_) => 0,
                    Finding::Linked(_, Some(_)) => 1,
                    Finding::Found(..) => 2,
                    Finding::Linked(_, None) => 3,
                };
                (rank, self.line(member, finding, language))
            })
            .collect();
        // Within a rank they stay in the order of the list.
        lines.sort_by_key(|(rank, _)| *rank);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn line(&self, member: &Member, finding: &Finding, language: Language) -> String {
        let name = bold(&member.name);
        match finding {
            Finding::Not(why) => line(&name, "✗", &why.text(language)),
            Finding::Linked(link, doubt) => {
                let how = link.how.text(language);
                let linked = match language {
                    Language::En => format!("linked already, {how}"),
                    Language::Zh => format!("已绑定（{how}）"),
                };
                match doubt {
                    None => line(&name, "✓", &linked),
                    Some(doubt) => {
                        let but = one_of(language, "; but ", "；但");
                        line(
                            &name,
                            "?",
                            &format!("{linked}{but}{}", doubt.text(language)),
                        )
                    }
                }
            }
            Finding::Found(person, how) => {
                let who = self.name_of(person).map(bold);
                let how = how.text(language);
                let hidden = one_of(
                    language,
                    "; the app's contacts range hides them, so look twice",
                    "；不在应用的通讯录权限范围内，看不到姓名，请核对",
                );
                let hidden = if self.is_hidden(person) { hidden } else { "" };
                let becomes = match (language, who) {
                    (Language::En, Some(who)) => format!("becomes {who}, {how}"),
                    (Language::En, None) => format!("would be linked {how}{hidden}"),
                    (Language::Zh, Some(who)) => format!("将绑定 {who}（{how}）"),
                    (Language::Zh, None) => format!("将绑定（{how}）{hidden}"),
                };
                line(&name, "→", &becomes)
            }
        }
    }
}

fn line(name: &str, mark: &str, text: &str) -> String {
    format!("- {mark} {name}: {text}")
}

/// Which members a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Which {
    /// Everybody.
    All,
    /// Those who are linked.
    Linked,
    /// Those who are not.
    Unlinked,
}

/// The lines of `/link list`: of those who fit `which` and have every word in their name, e-mail, mobile
/// number, roles or teams.
pub(in crate::bot) fn list(
    members: &[(Arc<Member>, Finding)],
    which: Which,
    words: &str,
    zone: &TimeZone,
    language: Language,
) -> Vec<String> {
    let words: Vec<_> = words
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let fits = |member: &Member, finding: &Finding| {
        let is_linked = matches!(finding, Finding::Linked(..));
        let is_wanted = match which {
            Which::All => true,
            Which::Linked => is_linked,
            Which::Unlinked => !is_linked,
        };
        let mut all = vec![
            member.name.to_lowercase(),
            member.email.clone(),
            member.mobile.clone(),
        ];
        all.extend(
            member
                .roles
                .iter()
                .chain(&member.teams)
                .map(|one| one.to_lowercase()),
        );
        is_wanted
            && words
                .iter()
                .all(|word| all.iter().any(|one| one.contains(word.as_str())))
    };
    let shown = members
        .iter()
        .filter(|(member, finding)| fits(member, finding));
    shown
        .map(|(member, finding)| {
            let teams = match member.teams.as_slice() {
                [] => String::new(),
                teams => format!(
                    " ({})",
                    markdown::escape(&shorten(&teams.join(", "), NAME_CHARS_MAX))
                ),
            };
            let name = format!("{}{teams}", bold(&member.name));
            match finding {
                Finding::Linked(link, _) => {
                    let at = link
                        .at
                        .to_zoned(zone.clone())
                        .strftime("%Y-%m-%d")
                        .to_string();
                    let how = link.how.text(language);
                    let text = match language {
                        Language::En => format!("linked {how}, {at}"),
                        Language::Zh => format!("已绑定（{how}，{at}）"),
                    };
                    line(&name, "✓", &text)
                }
                Finding::Found(..) => line(&name, "✗", &Why::NotTried.text(language)),
                Finding::Not(why) => line(&name, "✗", &why.text(language)),
            }
        })
        .collect()
}

/// What `/link oncall` says: of everybody whom schedules and policies name, those who cannot be reached.
pub(in crate::bot) fn on_call(
    named: usize,
    unlinked: &[(String, Why)],
    language: Language,
) -> Vec<String> {
    if named == 0 {
        let nobody = one_of(
            language,
            "No schedule and no policy names anybody.",
            "排班和升级策略中没有任何人。",
        );
        return vec![nobody.to_owned()];
    }
    if unlinked.is_empty() {
        return vec![match language {
            Language::En => format!("All {named} people of the schedules and policies are linked."),
            Language::Zh => format!("排班和升级策略中的 {named} 人均已绑定。"),
        }];
    }
    let count = unlinked.len();
    let mut lines = vec![match language {
        Language::En => format!(
            "**{count}** of {named} people in schedules and policies cannot be paged by me:\n"
        ),
        Language::Zh => format!("排班和升级策略中的 {named} 人里，有 **{count}** 人我无法通知：\n"),
    }];
    lines.extend(
        unlinked
            .iter()
            .map(|(name, why)| line(&bold(name), "✗", &why.text(language))),
    );
    lines
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::Timestamp;

    use super::*;
    use crate::{
        bot::members::{Doubt, How, Link},
        feishu::OpenId,
    };

    fn member(name: &str) -> Arc<Member> {
        Arc::new(Member {
            name: name.into(),
            teams: vec!["core".into()],
            ..Member::default()
        })
    }

    fn lines() -> Vec<(Arc<Member>, Finding)> {
        let link = Link {
            open_id: Some(OpenId::new("ou_a")),
            how: How::Email,
            by: OpenId::new("ou_a"),
            at: Timestamp::UNIX_EPOCH,
        };
        let found = Finding::Found(OpenId::new("ou_b"), How::Mobile);
        vec![
            (member("Li"), Finding::Linked(link.clone(), None)),
            (member("*Han*"), found),
            (member("Jim"), Finding::Linked(link, Some(Doubt::Left))),
            (member("Kate"), Finding::Not(Why::Several)),
        ]
    }

    #[test]
    fn whom_somebody_has_to_look_after_comes_first() {
        let plan = Plan {
            lines: lines(),
            seen: Arc::default(),
        };
        assert_eq!(plan.counts(), (1, 2, 1));
        assert_snapshot!(plan.lines(Language::En).join("\n"), @r"
        - ✗ **Kate**: the e-mail belongs to one person and the mobile number to another
        - ? **Jim**: linked already, by e-mail; but whoever logged in with their e-mail or mobile number has left the organisation
        - → **&#42;Han&#42;**: would be linked by mobile number
        - ✓ **Li**: linked already, by e-mail
        ");
        assert_snapshot!(plan.lines(Language::Zh).join("\n"), @r"
        - ✗ **Kate**: 邮箱和手机号属于两个不同的人
        - ? **Jim**: 已绑定（按邮箱）；但用其邮箱或手机号登录的人已离职
        - → **&#42;Han&#42;**: 将绑定（按手机号）
        - ✓ **Li**: 已绑定（按邮箱）
        ");
    }

    #[test]
    fn a_list_is_searched_by_every_word() {
        let list = |which, words: &str| {
            list(&lines(), which, words, &TimeZone::UTC, Language::En).join("\n")
        };
        assert_snapshot!(list(Which::Linked, ""), @r"
        - ✓ **Li** (core): linked by e-mail, 1970-01-01
        - ✓ **Jim** (core): linked by e-mail, 1970-01-01
        ");
        assert_snapshot!(list(Which::Unlinked, "CORE ka"), @"- ✗ **Kate** (core): the e-mail belongs to one person and the mobile number to another");
        assert_eq!(list(Which::Linked, "kate"), "");
    }

    #[test]
    fn a_thousand_lines_are_shown_by_the_page() {
        let lines: Vec<_> = (1..=81).map(|n| format!("- {n}")).collect();
        let page = |number| page(&lines, number, "/link all", Language::En);
        assert!(page(1).starts_with("- 1\n"));
        assert!(
            page(1).contains("Page 1 of 3; `/link all 2`"),
            "{}",
            page(1)
        );
        assert!(page(3).starts_with("- 81\n"));
        assert!(
            page(9).contains("Page 3 of 3; `/link all 1`"),
            "{}",
            page(9)
        );
        assert_eq!(super::page(&lines[..2], 1, "x", Language::Zh), "- 1\n- 2\n");
    }
}
