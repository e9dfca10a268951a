//! Changes of single elements, found by their `element_id` wherever they stand in the card.

use serde_json::{Value, json};

use crate::sandbox::{refusal::Refusal, world::ElementChange};

/// The element with this id.
pub(in crate::sandbox) fn find<'a>(node: &'a mut Value, element_id: &str) -> Option<&'a mut Value> {
    // Asked first and borrowed after, which the borrow checker can follow.
    if node["element_id"] == element_id {
        return Some(node);
    }
    match node {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, element_id)),
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| !super::schema::OPAQUE.contains(&name.as_str()))
            .find_map(|(_, value)| find(value, element_id)),
        _ => None,
    }
}

/// Applies one change, or refuses with the code of its own call.
pub(in crate::sandbox) fn apply(card: &mut Value, change: &ElementChange) -> Result<(), Refusal> {
    match change {
        ElementChange::Add {
            how,
            target,
            elements,
        } => add(card, how, target.as_deref(), elements),
        ElementChange::Replace {
            element_id,
            element,
        } => {
            let element = read(element, "element")?;
            let place = find(card, element_id)
                .ok_or_else(|| not_found(300_121, "replace element failed", element_id))?;
            *place = element;
            Ok(())
        }
        ElementChange::Patch {
            element_id,
            partial,
        } => patch(card, element_id, partial),
        ElementChange::Delete { element_id } => {
            let (list, place) = list_with(card, element_id)
                .ok_or_else(|| not_found(300_314, "delete element failed", element_id))?;
            list.remove(place);
            Ok(())
        }
    }
}

fn add(card: &mut Value, how: &str, target: Option<&str>, elements: &str) -> Result<(), Refusal> {
    let Value::Array(elements) = read(elements, "elements")? else {
        return Err(Refusal::new(
            10_002,
            "elements is not a string of a JSON array",
        ));
    };
    let failed = |why: &str| Refusal::new(300_315, format!("add element failed, ErrMsg: {why}"));
    let (list, place) = match (how, target) {
        ("append", None | Some("")) => {
            if card["body"]["elements"].is_null() {
                card["body"]["elements"] = json!([]);
            }
            let list = card["body"]["elements"].as_array_mut();
            let list = list.ok_or_else(|| failed("body.elements is not an array"))?;
            let end = list.len();
            (list, end)
        }
        ("append", Some(id)) => {
            let container =
                find(card, id).ok_or_else(|| failed(&format!("not find elementID : {id}")))?;
            let list = container["elements"].as_array_mut();
            let list = list.ok_or_else(|| failed("the target is no container"))?;
            let end = list.len();
            (list, end)
        }
        ("insert_before" | "insert_after", Some(id)) => {
            let (list, place) =
                list_with(card, id).ok_or_else(|| failed(&format!("not find elementID : {id}")))?;
            (list, place + usize::from(how == "insert_after"))
        }
        _ => {
            return Err(Refusal::new(
                10_002,
                "type must be insert_before, insert_after or append",
            ));
        }
    };
    list.splice(place..place, elements);
    Ok(())
}

fn patch(card: &mut Value, element_id: &str, partial: &str) -> Result<(), Refusal> {
    let Value::Object(partial) = read(partial, "partial_element")? else {
        return Err(Refusal::new(
            10_002,
            "partial_element is not a string of a JSON object",
        ));
    };
    let element = find(card, element_id)
        .ok_or_else(|| not_found(300_313, "update properties failed", element_id))?;
    if partial.get("tag").is_some_and(|tag| *tag != element["tag"]) {
        return Err(Refusal::new(
            300_312,
            "the tag of an element cannot be changed",
        ));
    }
    for (name, value) in partial {
        element[name] = value;
    }
    Ok(())
}

/// The list in which an element stands, and its place there.
fn list_with<'a>(node: &'a mut Value, element_id: &str) -> Option<(&'a mut Vec<Value>, usize)> {
    match node {
        Value::Array(items) => {
            if let Some(place) = items
                .iter()
                .position(|item| item["element_id"] == element_id)
            {
                return Some((items, place));
            }
            items
                .iter_mut()
                .find_map(|item| list_with(item, element_id))
        }
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| !super::schema::OPAQUE.contains(&name.as_str()))
            .find_map(|(_, value)| list_with(value, element_id)),
        _ => None,
    }
}

fn read(text: &str, name: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text)
        .map_err(|_| Refusal::new(10_002, format!("{name} is not a string of JSON")))
}

fn not_found(code: i64, what: &str, element_id: &str) -> Refusal {
    Refusal::new(
        code,
        format!("{what}, ErrMsg: not find elementID : {element_id}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Value {
        json!({"body": {"elements": [
            {"tag": "hr", "element_id": "a"},
            {"tag": "form", "element_id": "f", "elements": [{"tag": "markdown", "element_id": "b", "content": "x"}]},
        ]}})
    }

    fn ids(card: &Value) -> String {
        fn walk(node: &Value, out: &mut Vec<String>) {
            match node {
                Value::Array(items) => items.iter().for_each(|item| walk(item, out)),
                Value::Object(members) => {
                    if let Some(id) = members.get("element_id") {
                        out.push(id.as_str().unwrap_or("?").to_owned());
                    }
                    members.values().for_each(|value| walk(value, out));
                }
                _ => {}
            }
        }
        let mut out = Vec::new();
        walk(&card["body"], &mut out);
        out.join(" ")
    }

    fn add(how: &str, target: Option<&str>) -> String {
        let mut card = card();
        let change = ElementChange::Add {
            how: how.to_owned(),
            target: target.map(str::to_owned),
            elements: json!([{"tag": "hr", "element_id": "n"}]).to_string(),
        };
        apply(&mut card, &change).map_or_else(|refusal| refusal.code.to_string(), |()| ids(&card))
    }

    #[test]
    fn elements_are_added_where_the_target_stands() {
        assert_eq!(add("append", None), "a f b n");
        assert_eq!(add("append", Some("f")), "a f b n");
        assert_eq!(add("insert_before", Some("b")), "a f n b");
        assert_eq!(add("insert_after", Some("a")), "a n f b");
        assert_eq!(add("insert_after", Some("z")), "300315");
        assert_eq!(add("append", Some("a")), "300315");
        assert_eq!(add("below", Some("a")), "10002");
    }

    #[test]
    fn a_patch_merges_and_keeps_the_tag() {
        let mut card = card();
        let mut patch = |element_id: &str, partial: Value| {
            let change = ElementChange::Patch {
                element_id: element_id.to_owned(),
                partial: partial.to_string(),
            };
            apply(&mut card, &change).map_or_else(|refusal| refusal.code, |()| 0)
        };
        assert_eq!(patch("b", json!({"content": "y"})), 0);
        assert_eq!(patch("b", json!({"tag": "hr"})), 300_312);
        assert_eq!(patch("z", json!({})), 300_313);
        assert_eq!(find(&mut card, "b").unwrap()["content"], "y");
    }

    #[test]
    fn a_deleted_element_is_gone() {
        let mut card = card();
        let delete = ElementChange::Delete {
            element_id: "b".to_owned(),
        };
        apply(&mut card, &delete).unwrap();
        assert_eq!(ids(&card), "a f");
        assert_eq!(apply(&mut card, &delete).unwrap_err().code, 300_314);
    }
}
