//! What an item says and until when, as people said it.
//!
//! An item keeps what the person said but for the words that lead up to it, so that it begins with its verb:
//! "we should add an alert" is "Add an alert". A date that was said is taken as it was said.

use std::sync::LazyLock;

use regex::Regex;

/// Fewer letters say nothing of what to do, so what leads up to them is kept.
const LETTERS_MIN: usize = 4;

static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(?:(?:action items?|follow[- ]?ups?|todo|to[- ]do)\b\s*[:：,，-]*\s*|(?:we|i|you|someone|somebody|they) (?:should|need to|needs to|must|will|have to|ought to)\s+|(?:i'?ll|we'?ll|let'?s|please)\s+|also\s+|(?:待办|行动项|改进项|跟进项|后续)(?:事项)?[:：,，、\s]*|(?:我们|我|大家|请)?(?:需要|应该|得|要|来)(?:先)?|请)",
    )
    .expect("it is compiled by a test")
});

/// The words from the verb on.
pub(super) fn verb_first(text: &str, owner: Option<&str>) -> String {
    let text = text.trim();
    let mut rest = text;
    loop {
        let named = owner.and_then(|owner| {
            let rest = rest.strip_prefix('@').unwrap_or(rest);
            let rest = rest.strip_prefix(owner)?;
            let apart = rest.trim_start_matches([' ', ',', ':', '，', '：']);
            // `Li Lei's service` does not speak to Li Lei.
            (apart.len() < rest.len()).then_some(apart)
        });
        let lead = LEAD.find(rest).map(|lead| &rest[lead.end()..]);
        match named.or(lead) {
            Some(shorter) if letters(shorter) >= LETTERS_MIN => rest = shorter,
            _ => break,
        }
    }
    let mut rest = rest.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

static DUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:by|until|before|due(?: on)?)\s+((?:(?:the )?end of (?:the |this |next )?(?:day|week|month|quarter|sprint)|(?:next |this )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|month)|today|tonight|tomorrow|eod|eow|\d{4}-\d{2}-\d{2}))\b|((?:今天|明天|后天|(?:本|这|下)?(?:周|星期)[一二三四五六日天末]|本周|这周|下周|本月|下个?月|月底|年底|\d{4}-\d{2}-\d{2}|\d{1,2}月\d{1,2}[日号])(?:之?前|以前|内)?)",
    )
    .expect("it is compiled by a test")
});

/// Until when, where the words say so.
pub(super) fn due(text: &str) -> Option<String> {
    let found = DUE.captures(text)?;
    let due = found.get(1).or_else(|| found.get(2))?;
    Some(due.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_begins_with_its_verb_and_keeps_what_was_said() {
        let check = |text: &str, owner: Option<&str>, expected: &str| {
            assert_eq!(verb_first(text, owner), expected, "{text}");
        };
        check(
            "TODO: we should add an alert for the pool",
            None,
            "Add an alert for the pool",
        );
        check(
            "Follow-up: I'll write the runbook",
            None,
            "Write the runbook",
        );
        check(
            "@Li Lei please document the limit",
            Some("Li Lei"),
            "Document the limit",
        );
        check(
            "Li Lei's service needs a limit",
            Some("Li Lei"),
            "Li Lei's service needs a limit",
        );
        check("待办：我来补连接池告警", None, "补连接池告警");
        check("后续需要补压测用例", None, "补压测用例");
        check("todo: fix", None, "Todo: fix");
    }

    #[test]
    fn a_date_is_taken_as_it_was_said() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(due(text).as_deref(), expected, "{text}");
        };
        check("add an alert by next Friday", Some("next Friday"));
        check(
            "write it up before the end of the week",
            Some("the end of the week"),
        );
        check("下周三前补告警", Some("下周三前"));
        check("11月30日前完成压测", Some("11月30日前"));
        check("step by step", None);
    }
}
