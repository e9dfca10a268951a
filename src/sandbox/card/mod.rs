//! Whether the platform would take a card.
//!
//! Schema 2.0 is strict: an unknown property or a removed tag is an error. Schema 1.0, still sent
//! by many alert bots, ignores what it does not know. The same fault has one code when a message is
//! sent (230099 with a sub code) and another when an entity is made, so a [`Fault`] keeps the sub
//! code until it is known which.

pub(super) mod edit;
mod schema;

use std::collections::HashSet;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use super::refusal::Refusal;

/// 30 KB, taken as 30 × 1024 bytes of the JSON as UTF-8. The exact measure is not documented.
const SIZE_MAX: usize = 30 * 1024;
const ELEMENTS_MAX: usize = 200;
/// Tables in one card, components and markdown tables together.
const TABLES_MAX: usize = 5;
/// Markdown tables in one element.
const TABLES_PER_ELEMENT_MAX: usize = 4;

pub(super) use schema::CONFIG;

/// What is wrong with a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    code: i64,
    message: String,
    value: String,
}

impl Fault {
    /// With the sub code of the vendor's table.
    pub(super) fn new(code: i64, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            value: String::new(),
        }
    }

    fn value(self, value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            ..self
        }
    }

    /// The JSON cannot be read, or has a property that schema 2.0 does not know.
    pub(super) fn unreadable(why: &str) -> Self {
        Self::new(
            200_621,
            "parse card json err, please check whether the card json is correct",
        )
        .value(why)
    }

    /// What is wrong, for a sentence of somebody else's.
    pub(super) fn why(&self) -> String {
        format!("{} {}", self.message, self.value).trim().to_owned()
    }

    fn ext(&self) -> String {
        format!(
            "ErrCode: {}; ErrMsg: {}; ErrorValue: {}; ",
            self.code, self.message, self.value
        )
    }

    /// As send, reply and PATCH say it.
    pub(super) fn for_message(self) -> Refusal {
        match self.code {
            200_860 => Refusal::new(
                230_025,
                "The length of the message content reaches its limit.",
            ),
            _ => Refusal::new(
                230_099,
                format!("Failed to create card content, ext={}", self.ext()),
            ),
        }
    }

    /// As the card API says it. Table limits come as 230099 here too.
    pub(super) fn for_entity(self) -> Refusal {
        match self.code {
            11_310 => self.for_message(),
            code => Refusal::new(code, self.ext()),
        }
    }
}

/// 2 when the card says so, else 1: the schema must be explicit.
pub(super) fn schema_of(card: &Value) -> u8 {
    if card["schema"] == "2.0" { 2 } else { 1 }
}

/// `config.update_multi`, which is true by default in 2.0 and false in 1.0.
pub(super) fn is_shared(card: &Value) -> bool {
    card["config"]["update_multi"]
        .as_bool()
        .unwrap_or(schema_of(card) == 2)
}

/// A card as a message brings it.
pub(super) fn parse(content: &str) -> Result<Value, Fault> {
    let card = read(content)?;
    check(&card)?;
    Ok(card)
}

/// A card as the card API is given it.
pub(super) fn parse_entity(data: &str) -> Result<Value, Fault> {
    let card = read(data)?;
    check_entity(&card)?;
    Ok(card)
}

/// What holds for an entity: schema 2.0, shared, and all that holds for cards.
pub(super) fn check_entity(card: &Value) -> Result<(), Fault> {
    if card.as_object().is_some_and(serde_json::Map::is_empty) {
        return Err(Fault::new(300_307, "card DSL empty"));
    }
    if schema_of(card) != 2 {
        return Err(Fault::new(300_303, "only schema 2.0 is supported"));
    }
    if !is_shared(card) {
        return Err(Fault::new(300_302, "update_multi must not be false"));
    }
    check(card).map_err(|fault| match fault.code {
        11_310 if fault.value == "element" => {
            Fault::new(300_305, "the card has more than 200 components")
        }
        _ => fault,
    })
}

fn read(data: &str) -> Result<Value, Fault> {
    if data.len() > SIZE_MAX {
        return Err(too_large());
    }
    let card: Value =
        serde_json::from_str(data).map_err(|error| Fault::unreadable(&error.to_string()))?;
    if card.is_object() {
        Ok(card)
    } else {
        Err(Fault::unreadable("a card is a JSON object"))
    }
}

fn too_large() -> Fault {
    Fault::new(200_860, "card content exceeds limit")
}

/// What holds for every card.
fn check(card: &Value) -> Result<(), Fault> {
    if card.to_string().len() > SIZE_MAX {
        return Err(too_large());
    }
    match &card["schema"] {
        Value::Null => {}
        Value::String(schema) if schema == "1.0" || schema == "2.0" => {}
        other => {
            return Err(Fault::unreadable(&format!(
                "schema {other} is not supported"
            )));
        }
    }
    if schema_of(card) == 2 {
        schema::check(card)?;
    } else if !(card["elements"].is_array()
        || card["i18n_elements"].is_object()
        || card["header"].is_object())
    {
        return Err(Fault::unreadable(
            "the card has neither elements nor a header",
        ));
    }
    let mut tally = Tally::default();
    tally.count(card)?;
    tally.check()
}

/// What is counted over a whole card.
#[derive(Default)]
struct Tally {
    elements: usize,
    tables: usize,
    ids: HashSet<String>,
}

impl Tally {
    fn count(&mut self, node: &Value) -> Result<(), Fault> {
        match node {
            Value::Array(items) => items.iter().try_for_each(|item| self.count(item)),
            Value::Object(members) => {
                if let Some(tag) = members.get("tag").and_then(Value::as_str) {
                    self.count_element(tag, node)?;
                }
                members
                    .iter()
                    .filter(|(name, _)| !schema::OPAQUE.contains(&name.as_str()))
                    .try_for_each(|(_, value)| self.count(value))
            }
            _ => Ok(()),
        }
    }

    fn count_element(&mut self, tag: &str, element: &Value) -> Result<(), Fault> {
        self.elements += 1;
        if let Some(id) = element["element_id"].as_str()
            && !self.ids.insert(id.to_owned())
        {
            return Err(Fault::new(300_301, "duplicate element_id").value(id));
        }
        match tag {
            "table" => self.tables += 1,
            "markdown" => self.count_markdown(element["content"].as_str().unwrap_or_default())?,
            "img" => check_image_key(element["img_key"].as_str().unwrap_or_default())?,
            _ => {}
        }
        Ok(())
    }

    fn count_markdown(&mut self, content: &str) -> Result<(), Fault> {
        let mut tables = 0;
        for event in Parser::new_ext(content, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Table(_)) => tables += 1,
                Event::Start(Tag::Image { dest_url, .. }) => check_image_key(&dest_url)?,
                _ => {}
            }
        }
        self.tables += tables;
        if tables > TABLES_PER_ELEMENT_MAX {
            return Err(too_many_tables());
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Fault> {
        if self.tables > TABLES_MAX {
            return Err(too_many_tables());
        }
        if self.elements > ELEMENTS_MAX {
            return Err(Fault::new(11_310, "element exceeds the limit").value("element"));
        }
        Ok(())
    }
}

fn too_many_tables() -> Fault {
    Fault::new(11_310, "card table number over limit").value("table")
}

/// Images are named by a key that was uploaded; a URL is the usual mistake.
fn check_image_key(key: &str) -> Result<(), Fault> {
    if key.starts_with("img_") {
        Ok(())
    } else {
        Err(Fault::new(200_570, "invalid image keys").value(key))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card(elements: Value) -> Value {
        json!({"schema": "2.0", "config": {"streaming_mode": true}, "body": {"elements": elements}})
    }

    fn check_code(elements: Value, expected: i64) {
        let refusal = parse_entity(&card(elements).to_string()).map_err(Fault::for_entity);
        assert_eq!(refusal.map_or_else(|refusal| refusal.code, |_| 0), expected);
    }

    fn markdown(content: &str) -> Value {
        json!({"tag": "markdown", "content": content})
    }

    #[test]
    fn each_fault_of_a_card_has_its_code() {
        let table = "| a |\n|---|\n| 1 |\n\n";
        check_code(json!([markdown("hi")]), 0);
        check_code(json!([{"tag": "note", "elements": []}]), 200_861);
        check_code(
            json!([{"tag": "markdown", "content": "x", "colour": "red"}]),
            200_621,
        );
        check_code(json!([{"tag": "marquee", "content": "x"}]), 200_621);
        check_code(
            json!([{"tag": "markdown", "content": "x", "element_id": "1st"}]),
            200_621,
        );
        check_code(
            json!([{"tag": "hr", "element_id": "a"}, {"tag": "hr", "element_id": "a"}]),
            300_301,
        );
        check_code(json!([markdown(&table.repeat(4))]), 0);
        check_code(json!([markdown(&table.repeat(5))]), 230_099);
        check_code(
            json!([markdown(&table.repeat(3)), markdown(&table.repeat(3))]),
            230_099,
        );
        check_code(
            json!([markdown("![x](https://example.com/x.png)")]),
            200_570,
        );
        check_code(json!([markdown("![x](img_v3_1)")]), 0);
        check_code(json!([markdown(&"字".repeat(10_300))]), 200_860);
        check_code(Value::Array(vec![json!({"tag": "hr"}); 200]), 0);
        check_code(Value::Array(vec![json!({"tag": "hr"}); 201]), 300_305);
    }

    #[test]
    fn an_entity_is_of_schema_two_and_shared() {
        let code = |data: Value| {
            parse_entity(&data.to_string())
                .unwrap_err()
                .for_entity()
                .code
        };
        assert_eq!(code(json!({"elements": []})), 300_303);
        assert_eq!(code(json!({})), 300_307);
        assert_eq!(
            code(json!({"schema": "2.0", "config": {"update_multi": false}})),
            300_302
        );
        assert_eq!(
            code(json!({"schema": "2.0", "config": {"stream": true}})),
            200_621
        );
        assert_eq!(code(json!({"schema": "2.0", "elements": []})), 200_621);
    }

    #[test]
    fn a_fault_in_a_message_carries_its_sub_code_in_the_sentence() {
        let bad = card(json!([{"tag": "note"}])).to_string();
        let refusal = parse(&bad).unwrap_err().for_message();
        assert_eq!(refusal.code, 230_099);
        assert!(
            refusal
                .msg
                .starts_with("Failed to create card content, ext=ErrCode: 200861; ErrMsg: ")
        );
        let large = card(json!([markdown(&"x".repeat(31_000))])).to_string();
        assert_eq!(parse(&large).unwrap_err().for_message().code, 230_025);
    }

    #[test]
    fn an_old_card_may_hold_what_nobody_knows() {
        let old = json!({"config": {"x": 1}, "elements": [{"tag": "note", "elements": []}, {"tag": "action"}]});
        assert!(parse(&old.to_string()).is_ok());
        assert!(parse("{\"card_id\":\"7\"}").is_err());
        assert!(parse("nonsense").is_err());
    }
}
