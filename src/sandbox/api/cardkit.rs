//! Card entities. Bodies carry JSON in strings, and every change a sequence.

use axum::{
    body::Bytes,
    extract::{Path, State},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        world::{Change, ElementChange},
    },
    envelope::{Answer, Answered, read},
};

const WRITE: &[&str] = &["cardkit:card:write"];

#[derive(Deserialize)]
struct CardData {
    #[serde(rename = "type")]
    kind: String,
    data: String,
}

impl CardData {
    fn json(self) -> Result<String, Refusal> {
        match self.kind.as_str() {
            "card_json" => Ok(self.data),
            "template" => Err(Refusal::new(
                200_220,
                "Failed to generate card content, the sandbox has no card templates",
            )),
            _ => Err(Refusal::new(10_002, "type must be card_json or template")),
        }
    }
}

/// `POST /open-apis/cardkit/v1/cards`
pub(super) async fn create(State(hub): State<Hub>, body: Bytes) -> Answered {
    hub.scopes().require(WRITE)?;
    let data = read::<CardData>(&body)?.json()?;
    let card_id = hub.act(|world, now_ms| world.create_card(&data, now_ms))?;
    Ok(Answer::Data(json!({"card_id": card_id})))
}

/// One change: what it says of itself, and which sequence and uuid go with it.
fn change<T: DeserializeOwned>(
    hub: &Hub,
    card_id: &str,
    target: &str,
    body: &Bytes,
    to_change: impl FnOnce(T) -> Result<Change, Refusal>,
) -> Answered {
    hub.scopes().require(WRITE)?;
    let mut asked: Value = read(body)?;
    let sequence = sequence_of(&asked)?;
    let uuid = uuid_of(&asked)?;
    let change = to_change(read(body)?)?;
    if let Some(asked) = asked.as_object_mut() {
        asked.remove("sequence");
    }
    let uuid = uuid
        .as_deref()
        .map(|uuid| (uuid, format!("{target} {asked}")));
    hub.act(|world, now_ms| world.change_card(card_id, &change, sequence, uuid, now_ms))?;
    Ok(Answer::Data(json!({})))
}

/// Required, and an int32; 0 and below are refused by the comparison itself.
fn sequence_of(asked: &Value) -> Result<i64, Refusal> {
    match &asked["sequence"] {
        Value::Null => Err(Refusal::field("sequence", "sequence is required")),
        sequence => sequence
            .as_i64()
            .ok_or_else(|| Refusal::new(9499, "Bad Request, sequence is not a whole number")),
    }
}

fn uuid_of(asked: &Value) -> Result<Option<String>, Refusal> {
    match &asked["uuid"] {
        Value::Null => Ok(None),
        Value::String(uuid) if uuid.is_empty() => Ok(None),
        Value::String(uuid) if uuid.chars().count() <= 64 => Ok(Some(uuid.clone())),
        _ => Err(Refusal::field(
            "uuid",
            "uuid is a string of 1 to 64 characters",
        )),
    }
}

#[derive(Deserialize)]
struct Replacing {
    card: CardData,
}

/// `PUT /open-apis/cardkit/v1/cards/:card_id`
pub(super) async fn replace(
    State(hub): State<Hub>,
    Path(card_id): Path<String>,
    body: Bytes,
) -> Answered {
    change(&hub, &card_id, "card", &body, |replacing: Replacing| {
        Ok(Change::Replace {
            data: replacing.card.json()?,
        })
    })
}

#[derive(Deserialize)]
struct Settings {
    settings: String,
}

/// `PATCH /open-apis/cardkit/v1/cards/:card_id/settings`
pub(super) async fn settings(
    State(hub): State<Hub>,
    Path(card_id): Path<String>,
    body: Bytes,
) -> Answered {
    change(&hub, &card_id, "settings", &body, |settings: Settings| {
        Ok(Change::Settings {
            settings: settings.settings,
        })
    })
}

#[derive(Deserialize)]
struct Batch {
    actions: String,
}

/// `POST /open-apis/cardkit/v1/cards/:card_id/batch_update`
pub(super) async fn batch(
    State(hub): State<Hub>,
    Path(card_id): Path<String>,
    body: Bytes,
) -> Answered {
    change(&hub, &card_id, "batch", &body, |batch: Batch| {
        Ok(Change::Batch {
            actions: batch.actions,
        })
    })
}

#[derive(Deserialize)]
struct Adding {
    #[serde(rename = "type")]
    how: String,
    target_element_id: Option<String>,
    elements: String,
}

/// `POST /open-apis/cardkit/v1/cards/:card_id/elements`
pub(super) async fn add_elements(
    State(hub): State<Hub>,
    Path(card_id): Path<String>,
    body: Bytes,
) -> Answered {
    change(&hub, &card_id, "add", &body, |adding: Adding| {
        Ok(Change::Element(ElementChange::Add {
            how: adding.how,
            target: adding.target_element_id,
            elements: adding.elements,
        }))
    })
}

#[derive(Deserialize)]
struct ReplacingElement {
    element: String,
}

/// `PUT /open-apis/cardkit/v1/cards/:card_id/elements/:element_id`
pub(super) async fn replace_element(
    State(hub): State<Hub>,
    Path((card_id, element_id)): Path<(String, String)>,
    body: Bytes,
) -> Answered {
    let target = format!("replace {element_id}");
    change(
        &hub,
        &card_id,
        &target,
        &body,
        |replacing: ReplacingElement| {
            Ok(Change::Element(ElementChange::Replace {
                element_id,
                element: replacing.element,
            }))
        },
    )
}

#[derive(Deserialize)]
struct PatchingElement {
    partial_element: String,
}

/// `PATCH /open-apis/cardkit/v1/cards/:card_id/elements/:element_id`
pub(super) async fn patch_element(
    State(hub): State<Hub>,
    Path((card_id, element_id)): Path<(String, String)>,
    body: Bytes,
) -> Answered {
    let target = format!("patch {element_id}");
    change(
        &hub,
        &card_id,
        &target,
        &body,
        |patching: PatchingElement| {
            Ok(Change::Element(ElementChange::Patch {
                element_id,
                partial: patching.partial_element,
            }))
        },
    )
}

/// `DELETE /open-apis/cardkit/v1/cards/:card_id/elements/:element_id`
pub(super) async fn delete_element(
    State(hub): State<Hub>,
    Path((card_id, element_id)): Path<(String, String)>,
    body: Bytes,
) -> Answered {
    let target = format!("delete {element_id}");
    change(&hub, &card_id, &target, &body, |_: Value| {
        Ok(Change::Element(ElementChange::Delete { element_id }))
    })
}

#[derive(Deserialize)]
struct Content {
    content: String,
}

/// `PUT /open-apis/cardkit/v1/cards/:card_id/elements/:element_id/content`
pub(super) async fn content(
    State(hub): State<Hub>,
    Path((card_id, element_id)): Path<(String, String)>,
    body: Bytes,
) -> Answered {
    let target = format!("content {element_id}");
    change(&hub, &card_id, &target, &body, |content: Content| {
        Ok(Change::Content {
            element_id,
            content: content.content,
        })
    })
}
