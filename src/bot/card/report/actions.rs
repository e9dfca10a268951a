//! The cards of action items: how many there are, the list of them, the forms that it asks by, and who is told
//! of what at publishing.
//!
//! The list shows plain names, since looking at it must ring nobody; only the card at publishing mentions people.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{
    super::{
        CARD_BYTES_MAX, grey, incident::mention, markdown, shorten, size_bytes, small_markdown,
    },
    either, title,
};
use crate::{
    bot::markdown::escape,
    config::Language,
    feishu::OpenId,
    postmortem::actions::{ActionItem, ActionState, Due},
};

/// How many items of a list have buttons, by which the platform's two hundred parts of a card are not reached.
const WITH_BUTTONS_MAX: usize = 15;
/// How many characters of an item are shown at first and at least.
const TEXT_CHARS: usize = 300;
const TEXT_CHARS_MIN: usize = 40;
/// The most characters of what a person writes into a form.
const WRITTEN_CHARS_MAX: usize = 500;
/// How many items are told of at publishing; the rest is counted.
const TOLD_MAX: usize = 40;

/// The line of a report's card that counts its action items, with a button to their list.
pub fn count(all: usize, unowned: usize, language: Language, value: &Value) -> Value {
    let text = match unowned {
        0 => either(
            language,
            format!("**Action items**: {all}"),
            format!("**行动项**：{all}"),
        ),
        _ => either(
            language,
            format!("**Action items**: {all}, without an owner: {unowned}"),
            format!("**行动项**：{all}，无负责人：{unowned}"),
        ),
    };
    let label = either(language, "Action items…", "行动项…");
    let column = |element: Value| json!({"tag": "column", "width": "auto", "vertical_align": "center", "elements": [element]});
    json!({
        "tag": "column_set",
        "element_id": "actions",
        "flex_mode": "flow",
        "horizontal_spacing": "small",
        "columns": [
            column(markdown("actions_text", &text)),
            column(button(&label, value)),
        ],
    })
}

fn button(label: &str, value: &Value) -> Value {
    json!({
        "tag": "button",
        "size": "small",
        "type": "default",
        "text": {"tag": "plain_text", "content": label},
        "behaviors": [{"type": "callback", "value": value}],
    })
}

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

fn list_title(number: u32, language: Language) -> String {
    either(
        language,
        format!("Action items of #{number}"),
        format!("故障 #{number} 行动项"),
    )
}

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

/// What the chat is told at publishing, with a mention of everybody who has something to do.
#[derive(Debug)]
pub struct TellingCard<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The language of the report.
    pub language: Language,
    /// What is to be done.
    pub items: &'a [ActionItem],
}

impl TellingCard<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        let language = self.language;
        let shown = self.items.iter().take(TOLD_MAX);
        let mut lines: Vec<String> = shown.map(|item| self.line(item)).collect();
        let left_out = self.items.len().saturating_sub(TOLD_MAX);
        if left_out > 0 {
            lines.push(either(
                language,
                format!("And {left_out} more, which the report lists."),
                format!("另有 {left_out} 项，见报告。"),
            ));
        }
        let title = list_title(self.number, language);
        json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": shorten(&title, 60)}},
            "header": {
                "title": {"tag": "plain_text", "content": title},
                "template": "green",
            },
            "body": {"elements": [markdown("items", &lines.join("\n"))]},
        })
    }

    fn line(&self, item: &ActionItem) -> String {
        let owner = match &item.owner {
            Some(owner) => mention(&owner.id),
            None => either(self.language, "**no owner yet**", "**暂无负责人**"),
        };
        format!("{} · {owner}", what_and_when(item, self.language))
    }
}

/// What one person is told directly.
#[derive(Debug)]
pub struct Mentioned<'a> {
    /// What people call the incident.
    pub number: u32,
    /// What they have to do.
    pub items: &'a [&'a ActionItem],
}

impl Mentioned<'_> {
    /// As Markdown.
    pub fn text(&self, language: Language) -> String {
        let number = self.number;
        let head = either(
            language,
            format!("The post-mortem of #{number} is published. This is yours to do:"),
            format!("故障 #{number} 的复盘报告已发布，以下行动项由你负责："),
        );
        let shown = self.items.iter().take(TOLD_MAX);
        let lines: Vec<String> = shown.map(|item| what_and_when(item, language)).collect();
        format!("{head}\n\n{}", lines.join("\n"))
    }
}

fn what_and_when(item: &ActionItem, language: Language) -> String {
    let text = escape(&shorten(&item.text, TEXT_CHARS));
    let due = item.due.as_ref().map(|due| escape(&due.to_string()));
    match due {
        Some(due) => either(
            language,
            format!("- {text} · due {due}"),
            format!("- {text} · 期限 {due}"),
        ),
        None => format!("- {text}"),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{
        incident::PersonId,
        postmortem::{actions::Owner, transcript::MessageId},
    };

    fn item(text: &str, state: ActionState) -> ActionItem {
        ActionItem {
            state,
            message_ids: vec![MessageId::new("om_1")],
            ..ActionItem::added(text, PersonId("ou_li".into()))
        }
    }

    fn owned(text: &str) -> ActionItem {
        ActionItem {
            owner: Some(Owner {
                id: PersonId("ou_li".into()),
                name: "Li <Lei>".into(),
            }),
            due: Some(Due::Day(jiff::civil::date(2026, 12, 1))),
            ..item(text, ActionState::Accepted)
        }
    }

    fn view(item: ActionItem) -> ItemView {
        let button = || Some(json!("x".repeat(250)));
        ItemView {
            quote: Some("Han Meimei: TODO [m8]".into()),
            plan: button(),
            decline: item.is_open().then(button).flatten(),
            finish: item.is_open().then(button).flatten(),
            item,
        }
    }

    fn list(items: Vec<ItemView>, language: Language) -> ListCard<'static> {
        ListCard {
            number: 42,
            title: "checkout is slow",
            language,
            items,
            is_published: false,
            is_section_of_people: true,
            add: Some(json!("a")),
        }
    }

    /// What people read of a card, and what stands on its buttons.
    fn read(card: &Value) -> String {
        let mut lines = Vec::new();
        collect(card, &mut lines);
        lines.join("\n")
    }

    fn collect(node: &Value, lines: &mut Vec<String>) {
        match node {
            Value::Array(all) => all.iter().for_each(|one| collect(one, lines)),
            Value::Object(members) => {
                if let Some(text) = node["content"].as_str() {
                    lines.push(text.to_owned());
                }
                if node["tag"] == "button" {
                    let label = node["text"]["content"].as_str().unwrap();
                    return lines.push(format!("[{label}]"));
                }
                let parts = ["header", "title", "body", "elements", "columns"];
                let parts = parts.iter().filter_map(|name| members.get(*name));
                parts.for_each(|part| collect(part, lines));
            }
            _ => {}
        }
    }

    fn some() -> Vec<ItemView> {
        let declined = ActionState::Declined {
            reason: "too dear".into(),
        };
        let said = ActionItem {
            set_by: None,
            due: Some(Due::Told("by Friday".into())),
            ..item("write a *runbook*", ActionState::Proposed)
        };
        let alone = ActionItem {
            message_ids: Vec::new(),
            ..owned("call the vendor")
        };
        let mut alone = view(alone);
        alone.quote = None;
        vec![
            view(item("buy a mainframe", declined)),
            view(said),
            alone,
            view(item("raise the limit", ActionState::Done)),
        ]
    }

    #[test]
    fn what_is_open_stands_first_with_its_buttons() {
        assert_snapshot!(read(&list(some(), Language::En).render()), @r"
        Action items of #42 · checkout is slow
        <font color='grey'>A person wrote or locked this section of the report, so it stays as they left it. This list follows what you decide here.</font>
        ☐ **write a &#42;runbook&#42;**
        <font color='grey'>no owner · due: by Friday · proposed by the draft</font>
        <font color='grey'>Han Meimei: TODO [m8]</font>
        [Owner and date…]
        [Decline…]
        [Done]
        ☐ **call the vendor**
        <font color='grey'>owner: Li &#60;Lei> · due: 2026-12-01 · to be done</font>
        <font color='grey'>added by a person</font>
        [Owner and date…]
        [Decline…]
        [Done]
        ~~buy a mainframe~~
        <font color='grey'>decided not to do: too dear</font>
        <font color='grey'>Han Meimei: TODO [m8]</font>
        [Owner and date…]
        ☑ raise the limit
        <font color='grey'>no owner · no date · done</font>
        <font color='grey'>Han Meimei: TODO [m8]</font>
        [Owner and date…]
        [Add…]
        ");
    }

    #[test]
    fn the_list_of_a_published_report_in_chinese() {
        let mut card = list(some(), Language::Zh);
        card.is_published = true;
        card.add = None;
        for view in &mut card.items {
            view.plan = None;
            view.decline = None;
        }
        assert_snapshot!(read(&card.render()), @r"
        故障 #42 行动项 · checkout is slow
        <font color='grey'>报告已发布。标记完成不改动报告内容，其他修改需先重新打开报告。</font>
        ☐ **write a &#42;runbook&#42;**
        <font color='grey'>无负责人 · 期限：by Friday · 草稿提出，待确认</font>
        <font color='grey'>Han Meimei: TODO [m8]</font>
        [完成]
        ☐ **call the vendor**
        <font color='grey'>负责人：Li &#60;Lei> · 期限：2026-12-01 · 待完成</font>
        <font color='grey'>由人添加</font>
        [完成]
        ~~buy a mainframe~~
        <font color='grey'>决定不做：too dear</font>
        <font color='grey'>Han Meimei: TODO [m8]</font>
        ☑ raise the limit
        <font color='grey'>无负责人 · 无期限 · 已完成</font>
        <font color='grey'>Han Meimei: TODO [m8]</font>
        ");
    }

    #[test]
    fn a_long_list_fits_and_counts_what_it_leaves_out() {
        let long = "一段很长的话".repeat(80);
        let items = (0..120).map(|_| view(owned(&long))).collect();
        let card = list(items, Language::Zh).render();
        assert!(size_bytes(&card) <= CARD_BYTES_MAX, "{}", size_bytes(&card));
        assert!(card.to_string().contains("见报告"));
    }

    #[test]
    fn the_card_at_publishing_mentions_owners_and_names_what_nobody_has() {
        let items = [
            owned("add a <at id=all></at> stage"),
            item("write a runbook", ActionState::Proposed),
        ];
        let card = |language| {
            let card = TellingCard {
                number: 42,
                language,
                items: &items,
            };
            read(&card.render())
        };
        assert_snapshot!(card(Language::En), @r"
        Action items of #42
        - add a &#60;at id=all>&#60;/at> stage · due 2026-12-01 · <at id=ou_li></at>
        - write a runbook · **no owner yet**
        ");
        assert_snapshot!(card(Language::Zh), @r"
        故障 #42 行动项
        - add a &#60;at id=all>&#60;/at> stage · 期限 2026-12-01 · <at id=ou_li></at>
        - write a runbook · **暂无负责人**
        ");
    }

    #[test]
    fn a_form_shows_what_is_known_and_comes_back_with_what_was_chosen() {
        let value = json!("v");
        let item = owned("add a stage");
        let form = Form {
            asks: Asks::Plan(&item),
            number: 42,
            language: Language::En,
            value: &value,
        };
        let form = form.render().to_string();
        assert!(form.contains(r#""initial_option":"ou_li""#), "{form}");
        assert!(form.contains(r#""initial_date":"2026-12-01""#), "{form}");
        let sent = json!({"owner": "ou_han", "due": "2026-12-02 +0800", "text": " why "});
        let sent = sent.as_object().unwrap();
        assert_eq!(chosen_owner(sent), Some(OpenId::new("ou_han")));
        assert_eq!(chosen_day(sent), Some(jiff::civil::date(2026, 12, 2)));
        assert_eq!(written(sent), "why");
        let nothing = Map::new();
        assert_eq!((chosen_owner(&nothing), chosen_day(&nothing)), (None, None));
    }
}
