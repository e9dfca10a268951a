//! What the model has been told in a turn so far, kept within its budget.
//!
//! A turn begins with its context and grows by a step at a time. When it gets too long, results of older
//! steps are taken out first, because the model has drawn on them already.

use super::{
    Context, ToolSpec,
    context::{MESSAGE_TOKENS, clip},
};
use crate::{
    llm::{ChatMessage, IMAGE_TOKENS, Request, ToolCall, estimate_tokens},
    prompt::{Conclude, Prompt, marks::Marks},
};

/// Stands where a result was taken out.
const TAKEN_OUT: &str = "(This result was taken out to make room. Call again if it is needed.)";

/// A conversation with the model.
pub(super) struct Conversation {
    context: Context,
    pub(super) marks: Marks,
    tokens_max: usize,
    /// Whether the model is shown images.
    sees: bool,
    /// The context, as messages.
    base: Vec<ChatMessage>,
    /// What came after it: in each step the model's message, and then its results.
    steps: Vec<ChatMessage>,
}

impl Conversation {
    /// A conversation that may be as long as the context's budget says, less what the tools take.
    /// A model that `sees` is shown images.
    pub(super) fn new(context: Context, marks: Marks, tools: &[ToolSpec], sees: bool) -> Self {
        let tools: usize = tools.iter().map(tokens_of_tool).sum();
        let tokens_max = context.budgets.request_tokens().saturating_sub(tools);
        let base = context.messages(&marks, tokens_max, sees);
        Self {
            context,
            marks,
            tokens_max,
            sees,
            base,
            steps: Vec::new(),
        }
    }

    /// Adds a step: what the model said and asked for, and what came of it, in the order of the calls.
    pub(super) fn add_step(&mut self, said: ChatMessage, results: Vec<ChatMessage>) {
        self.steps.push(said);
        self.steps.extend(results);
    }

    /// The next request. Without tools after a step with tools, it asks for a conclusion.
    pub(super) fn request(&mut self, tools: Vec<ToolSpec>) -> Request {
        self.make_room(self.tokens_max);
        let mut messages = self.base.clone();
        messages.extend(self.steps.iter().cloned());
        if tools.is_empty() && !self.steps.is_empty() {
            messages.push(ChatMessage::User(Conclude {}.render()));
        }
        Request { messages, tools }
    }

    /// Whether there are images in it.
    pub(super) fn has_images(&self) -> bool {
        let mut messages = self.base.iter();
        messages.any(|message| matches!(message, ChatMessage::UserWithImages { .. }))
    }

    /// Takes the images out of it; in their place it says that the model cannot see them.
    pub(super) fn without_images(&mut self) {
        self.sees = false;
        self.base = self
            .context
            .messages(&self.marks, self.tokens_max, self.sees);
    }

    /// Makes it half as long as it is, because the model would not take it.
    pub(super) fn halve(&mut self) {
        self.tokens_max = self.tokens() / 2;
        let steps: usize = self.steps.iter().map(tokens_of).sum();
        // The steps give first; what they leave is the context's, and that is half of it at least.
        let room = self.tokens_max.saturating_sub(steps);
        let half: usize = self.base.iter().map(tokens_of).sum::<usize>() / 2;
        self.base = self
            .context
            .messages(&self.marks, room.max(half), self.sees);
        self.make_room(self.tokens_max);
    }

    fn tokens(&self) -> usize {
        self.base.iter().chain(&self.steps).map(tokens_of).sum()
    }

    /// Takes out results, the oldest first, until the rest fits; and clips the newest step's, if that is
    /// not enough.
    fn make_room(&mut self, tokens_max: usize) {
        let mut excess = self.tokens().saturating_sub(tokens_max);
        let newest = self
            .steps
            .iter()
            .rposition(|message| matches!(message, ChatMessage::Assistant { .. }));
        for (place, message) in self.steps.iter_mut().enumerate() {
            if excess == 0 {
                return;
            }
            let before = tokens_of(message);
            let ChatMessage::ToolResult { text, .. } = message else {
                continue;
            };
            if newest.is_some_and(|newest| place > newest) {
                let kept = before.saturating_sub(excess + 64).max(before / 4);
                *text = self.marks.close(clip(text, kept));
            } else {
                *text = TAKEN_OUT.into();
            }
            excess = excess.saturating_sub(before.saturating_sub(tokens_of(message)));
        }
    }
}

fn tokens_of(message: &ChatMessage) -> usize {
    let text = match message {
        ChatMessage::System(text) | ChatMessage::User(text) => estimate_tokens(text),
        ChatMessage::UserWithImages { text, images } => {
            estimate_tokens(text) + images.len() * IMAGE_TOKENS
        }
        ChatMessage::ToolResult { text, .. } => estimate_tokens(text),
        ChatMessage::Assistant {
            text,
            reasoning,
            tool_calls,
        } => {
            let calls = tool_calls.iter().map(tokens_of_call).sum::<usize>();
            estimate_tokens(text) + estimate_tokens(reasoning) + calls
        }
    };
    text + MESSAGE_TOKENS
}

fn tokens_of_call(call: &ToolCall) -> usize {
    estimate_tokens(&call.name) + estimate_tokens(&call.arguments) + MESSAGE_TOKENS
}

fn tokens_of_tool(tool: &ToolSpec) -> usize {
    estimate_tokens(&tool.description)
        + estimate_tokens(&tool.parameters.to_string())
        + MESSAGE_TOKENS
}
