//! Webhook mode, as an administrator sets it in the developer console.

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Value, json};

use super::{Told, bad, read};
use crate::sandbox::{hub::Hub, live::News, push::WebhookSettings};

/// `POST /sandbox/webhook`: replaces what is set, so `{}` goes back to the long connection. As in the
/// console, an address counts only once it has answered the challenge.
pub(super) async fn set(State(hub): State<Hub>, body: Bytes) -> Told {
    let settings: WebhookSettings = read(&body)?;
    for url in [&settings.events_url, &settings.cards_url]
        .into_iter()
        .flatten()
    {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(bad(format!("{url:?} is not an address")));
        }
    }
    hub.push.set_webhook(settings).await.map_err(bad)?;
    hub.live.tell(News {
        kind: "connection",
        ..News::default()
    });
    Ok(Json(json!(hub.push.webhook())))
}

/// `GET /sandbox/webhook`
pub(super) async fn get(State(hub): State<Hub>) -> Json<Value> {
    Json(json!(hub.push.webhook()))
}
