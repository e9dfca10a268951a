//! Those who answer for incidents: whether they can be paged, and may act.
//!
//! Links are in the store, which is not opened from outside; only a bot that runs knows them.

use super::finding::{Check, Finding, both};

const MEMBERS: Check = Check::optional("members", "Members are linked", "成员已绑定");

/// How many names are told.
const TOLD_MAX: usize = 10;

/// Who of the members is linked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersSeen {
    /// How many members there are.
    pub all: usize,
    /// The names of those who are not linked.
    pub unlinked: Vec<String>,
}

/// The line from inside; none without members.
pub(super) fn from_inside(seen: &MembersSeen) -> Option<Finding> {
    let (all, unlinked) = (seen.all, seen.unlinked.len());
    if all == 0 {
        return None;
    }
    if unlinked == 0 {
        return Some(MEMBERS.works(both(
            format!("all {all} are linked"),
            format!("{all} 人均已绑定"),
        )));
    }
    let names = seen.unlinked.iter().take(TOLD_MAX);
    let names = names.cloned().collect::<Vec<_>>().join(", ");
    let more = match unlinked.saturating_sub(TOLD_MAX) {
        0 => both("", ""),
        more => both(format!(" and {more} more"), format!(" 等，另有 {more} 人")),
    };
    let found = both(
        format!(
            "{} of {all} are linked; not linked: {names}{}",
            all - unlinked,
            more.en
        ),
        format!(
            "{all} 人中 {} 人已绑定；未绑定：{names}{}",
            all - unlinked,
            more.zh
        ),
    );
    let line = MEMBERS
        .missing(found)
        .symptom(
            "They cannot be paged directly, and their presses on incident cards are refused.",
            "无法直接通知他们，他们在事件卡片上的操作会被拒绝。",
        )
        .remedy(
            "Send me /link all: it shows for each of them what is in the way, and links those it can.",
            "发送 /绑定 全部：逐人显示原因，并绑定可以绑定的人。",
        );
    Some(line)
}

/// The line from outside; none without members.
pub(super) fn from_outside(all: usize) -> Option<Finding> {
    let found = both(
        format!("there are {all}; only the bot knows who is linked"),
        format!("共 {all} 人，绑定情况只有运行中的机器人知道"),
    );
    let line = MEMBERS.unknown(found).remedy(
        "Send the bot /doctor or /link list unlinked.",
        "向机器人发送 /诊断 或 /绑定 列表 未绑定。",
    );
    (all > 0).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    #[test]
    fn those_who_are_not_linked_are_named_as_far_as_a_line_holds() {
        #[track_caller]
        fn check(all: usize, unlinked: usize, expected: Option<(Verdict, &str)>) {
            let unlinked = (0..unlinked).map(|n| format!("p{n}")).collect();
            let found = from_inside(&MembersSeen { all, unlinked });
            let found = found.map(|line| (line.verdict, line.found.en));
            let expected = expected.map(|(verdict, found)| (verdict, found.to_owned()));
            assert_eq!(found, expected);
        }
        check(0, 0, None);
        check(3, 0, Some((Verdict::Works, "all 3 are linked")));
        check(
            3,
            1,
            Some((Verdict::Missing, "2 of 3 are linked; not linked: p0")),
        );
        let many =
            "0 of 12 are linked; not linked: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 2 more";
        check(12, 12, Some((Verdict::Missing, many)));
    }

    #[test]
    fn from_outside_nobody_knows() {
        assert_eq!(from_outside(0), None);
        assert_eq!(from_outside(2).unwrap().verdict, Verdict::Unknown);
    }
}
