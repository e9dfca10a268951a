//! What the model is told about a question, within a budget of tokens.

use jiff::{Timestamp, Zoned};

use crate::config::{ConversationConfig, Language, ModelConfig};

/// All that a turn starts from.
#[derive(Debug, Clone)]
pub struct Context {
    /// The language of tool titles, and of an answer to a question that has none.
    pub language: Language,
    /// When the question is taken up, in the zone in which times are shown.
    pub now: Zoned,
    /// Where the question was asked.
    pub facts: Facts,
    /// Earlier turns of this session, oldest first.
    pub remembered: Vec<Exchange>,
    /// What was said in the chat (or thread) before the question, oldest first.
    pub history: Vec<Said>,
    /// How many messages are known to be missing from the old end of `history`.
    pub history_left_out: usize,
    /// The message that the question replies to.
    pub quoted: Option<Said>,
    /// The question.
    pub question: Said,
    /// How long all this may be.
    pub budgets: Budgets,
}

/// How many tokens the parts of a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// A request and its answer together.
    pub context_tokens: usize,
    /// Of these, what is kept free for the answer; 0 takes a quarter, at most 4096.
    pub answer_tokens: usize,
    /// `history`, at most.
    pub history_tokens: usize,
    /// `remembered`, at most.
    pub remembered_tokens: usize,
}

impl Budgets {
    /// The budgets that the configuration gives.
    pub fn new(model: &ModelConfig, conversation: &ConversationConfig) -> Self {
        Self {
            context_tokens: model.context_tokens,
            answer_tokens: model.answer_tokens_max as usize,
            history_tokens: conversation.history_tokens,
            remembered_tokens: conversation.remembered_tokens,
        }
    }
}

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

/// An earlier turn of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was asked.
    pub question: String,
    /// What the bot answered.
    pub answer: String,
    /// The name of who asked.
    pub asked_by: String,
    /// When it was asked.
    pub at: Timestamp,
}

/// Something said in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The name of who said it.
    pub author: String,
    /// Whether a bot (this one or another) said it.
    pub is_bot: bool,
    /// When.
    pub at: Timestamp,
    /// What, as plain text.
    pub text: String,
    /// What it replies to, in words for the model: the author and the beginning of that message.
    pub reply_to: Option<String>,
}
