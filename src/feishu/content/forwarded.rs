//! Messages that were forwarded together: a flat list on the wire, a tree to readers.

use std::collections::HashMap;

use crate::feishu::{Message, MessageId};

/// How deep forwards in forwards are followed.
const DEPTH_MAX: usize = 5;
/// How many messages of one bundle are kept.
const MESSAGES_MAX: usize = 200;

/// A bundle of forwarded messages, opened.
#[derive(Debug, Default)]
pub struct Forwarded {
    /// What was forwarded, oldest first.
    pub nodes: Vec<Node>,
    /// How many messages are not in the tree, for being too many or too deep.
    pub left_out: usize,
}

/// One forwarded message.
#[derive(Debug)]
pub struct Node {
    /// The message.
    pub message: Message,
    /// If it is a bundle itself, what was forwarded in it.
    pub inside: Vec<Node>,
}

impl Forwarded {
    /// Puts what [`Client::message`](crate::feishu::Client::message) gave for the bundle `root` into its tree.
    pub fn of(root: &MessageId, items: Vec<Message>) -> Self {
        let mut by_parent: HashMap<MessageId, Vec<Message>> = HashMap::new();
        let mut total = 0;
        for item in items {
            let Some(parent) = item.upper_message_id.clone() else {
                continue;
            };
            // One that names itself is no tree.
            if parent == item.id {
                continue;
            }
            total += 1;
            by_parent.entry(parent).or_default().push(item);
        }
        let mut kept = 0;
        let nodes = take(root, &mut by_parent, 0, &mut kept);
        Self {
            nodes,
            left_out: total - kept,
        }
    }

    /// All messages of the tree.
    pub fn messages(&self) -> Vec<&Message> {
        fn walk<'a>(nodes: &'a [Node], all: &mut Vec<&'a Message>) {
            for node in nodes {
                all.push(&node.message);
                walk(&node.inside, all);
            }
        }
        let mut all = Vec::new();
        walk(&self.nodes, &mut all);
        all
    }
}

/// Takes the children of `parent` out of the list, so that no circle can be followed twice.
fn take(
    parent: &MessageId,
    by_parent: &mut HashMap<MessageId, Vec<Message>>,
    depth: usize,
    kept: &mut usize,
) -> Vec<Node> {
    if depth >= DEPTH_MAX {
        return Vec::new();
    }
    let mut children = by_parent.remove(parent).unwrap_or_default();
    children.sort_by_key(|child| child.created_at);
    let mut nodes = Vec::with_capacity(children.len());
    for message in children {
        if *kept >= MESSAGES_MAX {
            break;
        }
        *kept += 1;
        let inside = take(&message.id, by_parent, depth + 1, kept);
        nodes.push(Node { message, inside });
    }
    nodes
}
