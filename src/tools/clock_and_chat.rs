//! `current_time_and_chat`: the time, and what is known about the chat.
//!
//! The same facts open every turn; the tool is there because turns can be long, and the clock goes on.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::{
    agent::{Scene, Tool, ToolError, ToolSpec},
    config::Language,
};

/// Tells the time and the chat's facts. Needs nothing from outside.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockAndChat;

impl Tool for ClockAndChat {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "current_time_and_chat".into(),
            description:
                "The time now (in the team's zone and in UTC), and the facts of the chat in \
                          which the question was asked: its name, kind, members, and who asks."
                    .into(),
            parameters: json!({"type": "object", "properties": {}, "additionalProperties": false}),
        }
    }

    fn title(&self, language: Language, _arguments: &Value) -> String {
        match language {
            Language::En => "Look at the clock and the chat".into(),
            Language::Zh => "查看时间与会话信息".into(),
        }
    }

    fn call<'a>(
        &'a self,
        _arguments: Value,
        _scene: &'a Scene,
    ) -> BoxFuture<'a, Result<String, ToolError>> {
        unimplemented!()
    }
}
