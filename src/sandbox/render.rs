//! Messages and cards as plain text, the way people see them, and the buttons they can press.

use serde_json::{Value, json};

use super::{
    entities, post,
    world::{Message, World},
};

/// A button that can be pressed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Button {
    pub(super) text: String,
    /// What the card declares: `behaviors[].value` of a callback, or the old `value`.
    pub(super) value: Value,
    pub(super) name: Option<String>,
    pub(super) disabled: bool,
    /// The name of the form that it submits.
    pub(super) form: Option<String>,
    /// Whether pressing it calls the bot; a link does not.
    pub(super) calls_back: bool,
}

/// What a message says, with names instead of keys.
pub(super) fn message_text(world: &World, message: &Message) -> String {
    if message.recalled {
        return String::new();
    }
    if let Some(card) = world.card_json(message) {
        return card_text(card);
    }
    let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
    let member = |name: &str| content[name].as_str().unwrap_or_default();
    let text = match message.msg_type.as_str() {
        "text" => member("text").to_owned(),
        "post" => post::text(&content),
        "image" => "[image]".to_owned(),
        "media" => "[video]".to_owned(),
        "audio" => "[audio]".to_owned(),
        "sticker" => "[sticker]".to_owned(),
        "file" | "folder" => format!("[file {}]", member("file_name")),
        "system" => member("template").to_owned(),
        "merge_forward" => forwarded_text(world, message),
        other => format!("[{other}]"),
    };
    super::world::with_names(&text, &message.mentions)
}

/// Who said what, of messages that were forwarded together.
fn forwarded_text(world: &World, message: &Message) -> String {
    let mut lines = vec!["[forwarded messages]".to_owned()];
    for one in world.inside(&message.message_id) {
        let (_, name) = world.author_of(&one.author);
        let text = message_text(world, one).replace('\n', "\n  ");
        lines.push(format!("  {name}: {text}"));
    }
    lines.join("\n")
}

/// What a card shows, one line for each piece.
pub(super) fn card_text(card: &Value) -> String {
    let mut lines = Vec::new();
    for title in ["title", "subtitle"] {
        push_line(&mut lines, text_of(&card["header"][title]));
    }
    for tag in card["header"]["text_tag_list"]
        .as_array()
        .into_iter()
        .flatten()
    {
        push_line(&mut lines, format!("[{}]", text_of(&tag["text"])));
    }
    for elements in [&card["body"]["elements"], &card["elements"]] {
        elements_text(elements, &mut lines);
    }
    lines.join("\n")
}

fn push_line(lines: &mut Vec<String>, line: String) {
    if !line.is_empty() {
        lines.push(line);
    }
}

fn elements_text(elements: &Value, lines: &mut Vec<String>) {
    for element in elements.as_array().into_iter().flatten() {
        element_text(element, lines);
    }
}

fn element_text(element: &Value, lines: &mut Vec<String>) {
    match element["tag"].as_str().unwrap_or_default() {
        "markdown" | "plain_text" | "lark_md" => push_line(lines, text_of(element)),
        "div" => {
            push_line(lines, text_of(&element["text"]));
            for field in element["fields"].as_array().into_iter().flatten() {
                push_line(lines, text_of(&field["text"]));
            }
        }
        "hr" => lines.push("---".to_owned()),
        "img" | "img_combination" => lines.push("[image]".to_owned()),
        "chart" => lines.push("[chart]".to_owned()),
        "button" => push_line(lines, format!("[{}]", text_of(&element["text"]))),
        "table" => table_text(element, lines),
        "collapsible_panel" => {
            push_line(lines, text_of(&element["header"]["title"]));
            elements_text(&element["elements"], lines);
        }
        "column_set" => {
            for column in element["columns"].as_array().into_iter().flatten() {
                elements_text(&column["elements"], lines);
            }
        }
        "action" => elements_text(&element["actions"], lines),
        "input" => push_line(lines, format!("[{}: ]", text_of(&element["label"]))),
        "checker" => push_line(lines, format!("[ ] {}", text_of(&element["text"]))),
        "person" => lines.push(format!(
            "@{}",
            element["user_id"].as_str().unwrap_or_default()
        )),
        // Containers, and whatever else has something in it.
        _ => elements_text(&element["elements"], lines),
    }
}

fn table_text(table: &Value, lines: &mut Vec<String>) {
    let columns: Vec<&Value> = table["columns"].as_array().into_iter().flatten().collect();
    let row = |cell: &dyn Fn(&Value) -> String| {
        let cells: Vec<String> = columns.iter().map(|column| cell(column)).collect();
        format!("| {} |", cells.join(" | "))
    };
    lines.push(row(&|column| {
        column["display_name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }));
    for values in table["rows"].as_array().into_iter().flatten() {
        lines.push(row(&|column| {
            plain(&values[column["name"].as_str().unwrap_or_default()])
        }));
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The content of a text node, or a bare string, as 1.0 has in places.
fn text_of(node: &Value) -> String {
    let content = node["content"].as_str().or(node.as_str());
    let content = content.unwrap_or_default();
    match node["tag"].as_str() {
        Some("markdown" | "lark_md") => entities::decoded(content),
        _ => content.to_owned(),
    }
}

/// Every button of a card, in the order in which they stand.
pub(super) fn buttons(card: &Value) -> Vec<Button> {
    let mut found = Vec::new();
    for elements in [&card["body"]["elements"], &card["elements"]] {
        collect_buttons(elements, None, &mut found);
    }
    found
}

fn collect_buttons(node: &Value, form: Option<&str>, found: &mut Vec<Button>) {
    match node {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_buttons(item, form, found)),
        Value::Object(members) if node["tag"] == "button" => {
            let behavior = node["behaviors"].as_array().into_iter().flatten();
            let callback = behavior.into_iter().find(|one| one["type"] == "callback");
            let value = callback.map(|one| &one["value"]).or(members.get("value"));
            let submits =
                node["form_action_type"] == "submit" || node["action_type"] == "form_submit";
            found.push(Button {
                text: text_of(&node["text"]),
                value: value.cloned().unwrap_or_default(),
                name: node["name"].as_str().map(str::to_owned),
                disabled: node["disabled"] == json!(true),
                form: form.filter(|_| submits).map(str::to_owned),
                calls_back: value.is_some() || (submits && form.is_some()),
            });
        }
        Value::Object(members) => {
            let form = match node["tag"].as_str() {
                Some("form") => node["name"].as_str(),
                _ => form,
            };
            for name in ["elements", "columns", "actions"] {
                if let Some(below) = members.get(name) {
                    collect_buttons(below, form, found);
                }
            }
        }
        _ => {}
    }
}

/// What a bot gets to see of a card that was sent as JSON: a title and runs of text.
pub(super) fn degraded(card: &Value) -> Value {
    let mut paragraphs = Vec::new();
    for elements in [&card["body"]["elements"], &card["elements"]] {
        for element in elements.as_array().into_iter().flatten() {
            let mut lines = Vec::new();
            let mut pressable = Vec::new();
            collect_buttons(element, None, &mut pressable);
            if pressable.is_empty() {
                element_text(element, &mut lines);
            }
            let buttons = pressable
                .iter()
                .map(|one| json!({"tag": "button", "text": one.text, "type": "default"}));
            let texts = lines
                .iter()
                .map(|line| json!({"tag": "text", "text": line}));
            let runs: Vec<Value> = texts.chain(buttons).collect();
            if !runs.is_empty() {
                paragraphs.push(runs);
            }
        }
    }
    json!({"title": text_of(&card["header"]["title"]), "elements": paragraphs})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Value {
        json!({"schema": "2.0", "header": {"title": {"tag": "plain_text", "content": "High error rate"}},
        "body": {"elements": [
          {"tag": "markdown", "content": "**checkout** 5xx"},
          {"tag": "table", "columns": [{"name": "a", "display_name": "Host"}], "rows": [{"a": "web-1"}]},
          {"tag": "column_set", "columns": [{"tag": "column", "elements": [
              {"tag": "button", "text": {"tag": "plain_text", "content": "Ack"},
               "behaviors": [{"type": "callback", "value": {"do": "ack"}}]}]}]},
          {"tag": "form", "name": "f", "elements": [
              {"tag": "button", "name": "go", "text": {"tag": "plain_text", "content": "Save"},
               "form_action_type": "submit", "disabled": true}]},
        ]}})
    }

    #[test]
    fn a_card_reads_as_people_see_it() {
        assert_eq!(
            card_text(&card()),
            "High error rate\n**checkout** 5xx\n| Host |\n| web-1 |\n[Ack]\n[Save]"
        );
    }

    #[test]
    fn entities_are_read_in_markdown_and_nowhere_else() {
        let element = |tag: &str| json!({"tag": tag, "content": "10&#58;02 &lt;db&gt;"});
        let card = json!({"body": {"elements": [element("markdown"), element("plain_text")]}});
        assert_eq!(card_text(&card), "10:02 <db>\n10&#58;02 &lt;db&gt;");
    }

    #[test]
    fn buttons_say_what_they_carry() {
        let buttons = buttons(&card());
        assert_eq!(buttons[0].value, json!({"do": "ack"}));
        assert_eq!(
            (buttons[0].form.as_deref(), buttons[0].disabled),
            (None, false)
        );
        assert_eq!(
            (buttons[1].form.as_deref(), buttons[1].disabled),
            (Some("f"), true)
        );
    }

    #[test]
    fn a_degraded_card_is_a_title_and_runs() {
        let degraded = degraded(&card());
        assert_eq!(degraded["title"], "High error rate");
        assert_eq!(
            degraded["elements"][0][0],
            json!({"tag": "text", "text": "**checkout** 5xx"})
        );
        assert_eq!(degraded["elements"][2][0]["tag"], "button");
    }
}
