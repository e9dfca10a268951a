//! Card entities: created, sent once, then changed under a rising sequence.
//!
//! Streaming ends by itself ten minutes after it was last switched from off to on. That is noticed
//! when the next change comes: a content call is then refused with 200850 once, later with 300309.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    super::{card, limits::Rule, refusal::Refusal},
    Card, World,
};

const STREAMING_MS: i64 = 10 * 60 * 1000;
const LIFE_MS: i64 = 14 * 24 * 60 * 60 * 1000;
/// The largest int32.
const SEQUENCE_MAX: i64 = 2_147_483_647;

/// One card entity.
#[derive(Debug)]
pub(in crate::sandbox) struct Entity {
    pub(in crate::sandbox) card_id: String,
    pub(in crate::sandbox) json: Value,
    /// The last one that was accepted; 0 before the first.
    pub(in crate::sandbox) sequence: i64,
    /// The message that shows it.
    pub(in crate::sandbox) message_id: Option<String>,
    /// Clicks that wait for the bot's answer; changes are refused meanwhile.
    clicks_under_way: u32,
    created_ms: i64,
    streaming_until_ms: Option<i64>,
    timed_out: bool,
    /// Accepted uuids, each with what it asked for.
    uuids: HashMap<String, String>,
}

/// One change of a card, as the API words it: JSON in strings.
#[derive(Debug, Clone)]
pub(in crate::sandbox) enum Change {
    /// The whole card.
    Replace {
        data: String,
    },
    Settings {
        settings: String,
    },
    /// The full text so far of one element.
    Content {
        element_id: String,
        content: String,
    },
    Element(ElementChange),
    /// A list of actions, all or none.
    Batch {
        actions: String,
    },
}

/// One change of the elements.
#[derive(Debug, Clone)]
pub(in crate::sandbox) enum ElementChange {
    Add {
        how: String,
        target: Option<String>,
        elements: String,
    },
    Replace {
        element_id: String,
        element: String,
    },
    Patch {
        element_id: String,
        partial: String,
    },
    Delete {
        element_id: String,
    },
}

impl Entity {
    /// Whether text can be streamed into it at this time.
    pub(in crate::sandbox) fn is_streaming(&self, now_ms: i64) -> bool {
        self.streaming_until_ms
            .is_some_and(|until_ms| now_ms < until_ms)
    }

    /// Ends a streaming whose ten minutes are over.
    fn lapse(&mut self, now_ms: i64) {
        if self
            .streaming_until_ms
            .is_some_and(|until_ms| now_ms >= until_ms)
        {
            self.streaming_until_ms = None;
            self.timed_out = true;
            self.json["config"]["streaming_mode"] = json!(false);
        }
    }

    /// Takes over a new JSON, and with it whether streaming is on. Switching on what is on already
    /// does not start the ten minutes anew; whether it does on the platform is not known.
    pub(in crate::sandbox) fn take_json(&mut self, json: Value, now_ms: i64) {
        let on = json["config"]["streaming_mode"] == json!(true);
        self.streaming_until_ms = match (on, self.streaming_until_ms) {
            (false, _) => None,
            (true, Some(until_ms)) => Some(until_ms),
            (true, None) => {
                self.timed_out = false;
                Some(now_ms + STREAMING_MS)
            }
        };
        self.json = json;
    }

    /// The JSON after `change`, or why it cannot be.
    fn after(&mut self, change: &Change) -> Result<Value, Refusal> {
        let mut json = self.json.clone();
        match change {
            Change::Replace { data } => {
                json = card::parse_entity(data).map_err(card::Fault::for_entity)?;
            }
            Change::Settings { settings } => apply_settings(&mut json, settings)?,
            Change::Content {
                element_id,
                content,
            } => {
                if std::mem::take(&mut self.timed_out) {
                    return Err(Refusal::new(200_850, "Card streaming timeout"));
                }
                if self.streaming_until_ms.is_none() {
                    return Err(Refusal::new(300_309, "Card streaming mode is closed"));
                }
                apply_content(&mut json, element_id, content)?;
            }
            Change::Element(change) => card::edit::apply(&mut json, change)?,
            Change::Batch { actions } => apply_batch(&mut json, actions)?,
        }
        card::check_entity(&json).map_err(card::Fault::for_entity)?;
        Ok(json)
    }
}

impl World {
    /// A new entity from the JSON string of a card.
    pub(in crate::sandbox) fn create_card(
        &mut self,
        data: &str,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let json = card::parse_entity(data).map_err(card::Fault::for_entity)?;
        let card_id = format!("7{:018}", self.random.u64(0..1_000_000_000_000_000_000));
        let mut entity = Entity {
            card_id: card_id.clone(),
            json: Value::Null,
            sequence: 0,
            message_id: None,
            clicks_under_way: 0,
            created_ms: now_ms,
            streaming_until_ms: None,
            timed_out: false,
            uuids: HashMap::new(),
        };
        entity.take_json(json, now_ms);
        self.cards.insert(&card_id, entity);
        Ok(card_id)
    }

    /// Checks that an entity can be sent: it is there, not too old, and was not sent before.
    pub(super) fn sendable_entity(&self, card_id: &str, now_ms: i64) -> Result<(), Refusal> {
        let Some(entity) = self.cards.get(card_id) else {
            return Err(card::Fault::new(200_740, "card entity does not exist").for_message());
        };
        if now_ms - entity.created_ms > LIFE_MS {
            return Err(card::Fault::new(200_750, "card entity has expired").for_message());
        }
        if entity.message_id.is_some() {
            // The documentation says "once" and gives no code of its own.
            return Err(
                card::Fault::new(200_740, "card entity has been sent already").for_message(),
            );
        }
        Ok(())
    }

    /// Applies one change. `asked` is the whole request without its sequence: the same `uuid` with
    /// the same request is answered as done, with another one it is a conflict.
    pub(in crate::sandbox) fn change_card(
        &mut self,
        card_id: &str,
        change: &Change,
        sequence: i64,
        uuid: Option<(&str, String)>,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let entity = self
            .cards
            .get_mut(card_id)
            .ok_or_else(|| Refusal::new(200_740, "card entity does not exist"))?;
        if now_ms - entity.created_ms > LIFE_MS {
            return Err(Refusal::new(200_750, "card entity has expired"));
        }
        self.limits.take(&[Rule::card(card_id)], now_ms)?;
        if let Some((uuid, asked)) = &uuid
            && let Some(before) = entity.uuids.get(*uuid)
        {
            return if before == asked {
                Ok(())
            } else {
                Err(Refusal::new(200_770, "UUID conflict"))
            };
        }
        if sequence <= entity.sequence || sequence > SEQUENCE_MAX {
            return Err(Refusal::new(300_317, "sequence number compare failed"));
        }
        if entity.clicks_under_way > 0 {
            return Err(Refusal::new(
                200_810,
                "card is in an ongoing interaction and cannot be updated",
            ));
        }
        entity.lapse(now_ms);
        let json = entity.after(change)?;
        entity.take_json(json, now_ms);
        entity.sequence = sequence;
        if let Some((uuid, asked)) = uuid {
            entity.uuids.insert(uuid.to_owned(), asked);
        }
        self.card_happened(card_id);
        Ok(())
    }

    /// Notes that a click on a message's card waits for the bot's answer, or that it no longer does.
    pub(in crate::sandbox) fn hold_card(&mut self, message_id: &str, held: bool) {
        let Some(Card::Entity(card_id)) = self
            .messages
            .get(message_id)
            .and_then(|message| message.card.as_ref())
        else {
            return;
        };
        if let Some(entity) = self.cards.get_mut(card_id) {
            entity.clicks_under_way = match held {
                true => entity.clicks_under_way + 1,
                false => entity.clicks_under_way.saturating_sub(1),
            };
        }
    }

    /// Tells the page that a card looks different.
    pub(in crate::sandbox) fn card_happened(&mut self, card_id: &str) {
        let message_id = self
            .cards
            .get(card_id)
            .and_then(|entity| entity.message_id.clone());
        let Some(message) = message_id.and_then(|id| self.messages.get(&id)) else {
            return;
        };
        let (chat_id, message_id) = (message.chat_id.clone(), message.message_id.clone());
        self.tell("card", Some(&chat_id), Some(&message_id));
    }
}

/// Without the wrapper `config` the platform answers success and changes nothing.
fn apply_settings(json: &mut Value, settings: &str) -> Result<(), Refusal> {
    let settings: Value = serde_json::from_str(settings)
        .map_err(|_| Refusal::new(10_002, "settings is not a string of JSON"))?;
    let Some(config) = settings.get("config") else {
        return Ok(());
    };
    let failed = |why: &str| {
        Refusal::new(
            300_122,
            format!("update configuration failed, ErrMsg: {why}"),
        )
    };
    let config = config
        .as_object()
        .ok_or_else(|| failed("config is not an object"))?;
    for (name, value) in config {
        if !card::CONFIG.contains(&name.as_str()) {
            return Err(failed(&format!("unknown property, property: {name}")));
        }
        json["config"][name] = value.clone();
    }
    Ok(())
}

fn apply_content(json: &mut Value, element_id: &str, content: &str) -> Result<(), Refusal> {
    let length = content.chars().count();
    if length == 0 || length > 100_000 {
        return Err(Refusal::new(
            10_002,
            "content must have 1 to 100000 characters",
        ));
    }
    let element = card::edit::find(json, element_id).ok_or_else(|| {
        Refusal::new(
            300_313,
            format!("update properties failed, ErrMsg: not find elementID : {element_id}"),
        )
    })?;
    if !matches!(element["tag"].as_str(), Some("markdown" | "plain_text")) {
        return Err(Refusal::new(300_310, "only text elements can be streamed"));
    }
    element["content"] = json!(content);
    Ok(())
}

fn apply_batch(json: &mut Value, actions: &str) -> Result<(), Refusal> {
    let unreadable = || Refusal::new(10_002, "actions is not a string of a JSON array of actions");
    let actions: Vec<Value> = serde_json::from_str(actions).map_err(|_| unreadable())?;
    for action in &actions {
        let params = &action["params"];
        // Members are strings of JSON in the single calls; in a batch both forms are seen.
        let member = |name: &str| match &params[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let id = || params["element_id"].as_str().unwrap_or_default().to_owned();
        match action["action"].as_str() {
            Some("partial_update_setting") => apply_settings(json, &member("settings"))?,
            Some("add_elements") => card::edit::apply(
                json,
                &ElementChange::Add {
                    how: params["type"].as_str().unwrap_or_default().to_owned(),
                    target: params["target_element_id"].as_str().map(str::to_owned),
                    elements: member("elements"),
                },
            )?,
            Some("delete_elements") => {
                let ids = params["element_ids"].as_array().ok_or_else(unreadable)?;
                for element_id in ids.iter().filter_map(Value::as_str) {
                    let element_id = element_id.to_owned();
                    card::edit::apply(json, &ElementChange::Delete { element_id })?;
                }
            }
            Some("partial_update_element") => card::edit::apply(
                json,
                &ElementChange::Patch {
                    element_id: id(),
                    partial: member("partial_element"),
                },
            )?,
            Some("update_element") => card::edit::apply(
                json,
                &ElementChange::Replace {
                    element_id: id(),
                    element: member("element"),
                },
            )?,
            _ => return Err(unreadable()),
        }
    }
    Ok(())
}
