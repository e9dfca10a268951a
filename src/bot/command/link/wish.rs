//! What stands behind `/link`, read.

use crate::{
    bot::members::{Decision, Which},
    feishu::OpenId,
};

/// What somebody wants of `/link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish<'a> {
    /// To see who they are.
    Show,
    /// To see what linking everybody would do, by the page.
    Plan(usize),
    /// To link everybody.
    Apply,
    /// To be linked.
    Me,
    /// To be linked to the member of this name.
    MeAs(&'a str),
    /// To have somebody linked to the member of this name.
    Person(OpenId, &'a str),
    /// A list, what is looked for in it, and its page.
    List(Which, &'a str, usize),
    /// Who of those on call cannot be reached.
    OnCall,
    /// To decide what somebody said about themselves, by its code.
    Decide(Decision, &'a str),
    /// Nobody knows.
    NotUnderstood,
}

/// Somebody who is mentioned: how the text calls them, and who they are.
pub(super) type Mentioned = (String, OpenId);

/// Reads it. `mentioned` are those who are mentioned beside us.
pub(super) fn read<'a>(arguments: &'a str, mentioned: &[Mentioned]) -> Wish<'a> {
    if let Some((person, name)) = person(arguments, mentioned) {
        return match name {
            "" => Wish::NotUnderstood,
            name => Wish::Person(person, name),
        };
    }
    let (word, rest) = split(arguments);
    match (word.to_lowercase().as_str(), rest) {
        ("", _) => Wish::Show,
        ("all" | "全部" | "所有", "") => Wish::Plan(1),
        ("all" | "全部" | "所有", "apply" | "执行" | "应用") => Wish::Apply,
        ("all" | "全部" | "所有", page) => match page.parse() {
            Ok(page) => Wish::Plan(page),
            Err(_) => Wish::NotUnderstood,
        },
        ("me" | "我" | "本人", "") => Wish::Me,
        ("me" | "我" | "本人", name) => Wish::MeAs(name),
        ("list" | "列表" | "名单", rest) => list(rest),
        ("oncall" | "on-call" | "值班", "") => Wish::OnCall,
        ("confirm" | "确认", code) if !code.is_empty() => Wish::Decide(Decision::Confirm, code),
        ("decline" | "拒绝", code) if !code.is_empty() => Wish::Decide(Decision::Decline, code),
        _ => Wish::NotUnderstood,
    }
}

fn list(rest: &str) -> Wish<'_> {
    let (word, words) = split(rest);
    let (which, words) = match word.to_lowercase().as_str() {
        "all" | "全部" => (Which::All, words),
        "linked" | "已绑定" => (Which::Linked, words),
        "unlinked" | "未绑定" => (Which::Unlinked, words),
        _ => (Which::All, rest),
    };
    // A number at the end is a page, unless it is long enough for a part of a mobile number.
    let (before, last) = words
        .rsplit_once(char::is_whitespace)
        .unwrap_or(("", words));
    match last.parse() {
        Ok(page) if last.len() < 4 => Wish::List(which, before.trim(), page),
        _ => Wish::List(which, words, 1),
    }
}

/// Who is meant by a mention or an id at the beginning, and what follows.
fn person<'a>(arguments: &'a str, mentioned: &[Mentioned]) -> Option<(OpenId, &'a str)> {
    if arguments.starts_with("ou_") {
        let (id, rest) = split(arguments);
        return Some((OpenId::new(id), rest));
    }
    let text = arguments.strip_prefix('@')?;
    // The longest first: one may be called as another begins.
    let fitting = mentioned
        .iter()
        .filter_map(|(name, id)| Some((name.len(), id, text.strip_prefix(name.as_str())?)));
    let (_, id, rest) = fitting.max_by_key(|(length, ..)| *length)?;
    Some((id.clone(), rest.trim()))
}

fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_in_both_languages() {
        #[track_caller]
        fn check(arguments: &str, expected: Wish<'_>) {
            assert_eq!(read(arguments, &[]), expected, "{arguments}");
        }
        check("", Wish::Show);
        check("all", Wish::Plan(1));
        check("全部 2", Wish::Plan(2));
        check("ALL apply", Wish::Apply);
        check("全部 执行", Wish::Apply);
        check("all of them", Wish::NotUnderstood);
        check("me", Wish::Me);
        check("我 李雷", Wish::MeAs("李雷"));
        check("me Li Lei", Wish::MeAs("Li Lei"));
        check("list", Wish::List(Which::All, "", 1));
        check("list 3", Wish::List(Which::All, "", 3));
        check("列表 未绑定 支付 2", Wish::List(Which::Unlinked, "支付", 2));
        check("list linked li lei", Wish::List(Which::Linked, "li lei", 1));
        check("list 1380013", Wish::List(Which::All, "1380013", 1));
        check("值班", Wish::OnCall);
        check("confirm 7K3F", Wish::Decide(Decision::Confirm, "7K3F"));
        check("拒绝 7k3f", Wish::Decide(Decision::Decline, "7k3f"));
        check("confirm", Wish::NotUnderstood);
        check("ou_a Li Lei", Wish::Person(OpenId::new("ou_a"), "Li Lei"));
        check("@Li Lei Li Lei", Wish::NotUnderstood);
    }

    #[test]
    fn a_mention_is_the_person_and_not_their_name() {
        let mentioned = [
            ("Li".to_owned(), OpenId::new("ou_li")),
            ("Li Lei".to_owned(), OpenId::new("ou_lei")),
        ];
        let person = |id: &str, name| Wish::Person(OpenId::new(id), name);
        assert_eq!(read("@Li Lei 李雷", &mentioned), person("ou_lei", "李雷"));
        assert_eq!(read("@Li 李 雷", &mentioned), person("ou_li", "李 雷"));
        assert_eq!(read("@Li Lei", &mentioned), Wish::NotUnderstood);
        assert_eq!(read("@Han x", &mentioned), Wish::NotUnderstood);
    }
}
