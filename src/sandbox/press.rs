//! What a client does when somebody uses a part of a card: which part that is, what the client lets
//! through, and what it tells the bot.
//!
//! The client checks a form before it sends it: fields that are required, disabled, too long, or of
//! which something was chosen that is not offered. The bot never hears of those.

use serde_json::{Map, Value, json};

use super::render::{self, Button};

/// Where everybody in here is, for pickers of dates and times.
const TIMEZONE: &str = "Asia/Shanghai";

/// What somebody does to a card.
#[derive(Debug, Default)]
pub(super) struct Use {
    /// The text or the name of a button, or a value that is a string.
    pub(super) button: Option<String>,
    /// The value of a button.
    pub(super) value: Option<Value>,
    /// What was filled in, by the names of the fields.
    pub(super) form: Option<Value>,
    /// The name, element_id or label of a part that is no button and stands in no form.
    pub(super) component: Option<String>,
    /// What was chosen in it.
    pub(super) option: Option<String>,
    pub(super) options: Option<Vec<String>>,
    pub(super) checked: Option<bool>,
    pub(super) input: Option<String>,
}

/// What comes of it.
#[derive(Debug, PartialEq)]
pub(super) enum Used {
    /// The bot is told this `action`.
    Action(Value),
    /// Nobody is: a link opens, or the part calls nobody.
    Local,
    /// The client complains by itself.
    ClientError(i64),
}

/// What the client makes of it, or why it cannot be done.
pub(super) fn used(card: &Value, how: &Use) -> Result<Used, String> {
    match &how.component {
        Some(component) => part(card, component, how),
        None => press(card, how),
    }
}

fn press(card: &Value, how: &Use) -> Result<Used, String> {
    let button = find_button(card, how)?;
    if button.disabled {
        return Err("the button is disabled".to_owned());
    }
    if !button.calls_back {
        return Ok(Used::Local);
    }
    let mut action = json!({"tag": "button"});
    if !button.value.is_null() {
        action["value"] = button.value.clone();
    }
    if let Some(name) = &button.name {
        action["name"] = json!(name);
    }
    if let Some(form) = &button.form {
        let mut fields = Vec::new();
        collect_fields(find_form(card, form), &mut fields);
        let is_nameless = |field: &&Value| field["name"].as_str().is_none_or(str::is_empty);
        if fields.iter().any(is_nameless) || button.name.as_deref().is_none_or(str::is_empty) {
            return Ok(Used::ClientError(200_530));
        }
        action["form_value"] = filled_in(&fields, how.form.as_ref())?;
    }
    Ok(Used::Action(action))
}

fn find_button(card: &Value, how: &Use) -> Result<Button, String> {
    let buttons = render::buttons(card);
    let fits = |button: &&Button| {
        let is_called = |name: &String| {
            button.text == *name || button.name.as_ref() == Some(name) || button.value == *name
        };
        let by_text = how.button.as_ref().is_none_or(is_called);
        let by_value = how
            .value
            .as_ref()
            .is_none_or(|value| button.value == *value);
        let by_form = how.form.is_none() || how.button.is_some() || button.form.is_some();
        by_text && by_value && by_form
    };
    if how.button.is_none() && how.value.is_none() && how.form.is_none() {
        return Err("button, value, form or component is missing".to_owned());
    }
    buttons.iter().find(fits).cloned().ok_or_else(|| {
        let names: Vec<&str> = buttons.iter().map(|button| button.text.as_str()).collect();
        format!("the card has no such button, it has {names:?}")
    })
}

/// Uses a part that is no button.
fn part(card: &Value, component: &str, how: &Use) -> Result<Used, String> {
    let mut parts = Vec::new();
    collect_parts(card, false, &mut parts);
    let is_called = |part: &Value| {
        let names = [
            &part["name"],
            &part["element_id"],
            &part["label"]["content"],
            &part["placeholder"]["content"],
            &part["text"]["content"],
        ];
        names.iter().any(|name| **name == component)
    };
    let found = parts.iter().find(|(part, _)| is_called(part));
    let Some((part, is_in_form)) = found else {
        return Err(format!("the card has no part {component:?}"));
    };
    if *is_in_form {
        return Err(format!(
            "{component:?} stands in a form, and is sent with it"
        ));
    }
    if part["disabled"] == json!(true) {
        return Err(format!("{component:?} is disabled"));
    }
    let tag = part["tag"].as_str().unwrap_or_default();
    let behaviors = part["behaviors"].as_array().into_iter().flatten();
    let callback = behaviors
        .into_iter()
        .find(|one| one["type"] == "callback")
        .map(|one| &one["value"]);
    let Some(value) = callback.or(part.get("value")) else {
        return Ok(Used::Local);
    };
    let mut action = json!({"tag": tag});
    if !value.is_null() {
        action["value"] = value.clone();
    }
    if let Some(name) = part["name"].as_str() {
        action["name"] = json!(name);
    }
    if is_picker(tag) {
        action["timezone"] = json!(TIMEZONE);
    }
    let (member, given) = match tag {
        "input" => ("input_value", how.input.as_ref().map(|text| json!(text))),
        "checker" => ("checked", how.checked.map(|checked| json!(checked))),
        "interactive_container" => return Ok(Used::Action(action)),
        _ if tag.starts_with("multi_") => ("options", how.options.as_ref().map(|all| json!(all))),
        _ => ("option", how.option.as_ref().map(|one| json!(one))),
    };
    let asked = match member {
        "input_value" => "input",
        member => member,
    };
    let given = given.ok_or_else(|| format!("{asked} is missing for a {tag}"))?;
    check(part, &given)?;
    action[member] = given;
    Ok(Used::Action(action))
}

fn is_picker(tag: &str) -> bool {
    matches!(tag, "date_picker" | "picker_time" | "picker_datetime")
}

/// Whether a part of this tag can be filled in.
fn is_field(tag: &str) -> bool {
    is_picker(tag)
        || matches!(
            tag,
            "input"
                | "checker"
                | "select_static"
                | "multi_select_static"
                | "select_person"
                | "multi_select_person"
                | "select_img"
        )
}

/// Every part that can be used and is no button, and whether it stands in a form.
fn collect_parts<'a>(node: &'a Value, in_form: bool, found: &mut Vec<(&'a Value, bool)>) {
    match node {
        Value::Array(items) => {
            for item in items {
                collect_parts(item, in_form, found);
            }
        }
        Value::Object(members) => {
            let tag = node["tag"].as_str().unwrap_or_default();
            if is_field(tag) || matches!(tag, "overflow" | "interactive_container") {
                found.push((node, in_form));
            }
            for name in ["body", "elements", "columns", "actions", "extra"] {
                if let Some(below) = members.get(name) {
                    collect_parts(below, in_form || tag == "form", found);
                }
            }
        }
        _ => {}
    }
}

fn find_form<'a>(card: &'a Value, name: &str) -> &'a Value {
    let at_root = [&card["body"]["elements"], &card["elements"]];
    let mut all = at_root.into_iter().filter_map(Value::as_array).flatten();
    all.find(|one| one["tag"] == "form" && one["name"] == name)
        .unwrap_or(&Value::Null)
}

fn collect_fields<'a>(form: &'a Value, fields: &mut Vec<&'a Value>) {
    let mut parts = Vec::new();
    collect_parts(form, true, &mut parts);
    let tag_of = |part: &Value| part["tag"].as_str().unwrap_or_default().to_owned();
    fields.extend(
        parts
            .into_iter()
            .map(|(part, _)| part)
            .filter(|part| is_field(&tag_of(part))),
    );
}

/// The `form_value` of a form: what was filled in, and of the rest what was there from the start. What is
/// empty is left out.
fn filled_in(fields: &[&Value], given: Option<&Value>) -> Result<Value, String> {
    let nothing = Map::new();
    let given = match given {
        None | Some(Value::Null) => &nothing,
        Some(Value::Object(given)) => given,
        Some(_) => return Err("form is not an object".to_owned()),
    };
    let is_field = |name: &&String| fields.iter().any(|field| field["name"] == **name);
    if let Some(unknown) = given.keys().find(|name| !is_field(name)) {
        return Err(format!("the form has no field {unknown:?}"));
    }
    let mut filled = Map::new();
    for field in fields {
        let name = field["name"].as_str().unwrap_or_default();
        let value = match given.get(name) {
            Some(_) if field["disabled"] == json!(true) => {
                return Err(format!("the field {name:?} is disabled"));
            }
            Some(value) => value.clone(),
            None => initial(field),
        };
        if is_empty(&value) {
            if field["required"] == json!(true) {
                return Err(format!("the field {name:?} is required"));
            }
            continue;
        }
        check(field, &value)?;
        filled.insert(name.to_owned(), value);
    }
    Ok(Value::Object(filled))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || *value == json!("") || *value == json!([])
}

/// What a field holds before anybody touches it.
fn initial(field: &Value) -> Value {
    let member = match field["tag"].as_str().unwrap_or_default() {
        "input" => "default_value",
        "checker" => return json!(field["checked"] == json!(true)),
        "date_picker" => "initial_date",
        "picker_time" => "initial_time",
        "picker_datetime" => "initial_datetime",
        tag if tag.starts_with("multi_") => "selected_values",
        _ => "initial_option",
    };
    field[member].clone()
}

/// Whether a part can hold this.
fn check(part: &Value, value: &Value) -> Result<(), String> {
    let tag = part["tag"].as_str().unwrap_or_default();
    let wants = |what: &str| Err(format!("a {tag} holds {what}, not {value}"));
    match tag {
        "checker" if !value.is_boolean() => wants("true or false"),
        "checker" => Ok(()),
        _ if tag.starts_with("multi_") => match value.as_array() {
            Some(all) => all.iter().try_for_each(|one| offered(part, one)),
            None => wants("a list of options"),
        },
        _ => match value.as_str() {
            None => wants("a text"),
            Some(text) if tag == "input" => {
                let max = part["max_length"].as_u64().unwrap_or(1000);
                match text.chars().count() as u64 > max {
                    true => Err(format!("the text is longer than {max} characters")),
                    false => Ok(()),
                }
            }
            Some(_) if is_picker(tag) => Ok(()),
            Some(_) => offered(part, value),
        },
    }
}

fn offered(part: &Value, value: &Value) -> Result<(), String> {
    let options = part["options"].as_array();
    let values: Vec<&Value> = options
        .into_iter()
        .flatten()
        .map(|option| &option["value"])
        .collect();
    // A choice of people without options offers everybody in the chat.
    let is_open = values.is_empty()
        && part["tag"]
            .as_str()
            .is_some_and(|tag| tag.ends_with("person"));
    match is_open || values.contains(&value) {
        true => Ok(()),
        false => Err(format!("{value} is not offered, there is {values:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_card() -> Value {
        let options = json!([{"text": {"tag": "plain_text", "content": "A"}, "value": "a"},
            {"text": {"tag": "plain_text", "content": "B"}, "value": "b"}]);
        json!({"schema": "2.0", "body": {"elements": [{"tag": "form", "name": "f", "elements": [
            {"tag": "multi_select_static", "name": "many", "options": options},
            {"tag": "column_set", "columns": [{"tag": "column", "elements": [
                {"tag": "select_static", "name": "one", "options": options, "initial_option": "b"}]}]},
            {"tag": "input", "name": "words", "required": true, "max_length": 5},
            {"tag": "checker", "name": "sure"},
            {"tag": "input", "name": "fixed", "disabled": true, "default_value": "x"},
            {"tag": "button", "name": "go", "form_action_type": "submit", "text": {"tag": "plain_text", "content": "Go"},
             "behaviors": [{"type": "callback", "value": {"k": 1}}]}]}]}})
    }

    fn sent(form: Value) -> Result<Used, String> {
        let how = Use {
            form: Some(form),
            ..Use::default()
        };
        used(&form_card(), &how)
    }

    #[test]
    fn a_form_is_sent_with_what_was_filled_in_and_what_was_there() {
        let action = sent(json!({"words": "hello", "many": ["b", "a"]})).unwrap();
        let expected = json!({"tag": "button", "name": "go", "value": {"k": 1}, "form_value":
            {"many": ["b", "a"], "one": "b", "words": "hello", "sure": false, "fixed": "x"}});
        assert_eq!(action, Used::Action(expected));
    }

    #[test]
    fn the_client_does_not_send_a_form_that_is_not_in_order() {
        for (form, part_of_reason) in [
            (json!({}), "required"),
            (json!({"words": ""}), "required"),
            (json!({"words": "too long"}), "longer than 5"),
            (json!({"words": 1}), "a text"),
            (json!({"words": "x", "many": "a"}), "a list"),
            (json!({"words": "x", "many": ["c"]}), "not offered"),
            (json!({"words": "x", "one": "c"}), "not offered"),
            (json!({"words": "x", "sure": "yes"}), "true or false"),
            (json!({"words": "x", "fixed": "y"}), "disabled"),
            (json!({"words": "x", "other": "y"}), "no field"),
            (json!([]), "not an object"),
        ] {
            let refused = sent(form).unwrap_err();
            assert!(refused.contains(part_of_reason), "{refused}");
        }
    }

    #[test]
    fn a_form_with_a_nameless_part_is_the_clients_own_error() {
        let mut card = form_card();
        card["body"]["elements"][0]["elements"][3]["name"] = json!("");
        let how = Use {
            form: Some(json!({"words": "x"})),
            ..Use::default()
        };
        assert_eq!(used(&card, &how), Ok(Used::ClientError(200_530)));
    }

    #[test]
    fn parts_outside_of_forms_call_back_one_by_one() {
        let callback = json!([{"type": "callback", "value": {"k": 1}}]);
        let options = json!([{"text": {"tag": "plain_text", "content": "A"}, "value": "a"}]);
        let card = json!({"schema": "2.0", "body": {"elements": [
            {"tag": "select_static", "name": "pick", "options": options, "behaviors": callback},
            {"tag": "overflow", "element_id": "more", "options": options, "behaviors": callback},
            {"tag": "checker", "name": "sure", "behaviors": callback},
            {"tag": "input", "name": "words", "behaviors": callback},
            {"tag": "date_picker", "name": "day", "behaviors": callback},
            {"tag": "checker", "name": "quiet"},
            {"tag": "select_static", "name": "off", "disabled": true, "options": options, "behaviors": callback}]}});
        let act = |component: &str, how: Use| {
            used(
                &card,
                &Use {
                    component: Some(component.to_owned()),
                    ..how
                },
            )
        };
        let option = || Use {
            option: Some("a".to_owned()),
            ..Use::default()
        };
        let told = |members: Value| {
            let mut action = json!({"value": {"k": 1}});
            for (name, value) in members.as_object().unwrap() {
                action[name] = value.clone();
            }
            Ok(Used::Action(action))
        };
        assert_eq!(
            act("pick", option()),
            told(json!({"tag": "select_static", "name": "pick", "option": "a"}))
        );
        assert_eq!(
            act("more", option()),
            told(json!({"tag": "overflow", "option": "a"}))
        );
        let checked = || Use {
            checked: Some(true),
            ..Use::default()
        };
        assert_eq!(
            act("sure", checked()),
            told(json!({"tag": "checker", "name": "sure", "checked": true}))
        );
        let typed = Use {
            input: Some("hi".to_owned()),
            ..Use::default()
        };
        assert_eq!(
            act("words", typed),
            told(json!({"tag": "input", "name": "words", "input_value": "hi"}))
        );
        let day = Use {
            option: Some("2026-11-20 +0800".to_owned()),
            ..Use::default()
        };
        assert_eq!(
            act("day", day),
            told(
                json!({"tag": "date_picker", "name": "day", "timezone": TIMEZONE, "option": "2026-11-20 +0800"})
            )
        );
        assert_eq!(act("quiet", checked()), Ok(Used::Local));
        assert!(act("off", option()).unwrap_err().contains("disabled"));
        assert!(act("none", option()).unwrap_err().contains("no part"));
        assert!(
            act("pick", checked())
                .unwrap_err()
                .contains("option is missing")
        );
    }
}
