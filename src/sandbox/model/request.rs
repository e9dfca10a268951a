//! Reads a chat completion request, and refuses what OpenAI's own server refuses.
//!
//! The strictness is for the tool loop: a history in which a tool's result has no call before it,
//! or a call has no result, is accepted by some servers and refused by others, so a bot that
//! sends one would work in the sandbox and fail outside.

use std::collections::BTreeSet;

use serde_json::Value;

/// Why a request is refused: always HTTP 400, with OpenAI's error object.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    /// A sentence for the person who wrote the client.
    pub(super) message: String,
    /// The part of the request that is wrong, for example `messages.[2].role`.
    pub(super) param: Option<String>,
}

/// What the endpoint needs to know of a request.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// As the client named it; any name is served.
    pub(super) model: String,
    /// Whether the answer is to come as server-sent events.
    pub(super) stream: bool,
    /// Whether a last chunk with the usage is wanted.
    pub(super) include_usage: bool,
    /// After how many tokens the answer is cut, with finish reason `length`.
    pub(super) tokens_max: Option<usize>,
    /// The last message of a user, its text parts joined by newlines.
    pub(super) last_user: String,
    /// How many images stand beside it.
    pub(super) images: usize,
    /// The names of the tools that were offered; none when `tool_choice` is `none`.
    pub(super) tools: Vec<String>,
    /// What tools gave back since the last user message.
    pub(super) tool_results: Vec<String>,
    /// All text of all messages, in tokens of `wire::pieces`.
    pub(super) prompt_tokens: usize,
}

impl Asked {
    /// Reads a body, or says what is wrong with it.
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        let model = body["model"].as_str().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| refusal("you must provide a model parameter", None))?;
        let stream = flag(body, "stream")?;
        if !stream
            && body
                .get("stream_options")
                .is_some_and(|options| !options.is_null())
        {
            let message =
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(refusal(message, Some("stream_options")));
        }
        if body["n"].as_u64().is_some_and(|n| n != 1) {
            return Err(refusal(
                "This model gives one choice: 'n' must be 1.",
                Some("n"),
            ));
        }
        let mut asked = Self {
            model: model.to_owned(),
            stream,
            include_usage: body["stream_options"]["include_usage"]
                .as_bool()
                .unwrap_or(false),
            tokens_max: tokens_max(body)?,
            tools: tools(body)?,
            ..Self::default()
        };
        asked.read_messages(body)?;
        Ok(asked)
    }

    fn read_messages(&mut self, body: &Value) -> Result<(), Refusal> {
        let messages = body["messages"]
            .as_array()
            .filter(|messages| !messages.is_empty())
            .ok_or_else(|| {
                refusal(
                    "Invalid 'messages': expected an array with at least one message.",
                    Some("messages"),
                )
            })?;
        let mut open_calls = BTreeSet::new();
        for (index, message) in messages.iter().enumerate() {
            let text = content(message, index)?;
            self.prompt_tokens += super::wire::pieces(&text).count();
            match message["role"].as_str().unwrap_or_default() {
                "tool" => {
                    close_call(message, index, &mut open_calls)?;
                    self.tool_results.push(text);
                    continue;
                }
                role => check_role(role, index)?,
            }
            all_answered(&open_calls, index)?;
            open_calls = calls_of(message, index)?;
            if message["role"] == "user" {
                self.last_user = text;
                self.images = images(message, index)?;
                self.tool_results.clear();
            }
        }
        all_answered(&open_calls, messages.len() - 1)
    }
}

fn refusal(message: impl Into<String>, param: Option<&str>) -> Refusal {
    Refusal {
        message: message.into(),
        param: param.map(str::to_owned),
    }
}

fn at(index: usize, field: &str) -> String {
    format!("messages.[{index}].{field}")
}

/// A boolean that may be missing or null.
fn flag(body: &Value, name: &str) -> Result<bool, Refusal> {
    match &body[name] {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        other => Err(refusal(
            format!("Invalid type for '{name}': expected a boolean, but got {other}."),
            Some(name),
        )),
    }
}

/// Either of the two names that the limit has had.
fn tokens_max(body: &Value) -> Result<Option<usize>, Refusal> {
    for name in ["max_completion_tokens", "max_tokens"] {
        match &body[name] {
            Value::Null => {}
            value => match value.as_u64() {
                Some(limit @ 1..) => return Ok(usize::try_from(limit).ok()),
                _ => {
                    return Err(refusal(
                        format!("Invalid '{name}': expected an integer above 0."),
                        Some(name),
                    ));
                }
            },
        }
    }
    Ok(None)
}

/// The names of the offered tools; every one is checked, also when none may be called.
fn tools(body: &Value) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for (index, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        let name = tool["function"]["name"].as_str().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if tool["type"] != "function"
            || name.is_empty()
            || name.len() > 64
            || !name.chars().all(plain)
        {
            let message = "Invalid tool: expected {\"type\":\"function\",\"function\":{\"name\":…}} with a name \
                           that matches ^[a-zA-Z0-9_-]{1,64}$.";
            return Err(refusal(
                message,
                Some(&format!("tools[{index}].function.name")),
            ));
        }
        names.push(name.to_owned());
    }
    if body["tool_choice"] == "none" {
        names.clear();
    }
    Ok(names)
}

/// A message's text; other parts (pictures) count for nothing here.
fn content(message: &Value, index: usize) -> Result<String, Refusal> {
    match &message["content"] {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect();
            Ok(texts.join("\n"))
        }
        Value::Null if message["role"] == "assistant" => Ok(String::new()),
        other => Err(refusal(
            format!(
                "Invalid value for 'content': expected a string, got {}.",
                kind(other)
            ),
            Some(&at(index, "content")),
        )),
    }
}

/// How many images a message has. A reference to nothing that could be one is refused.
fn images(message: &Value, index: usize) -> Result<usize, Refusal> {
    let mut images = 0;
    for part in message["content"].as_array().into_iter().flatten() {
        match part["type"].as_str() {
            Some("text") => {}
            Some("image_url") => {
                let url = part["image_url"]["url"].as_str().unwrap_or_default();
                let is_data = url.starts_with("data:image/") && url.contains(";base64,");
                if !is_data && !url.starts_with("http") {
                    let message = "Invalid image: expected a URL or a data URL of an image.";
                    return Err(refusal(message, Some(&at(index, "content"))));
                }
                images += 1;
            }
            _ => {
                let message = "Invalid part: supported types are 'text' and 'image_url'.";
                return Err(refusal(message, Some(&at(index, "content"))));
            }
        }
    }
    Ok(images)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn check_role(role: &str, index: usize) -> Result<(), Refusal> {
    if matches!(role, "system" | "developer" | "user" | "assistant") {
        return Ok(());
    }
    let message = format!(
        "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'."
    );
    Err(refusal(message, Some(&at(index, "role"))))
}

/// The ids of the calls that a message makes.
fn calls_of(message: &Value, index: usize) -> Result<BTreeSet<String>, Refusal> {
    let mut ids = BTreeSet::new();
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let whole =
            call["function"]["name"].is_string() && call["function"]["arguments"].is_string();
        match call["id"].as_str() {
            Some(id) if whole => ids.insert(id.to_owned()),
            _ => {
                let message = "Invalid tool call: expected an id, and a function with a name and arguments \
                               that are strings.";
                return Err(refusal(message, Some(&at(index, "tool_calls"))));
            }
        };
    }
    Ok(ids)
}

/// Takes note of a tool's result, which must belong to a call right before it.
fn close_call(
    message: &Value,
    index: usize,
    open_calls: &mut BTreeSet<String>,
) -> Result<(), Refusal> {
    let id = message["tool_call_id"].as_str().unwrap_or_default();
    if open_calls.remove(id) {
        return Ok(());
    }
    // The spelling is OpenAI's own, since people search for it.
    let message = format!(
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with \
         'tool_calls'. There is no open call with the id '{id}'."
    );
    Err(refusal(message, Some(&at(index, "role"))))
}

fn all_answered(open_calls: &BTreeSet<String>, index: usize) -> Result<(), Refusal> {
    if open_calls.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = open_calls.iter().map(String::as_str).collect();
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
         'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        ids.join(", ")
    );
    Err(refusal(message, Some(&at(index, "role"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(messages: Value) -> Result<Asked, Refusal> {
        Asked::read(&json!({"model": "any", "messages": messages}))
    }

    fn call(id: &str) -> Value {
        json!({"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}})
    }

    #[test]
    fn the_last_user_message_and_what_tools_said_since_are_found() {
        let asked = read(json!([
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]},
            {"role": "tool", "tool_call_id": "b", "content": "from b"},
            {"role": "tool", "tool_call_id": "a", "content": "from a"},
        ]))
        .expect("a good request");
        assert_eq!(asked.last_user, "one\ntwo");
        assert_eq!(asked.tool_results, ["from b", "from a"]);
        assert!(asked.prompt_tokens >= 6);
    }

    #[test]
    fn images_are_counted_and_have_to_be_some() {
        let url = |url: &str| {
            json!([{"role": "user", "content": [
            {"type": "text", "text": "this?"}, {"type": "image_url", "image_url": {"url": url}}]}])
        };
        let asked = read(url("data:image/png;base64,AAAA")).expect("a good request");
        assert_eq!((asked.images, asked.last_user.as_str()), (1, "this?"));
        assert!(read(url("img_v3_a")).is_err());
    }

    #[test]
    fn a_tool_result_without_its_call_is_refused() {
        let refused = read(json!([
            {"role": "user", "content": "hi"},
            {"role": "tool", "tool_call_id": "lost", "content": "x"},
        ]))
        .expect_err("an orphan");
        assert!(
            refused.message.contains("no open call with the id 'lost'"),
            "{refused:?}"
        );
        assert_eq!(refused.param.as_deref(), Some("messages.[1].role"));
    }

    #[test]
    fn a_call_without_its_result_is_refused() {
        let refused = read(json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "", "tool_calls": [call("a"), call("b")]},
            {"role": "tool", "tool_call_id": "a", "content": "x"},
            {"role": "user", "content": "and?"},
        ]))
        .expect_err("an unanswered call");
        assert!(
            refused
                .message
                .ends_with("did not have response messages: b"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_request_that_makes_no_sense_is_refused_with_the_place() {
        let param = |body: Value| {
            Asked::read(&body)
                .expect_err("a bad request")
                .param
                .unwrap_or_default()
        };
        let hi = json!([{"role": "user", "content": "hi"}]);
        assert_eq!(param(json!({"messages": hi})), "");
        assert_eq!(param(json!({"model": "m", "messages": []})), "messages");
        assert_eq!(
            param(json!({"model": "m", "messages": [{"role": "bot", "content": ""}]})),
            "messages.[0].role"
        );
        assert_eq!(
            param(json!({"model": "m", "messages": [{"role": "user"}]})),
            "messages.[0].content"
        );
        assert_eq!(
            param(json!({"model": "m", "messages": hi, "stream": "yes"})),
            "stream"
        );
        assert_eq!(
            param(json!({"model": "m", "messages": hi, "max_tokens": 0})),
            "max_tokens"
        );
        assert_eq!(
            param(json!({"model": "m", "messages": hi, "stream_options": {"include_usage": true}})),
            "stream_options"
        );
        assert_eq!(
            param(
                json!({"model": "m", "messages": hi, "tools": [{"type": "function", "function": {"name": "a b"}}]})
            ),
            "tools[0].function.name"
        );
    }
}
