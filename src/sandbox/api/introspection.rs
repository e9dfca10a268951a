//! What the app can learn about itself. Neither call needs a scope.

use axum::extract::State;
use serde_json::{Value, json};

use super::{
    super::{hub::Hub, scopes::GRANTED},
    envelope::{Answer, Answered},
};

/// `GET /open-apis/bot/v3/info`: flat, and it counts against the quota.
pub(super) async fn bot_info(State(hub): State<Hub>) -> Answered {
    Ok(Answer::Flat(json!({"bot": {
        "activate_status": 2,
        "app_name": hub.app.name,
        "avatar_url": "",
        "ip_white_list": [],
        "open_id": hub.app.open_id,
    }})))
}

/// `GET /open-apis/application/v6/scopes`
pub(super) async fn scopes(State(hub): State<Hub>) -> Answered {
    let held = hub.scopes();
    let scope = |name: &&str| {
        let grant_status = if held.any(&[name]) { 1 } else { 2 };
        json!({"scope_name": name, "scope_type": "tenant", "grant_status": grant_status})
    };
    let scopes: Vec<Value> = GRANTED.iter().map(scope).collect();
    Ok(Answer::Data(json!({"scopes": scopes})))
}
