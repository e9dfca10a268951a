//! What stands behind `/postmortem`.
//!
//! Behind `show` and `restore` a bare number is a version, so an incident is written with its `#` there.

use super::super::incident::words::take_number;
use crate::bot::times;

/// What is asked for, and of which incident; none: that of the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) number: Option<u32>,
    pub(super) verb: Verb,
}

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    /// A draft, with this template if one is named.
    Draft(Option<String>),
    Status,
    /// The report, or the file of this version.
    Show(Option<u32>),
    Versions,
    /// This version is to come back.
    Restore(u32),
    /// Which templates there are.
    Templates,
    /// The list of action items.
    Actions,
    Publish,
    Reopen,
    Cancel,
    Export,
}

/// Reads the number of an incident, the verb and what belongs to it. The number may stand before or behind.
pub(super) fn parse(arguments: &str) -> Option<Asked> {
    let mut rest = arguments.trim();
    let mut number = take_number(&mut rest, false);
    let (word, mut behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let word = word.to_lowercase();
    let takes_more = matches!(
        word.as_str(),
        "show" | "查看" | "restore" | "恢复" | "template" | "模板"
    );
    let mut more = None;
    while !behind.trim().is_empty() {
        if number.is_none() {
            number = take_number(&mut behind, takes_more);
            if number.is_some() {
                continue;
            }
        }
        if !takes_more || more.is_some() {
            return None;
        }
        let text = behind.trim_start();
        let (one, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        (more, behind) = (Some(one), rest);
    }
    let verb = verb(&word, more)?;
    Some(Asked { number, verb })
}

fn verb(word: &str, more: Option<&str>) -> Option<Verb> {
    Some(match (word, more) {
        ("" | "draft" | "起草", None) => Verb::Draft(None),
        ("template" | "模板", Some(name)) => Verb::Draft(Some(name.to_owned())),
        ("template" | "模板" | "templates" | "模板列表", None) => Verb::Templates,
        ("status" | "状态", None) => Verb::Status,
        ("show" | "查看", None) => Verb::Show(None),
        ("show" | "查看", Some(more)) => Verb::Show(Some(version(more)?)),
        ("versions" | "版本", None) => Verb::Versions,
        ("restore" | "恢复", Some(more)) => Verb::Restore(version(more)?),
        ("actions" | "行动项", None) => Verb::Actions,
        ("publish" | "发布", None) => Verb::Publish,
        ("reopen" | "重新打开", None) => Verb::Reopen,
        ("cancel" | "取消", None) => Verb::Cancel,
        ("export" | "导出", None) => Verb::Export,
        _ => return None,
    })
}

/// A version's number: `2`, `v2`, `第2版`.
fn version(text: &str) -> Option<u32> {
    let text = times::narrow(text);
    let digits = text.trim_start_matches(['v', 'V', '第']);
    digits.trim_end_matches('版').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_verbs_are_read_in_either_order_and_both_languages() {
        let check = |text: &str, expected: Option<(Option<u32>, Verb)>| {
            let expected = expected.map(|(number, verb)| Asked { number, verb });
            assert_eq!(parse(text), expected, "{text}");
        };
        check("", Some((None, Verb::Draft(None))));
        check("#42", Some((Some(42), Verb::Draft(None))));
        check("42 status", Some((Some(42), Verb::Status)));
        check("publish #42", Some((Some(42), Verb::Publish)));
        check("导出", Some((None, Verb::Export)));
        check("取消 42", Some((Some(42), Verb::Cancel)));
        check("versions", Some((None, Verb::Versions)));
        check("版本 #42", Some((Some(42), Verb::Versions)));
        check("show", Some((None, Verb::Show(None))));
        check("show #42", Some((Some(42), Verb::Show(None))));
        check("show 2", Some((None, Verb::Show(Some(2)))));
        check("#42 查看 ２", Some((Some(42), Verb::Show(Some(2)))));
        check("show v2 #42", Some((Some(42), Verb::Show(Some(2)))));
        check("恢复 第2版", Some((None, Verb::Restore(2))));
        check("restore #42 2", Some((Some(42), Verb::Restore(2))));
        let full = || Verb::Draft(Some("full".to_owned()));
        check("template full", Some((None, full())));
        check("#42 模板 full", Some((Some(42), full())));
        check("模板", Some((None, Verb::Templates)));
        check("templates", Some((None, Verb::Templates)));
        check("restore", None);
        check("restore all", None);
        check("template full short", None);
        check("everything", None);
        check("show me all", None);
    }
}
