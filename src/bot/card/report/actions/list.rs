//! The list of action items, each with what can be done with it.

use serde_json::{Value, json};

use super::{TEXT_CHARS, button, either, list_title};
use crate::{
    bot::{
        card::{CARD_BYTES_MAX, grey, markdown, shorten, size_bytes, small_markdown},
        markdown::escape,
    },
    config::Language,
    postmortem::actions::{ActionItem, ActionState},
};

/// How many items of a list have buttons, by which the platform's two hundred parts of a card are not reached.
const WITH_BUTTONS_MAX: usize = 15;
/// How many characters of an item are shown at least.
const TEXT_CHARS_MIN: usize = 40;

/// An item as the list shows it. Without a value there is no such button.
#[derive(Debug, Clone)]
pub struct ItemView {
    /// The item.
    pub item: ActionItem,
    /// What was said, and by whom. Any text; it is escaped here.
    pub quote: Option<String>,
    /// What the button carries that asks for owner and day.
    pub plan: Option<Value>,
    /// What the Decline button carries.
    pub decline: Option<Value>,
    /// What the Done button carries.
    pub finish: Option<Value>,
}

/// The card that lists the action items.
#[derive(Debug)]
pub struct ListCard<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The incident's title. Any text; it is escaped here.
    pub title: &'a str,
    /// The language of the report.
    pub language: Language,
    /// The items in the order of the report.
    pub items: Vec<ItemView>,
    /// Whether the report is published.
    pub is_published: bool,
    /// Whether people wrote or locked the section of the report that tells of them.
    pub is_section_of_people: bool,
    /// What the Add button carries.
    pub add: Option<Value>,
}

impl ListCard<'_> {
    /// The whole card, JSON 2.0, at most [`CARD_BYTES_MAX`] bytes: what is long is cut, then the last items are
    /// left out and counted.
    pub fn render(&self) -> Value {
        let (mut chars, mut items) = (TEXT_CHARS, self.items.len());
        loop {
            let card = self.with(items, chars);
            if size_bytes(&card) <= CARD_BYTES_MAX || items == 0 {
                return card;
            }
            match chars > TEXT_CHARS_MIN {
                true => chars = (chars / 2).max(TEXT_CHARS_MIN),
                false => items = items * 3 / 4,
            }
        }
    }

    fn with(&self, count: usize, chars: usize) -> Value {
        let language = self.language;
        let mut elements = Vec::new();
        if let Some(note) = self.note() {
            elements.push(small_markdown("note", &grey(&escape(&note))));
        }
        // Those that somebody has still to do stand first, so that they have the buttons.
        let (open, over): (Vec<&ItemView>, Vec<&ItemView>) =
            self.items.iter().partition(|one| one.item.is_open());
        let shown = open.into_iter().chain(over).take(count).enumerate();
        for (at, view) in shown {
            elements.extend(self.item(at, view, chars));
        }
        let left_out = self.items.len() - count;
        if left_out > 0 {
            let text = either(
                language,
                format!("And {left_out} more, which the report lists."),
                format!("另有 {left_out} 项，见报告。"),
            );
            elements.push(small_markdown("more", &grey(&text)));
        }
        if self.items.is_empty() {
            let text = either(language, "There are none.", "暂无行动项。");
            elements.push(markdown("none", &text));
        }
        if let Some(add) = &self.add {
            elements.push(button(&either(language, "Add…", "添加…"), add));
        }
        let title = format!("{} · {}", list_title(self.number, language), self.title);
        json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": shorten(&title, 60)}},
            "header": {
                "title": {"tag": "plain_text", "content": shorten(&title, 100)},
                "template": if self.is_published { "green" } else { "blue" },
            },
            "body": {"elements": elements},
        })
    }

    fn note(&self) -> Option<String> {
        let language = self.language;
        if self.is_published {
            return Some(either(
                language,
                "The report is published. Done changes none of its words; for anything else reopen it.",
                "报告已发布。标记完成不改动报告内容，其他修改需先重新打开报告。",
            ));
        }
        self.is_section_of_people.then(|| {
            either(
                language,
                "A person wrote or locked this section of the report, so it stays as they left it. This list follows what you decide here.",
                "报告中的本节由人撰写或已锁定，保持不变；此列表以这里的决定为准。",
            )
        })
    }

    fn item(&self, at: usize, view: &ItemView, chars: usize) -> Vec<Value> {
        let language = self.language;
        let item = &view.item;
        let text = escape(&shorten(&item.text, chars));
        let text = match item.state {
            ActionState::Done => format!("☑ {text}"),
            ActionState::Declined { .. } => format!("~~{text}~~"),
            _ => format!("☐ **{text}**"),
        };
        let mut small = vec![escape(&self.facts(item, chars))];
        small.extend(
            view.quote
                .iter()
                .map(|quote| escape(&shorten(quote, chars))),
        );
        if item.message_ids.is_empty() {
            small.push(either(language, "added by a person", "由人添加"));
        }
        let small: Vec<String> = small.iter().map(|line| grey(line)).collect();
        let mut elements = vec![
            markdown(&format!("item{at}"), &text),
            small_markdown(&format!("facts{at}"), &small.join("\n")),
        ];
        if at < WITH_BUTTONS_MAX {
            elements.extend(self.buttons(view));
        }
        elements
    }

    /// Owner, day and state. What is not to be done has only its reason.
    fn facts(&self, item: &ActionItem, chars: usize) -> String {
        let language = self.language;
        if let ActionState::Declined { reason } = &item.state {
            let reason = shorten(reason, chars);
            return either(
                language,
                format!("decided not to do: {reason}"),
                format!("决定不做：{reason}"),
            );
        }
        let owner = match &item.owner {
            Some(owner) => either(
                language,
                format!("owner: {}", owner.name),
                format!("负责人：{}", owner.name),
            ),
            None => either(language, "no owner", "无负责人"),
        };
        let due = match &item.due {
            Some(due) => either(language, format!("due: {due}"), format!("期限：{due}")),
            None => either(language, "no date", "无期限"),
        };
        let state = match item.state {
            ActionState::Proposed => either(language, "proposed by the draft", "草稿提出，待确认"),
            ActionState::Done => either(language, "done", "已完成"),
            _ => either(language, "to be done", "待完成"),
        };
        format!("{owner} · {due} · {state}")
    }

    fn buttons(&self, view: &ItemView) -> Option<Value> {
        let language = self.language;
        let all = [
            (
                either(language, "Owner and date…", "负责人与期限…"),
                &view.plan,
            ),
            (either(language, "Decline…", "不做…"), &view.decline),
            (either(language, "Done", "完成"), &view.finish),
        ];
        let columns: Vec<Value> = all
            .iter()
            .filter_map(|(label, value)| Some(button(label, value.as_ref()?)))
            .map(|button| json!({"tag": "column", "width": "auto", "elements": [button]}))
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
}
