//! The card of a draft that is under way: how far it is, and a button that ends it.

use serde_json::Value;

use super::{either, title};
use crate::{
    bot::card::{
        choice::{self, Choice, Weight},
        notice::{Notice, Template},
    },
    config::Language,
    postmortem::Progress,
};

/// How far a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The room is read and frozen.
    Freezing,
    /// So many messages of it are read.
    Heard {
        /// How many.
        messages: usize,
    },
    /// So many of its images were looked at.
    Looking {
        /// How many were.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// The draft is made.
    Drafting(Progress),
}

/// The card of a draft that is under way.
#[derive(Debug)]
pub struct ProgressCard<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The language.
    pub language: Language,
    /// How far it is.
    pub stage: Stage,
    /// What the Cancel button carries.
    pub cancel: &'a Value,
}

impl ProgressCard<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        let language = self.language;
        let stage = match self.stage {
            Stage::Freezing => either(
                language,
                "1/4 Reading the history of the room…",
                "1/4 正在读取群聊记录……",
            ),
            Stage::Heard { messages } => either(
                language,
                format!("1/4 Reading the history of the room: {messages} messages…"),
                format!("1/4 正在读取群聊记录：{messages} 条消息……"),
            ),
            Stage::Looking { done, of } => either(
                language,
                format!("1/4 Looking at images: {done} of {of}"),
                format!("1/4 正在查看图片：{done} / {of} 张"),
            ),
            Stage::Drafting(Progress::Facts { messages }) => either(
                language,
                format!("1/4 {messages} messages; computing facts…"),
                format!("1/4 共 {messages} 条消息，正在计算事实……"),
            ),
            Stage::Drafting(Progress::Reading { done, of }) => either(
                language,
                format!("2/4 Reading the room: {done} of {of} parts"),
                format!("2/4 正在阅读群聊：{done} / {of} 段"),
            ),
            Stage::Drafting(Progress::Writing { done, of }) => either(
                language,
                format!("3/4 Writing: {done} of {of} sections"),
                format!("3/4 正在撰写：{done} / {of} 节"),
            ),
            Stage::Drafting(Progress::Checking) => {
                either(language, "4/4 Checking every line…", "4/4 正在逐条核对……")
            }
        };
        let mut card = Notice {
            title: Some(&title(self.number, language)),
            text: &stage,
            template: Template::Blue,
        }
        .render();
        let cancel = Choice {
            id: "cancel",
            label: either(language, "Cancel", "取消"),
            weight: Weight::Plain,
            value: self.cancel.clone(),
        };
        choice::put_under(&mut card, &[cancel]);
        card
    }
}
