//! Alerts on order, and where they go.

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Value, json};

use super::{Told, bad, read};
use crate::sandbox::{
    alerts::{AlertTarget, FORMATS, Order, SCENARIOS},
    hub::Hub,
};

/// `POST /sandbox/alerts`
pub(super) async fn fire(State(hub): State<Hub>, body: Bytes) -> Told {
    let order: Order = read(&body)?;
    if let Some(url) = &order.url {
        check_address(url)?;
    }
    Ok(Json(hub.alerts.fire(order).await.map_err(bad)?))
}

/// `GET /sandbox/alerts`: what can be fired, and where it goes.
pub(super) async fn offered(State(hub): State<Hub>) -> Json<Value> {
    let scenario = |one: &crate::sandbox::alerts::Scenario| json!({"id": one.id, "en": one.title_en, "zh": one.title_zh, "count": one.count});
    let scenarios: Vec<Value> = SCENARIOS.iter().map(scenario).collect();
    Json(json!({"formats": FORMATS, "scenarios": scenarios, "to": hub.alerts.target()}))
}

/// `POST /sandbox/alerts/to`: `{}` sends them nowhere.
pub(super) async fn send_to(State(hub): State<Hub>, body: Bytes) -> Told {
    let target = match body.trim_ascii() {
        b"" | b"{}" => None,
        _ => {
            let target: AlertTarget = read(&body)?;
            check_address(&target.base_url)?;
            Some(AlertTarget {
                base_url: target.base_url.trim_end_matches('/').to_owned(),
                ..target
            })
        }
    };
    hub.alerts.set_target(target.clone());
    Ok(Json(json!(target)))
}

fn check_address(url: &str) -> Result<(), super::Wrong> {
    match url.starts_with("http://") || url.starts_with("https://") {
        true => Ok(()),
        false => Err(bad(format!("{url:?} is not an address"))),
    }
}
