//! What `POST /sandbox/model` tells the model to say, and which reply is used for which request.
//!
//! Every reply is used once. When none of those left fits a request, the rules answer it; so a
//! script that has run out is not an error.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

/// How many replies one script may hold.
const REPLIES_MAX: usize = 10_000;

/// The body of `POST /sandbox/model`; it takes the place of the whole earlier script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// In the order of use. An empty list clears the script.
    pub(super) replies: VecDeque<Reply>,
}

/// One answer of the model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Reply {
    /// Only for a request whose last user message contains this; history quoted in it counts too.
    #[serde(rename = "match")]
    pub(super) matches: Option<String>,
    /// Sent before the text as `reasoning_content`, as DeepSeek and vLLM do.
    pub(super) reasoning: Option<String>,
    /// The answer. Together with a status in `fail` it is the error's message instead.
    pub(super) text: Option<String>,
    /// Sent after the text; they make the finish reason `tool_calls`.
    pub(super) tool_calls: Vec<ToolCall>,
    /// How fast the reply is written; 100 when left out.
    pub(super) tokens_per_second: Option<f64>,
    /// How long the model thinks before its first token; 200 ms when left out.
    pub(super) first_token_ms: Option<u64>,
    /// What goes wrong.
    pub(super) fail: Option<Fail>,
    /// After everything above nothing more comes, until the client goes away.
    pub(super) hang: bool,
    /// Said instead of `stop` or `tool_calls`, for example `length` or `content_filter`.
    pub(super) finish_reason: Option<String>,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCall {
    /// The function's name; it is not checked against the tools that were offered.
    pub(super) name: String,
    /// An object, or a string that is sent as it is (and may be broken JSON on purpose).
    #[serde(default)]
    pub(super) arguments: Value,
}

/// What goes wrong with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Fail {
    /// The request is refused with this HTTP status, 400 to 599.
    Status(u16),
    /// The text is sent, then the connection breaks without a finish reason.
    Cut,
    /// The text is sent, then an error object inside the stream, then the stream ends.
    Error,
}

impl TryFrom<Value> for Fail {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match (value.as_u64(), value.as_str()) {
            (Some(status @ 400..=599), _) => Ok(Self::Status(status as u16)),
            (_, Some("cut")) => Ok(Self::Cut),
            (_, Some("error")) => Ok(Self::Error),
            _ => Err(format!(
                "`fail` is an HTTP status from 400 to 599, \"cut\" or \"error\", not {value}"
            )),
        }
    }
}

impl ToolCall {
    /// The arguments as the text that goes over the wire.
    pub(super) fn arguments_text(&self) -> String {
        match &self.arguments {
            Value::Null => "{}".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl Script {
    /// Reads and checks a script; the error is a sentence that names the place.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let script: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| format!("at {}: {}", error.path(), error.inner()))?;
        json.end().map_err(|error| error.to_string())?;
        if script.replies.len() > REPLIES_MAX {
            return Err(format!("a script holds at most {REPLIES_MAX} replies"));
        }
        for (index, reply) in script.replies.iter().enumerate() {
            reply
                .check()
                .map_err(|problem| format!("at replies[{index}]: {problem}"))?;
        }
        Ok(script)
    }

    /// Takes out the reply for a request: the first whose `match` fits, else the first without one.
    pub(super) fn take(&mut self, last_user: &str) -> Option<Reply> {
        let fits = |reply: &Reply| {
            reply
                .matches
                .as_deref()
                .is_some_and(|part| last_user.contains(part))
        };
        let index = self.replies.iter().position(fits).or_else(|| {
            self.replies
                .iter()
                .position(|reply| reply.matches.is_none())
        })?;
        self.replies.remove(index)
    }
}

impl Reply {
    fn check(&self) -> Result<(), String> {
        let says = self.text.is_some() || self.reasoning.is_some() || !self.tool_calls.is_empty();
        if !says && self.fail.is_none() && !self.hang {
            return Err("a reply needs one of text, reasoning, tool_calls, fail or hang".into());
        }
        if self.matches.as_deref() == Some("") {
            return Err("`match` is empty: leave it out to match every request".into());
        }
        if self
            .tokens_per_second
            .is_some_and(|rate| !(0.01..=1e6).contains(&rate))
        {
            return Err("`tokens_per_second` is between 0.01 and 1000000".into());
        }
        if self.first_token_ms.is_some_and(|ms| ms > 3_600_000) {
            return Err("`first_token_ms` is at most an hour, 3600000".into());
        }
        if self.hang && self.fail.is_some() {
            return Err("a reply can hang or fail, not both".into());
        }
        match self.tool_calls.iter().find(|call| call.name.is_empty()) {
            Some(_) => Err("a tool call needs a name".into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(json: &str) -> Script {
        Script::read(json.as_bytes()).expect("a good script")
    }

    fn texts(script: &mut Script, asked: &[&str]) -> Vec<Option<String>> {
        asked
            .iter()
            .map(|asked| script.take(asked).and_then(|reply| reply.text))
            .collect()
    }

    #[test]
    fn a_reply_that_matches_goes_before_one_for_everybody_and_each_is_used_once() {
        let mut script = script(
            r#"{"replies":[{"text":"first"},{"match":"磁盘","text":"disk"},{"text":"second"},{"match":"nothing","text":"never"}]}"#,
        );
        let said = texts(&mut script, &["磁盘满了吗", "磁盘满了吗", "hi", "hi"]);
        let said: Vec<_> = said.iter().map(Option::as_deref).collect();
        assert_eq!(said, [Some("disk"), Some("first"), Some("second"), None]);
        assert_eq!(script.replies.len(), 1);
    }

    #[test]
    fn a_bad_script_is_refused_with_the_place_and_the_reason() {
        let complaint = |json: &str| Script::read(json.as_bytes()).expect_err("a bad script");
        assert!(complaint(r#"{"replies":[{"txet":"x"}]}"#).contains("replies[0]"));
        assert!(
            complaint(r#"{"replies":[{"text":"x"},{}]}"#)
                .starts_with("at replies[1]: a reply needs one of")
        );
        assert!(
            complaint(r#"{"replies":[{"fail":"often"}]}"#).contains("HTTP status from 400 to 599")
        );
        assert!(complaint(r#"{"replies":[{"fail":200}]}"#).contains("not 200"));
        assert!(
            complaint(r#"{"replies":[{"text":"x","tokens_per_second":0}]}"#)
                .contains("tokens_per_second")
        );
        assert!(complaint(r#"{"replies":[{"hang":true,"fail":"cut"}]}"#).contains("not both"));
        assert!(complaint(r#"{"replies":[{"match":"","text":"x"}]}"#).contains("leave it out"));
        assert!(complaint(r#"{"reply":[]}"#).contains("replies"));
        assert!(complaint("[1").contains("at "));
    }

    #[test]
    fn arguments_may_be_an_object_or_broken_on_purpose() {
        let script = script(
            r#"{"replies":[{"tool_calls":[{"name":"a","arguments":{"q":1}},{"name":"b","arguments":"{bro"},{"name":"c"}]}]}"#,
        );
        let sent: Vec<_> = script.replies[0]
            .tool_calls
            .iter()
            .map(ToolCall::arguments_text)
            .collect();
        assert_eq!(sent, [r#"{"q":1}"#, "{bro", "{}"]);
    }
}
