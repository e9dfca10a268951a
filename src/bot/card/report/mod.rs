//! The cards of a report: how far a draft is, the draft itself, and what is left of a card that is over.

pub mod form;

use serde_json::{Value, json};

use super::{
    CARD_BYTES_MAX,
    choice::{self, Choice, Weight},
    grey, markdown,
    notice::{Notice, Template},
    shorten, size_bytes, small_markdown,
};
use crate::{
    bot::markdown::{TABLES_MAX, escape, split, to_dialect},
    config::Language,
    postmortem::{Progress, asking::Cost},
};

/// How many sections have buttons; a card has no room for those of forty.
const WITH_BUTTONS_MAX: usize = 16;
/// How many bytes of a section are shown at first and at least.
const SECTION_BYTES: usize = 4000;
const SECTION_BYTES_MIN: usize = 300;

/// One of two texts.
fn either(language: Language, english: impl Into<String>, chinese: impl Into<String>) -> String {
    match language {
        Language::En => english.into(),
        Language::Zh => chinese.into(),
    }
}

fn title(number: u32, language: Language) -> String {
    either(
        language,
        format!("Post-mortem of #{number}"),
        format!("故障 #{number} 复盘报告"),
    )
}

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

/// Why a card is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over<'a> {
    /// A newer one shows the report.
    Replaced,
    /// Somebody cancelled it. The name is escaped already.
    Cancelled(&'a str),
    /// It could not be made.
    Failed,
}

/// What is left of a card that is over.
#[derive(Debug, Clone, Copy)]
pub struct Small<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The language.
    pub language: Language,
    /// Why.
    pub why: Over<'a>,
}

impl Small<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        let text = match self.why {
            Over::Replaced => either(
                self.language,
                "There is a newer card of this report below.",
                "下方有这份报告的新卡片。",
            ),
            Over::Cancelled(name) => either(
                self.language,
                format!("{name} cancelled this draft."),
                format!("{name} 取消了起草。"),
            ),
            Over::Failed => either(
                self.language,
                "This draft could not be made. Send `/postmortem` to try again.",
                "起草失败。发送 `/复盘` 重试。",
            ),
        };
        Notice {
            title: Some(&title(self.number, self.language)),
            text: &text,
            template: Template::Grey,
        }
        .render()
    }
}

/// A section as a card shows it. Without a value there is no such button.
#[derive(Debug, Clone, Default)]
pub struct SectionView {
    /// Its heading. Any text; it is escaped here.
    pub heading: String,
    /// Its text, as Markdown.
    pub text: String,
    /// Whether it is the summary, which stands first and open.
    pub is_summary: bool,
    /// Whether a person wrote it.
    pub is_by_person: bool,
    /// Whether it is locked.
    pub is_locked: bool,
    /// What the Edit button carries.
    pub edit: Option<Value>,
    /// What the Lock button carries.
    pub lock: Option<Value>,
    /// What the button carries that has it written anew.
    pub again: Option<Value>,
    /// What the button carries that corrects times.
    pub correct: Option<Value>,
}

/// The card of a draft.
#[derive(Debug)]
pub struct DraftCard<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The incident's title. Any text; it is escaped here.
    pub title: &'a str,
    /// The language of the report.
    pub language: Language,
    /// Which version it is.
    pub version: u32,
    /// Who asked for it or changed it; escaped already.
    pub by: &'a str,
    /// Its sections in their order.
    pub sections: &'a [SectionView],
    /// How many checks passed, are worth a look, and failed.
    pub counts: [u32; 3],
    /// What they found; escaped already.
    pub checks: Vec<String>,
    /// How many lines were taken out.
    pub removed: u32,
    /// Which sources changed since.
    pub changed: Vec<String>,
    /// The model that was asked, if any was.
    pub model: Option<&'a str>,
    /// What the draft cost.
    pub cost: Cost,
    /// How long it took.
    pub seconds: u64,
    /// Who published it, escaped already, and with how many open points.
    pub published: Option<(String, u32)>,
    /// What the Publish button carries.
    pub publish: Option<Value>,
    /// What the button carries that makes a new draft.
    pub redraft: Option<Value>,
    /// What the Reopen button carries.
    pub reopen: Option<Value>,
}

impl DraftCard<'_> {
    /// The whole card, JSON 2.0, at most [`CARD_BYTES_MAX`] bytes: sections are cut as far as it takes, and
    /// say so. The file has all of them.
    pub fn render(&self) -> Value {
        let mut bytes = SECTION_BYTES;
        loop {
            let card = self.with_sections_of(bytes);
            if size_bytes(&card) <= CARD_BYTES_MAX || bytes <= SECTION_BYTES_MIN {
                return card;
            }
            bytes = bytes * 3 / 4;
        }
    }

    fn with_sections_of(&self, bytes: usize) -> Value {
        let mut elements = vec![markdown("state", &self.state())];
        for (at, one) in self.changed.iter().take(10).enumerate() {
            let text = format!("<font color='orange'>{}</font>", escape(one));
            elements.push(markdown(&format!("changed{at}"), &text));
        }
        let summary = self.sections.iter().position(|section| section.is_summary);
        let rest = (0..self.sections.len()).filter(|place| Some(*place) != summary);
        for place in summary.into_iter().chain(rest) {
            elements.push(self.panel(place, bytes));
        }
        elements.push(self.checks());
        elements.push(small_markdown("cost", &grey(&escape(&self.cost()))));
        let template = match self.published {
            Some(_) => "green",
            None => "blue",
        };
        let title = format!("{} · {}", title(self.number, self.language), self.title);
        let mut card = json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": shorten(&title, 60)}},
            "header": {
                "title": {"tag": "plain_text", "content": shorten(&title, 100)},
                "template": template,
            },
            "body": {"elements": elements},
        });
        choice::put_under(&mut card, &self.choices());
        card
    }

    fn state(&self) -> String {
        let (version, by, language) = (self.version, self.by, self.language);
        match &self.published {
            None => either(
                language,
                format!("**Draft**, version {version}, by {by}"),
                format!("**草稿**，第 {version} 版，{by}"),
            ),
            Some((name, 0)) => either(
                language,
                format!("**Published** by {name}, version {version}"),
                format!("**已发布**，第 {version} 版，发布人 {name}"),
            ),
            Some((name, failures)) => either(
                language,
                format!("**Published** by {name}, version {version}, with open points: {failures}"),
                format!("**已发布**，第 {version} 版，发布人 {name}，遗留 {failures} 项"),
            ),
        }
    }

    fn panel(&self, place: usize, bytes: usize) -> Value {
        let language = self.language;
        let section = &self.sections[place];
        let dialect = to_dialect(&section.text);
        let parts = split(&dialect, bytes, TABLES_MAX);
        let mut text = parts.first().cloned().unwrap_or_default();
        if parts.len() > 1 {
            let more = either(language, "… (the file has the rest)", "……（其余见文件）");
            text = format!("{text}\n{}", grey(&more));
        }
        let mut heading = format!("**{}**", escape(&section.heading));
        if section.is_by_person {
            heading.push_str(&either(language, " · by a person", " · 人工撰写"));
        }
        if section.is_locked {
            heading.push_str(&either(language, " · locked", " · 已锁定"));
        }
        let mut elements = vec![markdown(&format!("text{place}"), &text)];
        if place < WITH_BUTTONS_MAX {
            elements.extend(self.buttons(place));
        }
        json!({
            "tag": "collapsible_panel",
            "element_id": format!("section{place}"),
            "expanded": section.is_summary,
            "header": {"title": {"tag": "markdown", "content": heading}},
            "elements": elements,
        })
    }

    fn buttons(&self, place: usize) -> Option<Value> {
        let language = self.language;
        let section = &self.sections[place];
        let lock = match section.is_locked {
            true => either(language, "Unlock", "解锁"),
            false => either(language, "Lock", "锁定"),
        };
        let all = [
            (either(language, "Edit…", "编辑…"), &section.edit),
            (lock, &section.lock),
            (either(language, "Write anew…", "重新生成…"), &section.again),
            (
                either(language, "Correct a time…", "修正时间…"),
                &section.correct,
            ),
        ];
        let columns: Vec<Value> = all
            .iter()
            .filter_map(|(label, value)| Some((label, value.as_ref()?)))
            .map(|(label, value)| {
                let button = json!({
                    "tag": "button",
                    "size": "small",
                    "type": "default",
                    "text": {"tag": "plain_text", "content": label},
                    "behaviors": [{"type": "callback", "value": value}],
                });
                json!({"tag": "column", "width": "auto", "elements": [button]})
            })
            .collect();
        (!columns.is_empty()).then(|| {
            json!({
                "tag": "column_set",
                "flex_mode": "flow",
                "horizontal_spacing": "small",
                "columns": columns,
            })
        })
    }

    fn checks(&self) -> Value {
        let language = self.language;
        let [pass, warn, fail] = self.counts;
        let heading = either(
            language,
            format!("**Checks**: {pass} passed, {warn} to look at, {fail} failed"),
            format!("**核对**：通过 {pass}，需留意 {warn}，未通过 {fail}"),
        );
        let mut lines = self.checks.clone();
        if self.removed > 0 {
            let removed = self.removed;
            lines.push(either(
                language,
                format!("Lines that did not hold and were taken out: {removed}"),
                format!("因未通过核对而删除的内容：{removed} 条"),
            ));
        }
        if lines.is_empty() {
            lines.push(either(language, "Nothing was found.", "未发现问题。"));
        }
        let text = lines.join("\n");
        let text = split(&text, SECTION_BYTES, TABLES_MAX);
        json!({
            "tag": "collapsible_panel",
            "element_id": "checks",
            "expanded": false,
            "header": {"title": {"tag": "markdown", "content": heading}},
            "elements": [markdown("found", text.first().map_or("", String::as_str))],
        })
    }

    /// Tokens, calls and duration, and whether a model was asked at all.
    fn cost(&self) -> String {
        let (cost, seconds) = (&self.cost, self.seconds);
        let (tokens, calls) = (cost.tokens(), cost.calls());
        let read = cost.read_percent().map_or_else(String::new, |percent| {
            either(
                self.language,
                format!(
                    " (reading: {}.{:02} × the room)",
                    percent / 100,
                    percent % 100
                ),
                format!("（读取为群聊的 {}.{:02} 倍）", percent / 100, percent % 100),
            )
        });
        match self.model {
            None => either(
                self.language,
                format!("Made without a model · {seconds} s"),
                format!("未使用模型 · {seconds} 秒"),
            ),
            Some(model) => either(
                self.language,
                format!("{model} · requests: {calls} · tokens: {tokens}{read} · {seconds} s"),
                format!("{model} · 请求 {calls} 次 · {tokens} tokens{read} · {seconds} 秒"),
            ),
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let language = self.language;
        let all = [
            (
                "publish",
                either(language, "Publish", "发布"),
                Weight::Primary,
                &self.publish,
            ),
            (
                "redraft",
                either(language, "New draft", "重新起草"),
                Weight::Plain,
                &self.redraft,
            ),
            (
                "reopen",
                either(language, "Reopen", "重新打开"),
                Weight::Plain,
                &self.reopen,
            ),
        ];
        let choices = all.into_iter().filter_map(|(id, label, weight, value)| {
            let value = value.clone()?;
            Some(Choice {
                id,
                label,
                weight,
                value,
            })
        });
        choices.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(sections: &[SectionView]) -> Value {
        DraftCard {
            number: 42,
            title: "checkout is slow",
            language: Language::En,
            version: 2,
            by: "Li Lei",
            sections,
            counts: [20, 2, 1],
            checks: vec!["❌ V1 Impact: why".into()],
            removed: 0,
            changed: vec!["m3 was edited".into()],
            model: None,
            cost: Cost::default(),
            seconds: 3,
            published: None,
            publish: Some(json!("p")),
            redraft: Some(json!("r")),
            reopen: None,
        }
        .render()
    }

    fn section(heading: &str, text: &str) -> SectionView {
        SectionView {
            heading: heading.into(),
            text: text.into(),
            is_summary: heading == "Summary",
            edit: Some(json!("x".repeat(200))),
            lock: Some(json!("x".repeat(200))),
            again: Some(json!("x".repeat(200))),
            ..SectionView::default()
        }
    }

    #[test]
    fn every_stage_of_a_draft_is_shown_with_its_counts() {
        let check = |language: Language, stage: Stage, expected: &str| {
            let cancel = json!("c");
            let card = ProgressCard {
                number: 42,
                language,
                stage,
                cancel: &cancel,
            };
            let card = card.render().to_string();
            assert!(card.contains(expected), "{card}");
        };
        let heard = Stage::Heard { messages: 350 };
        check(Language::En, heard, "history of the room: 350 messages…");
        check(Language::Zh, heard, "正在读取群聊记录：350 条消息……");
        let looking = Stage::Looking { done: 3, of: 12 };
        check(Language::En, looking, "Looking at images: 3 of 12");
        check(Language::Zh, looking, "正在查看图片：3 / 12 张");
        let reading = Stage::Drafting(Progress::Reading { done: 1, of: 4 });
        check(Language::En, reading, "Reading the room: 1 of 4 parts");
    }

    #[test]
    fn the_summary_stands_first_and_open_and_the_rest_is_folded() {
        let card = card(&[section("Key facts", "a"), section("Summary", "b")]);
        let elements = card["body"]["elements"].as_array().unwrap();
        let panels: Vec<_> = elements
            .iter()
            .filter(|one| one["tag"] == "collapsible_panel")
            .map(|one| {
                (
                    one["header"]["title"]["content"].as_str().unwrap(),
                    one["expanded"].as_bool().unwrap(),
                )
            })
            .collect();
        let checks = "**Checks**: 20 passed, 2 to look at, 1 failed";
        assert_eq!(
            panels,
            [
                ("**Summary**", true),
                ("**Key facts**", false),
                (checks, false)
            ]
        );
    }

    #[test]
    fn a_long_report_fits_and_says_where_the_rest_is() {
        let long = "一段很长的话。\n\n".repeat(2000);
        let sections: Vec<_> = (0..14)
            .map(|at| section(&format!("Part {at}"), &long))
            .collect();
        let card = card(&sections);
        assert!(size_bytes(&card) <= CARD_BYTES_MAX, "{}", size_bytes(&card));
        assert!(card.to_string().contains("the file has the rest"));
    }
}
