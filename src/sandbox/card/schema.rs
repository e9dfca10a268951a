//! Card JSON 2.0: which properties each place may have [doc: card JSON 2.0 structure, components].
//!
//! Values are checked only where a wrong one is a known error; the names are checked everywhere.

use serde_json::{Map, Value};

use super::Fault;

/// Members of the card itself.
const CARD: &[&str] = &["schema", "config", "card_link", "header", "body"];

/// Members of `config`.
pub(in crate::sandbox) const CONFIG: &[&str] = &[
    "streaming_mode",
    "streaming_config",
    "summary",
    "locales",
    "enable_forward",
    "update_multi",
    "width_mode",
    "use_custom_translation",
    "enable_forward_interaction",
    "style",
];

const HEADER: &[&str] = &[
    "title",
    "subtitle",
    "text_tag_list",
    "i18n_text_tag_list",
    "template",
    "icon",
    "padding",
];

const BODY: &[&str] = &["elements"];

/// What every container may have, the body too.
const LAYOUT: &[&str] = &[
    "direction",
    "padding",
    "horizontal_spacing",
    "vertical_spacing",
    "horizontal_align",
    "vertical_align",
];

/// What every component may have.
const COMMON: &[&str] = &["tag", "element_id", "margin"];

/// Members whose insides belong to whoever made the card, or are no components.
pub(super) const OPAQUE: &[&str] = &[
    "value",
    "behaviors",
    "rows",
    "chart_spec",
    "style",
    "i18n_content",
    "i18n_text_tag_list",
    "streaming_config",
    "summary",
];

/// Tags that 2.0 took away.
const REMOVED: &[&str] = &["note", "action"];

const TEXT: &[&str] = &[
    "content",
    "text_size",
    "text_color",
    "text_align",
    "lines",
    "i18n_content",
    "icon",
];

const SELECT: &[&str] = &[
    "options",
    "initial_option",
    "initial_index",
    "placeholder",
    "type",
    "width",
    "name",
    "required",
    "disabled",
    "disabled_tips",
    "behaviors",
    "confirm",
    "selected_values",
    "value",
];

const PICKER: &[&str] = &[
    "initial_date",
    "initial_time",
    "initial_datetime",
    "placeholder",
    "width",
    "name",
    "required",
    "disabled",
    "disabled_tips",
    "behaviors",
    "confirm",
    "value",
];

/// The members of a component beside the common ones; none for a tag that does not exist.
fn members(tag: &str) -> Option<&'static [&'static str]> {
    Some(match tag {
        "plain_text" | "lark_md" => TEXT,
        "markdown" => &[
            "content",
            "text_size",
            "text_align",
            "text_color",
            "icon",
            "i18n_content",
        ],
        "text_tag" => &["text", "color"],
        "standard_icon" => &["token", "color", "size"],
        "custom_icon" => &["img_key", "size"],
        "div" => &["text", "fields", "icon", "width"],
        "hr" => &[],
        "img" => &[
            "img_key",
            "alt",
            "title",
            "scale_type",
            "size",
            "corner_radius",
            "transparent",
            "preview",
        ],
        "img_combination" => &[
            "combination_mode",
            "combination_transparent",
            "corner_radius",
            "img_list",
        ],
        "column_set" => &["columns", "flex_mode", "background_style", "action"],
        "column" => &["width", "weight", "elements", "background_style", "action"],
        "collapsible_panel" => &[
            "expanded",
            "header",
            "border",
            "background_color",
            "elements",
        ],
        "interactive_container" => &[
            "behaviors",
            "width",
            "height",
            "background_style",
            "has_border",
            "border_color",
            "corner_radius",
            "disabled",
            "disabled_tips",
            "hover_tips",
            "confirm",
            "elements",
            "name",
        ],
        "form" => &["name", "elements", "confirm"],
        "button" => &[
            "text",
            "type",
            "size",
            "width",
            "icon",
            "hover_tips",
            "disabled",
            "disabled_tips",
            "confirm",
            "behaviors",
            "name",
            "required",
            "form_action_type",
            "action_type",
            "url",
            "multi_url",
            "value",
        ],
        "input" => &[
            "name",
            "required",
            "placeholder",
            "default_value",
            "max_length",
            "input_type",
            "rows",
            "auto_resize",
            "max_rows",
            "show_icon",
            "label",
            "label_position",
            "width",
            "disabled",
            "disabled_tips",
            "behaviors",
            "value",
            "confirm",
        ],
        "select_static"
        | "multi_select_static"
        | "select_person"
        | "multi_select_person"
        | "select_img" => SELECT,
        "date_picker" | "picker_time" | "picker_datetime" => PICKER,
        "overflow" => &[
            "options",
            "value",
            "confirm",
            "behaviors",
            "width",
            "disabled",
        ],
        "checker" => &[
            "checked",
            "text",
            "overall_checkable",
            "button_area",
            "checked_style",
            "behaviors",
            "name",
            "disabled",
            "disabled_tips",
            "hover_tips",
            "confirm",
            "padding",
            "value",
        ],
        "person" => &[
            "user_id",
            "show_name",
            "show_avatar",
            "size",
            "style",
            "drop_invalid_user_id",
        ],
        "person_list" => &[
            "persons",
            "show_name",
            "show_avatar",
            "size",
            "lines",
            "drop_invalid_user_id",
            "icon",
        ],
        "table" => &[
            "columns",
            "rows",
            "page_size",
            "row_height",
            "row_max_height",
            "header_style",
            "freeze_first_column",
        ],
        "chart" => &[
            "chart_spec",
            "aspect_ratio",
            "color_theme",
            "preview",
            "height",
        ],
        "audio" => &[
            "file_key",
            "audio_id",
            "show_time",
            "fallback",
            "style",
            "width",
        ],
        _ => return None,
    })
}

fn is_container(tag: &str) -> bool {
    matches!(
        tag,
        "column_set" | "column" | "collapsible_panel" | "interactive_container" | "form"
    )
}

/// Checks every name in a card of schema 2.0.
pub(super) fn check(card: &Value) -> Result<(), Fault> {
    only(card, &[CARD], "ROOT")?;
    only(&card["config"], &[CONFIG], "ROOT -> config")?;
    only(&card["header"], &[HEADER], "ROOT -> header")?;
    only(&card["body"], &[BODY, LAYOUT], "ROOT -> body")?;
    check_nodes(&card["header"], "ROOT -> header", 0)?;
    let elements = match &card["body"]["elements"] {
        Value::Null => return Ok(()),
        Value::Array(elements) => elements,
        _ => return Err(Fault::unreadable("body.elements is not an array")),
    };
    for (number, element) in elements.iter().enumerate() {
        check_element(
            element,
            &format!("ROOT -> body -> elements -> [{number}]"),
            0,
        )?;
    }
    Ok(())
}

/// Checks one component and everything in it.
pub(super) fn check_element(element: &Value, path: &str, depth: usize) -> Result<(), Fault> {
    let Some(tag) = element["tag"].as_str() else {
        return Err(Fault::unreadable(&format!(
            "an element has no tag, path: {path}"
        )));
    };
    if REMOVED.contains(&tag) {
        return Err(Fault::new(
            200_861,
            &format!("cards of schema V2 no longer support this capability; unsupported tag {tag}"),
        )
        .value(path));
    }
    let own = members(tag)
        .ok_or_else(|| Fault::unreadable(&format!("unknown tag {tag}, path: {path}")))?;
    let layout = if is_container(tag) { LAYOUT } else { &[] };
    only(
        element,
        &[COMMON, own, layout],
        &format!("{path}(tag: {tag})"),
    )?;
    check_id(element, path)?;
    if depth > 0 && matches!(tag, "form" | "table") {
        return Err(Fault::unreadable(&format!(
            "{tag} may stand at the root only, path: {path}"
        )));
    }
    check_values(tag, element, path)?;
    check_nodes(element, path, depth + 1)
}

/// Goes down into every member that may hold components.
fn check_nodes(node: &Value, path: &str, depth: usize) -> Result<(), Fault> {
    let Some(members) = node.as_object() else {
        return Ok(());
    };
    // A table's columns are no components.
    let is_table = members.get("tag").is_some_and(|tag| tag == "table");
    for (name, value) in members {
        if OPAQUE.contains(&name.as_str()) || (is_table && name == "columns") {
            continue;
        }
        check_below(value, &format!("{path} -> {name}"), depth)?;
    }
    Ok(())
}

fn check_below(value: &Value, path: &str, depth: usize) -> Result<(), Fault> {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                check_below(item, &format!("{path} -> [{number}]"), depth)?;
            }
            Ok(())
        }
        Value::Object(members) if members.contains_key("tag") => check_element(value, path, depth),
        Value::Object(_) => check_nodes(value, path, depth),
        _ => Ok(()),
    }
}

/// Letters, digits and `_`, a letter first, at most 20.
fn check_id(element: &Value, path: &str) -> Result<(), Fault> {
    let id = match &element["element_id"] {
        Value::Null => return Ok(()),
        Value::String(id) => id,
        _ => {
            return Err(Fault::unreadable(&format!(
                "element_id is not a string, path: {path}"
            )));
        }
    };
    let is_good = id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && id.len() <= 20;
    if is_good {
        Ok(())
    } else {
        Err(Fault::unreadable(&format!(
            "element_id {id:?} is not valid, path: {path}"
        )))
    }
}

/// The few values whose absence or type is a known error.
fn check_values(tag: &str, element: &Value, path: &str) -> Result<(), Fault> {
    let missing = |what: &str| Fault::unreadable(&format!("{tag} needs {what}, path: {path}"));
    match tag {
        "markdown" | "plain_text" | "lark_md" if !element["content"].is_string() => {
            Err(missing("content"))
        }
        "img" if !element["alt"].is_object() => Err(missing("alt")),
        "interactive_container" if !element["behaviors"].is_array() => Err(missing("behaviors")),
        "form" if element["name"].as_str().is_none_or(str::is_empty) => Err(missing("name")),
        "column_set" if !element["columns"].is_array() => Err(missing("columns")),
        "collapsible_panel" | "form" | "interactive_container"
            if !matches!(element["elements"], Value::Array(_) | Value::Null) =>
        {
            Err(missing("elements as an array"))
        }
        _ => Ok(()),
    }
}

fn only(node: &Value, allowed: &[&[&str]], path: &str) -> Result<(), Fault> {
    let members: &Map<String, Value> = match node {
        Value::Null => return Ok(()),
        Value::Object(members) => members,
        _ => {
            return Err(Fault::unreadable(&format!(
                "an object is expected, path: {path}"
            )));
        }
    };
    let is_known = |name: &str| allowed.iter().any(|names| names.contains(&name));
    match members.keys().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(Fault::unreadable(&format!(
            "unknown property, property: {name}, path: {path}"
        ))),
    }
}
