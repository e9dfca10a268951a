//! The forms about action items, and what comes back of them.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{TEXT_CHARS, either, list_title, title};
use crate::{
    bot::{
        card::{markdown, shorten},
        markdown::escape,
    },
    config::Language,
    feishu::OpenId,
    postmortem::actions::{ActionItem, Due},
};

/// The most characters of what a person writes into a form.
const WRITTEN_CHARS_MAX: usize = 500;

/// What a form asks about an action item.
#[derive(Debug)]
pub enum Asks<'a> {
    /// Who does it, and until when.
    Plan(&'a ActionItem),
    /// Why it is not to be done.
    Reason(&'a ActionItem),
    /// What else is to be done, by whom and until when.
    New,
}

/// A form about an action item.
#[derive(Debug)]
pub struct Form<'a> {
    /// What is asked.
    pub asks: Asks<'a>,
    /// The incident's number.
    pub number: u32,
    /// The language.
    pub language: Language,
    /// What sending it carries.
    pub value: &'a Value,
}

/// What was written into a form: what is to be done, or why not.
pub fn written(form: &Map<String, Value>) -> &str {
    let written = form.get("text").and_then(Value::as_str);
    written.unwrap_or_default().trim()
}

/// Who was chosen in a form, if anybody was.
pub fn chosen_owner(form: &Map<String, Value>) -> Option<OpenId> {
    let owner = form.get("owner").and_then(Value::as_str);
    owner.filter(|owner| !owner.is_empty()).map(OpenId::new)
}

/// Which day was chosen in a form; the platform writes `2026-12-01 +0800`. What is no day is none.
pub fn chosen_day(form: &Map<String, Value>) -> Option<Date> {
    let day = form.get("due")?.as_str()?.split_whitespace().next()?;
    day.parse().ok()
}

impl Form<'_> {
    /// The card with the form.
    pub fn render(&self) -> Value {
        let language = self.language;
        let (head, mut elements) = match self.asks {
            Asks::Plan(item) => (
                escape(&shorten(&item.text, TEXT_CHARS)),
                self.plan(Some(item)),
            ),
            Asks::Reason(item) => {
                let hint = either(language, "Why is it not to be done?", "为什么不做？");
                (
                    escape(&shorten(&item.text, TEXT_CHARS)),
                    vec![text_field(&hint)],
                )
            }
            Asks::New => {
                let hint = either(language, "What is to be done?", "要做什么？");
                let mut fields = vec![text_field(&hint)];
                fields.extend(self.plan(None));
                (either(language, "one more", "添加一项"), fields)
            }
        };
        elements.push(json!({
            "tag": "button",
            "element_id": "send",
            "name": "send",
            "form_action_type": "submit",
            "type": "primary",
            "size": "small",
            "text": {"tag": "plain_text", "content": either(language, "Send", "提交")},
            "behaviors": [{"type": "callback", "value": self.value}],
        }));
        let title = title(self.number, language);
        json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": shorten(&title, 60)}},
            "body": {"elements": [
                markdown("head", &format!("**{}** · {head}", list_title(self.number, language))),
                {"tag": "form", "element_id": "form", "name": "form", "elements": elements},
            ]},
        })
    }

    fn plan(&self, item: Option<&ActionItem>) -> Vec<Value> {
        let language = self.language;
        let hint = |english: &str, chinese: &str| json!({"tag": "plain_text", "content": either(language, english, chinese)});
        let mut owner = json!({
            "tag": "select_person",
            "element_id": "owner",
            "name": "owner",
            "width": "fill",
            "placeholder": hint("Who does it", "负责人"),
        });
        let known = item.and_then(|item| item.owner.as_ref());
        if let Some(known) = known.filter(|known| known.id.0.starts_with("ou_")) {
            owner["initial_option"] = json!(known.id.0);
        }
        let mut due = json!({
            "tag": "date_picker",
            "element_id": "due",
            "name": "due",
            "width": "fill",
            "placeholder": hint("Until when", "期限"),
        });
        if let Some(Due::Day(day)) = item.and_then(|item| item.due.as_ref()) {
            due["initial_date"] = json!(day.to_string());
        }
        vec![owner, due]
    }
}

fn text_field(hint: &str) -> Value {
    json!({
        "tag": "input",
        "element_id": "text",
        "name": "text",
        "required": true,
        "width": "fill",
        "input_type": "multiline_text",
        "rows": 2,
        "max_length": WRITTEN_CHARS_MAX,
        "placeholder": {"tag": "plain_text", "content": hint},
    })
}
