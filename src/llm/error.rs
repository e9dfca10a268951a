//! What can go wrong between us and the model, told apart by what to do next.
//!
//! No message here repeats what the server wrote: servers quote keys and prompts in their errors. What
//! may be shown of it is a code, and only when it looks like one.

use std::{fmt, time::Duration};

use serde_json::Value;

/// What can go wrong between us and the model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is missing, wrong, or not allowed to do this. An administrator must act.
    #[error("the model's server does not accept our key ({0}): check model.api_key")]
    Unauthorized(Refusal),
    /// The server understood and said no. Asking again will not help.
    #[error("the model's server refused the request ({0})")]
    Refused(Refusal),
    /// We ask too often. Wait, then ask again.
    #[error("the model's server asks us to slow down")]
    TooFast {
        /// How long, where the server says so.
        wait: Option<Duration>,
    },
    /// The conversation is too long for this model. Trim it, then ask again.
    #[error("the conversation is too long for the model")]
    ContextTooLong,
    /// The server cannot be reached, or has trouble of its own. Ask again later.
    #[error("the model's server is not available: {0}")]
    Unreachable(String),
    /// The server took the request and then said nothing for this long.
    #[error("the model said nothing for {0:?}")]
    NoFirstToken(Duration),
    /// The answer began, and then paused for this long.
    #[error("the model's answer stood still for {0:?}")]
    Stalled(Duration),
    /// The answer ended before its end.
    #[error("the model's answer broke off")]
    BrokenOff,
    /// What came is not an answer. Most often `model.base_url` is not the address of such a server.
    #[error("the model's server sent something that is not an answer: {0}")]
    Garbled(String),
}

impl Error {
    /// Whether the same request may well succeed in a moment. A silent server is not among these: whoever
    /// waited for it once should not have to do so twice.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::TooFast { .. } | Self::Unreachable(_) | Self::BrokenOff
        )
    }
}

/// Why a model cannot be asked at all, told before anything is. An administrator must act.
#[derive(Debug, thiserror::Error)]
#[error("the model cannot be asked: {0}")]
pub struct SetupError(pub(super) String);

/// What a server said when it refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status; 200 where the refusal came inside a stream.
    pub status: u16,
    /// The server's own code, such as `model_not_found`.
    pub code: Option<String>,
    /// The server's own words, at most 4 KiB. They may hold anything, so neither `Display` nor `Debug`
    /// shows them; never log them.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        match &self.code {
            Some(code) => write!(f, ", {code}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}

/// What to do about an HTTP answer that is not a success.
pub(super) fn said_by_http(status: u16, wait: Option<Duration>, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body).into_owned();
    let said: Value = serde_json::from_slice(body).unwrap_or(Value::String(text));
    judge(status, wait, &said)
}

/// What to do about an error that came inside a stream, where there is no status to go by.
pub(super) fn said_in_stream(said: &Value) -> Error {
    let code = &said["code"];
    let code = code.as_u64().or_else(|| code.as_str()?.parse().ok());
    let status = code.and_then(|code| u16::try_from(code).ok());
    let status = status.filter(|code| (400..600).contains(code));
    judge(status.unwrap_or(200), None, said)
}

fn judge(status: u16, wait: Option<Duration>, said: &Value) -> Error {
    // Seen: {"error":{…}}, {"error":"…"}, {"message":…,"code":…}, {"detail":…}, and no JSON at all.
    let inner = if said["error"].is_null() {
        said
    } else {
        &said["error"]
    };
    let words = [inner, &inner["message"], &inner["detail"]]
        .into_iter()
        .find_map(Value::as_str)
        .map_or_else(|| inner.to_string(), str::to_owned);
    let code = name_in(&inner["code"])
        // Some servers repeat the status here.
        .filter(|code| *code != status.to_string())
        .or_else(|| name_in(&inner["type"]));
    let is = |part: &str| code.as_deref().is_some_and(|code| code.contains(part));
    let lower = words.to_lowercase();

    let too_long = status == 413
        || is("context_length")
        || is("exceed_context_size")
        || TOO_LONG.iter().any(|phrase| lower.contains(phrase));
    let no_money = is("insufficient_quota") || is("billing");
    let too_fast = status == 429 || is("rate_limit");
    let no_key = matches!(status, 401 | 403) || is("invalid_api_key") || is("authentication");
    let trouble = matches!(status, 408 | 425 | 500..)
        || is("server_error")
        || is("overloaded")
        || is("unavailable");

    let refusal = || Refusal {
        status,
        code: code.clone(),
        message: words.clone(),
    };
    match () {
        () if no_key => Error::Unauthorized(refusal()),
        // An empty account is told with 429 as well, but waiting does not fill it.
        () if no_money => Error::Refused(refusal()),
        () if too_fast => Error::TooFast { wait },
        () if too_long => Error::ContextTooLong,
        () if trouble => Error::Unreachable(refusal().to_string()),
        () => Error::Refused(refusal()),
    }
}

/// How servers say that a conversation is too long: OpenAI and vLLM; llama.cpp; Qwen; Anthropic behind a
/// proxy; others.
const TOO_LONG: [&str; 6] = [
    "maximum context length",
    "context size",
    "range of input length",
    "prompt is too long",
    "context window",
    "context_length_exceeded",
];

/// A code that may be shown: a short word of a machine, or a number.
fn name_in(value: &Value) -> Option<String> {
    let name = match value {
        Value::String(name) => name.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    // A key is longer than any code, and begins in this way.
    let harmless =
        (1..=48).contains(&name.len()) && name.chars().all(is_name) && !name.starts_with("sk-");
    harmless.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: &str) {
        let error = said_by_http(status, Some(Duration::from_secs(7)), body.as_bytes());
        assert_eq!(format!("{error:?}"), expected, "{status} {body}");
    }

    #[test]
    fn refusals_of_many_servers_are_told_apart() {
        check(
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abc","code":"invalid_api_key"}}"#,
            "Unauthorized(Refusal(HTTP 401, invalid_api_key))",
        );
        check(403, "<html>no</html>", "Unauthorized(Refusal(HTTP 403))");
        check(
            404,
            r#"{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}"#,
            "Refused(Refusal(HTTP 404, model_not_found))",
        );
        check(
            402,
            r#"{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}"#,
            "Refused(Refusal(HTTP 402, invalid_request_error))",
        );
        check(429, "<html>slow down</html>", "TooFast { wait: Some(7s) }");
        check(
            429,
            r#"{"error":{"message":"limit","code":1302}}"#,
            "TooFast { wait: Some(7s) }",
        );
        check(
            429,
            r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
            "Refused(Refusal(HTTP 429, insufficient_quota))",
        );
        check(
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#,
            "ContextTooLong",
        );
        check(
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}"#,
            "ContextTooLong",
        );
        check(
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            "ContextTooLong",
        );
        check(
            400,
            r#"{"code":"InvalidParameter","message":"Range of input length should be [1, 30720]"}"#,
            "ContextTooLong",
        );
        check(503, "upstream connect error", "Unreachable(\"HTTP 503\")");
        check(
            422,
            r#"{"detail":[{"loc":["body","x"],"msg":"extra"}]}"#,
            "Refused(Refusal(HTTP 422))",
        );
        check(302, "", "Refused(Refusal(HTTP 302))");
    }

    #[test]
    fn an_error_inside_a_stream_is_told_by_its_code() {
        let check = |said: Value, expected: &str| {
            assert_eq!(format!("{:?}", said_in_stream(&said)), expected);
        };
        check(
            serde_json::json!({"message": "x", "code": 429}),
            "TooFast { wait: None }",
        );
        check(
            serde_json::json!({"message": "x", "code": "502"}),
            "Unreachable(\"HTTP 502\")",
        );
        check(
            serde_json::json!({"message": "x", "type": "server_error"}),
            "Unreachable(\"HTTP 200, server_error\")",
        );
        check(serde_json::json!("boom"), "Refused(Refusal(HTTP 200))");
    }

    #[test]
    fn no_message_repeats_what_the_server_wrote() {
        for body in [
            r#"{"error":{"message":"bad key hunter2","code":"sk-hunter2"}}"#,
            r#"{"error":{"message":"hunter2","code":"the key hunter2 is wrong"}}"#,
            "hunter2",
        ] {
            for status in [400, 401, 413, 429, 503] {
                let error = said_by_http(status, None, body.as_bytes());
                assert!(
                    !format!("{error} {error:?}").contains("hunter2"),
                    "{error:?}"
                );
            }
        }
    }
}
