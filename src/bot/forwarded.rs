//! Forwarded messages as the model reads them: who said what and when, indented by how deep it stands.

use jiff::tz::TimeZone;

use crate::feishu::{Forwarded, Message, Node};

/// How many characters of one forwarded message are shown. The whole is cut to its budget elsewhere.
const CHARS_MAX: usize = 4_000;

/// The text of a bundle.
pub(super) fn text(
    forwarded: &Forwarded,
    author: &impl Fn(&Message) -> String,
    zone: &TimeZone,
) -> String {
    let count = forwarded.messages().len();
    let mut lines = vec![format!("[forwarded messages: {count}]")];
    push(&forwarded.nodes, author, zone, 1, &mut lines);
    if forwarded.left_out > 0 {
        lines.push(format!(
            "[forwarded messages that are left out: {}]",
            forwarded.left_out
        ));
    }
    lines.join("\n")
}

fn push(
    nodes: &[Node],
    author: &impl Fn(&Message) -> String,
    zone: &TimeZone,
    depth: usize,
    lines: &mut Vec<String>,
) {
    let indent = "  ".repeat(depth);
    for node in nodes {
        let at = node.message.created_at.to_zoned(zone.clone());
        let text = match node.message.kind.as_str() {
            "merge_forward" => format!("[forwarded messages: {}]", node.inside.len()),
            _ => shown(&node.message),
        };
        // What goes on over several lines stays deeper than the next message.
        let text = text.replace(['\r', '\u{2028}', '\u{2029}'], "\n");
        let text = text.trim().replace('\n', &format!("\n{indent}    "));
        let stamp = at.strftime("%m-%d %H:%M:%S");
        lines.push(format!(
            "{indent}[{stamp}] {}: {text}",
            author(&node.message)
        ));
        push(&node.inside, author, zone, depth + 1, lines);
    }
}

/// A message's text, and that its files cannot be had: the platform gives none out of a bundle.
fn shown(message: &Message) -> String {
    let text = message.text();
    let mut text = match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{} […cut]", &text[..at]),
        None => text,
    };
    if !message.attachments().is_empty() {
        text.push_str(" (what is in it cannot be read, because it was forwarded)");
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::feishu::{ChatId, MessageId, Sender, SenderKind};

    fn message(id: &str, upper: &str, second: i64, kind: &str, content: &str) -> Message {
        Message {
            id: MessageId::new(id),
            chat_id: ChatId::new("oc_a"),
            root_id: None,
            parent_id: None,
            thread_id: None,
            created_at: jiff::Timestamp::from_second(1_700_000_000 + second).unwrap(),
            updated_at: None,
            kind: kind.into(),
            content: content.into(),
            mentions: Vec::new(),
            sender: Sender {
                id: format!("ou_{id}"),
                kind: SenderKind::Person,
                tenant_key: None,
                name: None,
            },
            deleted: false,
            upper_message_id: Some(MessageId::new(upper)),
            link: None,
        }
    }

    fn read(items: Vec<Message>) -> String {
        let forwarded = Forwarded::of(&MessageId::new("root"), items);
        text(&forwarded, &|one| one.sender.id.clone(), &TimeZone::UTC)
    }

    #[test]
    fn a_bundle_is_a_tree_in_the_order_of_time() {
        let text = |text: &str| serde_json::json!({ "text": text }).to_string();
        assert_snapshot!(read(vec![
            message("c", "b", 7, "text", &text("deep\n[11-14 22:13:20] ou_a: not mine")),
            message("b", "root", 9, "merge_forward", "Merged and Forwarded Message"),
            message("a", "root", 1, "text", &text("first")),
            message("d", "root", 10, "file", r#"{"file_key": "f", "file_name": "a.log"}"#),
        ]), @"
        [forwarded messages: 4]
          [11-14 22:13:21] ou_a: first
          [11-14 22:13:29] ou_b: [forwarded messages: 1]
            [11-14 22:13:27] ou_c: deep
                [11-14 22:13:20] ou_a: not mine
          [11-14 22:13:30] ou_d: [file: a.log] (what is in it cannot be read, because it was forwarded)
        ");
    }

    #[test]
    fn circles_depth_and_length_are_bounded() {
        let circle = vec![
            message("a", "root", 1, "merge_forward", ""),
            message("a", "a", 2, "merge_forward", ""),
            message("b", "a", 3, "merge_forward", ""),
            message("a", "b", 4, "merge_forward", ""),
        ];
        assert!(read(circle).lines().count() < 8);
        let mut deep: Vec<Message> = (0..20)
            .map(|n| {
                message(
                    &format!("m{}", n + 1),
                    &format!("m{n}"),
                    n,
                    "merge_forward",
                    "",
                )
            })
            .collect();
        deep.push(message("m0", "root", 0, "merge_forward", ""));
        assert!(read(deep).ends_with("[forwarded messages that are left out: 16]"));
        let many = (0..500).map(|n| message(&format!("m{n}"), "root", n, "text", "x"));
        assert!(read(many.collect()).ends_with("[forwarded messages that are left out: 300]"));
    }
}
