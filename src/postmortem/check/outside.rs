//! What people outside may read names nobody and nothing of ours: no person, host, service, version or ticket.
//!
//! V7 and V8 ask here for that section, where a name is wrong even with its source.

use super::{Content, Finding, Placed, Subject};
use crate::postmortem::ground::{Ground, TokenKind, tokens};

fn for_outside<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Placed<'a>> {
    subject
        .claims()
        .filter(|placed| placed.content == Content::Outside)
}

/// Lines that name somebody of the room.
pub(super) fn people<'a>(subject: &Subject<'a>) -> Vec<Finding> {
    let people = &subject.material.transcript.people;
    let named = for_outside(subject).filter_map(|placed| {
        let words = placed.line.words();
        let line = Ground::of([words.as_str()]);
        let is_named = |name: &str| name.chars().count() >= 2 && line.holds_word(name);
        let person = people.iter().find(|person| is_named(&person.name))?;
        let name = &person.name;
        Some(placed.fails(
            format!("{name} is named in what people outside read"),
            format!("对外内容中出现了{name}"),
        ))
    });
    named.collect()
}

/// Lines that name something of ours.
pub(super) fn machines(subject: &Subject<'_>) -> Vec<Finding> {
    let named = for_outside(subject).filter_map(|placed| {
        let ours = tokens(&placed.line.words()).into_iter().find(|token| {
            let has_sign = |c: char| c.is_ascii_digit() || "-_/.:#@".contains(c);
            match token.kind {
                TokenKind::Number => false,
                TokenKind::Name => token.text.chars().any(has_sign),
                TokenKind::Link | TokenKind::Code => true,
            }
        })?;
        let name = ours.text;
        Some(placed.fails(
            format!("{name} is named in what people outside read"),
            format!("对外内容中出现了 {name}"),
        ))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Content, testing::check_lines};

    #[test]
    fn nobody_is_named_to_people_outside() {
        check_lines(
            7,
            Content::Outside,
            &["Some orders failed [m6]"],
            &["Han Meimei rolled it back [m5]"],
        );
    }

    #[test]
    fn nothing_of_ours_is_named_to_people_outside() {
        check_lines(
            8,
            Content::Outside,
            &["About 1,200 orders failed [m6]"],
            &[
                "payment-gw was rolled back [m5]",
                "It was rolled back to 1.8.2 [m5]",
            ],
        );
    }
}
