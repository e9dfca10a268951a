//! What is known about the place of a question.

use crate::prompt::marks::one_line;

/// What is known about the place of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What the bot is called there.
    pub bot_name: String,
    /// The chat's name; direct chats have none.
    pub chat_name: Option<String>,
    /// What kind of chat it is.
    pub chat_kind: ChatKind,
    /// Whether the question stands in a thread of the chat.
    pub in_thread: bool,
    /// The name of who asks.
    pub asker: String,
    /// How many members the chat has, where that is known.
    pub members: Option<u32>,
}

impl Facts {
    /// The facts, one a line. Names are on one line each, and not between marks.
    pub fn describe(&self) -> String {
        let kind = match self.chat_kind {
            ChatKind::Direct => "a direct chat with the asker",
            ChatKind::Group => "a group",
            ChatKind::Topic => "a topic group",
        };
        let mut lines = vec![format!("kind of chat: {kind}")];
        if let Some(name) = &self.chat_name {
            lines.push(format!("name of the chat: {}", one_line(name, 64)));
        }
        if let Some(members) = self.members {
            lines.push(format!("members: {members}"));
        }
        if self.in_thread {
            lines.push("the question stands in a thread".into());
        }
        lines.push(format!("you are called: {}", one_line(&self.bot_name, 64)));
        lines.push(format!("asked by: {}", one_line(&self.asker, 64)));
        lines.join("\n")
    }
}

/// A kind of chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatKind {
    /// Between one person and the bot.
    Direct,
    /// A group.
    Group,
    /// A group whose messages are all threads.
    Topic,
}
