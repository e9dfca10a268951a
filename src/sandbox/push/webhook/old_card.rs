//! The old card callback, `card.action.trigger_v1`: another body there, and another answer back.

use serde_json::{Map, Value, json};

/// What a card can have at its top; an answer with none of these is no card.
const OF_A_CARD: &[&str] = &[
    "schema",
    "config",
    "card_link",
    "header",
    "body",
    "elements",
    "i18n_elements",
    "i18n_header",
];

/// The flat body of the old callback, from the envelope of the new one.
pub(super) fn from_new(payload: &[u8]) -> Option<Vec<u8>> {
    let new: Value = serde_json::from_slice(payload).ok()?;
    let event = &new["event"];
    let (operator, context) = (&event["operator"], &event["context"]);
    let mut old = json!({
        "open_id": operator["open_id"],
        "open_message_id": context["open_message_id"],
        "open_chat_id": context["open_chat_id"],
        "tenant_key": new["header"]["tenant_key"],
        "token": event["token"],
        "action": event["action"],
    });
    if operator["user_id"].is_string() {
        old["user_id"] = operator["user_id"].clone();
    }
    Some(old.to_string().into_bytes())
}

/// The answer to the old callback as the new one has it: a card stands at its top, beside a toast.
pub(super) fn as_new(answer: Value) -> Value {
    // No object is wrong in both.
    let Value::Object(mut old) = answer else {
        return answer;
    };
    let mut new = Map::new();
    if let Some(toast) = old.remove("toast") {
        new.insert("toast".into(), toast);
    }
    if old.get("type") == Some(&json!("template")) {
        new.insert("card".into(), Value::Object(old));
    } else if OF_A_CARD.iter().any(|member| old.contains_key(*member)) {
        new.insert("card".into(), json!({"type": "raw", "data": old}));
    }
    Value::Object(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_card_a_template_a_toast_or_nothing() {
        let check = |old: Value, new: Value| assert_eq!(as_new(old), new);
        let toast = json!({"type": "info", "content": "ok"});
        check(json!({}), json!({}));
        check(json!({"msg": "success"}), json!({}));
        check(json!({"toast": toast}), json!({"toast": toast}));
        check(
            json!({"toast": toast, "elements": []}),
            json!({"toast": toast, "card": {"type": "raw", "data": {"elements": []}}}),
        );
        check(
            json!({"type": "template", "data": {}}),
            json!({"card": {"type": "template", "data": {}}}),
        );
        check(json!("?"), json!("?"));
    }

    #[test]
    fn the_old_body_is_flat() {
        let new = json!({"header": {"tenant_key": "t"}, "event": {
            "operator": {"open_id": "ou_a"}, "token": "c-1", "action": {"tag": "button"},
            "context": {"open_message_id": "om_a", "open_chat_id": "oc_a"}}});
        let old: Value =
            serde_json::from_slice(&from_new(new.to_string().as_bytes()).unwrap()).unwrap();
        let expected = json!({"open_id": "ou_a", "open_message_id": "om_a", "open_chat_id": "oc_a",
            "tenant_key": "t", "token": "c-1", "action": {"tag": "button"}});
        assert_eq!(old, expected);
    }
}
