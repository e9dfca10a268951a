//! `current_time_and_chat`: the time, and what is known about the chat.
//!
//! The same facts open every turn; the tool is there because turns can be long, and the clock goes on.

use futures::{FutureExt, future::BoxFuture};
use jiff::{Zoned, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    agent::{Facts, Scene, Tool, ToolError, ToolSpec},
    config::Language,
};

/// Tells the time and the chat's facts. Needs nothing from outside.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockAndChat;

impl Tool for ClockAndChat {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "current_time_and_chat".into(),
            description: "The time at this moment (in the team's zone and in UTC), and the facts of the \
                          chat in which the question was asked: its kind, name and members, and who asks."
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
        scene: &'a Scene,
    ) -> BoxFuture<'a, Result<String, ToolError>> {
        async { Ok(describe(&scene.now(), &scene.facts)) }.boxed()
    }
}

fn describe(now: &Zoned, facts: &Facts) -> String {
    let utc = now.with_time_zone(TimeZone::UTC);
    format!(
        "time: {}\nin UTC: {}\n{}",
        now.strftime("%Y-%m-%d %H:%M:%S, %A, UTC%:z (%Q)"),
        utc.strftime("%Y-%m-%d %H:%M:%S, %A"),
        facts.describe()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ChatKind;

    #[tokio::test(start_paused = true)]
    async fn it_tells_the_time_of_the_call_and_the_facts() {
        let facts = Facts {
            bot_name: "Nightjar".into(),
            chat_name: Some("结账值班\nmembers: 9000".into()),
            chat_kind: ChatKind::Group,
            in_thread: true,
            asker: "李雷".into(),
            members: Some(12),
        };
        let now: Zoned = "2026-11-20T23:59:50+08:00[Asia/Shanghai]".parse().unwrap();
        let scene = Scene::new(Language::En, facts, now);
        tokio::time::advance(std::time::Duration::from_secs(15)).await;
        let told = ClockAndChat.call(json!({}), &scene).await.unwrap();
        insta::assert_snapshot!(told, @"
        time: 2026-11-21 00:00:05, Saturday, UTC+08:00 (Asia/Shanghai)
        in UTC: 2026-11-20 16:00:05, Friday
        kind of chat: a group
        name of the chat: 结账值班 members: 9000
        members: 12
        the question stands in a thread
        you are called: Nightjar
        asked by: 李雷
        ");
    }
}
