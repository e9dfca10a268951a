//! The permissions: what needs each, what people see without it, and whether it is there.
//!
//! The twelve of the integration guides, and the two that they leave out and nothing works without. What
//! the platform's list says is one thing, what it does another: a scope counts as there when it is listed
//! and nothing that needs it was refused.

use std::collections::BTreeMap;

use super::{
    finding::{Both, Finding, Need, Verdict, both},
    pages::Pages,
};
use crate::feishu::Granted;

/// A permission.
#[derive(Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What depends on it.
    pub need: Need,
    /// What needs it, English and Chinese.
    pub needed_for: (&'static str, &'static str),
    /// What people see without it.
    pub symptom: (&'static str, &'static str),
    /// Others of the table that do as well for everything it is needed for.
    pub covered_by: &'static [&'static str],
    /// Others, not of the table, that do as well.
    pub stand_ins: &'static [&'static str],
}

/// All of them, those first without which least works.
pub static SCOPES: &[Scope] = &[
    Scope {
        name: "im:message",
        need: Need::Required,
        needed_for: (
            "reading messages: the history, what is quoted, files; hearing of recalls",
            "读取消息：历史、引用、文件；获知撤回",
        ),
        symptom: (
            "Answers say that the earlier messages could not be read; quoted messages and files stay unread, and recalling a question does not end its answer.",
            "回答提示没能读到之前的消息；引用的消息和文件读不到，撤回问题也不会停止回答。",
        ),
        covered_by: &[],
        stand_ins: &[],
    },
    Scope {
        name: "im:message.p2p_msg:readonly",
        need: Need::Required,
        needed_for: ("receiving direct messages", "接收单聊消息"),
        symptom: (
            "Direct messages are never answered, and the log shows nothing: they never arrive.",
            "单聊消息永远得不到回答，日志里也什么都没有：消息根本没有送达。",
        ),
        covered_by: &[],
        stand_ins: &["im:message.p2p_msg"],
    },
    Scope {
        name: "im:message.group_msg",
        need: Need::Required,
        needed_for: (
            "reading a group's history, and hearing what is said there without a mention: in war rooms, all that is kept",
            "读取群历史，接收群内未 @ 机器人的消息（作战室的存档依赖于此）",
        ),
        symptom: (
            "In groups, answers do not know what was said before (code 230027), and what is said without a mention never arrives.",
            "在群里回答时不了解上文（错误码 230027），未 @ 机器人的消息不会送达。",
        ),
        covered_by: &[],
        stand_ins: &["im:message.group_msg:readonly"],
    },
    Scope {
        name: "im:message.group_at_msg:readonly",
        need: Need::Required,
        needed_for: ("receiving mentions in groups", "接收群内 @ 机器人的消息"),
        symptom: (
            "Mentions in groups are never answered: they never arrive.",
            "群里 @ 机器人永远得不到回答：消息根本没有送达。",
        ),
        covered_by: &["im:message.group_msg"],
        stand_ins: &[
            "im:message.group_msg:readonly",
            "im:message.group_at_msg",
            "im:message.group_at_msg.include_bot:readonly",
        ],
    },
    Scope {
        name: "im:message:send_as_bot",
        need: Need::Required,
        needed_for: ("sending and replying", "发送和回复消息"),
        symptom: (
            "Nothing is ever answered: no message can be sent.",
            "永远没有回答：消息发不出去。",
        ),
        covered_by: &["im:message"],
        stand_ins: &["im:message:send"],
    },
    Scope {
        name: "cardkit:card:write",
        need: Need::Required,
        needed_for: ("cards that fill while the model writes", "流式更新的卡片"),
        symptom: (
            "Answers do not stream: they come late, in plainer cards.",
            "回答不会逐字出现，而是很晚才以较简单的卡片给出。",
        ),
        covered_by: &[],
        stand_ins: &[],
    },
    Scope {
        name: "im:message:update",
        need: Need::Required,
        needed_for: ("changing cards after they were sent", "更新已发送的卡片"),
        symptom: (
            "Cards stay as they were sent: an answer that could not stream is never completed, and buttons never go away.",
            "卡片发出后不再变化：无法流式的回答写不完，按钮一直留着。",
        ),
        covered_by: &["im:message", "im:message:send_as_bot"],
        stand_ins: &[],
    },
    Scope {
        name: "im:message.reactions:write_only",
        need: Need::Optional,
        needed_for: ("the reactions that show progress", "用表情回复显示进度"),
        symptom: (
            "No reaction shows that a question was seen or is answered.",
            "问题上没有“已看到”“已回答”的表情。",
        ),
        covered_by: &["im:message"],
        stand_ins: &[],
    },
    Scope {
        name: "im:message.reactions:read",
        need: Need::Optional,
        needed_for: (
            "seeing reactions: those people add, such as marks in war rooms, and its own after a restart",
            "读取表情回复：他人添加的（如作战室里的标记），以及重启后自己留下的",
        ),
        symptom: (
            "Reactions that people add go unnoticed, and one of its own may stay \"in progress\" after a crash.",
            "看不到大家添加的表情；崩溃后自己留下的“进行中”表情可能收不回来。",
        ),
        covered_by: &[],
        stand_ins: &["im:message:readonly"],
    },
    Scope {
        name: "im:chat",
        need: Need::Optional,
        needed_for: (
            "groups: names, members, being added, dissolved or renamed, and making war rooms",
            "群信息：名称、成员、进群、解散、改名，以及创建作战室",
        ),
        symptom: (
            "It does not know the group's name or members, does not greet when it is added, and goes on with groups that are gone.",
            "不知道群名和成员；进群时不打招呼；群解散后也不知道。",
        ),
        covered_by: &[],
        stand_ins: &[],
    },
    Scope {
        name: "contact:contact.base:readonly",
        need: Need::Optional,
        needed_for: ("looking people up", "查询用户"),
        symptom: (
            "People are called \"someone (…a1b2)\": they cannot be looked up.",
            "人名显示为“某人（…a1b2）”：查询不到用户。",
        ),
        covered_by: &[],
        stand_ins: &[],
    },
    Scope {
        name: "contact:user.base:readonly",
        need: Need::Optional,
        needed_for: ("people's names", "用户姓名"),
        symptom: (
            "People are called \"someone (…a1b2)\": they are found without a name.",
            "人名显示为“某人（…a1b2）”：能查到用户，但没有姓名。",
        ),
        covered_by: &[],
        stand_ins: &[],
    },
    Scope {
        name: "contact:user.id:readonly",
        need: Need::Optional,
        needed_for: (
            "finding people by e-mail address or mobile number",
            "通过邮箱或手机号查找用户",
        ),
        symptom: (
            "People who are named by e-mail address in the configuration are not recognised, and members are not linked by themselves.",
            "配置中以邮箱写明的人不会被认出，成员也无法自动绑定。",
        ),
        covered_by: &[],
        stand_ins: &[],
    },
    Scope {
        name: "im:resource",
        need: Need::Optional,
        needed_for: ("uploading pictures and files", "上传图片和文件"),
        symptom: ("It cannot post a picture or a file.", "发不出图片和文件。"),
        covered_by: &[],
        stand_ins: &["im:resource:upload"],
    },
];

/// The scope of this name.
pub(super) fn find(name: &str) -> Option<&'static Scope> {
    SCOPES.iter().find(|scope| scope.name == name)
}

/// What was seen of the permissions.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The platform's list; `Err` says why there is none.
    pub(super) list: Option<Result<Vec<Granted>, Both>>,
    /// Those that a call was refused for, with the code and the page that the platform named.
    pub(super) refused: BTreeMap<String, (i64, Option<String>)>,
    /// Those that a call was allowed for.
    pub(super) proved: Vec<&'static str>,
}

impl Seen {
    fn is_listed(&self, name: &str) -> bool {
        let list = self.list.as_ref().and_then(|list| list.as_ref().ok());
        list.is_some_and(|list| {
            list.iter()
                .any(|scope| scope.name == name && scope.is_granted)
        })
    }

    fn is_there(&self, name: &str) -> bool {
        self.is_listed(name) && !self.refused.contains_key(name)
    }
}

/// A line for each permission.
pub(super) fn verdicts(seen: &Seen, pages: &Pages) -> Vec<Finding> {
    let mut findings: Vec<_> = SCOPES
        .iter()
        .map(|scope| verdict(scope, seen, pages))
        .collect();
    findings.sort_by_key(|finding| finding.need);
    findings
}

fn verdict(scope: &Scope, seen: &Seen, pages: &Pages) -> Finding {
    let covering = scope.covered_by.iter().find(|name| seen.is_there(name));
    let need = match covering {
        Some(_) => Need::Optional,
        None => scope.need,
    };
    let line = |verdict, found| Finding {
        check: format!("scope.{}", scope.name),
        verdict,
        need,
        name: both(
            format!("Permission {}", scope.name),
            format!("权限 {}", scope.name),
        ),
        found,
        symptom: None,
        remedy: None,
        link: None,
        scopes: Vec::new(),
    };
    if let Some((code, page)) = seen.refused.get(scope.name) {
        let found = match seen.is_listed(scope.name) {
            true => both(
                format!("listed as granted, and yet refused in use (code {code})"),
                format!("列表显示已授权，实际调用却被拒绝（错误码 {code}）"),
            ),
            false => both(
                format!("not granted; a call that needs it was refused (code {code})"),
                format!("未授权，需要它的调用被拒绝（错误码 {code}）"),
            ),
        };
        let line = line(Verdict::Missing, found);
        return mend(line, scope, covering.copied(), page.clone(), pages);
    }
    let proved = seen.proved.contains(&scope.name);
    match &seen.list {
        _ if seen.is_listed(scope.name) => {
            let found = match proved {
                true => both("granted, and tried", "已授权，并已实际验证"),
                false => both("granted", "已授权"),
            };
            line(Verdict::Works, found)
        }
        Some(Ok(_)) => {
            if let Some(other) = scope.stand_ins.iter().find(|name| seen.is_listed(name)) {
                let found = both(
                    format!("not granted, but {other} is, which does as well"),
                    format!("未授权，但已有等效的 {other}"),
                );
                return line(Verdict::Works, found);
            }
            let line = line(Verdict::Missing, both("not granted", "未授权"));
            mend(line, scope, covering.copied(), None, pages)
        }
        _ if proved => line(Verdict::Works, both("tried", "已实际验证")),
        Some(Err(why)) => line(
            Verdict::Unknown,
            both(
                format!("the list of permissions cannot be read: {}", why.en),
                format!("读不到权限列表：{}", why.zh),
            ),
        ),
        None => line(Verdict::Unknown, both("not looked at", "未检查")),
    }
}

fn mend(
    mut line: Finding,
    scope: &Scope,
    covering: Option<&'static str>,
    page: Option<String>,
    pages: &Pages,
) -> Finding {
    line.scopes = vec![scope.name.to_owned()];
    let line = match covering {
        None => line.symptom(scope.symptom.0, scope.symptom.1),
        Some(other) => line.symptom(
            format!(
                "Nothing yet, because {other} covers it. Without that one: {}",
                scope.symptom.0
            ),
            format!(
                "暂无影响，因为 {other} 已涵盖。若失去它：{}",
                scope.symptom.1
            ),
        ),
    };
    let review = match scope.name {
        "im:message.group_msg" => (
            " An administrator has to approve this one.",
            "此权限需要管理员审核。",
        ),
        _ => ("", ""),
    };
    line.remedy(
        format!(
            "Add {} under Permissions & Scopes (for {}), then publish a version.{}",
            scope.name, scope.needed_for.0, review.0
        ),
        format!(
            "在“权限管理”中开通 {}（用于{}），然后发布版本。{}",
            scope.name, scope.needed_for.1, review.1
        ),
    )
    .link(page.unwrap_or_else(|| pages.scopes(&[scope.name])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FeishuConfig;

    fn pages() -> Pages {
        Pages::of(&FeishuConfig {
            app_id: "cli_a".into(),
            ..FeishuConfig::default()
        })
    }

    fn listed_without(lacking: &[&str], extra: &[&str]) -> Seen {
        let names = SCOPES.iter().map(|scope| scope.name);
        let list = names.chain(extra.iter().copied()).map(|name| Granted {
            name: name.into(),
            is_granted: !lacking.contains(&name),
        });
        Seen {
            list: Some(Ok(list.collect())),
            ..Seen::default()
        }
    }

    fn missing(seen: &Seen) -> Vec<(String, Need)> {
        let findings = verdicts(seen, &pages()).into_iter();
        findings
            .filter(|finding| finding.verdict == Verdict::Missing)
            .map(|finding| (finding.scopes[0].clone(), finding.need))
            .collect()
    }

    #[test]
    fn the_table_holds_twelve_and_two_and_names_only_its_own() {
        assert_eq!(SCOPES.len(), 14);
        for scope in SCOPES {
            assert!(scope.covered_by.iter().all(|name| find(name).is_some()));
            assert!(scope.stand_ins.iter().all(|name| find(name).is_none()));
        }
    }

    #[test]
    fn each_scope_that_is_not_granted_is_named_alone() {
        assert_eq!(missing(&listed_without(&[], &[])), []);
        for scope in SCOPES {
            let seen = listed_without(&[scope.name], &[]);
            let need = match scope.covered_by {
                [] => scope.need,
                _ => Need::Optional,
            };
            assert_eq!(missing(&seen), [(scope.name.to_owned(), need)]);
        }
    }

    #[test]
    fn what_covers_another_is_missed_twice() {
        let need = |lacking: &[&str], name: &str| {
            let missing = missing(&listed_without(lacking, &[]));
            missing.iter().find(|(one, _)| one == name).unwrap().1
        };
        let at = "im:message.group_at_msg:readonly";
        assert_eq!(need(&[at], at), Need::Optional);
        assert_eq!(need(&[at, "im:message.group_msg"], at), Need::Required);
        let send = "im:message:send_as_bot";
        assert_eq!(need(&[send, "im:message"], send), Need::Required);
    }

    #[test]
    fn one_that_does_as_well_is_enough() {
        let seen = listed_without(&["im:message.reactions:read"], &["im:message:readonly"]);
        assert_eq!(missing(&seen), []);
    }

    #[test]
    fn a_scope_that_is_listed_and_refused_is_missing_with_the_platforms_own_page() {
        let mut seen = listed_without(&[], &[]);
        let page = Some("https://open.feishu.cn/x".to_owned());
        seen.refused.insert("im:chat".into(), (99991672, page));
        let findings = verdicts(&seen, &pages());
        let chat = findings.iter().find(|one| one.check == "scope.im:chat");
        let chat = chat.unwrap();
        assert_eq!(chat.verdict, Verdict::Missing);
        assert!(chat.found.en.contains("listed as granted"));
        assert_eq!(chat.link.as_deref(), Some("https://open.feishu.cn/x"));
    }

    #[test]
    fn without_the_list_only_what_was_tried_is_known() {
        let seen = Seen {
            list: Some(Err(both("no answer", "没有应答"))),
            proved: vec!["im:resource"],
            ..Seen::default()
        };
        for finding in verdicts(&seen, &pages()) {
            let expected = match finding.check.as_str() {
                "scope.im:resource" => Verdict::Works,
                _ => Verdict::Unknown,
            };
            assert_eq!(finding.verdict, expected, "{}", finding.check);
        }
    }
}
