//! Templates: which sections a report has, and what belongs into each.
//!
//! A team's own template is Markdown: a line with `##` is a heading, quoted lines under it are its guidance.
//! What a heading means is told by its words, in English or Chinese; one that nobody knows is written from
//! its guidance.

use serde::{Deserialize, Serialize};

use crate::config::{Language, TemplateHeading, parse_template};

/// The sections of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What it is called.
    pub name: String,
    /// In this order.
    pub sections: Vec<TemplateSection>,
}

/// A section, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSection {
    /// Its heading.
    pub heading: String,
    /// What belongs into it, in the words of whoever made the template.
    pub guidance: String,
    /// What that means.
    pub content: Content,
}

/// What a section is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Key times and metrics, by code.
    KeyFacts,
    /// What happened, in a few sentences.
    Summary,
    /// Who was hurt.
    Impact,
    /// What happened when, by code.
    Timeline,
    /// How it was noticed.
    Detection,
    /// Who did what.
    Response,
    /// What set it off.
    Trigger,
    /// Why it happened, what was supposed and what was ruled out.
    Causes,
    /// What was supposed and ruled out.
    Refuted,
    /// Who was told what, and when, by code.
    Communication,
    /// What helped and what did not.
    Mitigation,
    /// What went well, badly, and by luck.
    WentHow,
    /// What is to be done, by code.
    ActionItems,
    /// What is to be learnt.
    Lessons,
    /// What nobody knows.
    Questions,
    /// What people outside of the company may read. A person reviews it first.
    Outside,
    /// Who was there and which commands they wrote, by code.
    Appendix,
    /// Whatever its guidance says.
    Free,
    /// What is to be known about the draft, by code.
    About,
}

impl Content {
    /// Whether only code writes it.
    pub fn is_codes_own(self) -> bool {
        matches!(
            self,
            Self::KeyFacts
                | Self::Timeline
                | Self::ActionItems
                | Self::Questions
                | Self::Refuted
                | Self::Communication
                | Self::Appendix
                | Self::About
        )
    }
}

const DEFAULT_EN: &str = include_str!("../../../prompts/postmortem/default.en.md");
const DEFAULT_ZH: &str = include_str!("../../../prompts/postmortem/default.zh.md");
const FULL_EN: &str = include_str!("../../../prompts/postmortem/full.en.md");
const FULL_ZH: &str = include_str!("../../../prompts/postmortem/full.zh.md");

impl Template {
    /// One that comes with the program: `default` or `full`.
    pub fn built_in(name: &str, language: Language) -> Option<Self> {
        let text = match (name, language) {
            ("default", Language::En) => DEFAULT_EN,
            ("default", Language::Zh) => DEFAULT_ZH,
            ("full", Language::En) => FULL_EN,
            ("full", Language::Zh) => FULL_ZH,
            _ => return None,
        };
        Self::parse(name, text).ok()
    }

    /// Tells by its headings what each section means.
    pub(super) fn of(name: &str, headings: Vec<TemplateHeading>) -> Self {
        let sections = headings.into_iter().map(|one| TemplateSection {
            content: meaning(&one.heading),
            heading: one.heading,
            guidance: one.guidance,
        });
        Self {
            name: name.to_owned(),
            sections: sections.collect(),
        }
    }

    /// Reads a team's own template.
    pub fn parse(name: &str, markdown: &str) -> Result<Self, String> {
        parse_template(markdown).map(|headings| Self::of(name, headings))
    }
}

/// Words of headings, the more telling first.
const MEANINGS: &[(Content, &[&str])] = &[
    (
        Content::Outside,
        &[
            "people outside",
            "external summary",
            "external version",
            "public statement",
            "对外说明",
            "对外版本",
            "对外公告",
        ],
    ),
    (
        Content::Timeline,
        &["timeline", "chronolog", "时间线", "时间轴", "经过"],
    ),
    (
        Content::ActionItems,
        &[
            "action",
            "follow-up",
            "to do",
            "todo",
            "改进",
            "行动",
            "措施",
            "待办",
            "整改",
        ],
    ),
    (
        Content::Refuted,
        &["ruled out", "refuted", "hypothes", "排除", "假设"],
    ),
    (Content::Trigger, &["trigger", "触发", "诱因"]),
    (
        Content::Causes,
        &["cause", "contributing", "why", "原因", "根因"],
    ),
    (Content::Impact, &["impact", "影响"]),
    (
        Content::Summary,
        &[
            "summary",
            "overview",
            "what happened",
            "概述",
            "摘要",
            "总结",
            "概要",
        ],
    ),
    (Content::Detection, &["detect", "发现", "检测"]),
    (
        Content::Mitigation,
        &["mitigat", "recover", "resolution", "缓解", "止损", "恢复"],
    ),
    (
        Content::Response,
        &["response", "responders", "响应", "处理过程", "处置"],
    ),
    (
        Content::WentHow,
        &[
            "went well",
            "went wrong",
            "went badly",
            "lucky",
            "做得好",
            "做得",
        ],
    ),
    (
        Content::Communication,
        &["communicat", "who was told", "沟通", "通报"],
    ),
    (
        Content::Appendix,
        &["appendix", "participants", "附录", "参与者"],
    ),
    (Content::Lessons, &["lesson", "learn", "经验", "教训"]),
    (
        Content::Questions,
        &[
            "question",
            "unknown",
            "contradiction",
            "疑问",
            "待确认",
            "未解",
        ],
    ),
];

fn meaning(heading: &str) -> Content {
    let heading = heading.to_lowercase();
    let found = MEANINGS
        .iter()
        .find(|(_, words)| words.iter().any(|word| heading.contains(word)));
    found.map_or(Content::Free, |(content, _)| *content)
}
