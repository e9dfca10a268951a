//! What somebody wants who writes `/incident …`, in either language.
//!
//! People on call write in a hurry: the number may stand before or behind the verb, with or without `#`, and
//! may be full-width; a Chinese verb needs no space behind it.

use std::time::Duration;

use crate::{bot::times, incident::severity::Severity};

/// What is wanted, and of which incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// The incident's number; in a war room it may be left out.
    pub number: Option<u32>,
    /// What.
    pub verb: Verb,
}

/// What can be wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    /// To see those that are open, or the last ones.
    List { all: bool },
    /// To see one.
    Show,
    /// To declare one, this bad.
    New {
        title: String,
        severity: Option<Severity>,
    },
    /// To have it.
    Acknowledge,
    /// To give it back.
    Unacknowledge,
    /// To close it.
    Close,
    /// To reopen it, for a reason.
    Reopen(String),
    /// To put it off; nothing where the time is not understood.
    Snooze(Option<Duration>),
    /// To have the next level told.
    Escalate,
    /// To give it to somebody.
    Assign(String),
    /// To have somebody help.
    Add(String),
    /// To say something about it.
    Comment(String),
    /// To set its severity, or to leave it to the alerts; nothing where the word is not understood.
    Severity(Option<Option<Severity>>),
    /// To call it otherwise.
    Title(String),
    /// To say what it does to whom.
    Impact(String),
    /// To make it part of another one.
    Merge { into: Option<u32> },
}

/// A verb before its arguments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Show,
    New,
    Acknowledge,
    Unacknowledge,
    Close,
    Reopen,
    Snooze,
    Escalate,
    Assign,
    Add,
    Comment,
    Severity,
    Title,
    Impact,
    Merge,
}

const VERBS: &[(Kind, &[&str], &[&str])] = &[
    (Kind::List, &["list", "ls"], &["列表", "全部"]),
    (Kind::Show, &["show", "get", "details"], &["查看", "详情"]),
    (
        Kind::New,
        &["new", "declare", "open"],
        &["新建", "创建", "上报"],
    ),
    (
        Kind::Acknowledge,
        &["ack", "acknowledge"],
        &["认领", "确认"],
    ),
    (
        Kind::Unacknowledge,
        &["unack", "unacknowledge"],
        &["取消认领", "取消确认"],
    ),
    (Kind::Close, &["close", "resolve"], &["关闭", "解决"]),
    (Kind::Reopen, &["reopen"], &["重新打开", "重开"]),
    (Kind::Snooze, &["snooze"], &["暂缓", "推迟"]),
    (Kind::Escalate, &["escalate"], &["升级"]),
    (Kind::Assign, &["assign"], &["指派", "分配"]),
    (Kind::Add, &["add", "invite"], &["邀请", "添加"]),
    (Kind::Comment, &["comment", "note"], &["评论", "备注"]),
    (Kind::Severity, &["severity", "sev"], &["级别", "严重程度"]),
    (Kind::Title, &["title", "rename"], &["标题", "改名"]),
    (Kind::Impact, &["impact"], &["影响"]),
    (Kind::Merge, &["merge"], &["合并"]),
];

impl Kind {
    /// Whether what follows is somebody's own words, which may begin with a number.
    fn takes_words(self) -> bool {
        matches!(
            self,
            Self::Comment | Self::Title | Self::Impact | Self::Reopen
        )
    }
}

/// Reads it. `None`: there is no such verb. `in_room`: where words are asked for, a bare number is one of them.
pub(super) fn parse(text: &str, in_room: bool) -> Option<Wish> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Some(Wish {
            number: None,
            verb: Verb::List { all: false },
        });
    }
    let mut number = take_number(&mut rest, false);
    if rest.is_empty() {
        return Some(Wish {
            number,
            verb: Verb::Show,
        });
    }
    // The older form of "list all" in one word.
    let is_all = matches!(rest.to_lowercase().as_str(), "all" | "全部");
    if is_all || rest.eq_ignore_ascii_case("open") {
        let verb = Verb::List { all: is_all };
        return Some(Wish { number, verb });
    }
    let kind = take_verb(&mut rest)?;
    if number.is_none() && kind != Kind::New && kind != Kind::List {
        number = take_number(&mut rest, in_room && kind.takes_words());
    }
    let verb = verb(kind, rest.trim(), &mut number);
    Some(Wish { number, verb })
}

fn verb(kind: Kind, rest: &str, number: &mut Option<u32>) -> Verb {
    let words = || rest.to_owned();
    match kind {
        Kind::List => Verb::List {
            all: matches!(rest.to_lowercase().as_str(), "all" | "全部"),
        },
        Kind::Show => Verb::Show,
        Kind::New => declared(rest),
        Kind::Acknowledge => Verb::Acknowledge,
        Kind::Unacknowledge => Verb::Unacknowledge,
        Kind::Close => Verb::Close,
        Kind::Reopen => Verb::Reopen(words()),
        Kind::Snooze => Verb::Snooze(times::parse_spoken(rest.trim_start_matches("for "))),
        Kind::Escalate => Verb::Escalate,
        Kind::Assign => Verb::Assign(strip_to(rest).to_owned()),
        Kind::Add => Verb::Add(words()),
        Kind::Comment => Verb::Comment(words()),
        Kind::Severity => Verb::Severity(severity(rest)),
        Kind::Title => Verb::Title(words()),
        Kind::Impact => Verb::Impact(words()),
        Kind::Merge => {
            let mut other = strip_to(rest);
            let into = take_number(&mut other, false);
            match into {
                Some(_) => Verb::Merge { into },
                // One number alone, in a room: this one is to be part of that.
                None => Verb::Merge {
                    into: number.take(),
                },
            }
        }
    }
}

/// What follows a small word such as "to".
fn strip_to(rest: &str) -> &str {
    let small = ["into ", "to ", "with ", "到", "至", "进", "给", "->"];
    let found = small.iter().find_map(|word| rest.strip_prefix(word));
    found.unwrap_or(rest).trim_start()
}

/// A title, with the severity before it where there is one.
fn declared(rest: &str) -> Verb {
    let end = rest.find([' ', ':', '：', '，', ',', '　']);
    if let Some(end) = end
        && let Some(severity) = plain_severity(&rest[..end])
    {
        let title = rest[end..].trim_start_matches([' ', ':', '：', '，', ',', '　']);
        return Verb::New {
            title: title.trim().to_owned(),
            severity: Some(severity),
        };
    }
    Verb::New {
        title: rest.to_owned(),
        severity: None,
    }
}

/// A severity by the words of ours alone: of a title's first word `page` is no severity.
fn plain_severity(word: &str) -> Option<Severity> {
    let word = times::narrow(word).to_lowercase();
    let ours = Severity::ALL.into_iter().find(|one| one.as_str() == word);
    ours.or(match word.as_str() {
        "严重" | "p0" | "p1" => Some(Severity::Critical),
        "错误" | "p2" => Some(Severity::Error),
        "警告" | "p3" => Some(Severity::Warning),
        "提示" | "p4" => Some(Severity::Info),
        _ => None,
    })
}

fn severity(word: &str) -> Option<Option<Severity>> {
    let word = times::narrow(strip_to(word)).to_lowercase();
    match word.trim() {
        "auto" | "alerts" | "自动" => Some(None),
        word => Severity::from_word(word).map(Some),
    }
}

/// Takes a verb off the front: an English one ends at a space, a Chinese one where it ends.
fn take_verb(rest: &mut &str) -> Option<Kind> {
    let word_end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let word = times::narrow(&rest[..word_end]).to_lowercase();
    // `ack#42`, as people write who are in a hurry.
    let word = word.split('#').next().unwrap_or_default();
    let english = |names: &[&str]| names.contains(&word);
    if let Some((kind, ..)) = VERBS.iter().find(|(_, names, _)| english(names)) {
        let length: usize = rest
            .chars()
            .take(word.chars().count())
            .map(char::len_utf8)
            .sum();
        *rest = rest[length..].trim_start();
        return Some(*kind);
    }
    let chinese = VERBS.iter().flat_map(|(kind, _, names)| {
        names
            .iter()
            .filter(|name| rest.starts_with(**name))
            .map(|name| (name.len(), *kind))
    });
    let (length, kind) = chinese.max_by_key(|(length, _)| *length)?;
    *rest = rest[length..].trim_start_matches([' ', '　', ':', '：']);
    Some(kind)
}

/// Takes an incident's number off the front, if there is one: `42`, `#42`, `＃４２`, `42号`.
pub(in crate::bot::command) fn take_number(rest: &mut &str, needs_hash: bool) -> Option<u32> {
    let text = rest.trim_start();
    let unhashed = text.strip_prefix(['#', '＃']).map(str::trim_start);
    let is_hashed = unhashed.is_some();
    if needs_hash && !is_hashed {
        return None;
    }
    let text = unhashed.unwrap_or(text);
    let is_digit = |c: &char| c.is_ascii_digit() || ('０'..='９').contains(c);
    let digits: String = text.chars().take_while(is_digit).collect();
    let after = &text[digits.len()..];
    let after = after.strip_prefix('号').unwrap_or(after);
    let number = times::narrow(&digits).parse().ok()?;
    let ends = after
        .chars()
        .next()
        .is_none_or(|c| c.is_whitespace() || ":：,，.。到至进给".contains(c));
    // Without a `#` a number that runs into letters is something else, such as `2h`.
    if !is_hashed && !ends {
        return None;
    }
    *rest = after.trim_start_matches([' ', '　', ':', '：', ',', '，', '.', '。']);
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, number: impl Into<Option<u32>>, verb: Verb) {
        let number = number.into();
        assert_eq!(parse(text, false), Some(Wish { number, verb }), "{text}");
    }

    #[test]
    fn verbs_are_read_in_both_languages_and_numbers_wherever_they_stand() {
        check("", None, Verb::List { all: false });
        check("open", None, Verb::List { all: false });
        check("list all", None, Verb::List { all: true });
        check("全部", None, Verb::List { all: true });
        check("列表 全部", None, Verb::List { all: true });
        check("42", 42, Verb::Show);
        check("＃４２", 42, Verb::Show);
        check("show #42", 42, Verb::Show);
        check("详情 42号", 42, Verb::Show);
        for text in [
            "ack 42",
            "ack #42",
            "#42 ack",
            "42 ACK",
            "ack#42",
            "认领 42",
            "认领42",
            "认领＃42",
            "#42认领",
            "ａｃｋ ４２",
        ] {
            check(text, 42, Verb::Acknowledge);
        }
        check("ack", None, Verb::Acknowledge);
        check("取消认领 #42", 42, Verb::Unacknowledge);
        check("关闭42", 42, Verb::Close);
        check("升级", None, Verb::Escalate);
    }

    #[test]
    fn times_severities_and_people_are_read() {
        let hours = |hours: u64| Some(Duration::from_secs(3600 * hours));
        check("snooze 42 2h", 42, Verb::Snooze(hours(2)));
        check("snooze 2h", None, Verb::Snooze(hours(2)));
        check("#42 snooze for 2h", 42, Verb::Snooze(hours(2)));
        check("暂缓 42 ２小时", 42, Verb::Snooze(hours(2)));
        check("暂缓2小时", None, Verb::Snooze(hours(2)));
        check("snooze 42", 42, Verb::Snooze(None));
        let critical = Some(Some(Severity::Critical));
        check("severity 42 critical", 42, Verb::Severity(critical));
        check("级别 #42 严重", 42, Verb::Severity(critical));
        check("sev #42 auto", 42, Verb::Severity(Some(None)));
        check("severity 42 purple", 42, Verb::Severity(None));
        check("assign 42 to @Li Lei", 42, Verb::Assign("@Li Lei".into()));
        check("指派 42 给 我", 42, Verb::Assign("我".into()));
        check("邀请 #42 @韩梅梅", 42, Verb::Add("@韩梅梅".into()));
    }

    #[test]
    fn words_of_people_are_left_as_they_are() {
        let comment = |text: &str| Verb::Comment(text.into());
        check(
            "comment 42 the pool　is full",
            42,
            comment("the pool　is full"),
        );
        check("评论 42：连接池满了", 42, comment("连接池满了"));
        check("title #42 ＤＢ down", 42, Verb::Title("ＤＢ down".into()));
        check(
            "reopen 42 it is back",
            42,
            Verb::Reopen("it is back".into()),
        );
        let in_room = |text: &str| parse(text, true);
        let wish = |number, verb| Some(Wish { number, verb });
        assert_eq!(
            in_room("comment 42 users left"),
            wish(None, comment("42 users left"))
        );
        assert_eq!(
            in_room("comment #42 users left"),
            wish(Some(42), comment("users left"))
        );
        assert_eq!(in_room("ack 42"), wish(Some(42), Verb::Acknowledge));
    }

    #[test]
    fn two_numbers_are_merged_in_the_order_in_which_they_are_said() {
        let into = |into| Verb::Merge { into: Some(into) };
        check("merge 42 into 17", 42, into(17));
        check("merge #42 #17", 42, into(17));
        check("合并 42 到 17", 42, into(17));
        check("合并42到17", 42, into(17));
        check("#42 合并到 #17", 42, into(17));
        check("merge into 17", None, into(17));
        check("merge 17", None, into(17));
    }

    #[test]
    fn a_new_incident_has_a_title_and_perhaps_a_severity() {
        let new = |title: &str, severity| Verb::New {
            title: title.into(),
            severity,
        };
        check("new checkout is down", None, new("checkout is down", None));
        check(
            "new page load is slow",
            None,
            new("page load is slow", None),
        );
        let critical = Some(Severity::Critical);
        check(
            "new critical: 42 hosts down",
            None,
            new("42 hosts down", critical),
        );
        check("新建 严重 支付失败", None, new("支付失败", critical));
    }

    #[test]
    fn what_is_no_verb_is_none() {
        for text in ["explode 42", "acknowledgement", "#42 boom", "爆炸"] {
            assert_eq!(parse(text, false), None, "{text}");
        }
    }
}
