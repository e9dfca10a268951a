//! Cards that were pressed: the delayed update.

use axum::{body::Bytes, extract::State};
use serde_json::{Value, json};

use super::{
    super::{hub::Hub, refusal::Refusal},
    envelope::{Answer, Answered},
};

const UPDATE: &[&str] = &["im:message", "im:message:send_as_bot", "im:message:update"];

/// After conversion, says the table of errors; the documented limit of 30 KB is checked with the card.
const SIZE_MAX: usize = 100 * 1024;

/// `POST /open-apis/interactive/v1/card/update`
pub(super) async fn update(State(hub): State<Hub>, body: Bytes) -> Answered {
    hub.scopes().require(UPDATE)?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| Refusal::new(100_030, "the request is not JSON"))?;
    let token = body["token"].as_str().unwrap_or_default();
    let card = match &body["card"] {
        card @ Value::Object(_) => card,
        _ => return Err(Refusal::new(10_002, "card is not an object")),
    };
    if card.to_string().len() > SIZE_MAX {
        return Err(Refusal::new(100_000, "the card is larger than 100 KB"));
    }
    // There are no templates here, so one cannot be found.
    if card["type"] == "template" {
        return Err(Refusal::new(11_311, "the template does not exist"));
    }
    hub.act(|world, now_ms| world.update_pressed(token, card, now_ms))?;
    Ok(Answer::Flat(json!({})))
}
