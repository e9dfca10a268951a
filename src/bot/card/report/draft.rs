//! The card of a draft: the summary open, all other sections folded, what the checks say, and what it cost.

use serde_json::{Value, json};

use super::{either, title};
use crate::{
    bot::{
        card::{
            CARD_BYTES_MAX,
            choice::{self, Choice, Weight},
            grey, markdown, shorten, size_bytes, small_markdown,
        },
        markdown::{TABLES_MAX, escape, split, to_dialect},
    },
    config::Language,
    postmortem::asking::Cost,
};

/// How many sections have buttons of their own. Such a row takes twelve of a card's components and 1.2 kB of its
/// bytes, so where there are more sections, one menu for all takes the place of the rows.
const ROWS_MAX: usize = 8;
/// How many components a card has at most, texts included: the platform takes 200 (300305).
const COMPONENTS_MAX: usize = 190;
/// How many bytes of a section are shown at first and at least.
const SECTION_BYTES: usize = 4000;
const SECTION_BYTES_MIN: usize = 300;
/// How many bytes of what the checks found are shown at least.
const CHECKS_BYTES_MIN: usize = 1000;

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
    /// What the menu carries by which a section is chosen.
    pub section: Option<Value>,
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
    /// The line that counts the action items.
    pub actions: Option<Value>,
}

impl DraftCard<'_> {
    /// The whole card, JSON 2.0, as large as the platform takes it: sections are cut as far as it takes, and the
    /// last ones left out if they must be, and the card says so. The file has all of them.
    pub fn render(&self) -> Value {
        let (mut panels, mut bytes) = (self.sections.len(), SECTION_BYTES);
        loop {
            let card = self.showing(panels, bytes);
            let is_full = components(&card) > COMPONENTS_MAX;
            let is_large = size_bytes(&card) > CARD_BYTES_MAX;
            match (is_full, is_large) {
                (false, true) if bytes > SECTION_BYTES_MIN => bytes = bytes * 3 / 4,
                (true, _) | (_, true) if panels > 1 => panels -= 1,
                _ => return card,
            }
        }
    }

    /// The card with so many of the sections, each with so many bytes of its text.
    fn showing(&self, panels: usize, bytes: usize) -> Value {
        let mut elements = vec![markdown("state", &self.state())];
        for (at, one) in self.changed.iter().take(10).enumerate() {
            let text = format!("<font color='orange'>{}</font>", escape(one));
            elements.push(markdown(&format!("changed{at}"), &text));
        }
        let summary = self.sections.iter().position(|section| section.is_summary);
        let rest = (0..self.sections.len()).filter(|place| Some(*place) != summary);
        let has_rows = self.has_rows();
        for place in summary.into_iter().chain(rest).take(panels) {
            elements.push(self.panel(place, bytes, has_rows));
        }
        let left = self.sections.len() - panels;
        if left > 0 {
            let more = either(
                self.language,
                format!("The file has {left} more sections."),
                format!("其余 {left} 节见文件。"),
            );
            elements.push(markdown("more", &grey(&more)));
        }
        elements.extend(self.menu().filter(|_| !has_rows));
        elements.extend(self.actions.clone());
        elements.push(self.checks(bytes));
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

    /// Whether the sections have buttons of their own.
    fn has_rows(&self) -> bool {
        let sections = self.sections.iter();
        sections.filter(|section| section.edit.is_some()).count() <= ROWS_MAX
    }

    /// The menu of all sections that people may change; what is chosen is answered by a form.
    fn menu(&self) -> Option<Value> {
        let value = self.section.as_ref()?;
        let language = self.language;
        let sections = self.sections.iter().enumerate();
        let sections = sections.filter(|(_, section)| section.edit.is_some());
        let options: Vec<Value> = sections
            .map(|(place, section)| {
                let mut label = shorten(&section.heading, 40);
                label.push_str(&self.signs(section));
                json!({
                    "text": {"tag": "plain_text", "content": label},
                    "value": place.to_string(),
                })
            })
            .collect();
        let label = either(language, "Change a section…", "修改章节…");
        Some(json!({
            "tag": "select_static",
            "element_id": "sections",
            "placeholder": {"tag": "plain_text", "content": label},
            "options": options,
            "behaviors": [{"type": "callback", "value": value}],
        }))
    }

    /// What a section is beside its heading.
    fn signs(&self, section: &SectionView) -> String {
        let mut signs = String::new();
        if section.is_by_person {
            signs.push_str(&either(self.language, " · by a person", " · 人工撰写"));
        }
        if section.is_locked {
            signs.push_str(&either(self.language, " · locked", " · 已锁定"));
        }
        signs
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

    fn panel(&self, place: usize, bytes: usize, has_rows: bool) -> Value {
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
        heading.push_str(&self.signs(section));
        let mut elements = vec![markdown(&format!("text{place}"), &text)];
        elements.extend(self.buttons(place, has_rows));
        json!({
            "tag": "collapsible_panel",
            "element_id": format!("section{place}"),
            "expanded": section.is_summary,
            "header": {"title": {"tag": "markdown", "content": heading}},
            "elements": elements,
        })
    }

    /// The buttons of a section: those that all have where there is room for them, and what only it has.
    fn buttons(&self, place: usize, has_rows: bool) -> Option<Value> {
        let language = self.language;
        let section = &self.sections[place];
        let lock = match section.is_locked {
            true => either(language, "Unlock", "解锁"),
            false => either(language, "Lock", "锁定"),
        };
        let common = [
            (either(language, "Edit…", "编辑…"), &section.edit),
            (lock, &section.lock),
            (either(language, "Write anew…", "重新生成…"), &section.again),
        ];
        let correct = either(language, "Correct a time…", "修正时间…");
        let columns: Vec<Value> = common
            .into_iter()
            .filter(|_| has_rows)
            .chain([(correct, &section.correct)])
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

    fn checks(&self, bytes: usize) -> Value {
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
        let text = split(&text, bytes.max(CHECKS_BYTES_MIN), TABLES_MAX);
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

/// How many components a card has, counted as carefully as the platform may: everything with a tag.
pub(super) fn components(card: &Value) -> usize {
    match card {
        Value::Array(items) => items.iter().map(components).sum(),
        Value::Object(members) => {
            let below: usize = members.values().map(components).sum();
            below + usize::from(members.contains_key("tag"))
        }
        _ => 0,
    }
}
