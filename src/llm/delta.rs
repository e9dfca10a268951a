//! Chunks in, events out: puts an answer together. Pure, so that every oddity of every server can be
//! tried without one.
//!
//! The surprise is that `[DONE]` does not count: servers that die in the middle close the connection in
//! good order, so an answer is complete when a `finish_reason` came, and only then.

use serde_json::json;

use super::{
    Error, FinishReason, StreamEvent, ToolCall, Usage,
    chunk::{CallPiece, Chunk},
    error,
};

/// How many calls one answer may have; pieces of further ones are dropped.
const CALLS_MAX: usize = 64;

/// An answer so far.
#[derive(Debug, Default)]
pub(super) struct Delta {
    calls: Vec<OpenCall>,
    reason: Option<FinishReason>,
    usage: Option<Usage>,
    begun: bool,
}

/// A tool call whose arguments are still coming.
#[derive(Debug)]
struct OpenCall {
    index: Option<u64>,
    call: ToolCall,
}

impl Delta {
    /// Takes the next chunk and says what it brings. Tool calls come at the end, when they are complete.
    pub(super) fn push(&mut self, chunk: Chunk) -> Result<Vec<StreamEvent>, Error> {
        if let Some(error) = chunk.error {
            return Err(error::said_in_stream(&error));
        }
        if chunk.object == "error" {
            let error = json!({"message": chunk.message, "code": chunk.code});
            return Err(error::said_in_stream(&error));
        }
        self.usage = chunk.usage.or(self.usage);

        let mut events = Vec::new();
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(events);
        };
        let thinking = choice.delta.thinking();
        if !thinking.is_empty() {
            events.push(StreamEvent::Reasoning(thinking.to_owned()));
        }
        let text = choice.delta.text();
        if !text.is_empty() {
            events.push(StreamEvent::Text(text));
        }
        self.begun |= !events.is_empty() || !choice.delta.tool_calls.is_empty();
        for piece in choice.delta.tool_calls {
            self.add(piece);
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.reason = Some(read_reason(reason));
            self.begun = true;
        }
        Ok(events)
    }

    /// Whether anything of the answer has come; the first chunk often only says who speaks.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the model has said that it is done; the usage may still come.
    pub(super) fn is_complete(&self) -> bool {
        self.reason.is_some()
    }

    /// Takes the end of the stream.
    pub(super) fn finish(&mut self) -> Result<Vec<StreamEvent>, Error> {
        let mut reason = self.reason.take().ok_or(Error::BrokenOff)?;
        let calls = std::mem::take(&mut self.calls);
        // Some servers end an answer that has calls with `stop`.
        if !calls.is_empty() && reason == FinishReason::Stop {
            reason = FinishReason::ToolCalls;
        }
        let calls = calls
            .into_iter()
            .map(|open| StreamEvent::ToolCall(open.call));
        let usage = self.usage;
        Ok(calls
            .chain([StreamEvent::Finished { reason, usage }])
            .collect())
    }

    /// Adds a piece to the call that it belongs to, or begins one.
    fn add(&mut self, piece: CallPiece) {
        let arguments = piece.function.arguments();
        match self.owner_of(&piece) {
            Some(place) => {
                let call = &mut self.calls[place].call;
                if call.id.is_empty() {
                    call.id = piece.id;
                }
                // A name comes whole; a server that sends it again does not mean to lengthen it.
                if call.name.is_empty() {
                    call.name = piece.function.name;
                }
                call.arguments.push_str(&arguments);
            }
            None if self.calls.len() < CALLS_MAX => self.calls.push(OpenCall {
                index: piece.index,
                call: ToolCall {
                    id: piece.id,
                    name: piece.function.name,
                    arguments,
                },
            }),
            None => {}
        }
    }

    /// The place of the call that a piece goes on with. An index tells, where there is one; an id that is
    /// not the call's own begins another call in any case (Gemini gives all parallel calls index 0); and a
    /// piece with neither goes on with the last call, unless it brings a name.
    fn owner_of(&self, piece: &CallPiece) -> Option<usize> {
        let (id, has_id) = (&piece.id, !piece.id.is_empty());
        match piece.index {
            Some(_) => self.calls.iter().rposition(|open| {
                let same_id = !has_id || open.call.id.is_empty() || open.call.id == *id;
                open.index == piece.index && same_id
            }),
            None if has_id => self.calls.iter().rposition(|open| open.call.id == *id),
            None if piece.function.name.is_empty() => self.calls.len().checked_sub(1),
            None => None,
        }
    }
}

/// OpenAI's words first, then what servers that stand in front of other models let through.
fn read_reason(reason: String) -> FinishReason {
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "complete" => {
            FinishReason::Stop
        }
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "length" | "max_tokens" | "model_length" => FinishReason::Length,
        "content_filter" | "sensitive" | "safety" => FinishReason::ContentFilter,
        _ => FinishReason::Other(reason),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Puts chunks together, and writes down what came of it in one line per event.
    fn put_together(chunks: &[Value]) -> Vec<String> {
        let mut delta = Delta::default();
        let mut seen = Vec::new();
        let mut see = |events: Result<Vec<StreamEvent>, Error>| match events {
            Ok(events) => {
                seen.extend(events.into_iter().map(|event| match event {
                    StreamEvent::Text(text) => format!("text {text}"),
                    StreamEvent::Reasoning(text) => format!("reasoning {text}"),
                    StreamEvent::ToolCall(call) => {
                        format!("call {} {} {}", call.id, call.name, call.arguments)
                    }
                    StreamEvent::Finished { reason, usage } => match usage {
                        Some(usage) => format!(
                            "{reason:?} {}+{}",
                            usage.prompt_tokens, usage.completion_tokens
                        ),
                        None => format!("{reason:?}"),
                    },
                }));
                true
            }
            Err(error) => {
                seen.push(error.to_string());
                false
            }
        };
        for chunk in chunks {
            let chunk = serde_json::from_value(chunk.clone()).unwrap();
            if !see(delta.push(chunk)) {
                return seen;
            }
        }
        see(delta.finish());
        seen
    }

    fn check(chunks: &[Value], expected: &[&str]) {
        assert_eq!(put_together(chunks), expected);
    }

    fn piece(delta: Value) -> Value {
        json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
    }

    fn end(reason: &str) -> Value {
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    }

    fn call(call: Value) -> Value {
        piece(json!({"tool_calls": [call]}))
    }

    #[test]
    fn text_comes_as_it_is() {
        check(
            &[
                piece(json!({"role": "assistant", "content": ""})),
                piece(json!({"content": "慢"})),
                piece(json!({"content": "了。"})),
                end("stop"),
                json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}}),
            ],
            &["text 慢", "text 了。", "Stop 7+2"],
        );
    }

    #[test]
    fn thinking_is_told_apart_under_both_its_names() {
        check(
            &[
                piece(json!({"reasoning_content": "hm", "content": null})),
                piece(json!({"reasoning": "so"})),
                piece(json!({"reasoning": "both", "reasoning_content": "both"})),
                piece(json!({"content": "Yes."})),
                end("stop"),
            ],
            &[
                "reasoning hm",
                "reasoning so",
                "reasoning both",
                "text Yes.",
                "Stop",
            ],
        );
    }

    #[test]
    fn parallel_calls_are_put_together_by_index() {
        check(
            &[
                call(
                    json!({"index": 0, "id": "a", "type": "function", "function": {"name": "logs", "arguments": ""}}),
                ),
                call(
                    json!({"index": 1, "id": "b", "function": {"name": "metrics", "arguments": "{\"q\":"}}),
                ),
                call(json!({"index": 0, "function": {"arguments": "{\"服务\":"}})),
                call(json!({"index": 1, "id": null, "function": {"arguments": "1}"}})),
                call(
                    json!({"index": 0, "id": "", "function": {"name": "", "arguments": "\"结账\"}"}}),
                ),
                end("tool_calls"),
            ],
            &[
                "call a logs {\"服务\":\"结账\"}",
                "call b metrics {\"q\":1}",
                "ToolCalls",
            ],
        );
    }

    #[test]
    fn calls_without_an_index_are_told_apart_by_their_ids() {
        check(
            &[
                call(json!({"id": "a", "function": {"name": "logs", "arguments": "{"}})),
                call(json!({"function": {"arguments": "}"}})),
                call(json!({"id": "b", "function": {"name": "logs", "arguments": "{\"n\""}})),
                call(json!({"id": "b", "function": {"name": "logs", "arguments": ":2}"}})),
                end("stop"),
            ],
            &["call a logs {}", "call b logs {\"n\":2}", "ToolCalls"],
        );
    }

    #[test]
    fn calls_that_all_have_index_0_are_told_apart_by_their_ids() {
        check(
            &[
                call(
                    json!({"index": 0, "id": "a", "function": {"name": "logs", "arguments": "{}"}}),
                ),
                call(
                    json!({"index": 0, "id": "b", "function": {"name": "metrics", "arguments": "{}"}}),
                ),
                end("stop"),
            ],
            &["call a logs {}", "call b metrics {}", "ToolCalls"],
        );
    }

    #[test]
    fn calls_without_index_and_id_are_told_apart_by_their_names() {
        check(
            &[
                call(json!({"function": {"name": "logs", "arguments": {"q": 1}}})),
                call(json!({"function": {"name": "metrics"}})),
                end("tool_calls"),
            ],
            &["call  logs {\"q\":1}", "call  metrics ", "ToolCalls"],
        );
    }

    #[test]
    fn an_answer_without_a_finish_reason_is_broken_off() {
        check(
            &[piece(json!({"content": "The ca"}))],
            &["text The ca", "the model's answer broke off"],
        );
        check(&[], &["the model's answer broke off"]);
    }

    #[test]
    fn reasons_that_only_one_server_knows_are_kept() {
        check(
            &[end("insufficient_system_resource")],
            &["Other(\"insufficient_system_resource\")"],
        );
        check(&[end("length")], &["Length"]);
        check(&[end("STOP")], &["Stop"]);
        check(&[end("content_filter")], &["ContentFilter"]);
    }

    #[test]
    fn an_error_inside_a_stream_ends_it() {
        let failed = "the model's server is not available: HTTP 503";
        check(
            &[
                piece(json!({"content": "The "})),
                json!({"error": {"message": "s3cret", "code": 503}}),
                end("stop"),
            ],
            &["text The ", failed],
        );
        check(
            &[json!({"object": "error", "message": "s3cret", "code": 503})],
            &[failed],
        );
        check(
            &[json!({"error": null, "choices": null}), end("stop")],
            &["Stop"],
        );
    }

    #[test]
    fn a_whole_answer_is_read_like_a_piece_of_one() {
        check(
            &[json!({
                "object": "chat.completion",
                "choices": [{"message": {"content": "Yes.", "tool_calls": null}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 1},
            })],
            &["text Yes.", "Stop 3+1"],
        );
    }

    #[test]
    fn odd_fields_do_not_cost_the_answer() {
        check(
            &[
                json!({"choices": "none", "usage": "free"}),
                piece(
                    json!({"content": [{"type": "text", "text": "A"}, {"type": "image"}], "tool_calls": 7}),
                ),
                piece(json!({"content": {"x": 1}, "refusal": "No."})),
                json!({"choices": [{"delta": [], "finish_reason": ["stop"]}]}),
                end(""),
                end("stop"),
            ],
            &["text A", "text No.", "Stop"],
        );
    }

    /// Any JSON, made mostly of the words that chunks are made of.
    fn any_json() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec![
            "choices",
            "delta",
            "message",
            "content",
            "tool_calls",
            "function",
            "arguments",
            "name",
            "id",
            "index",
            "finish_reason",
            "usage",
            "prompt_tokens",
            "error",
            "object",
            "code",
            "type",
            "reasoning",
            "stop",
            "",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            word.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(word.clone().prop_map(str::to_owned), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic(values in prop::collection::vec(any_json(), 0..6)) {
            let mut delta = Delta::default();
            for value in values {
                // Bare, and where the interesting fields are.
                for value in [value.clone(), piece(value.clone()), call(value)] {
                    if let Ok(chunk) = serde_json::from_value(value) {
                        let _ = delta.push(chunk);
                    }
                }
            }
            let _ = delta.finish();
        }
    }
}
