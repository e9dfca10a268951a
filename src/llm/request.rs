//! A request as it stands on the wire.

use serde_json::{Map, Value, json};

use super::{ChatMessage, Request, ToolCall, ToolSpec};

/// What a server turned out to understand, beside what all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Whether it can be asked to count tokens in a stream.
    pub(super) counts_tokens: bool,
    /// Whether the limit of an answer is called `max_completion_tokens`, as OpenAI's newer models demand.
    pub(super) new_limit_name: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            counts_tokens: true,
            new_limit_name: false,
        }
    }
}

impl Dialect {
    /// What to speak after a refusal of this dialect whose body is `said`; nothing where the refusal is
    /// about something else.
    pub(super) fn after_refusal(self, said: &str) -> Option<Self> {
        let mut next = self;
        if said.contains("stream_options") {
            next.counts_tokens = false;
        }
        if said.contains("max_completion_tokens") {
            next.new_limit_name = true;
        }
        (next != self).then_some(next)
    }
}

/// The body of a request.
pub(super) fn body(
    model: &str,
    answer_tokens_max: u32,
    request: &Request,
    dialect: Dialect,
) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("stream".into(), true.into());
    let messages: Vec<Value> = request.messages.iter().map(message).collect();
    body.insert("messages".into(), messages.into());
    if dialect.counts_tokens {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    if answer_tokens_max > 0 {
        let name = if dialect.new_limit_name {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        body.insert(name.into(), answer_tokens_max.into());
    }
    // An empty list is refused by OpenAI.
    if !request.tools.is_empty() {
        let tools: Vec<Value> = request.tools.iter().map(tool).collect();
        body.insert("tools".into(), tools.into());
    }
    body.into()
}

fn message(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::System(text) => json!({"role": "system", "content": text}),
        ChatMessage::User(text) => json!({"role": "user", "content": text}),
        ChatMessage::UserWithImages { text, images } => {
            let words = json!({"type": "text", "text": text});
            let images = images
                .iter()
                .map(|image| json!({"type": "image_url", "image_url": {"url": image.data_url()}}));
            let parts: Vec<Value> = std::iter::once(words).chain(images).collect();
            json!({"role": "user", "content": parts})
        }
        ChatMessage::ToolResult { call_id, text } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": text})
        }
        ChatMessage::Assistant {
            text,
            reasoning,
            tool_calls,
        } => {
            let mut message = json!({"role": "assistant", "content": text});
            if !tool_calls.is_empty() {
                message["tool_calls"] = tool_calls.iter().map(tool_call).collect();
                if text.is_empty() {
                    message["content"] = Value::Null;
                }
            }
            // DeepSeek refuses a turn with tool calls whose thinking does not come back
            // (https://api-docs.deepseek.com/guides/thinking_mode, read 2026-11-20). Only a server that
            // thinks aloud is sent this.
            if !reasoning.is_empty() {
                message["reasoning_content"] = reasoning.as_str().into();
            }
            message
        }
    }
}

fn tool_call(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}

fn tool(tool: &ToolSpec) -> Value {
    json!({"type": "function", "function": {
        "name": tool.name, "description": tool.description, "parameters": tool.parameters,
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_with_a_tool_call_is_written_as_servers_expect() {
        let request = Request {
            messages: vec![
                ChatMessage::System("Be brief.".into()),
                ChatMessage::User("What time is it?".into()),
                ChatMessage::Assistant {
                    text: String::new(),
                    reasoning: "I need the clock.".into(),
                    tool_calls: vec![ToolCall {
                        id: "c1".into(),
                        name: "clock".into(),
                        arguments: "{}".into(),
                    }],
                },
                ChatMessage::ToolResult {
                    call_id: "c1".into(),
                    text: "ten".into(),
                },
            ],
            tools: vec![ToolSpec {
                name: "clock".into(),
                description: "Tells the time.".into(),
                parameters: json!({"type": "object"}),
            }],
        };
        let written = body("m", 99, &request, Dialect::default());
        assert_eq!(
            written,
            json!({
                "model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 99,
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "What time is it?"},
                    {"role": "assistant", "content": null, "reasoning_content": "I need the clock.", "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
                    ]},
                    {"role": "tool", "tool_call_id": "c1", "content": "ten"},
                ],
                "tools": [{"type": "function", "function": {
                    "name": "clock", "description": "Tells the time.", "parameters": {"type": "object"},
                }}],
            })
        );
    }

    #[test]
    fn an_image_is_a_part_of_its_message() {
        let image = super::super::Image::of(bytes::Bytes::from_static(b"GIF89a")).unwrap();
        let asked = ChatMessage::UserWithImages {
            text: "What is this?".into(),
            images: vec![image],
        };
        let expected = json!({"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}},
        ]});
        assert_eq!(message(&asked), expected);
    }

    #[test]
    fn what_a_server_refused_is_not_said_again() {
        let learnt = Dialect::default()
            .after_refusal("Unrecognized argument: stream_options")
            .unwrap();
        let learnt = learnt
            .after_refusal("Use 'max_completion_tokens' instead.")
            .unwrap();
        assert_eq!(
            learnt.after_refusal("stream_options, max_completion_tokens"),
            None
        );
        assert_eq!(learnt.after_refusal("no such model"), None);
        let written = body("m", 99, &Request::default(), learnt);
        assert_eq!(
            written,
            json!({"model": "m", "stream": true, "messages": [], "max_completion_tokens": 99})
        );
    }
}
