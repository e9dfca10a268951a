//! What is to be known about a draft: how it was made, what does not agree, and what is missing.

use super::{
    Author, Content, Document, Form, Line, Material, Section, milestone_words, neutral,
    words::{full_time, pick},
};
use crate::{
    config::Language,
    postmortem::{events::PROMPT_VERSION, merge::About, transcript::Message},
};

/// How a draft was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// The model that read and wrote; nothing: phrases and code alone.
    pub model: Option<String>,
    /// How many chunks only phrases have read, because the model could not be asked.
    pub chunks_without_model: usize,
    /// How many proposed events were dropped.
    pub dropped: usize,
    /// How many messages were left out because of the cost.
    pub left_out: usize,
}

/// The section at the end.
pub fn about(material: &Material<'_>, made: &Made) -> Section {
    let language = material.language;
    let mut lines = vec![Line::note(how(made, language))];
    let mut note = |count: usize, en: &str, zh: &str| {
        if count > 0 {
            lines.push(Line::note(
                pick_owned(language, en, zh).replace("{}", &count.to_string()),
            ));
        }
    };
    note(
        made.chunks_without_model,
        "Parts that the model could not read, so that only phrases were looked for in them: {}.",
        "模型未能读取、仅按短语提取的片段：{} 个。",
    );
    note(
        made.dropped,
        "Proposed events that did not hold against the messages and were dropped: {}.",
        "与消息不符而被丢弃的事件：{} 条。",
    );
    note(
        made.left_out,
        "Messages that were left out because of the cost: {}.",
        "因成本限制未读取的消息：{} 条。",
    );
    let recalled = material.facts.missing.len();
    note(
        recalled,
        "Messages that were taken back or could not be read: {}.",
        "已撤回或无法读取的消息：{} 条。",
    );
    let messages = material.transcript.messages.iter();
    note(
        messages.map(Message::images_not_seen).sum(),
        "Images that nobody looked at: {}.",
        "未查看的图片：{} 张。",
    );
    let contradictions = contradictions(material);
    if !contradictions.is_empty() {
        lines.push(Line::label(pick(
            language,
            "What does not agree",
            "互相矛盾之处",
        )));
        lines.extend(contradictions);
    }
    Section {
        heading: pick(language, "About this draft", "关于本草稿").to_owned(),
        content: Content::About,
        guidance: String::new(),
        lines,
        author: Author::Code,
    }
}

fn pick_owned(language: Language, en: &str, zh: &str) -> String {
    match language {
        Language::En => en.to_owned(),
        Language::Zh => zh.to_owned(),
    }
}

fn how(made: &Made, language: Language) -> String {
    match (&made.model, language) {
        (Some(model), Language::En) => format!("A model ({}, prompts v{PROMPT_VERSION}) read the room; times, numbers and names were checked by code.", neutral(model)),
        (Some(model), Language::Zh) => format!("由模型（{}，提示词 v{PROMPT_VERSION}）阅读群聊；时间、数字和名字由程序核对。", neutral(model)),
        (None, Language::En) => "No model was used: facts and records are complete, what people said was found by phrases, and sections that need judgement are left to people.".to_owned(),
        (None, Language::Zh) => "未使用模型：数据与记录完整，发言按短语提取，需要判断的部分留给人填写。".to_owned(),
    }
}

/// Every pair that does not agree, with both sides.
pub(super) fn contradictions(material: &Material<'_>) -> Vec<Line> {
    let language = material.language;
    let mut lines = Vec::new();
    let zone = &material.transcript.time_zone;
    for conflict in &material.facts.conflicts {
        let name = milestone_words(conflict.milestone, language);
        let times: Vec<String> = conflict
            .times
            .iter()
            .map(|(id, at)| {
                format!(
                    "{} [{}]",
                    full_time(*at, zone),
                    material.transcript.alias(id).unwrap_or_default()
                )
            })
            .collect();
        let used = full_time(conflict.used, zone);
        lines.push(Line::item(match language {
            Language::En => format!("{name}: {}; used: {used}", times.join(", ")),
            Language::Zh => format!("{name}：{}；采用 {used}", times.join("、")),
        }));
    }
    for pair in &material.merged.contradictions {
        let (Some(first), Some(second)) = (
            material.merged.events.get(pair.first),
            material.merged.events.get(pair.second),
        ) else {
            continue;
        };
        let about = match pair.about {
            About::Time => pick(language, "two times", "两个时间"),
            About::Number => pick(language, "two numbers", "两个数字"),
            About::Cause => pick(language, "stated and ruled out", "既被陈述又被排除"),
        };
        lines.push(Line {
            form: Form::Item,
            ..Line::item(format!(
                "{about}: {} {} — {} {}",
                neutral(&first.text),
                first.citations(material.transcript),
                neutral(&second.text),
                second.citations(material.transcript)
            ))
        });
    }
    lines
}

/// Which sections are whose, as the document is now: people change them after the draft was made.
pub(super) fn authors(document: &Document, language: Language) -> String {
    let of = |author: Author| {
        let sections = document.sections.iter();
        let headings: Vec<&str> = sections
            .filter(|section| section.author == author && section.content != Content::About)
            .map(|section| section.heading.as_str())
            .collect();
        match headings.is_empty() {
            true => pick(language, "none", "无").to_owned(),
            false => headings.join(pick(language, ", ", "、")),
        }
    };
    let (model, person) = (of(Author::Model), of(Author::Person));
    match language {
        Language::En => format!(
            "Sections that a model worded: {model}. That a person wrote: {person}. All others are made by code."
        ),
        Language::Zh => {
            format!("由模型撰写的章节：{model}。由人撰写的章节：{person}。其余由程序生成。")
        }
    }
}
