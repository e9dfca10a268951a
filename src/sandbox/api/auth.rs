//! Tokens. Both endpoints are flat, and for a self-built app both hand out the same token.

use axum::{body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{hub::Hub, refusal::Refusal},
    envelope::{Answer, Answered},
};

#[derive(Deserialize)]
struct Credentials {
    app_id: String,
    app_secret: String,
}

/// `POST /open-apis/auth/v3/tenant_access_token/internal`
pub(super) async fn tenant_token(State(hub): State<Hub>, body: Bytes) -> Answered {
    let (token, expire) = issue(&hub, &body)?;
    Ok(Answer::Flat(
        json!({"tenant_access_token": token, "expire": expire}),
    ))
}

/// `POST /open-apis/auth/v3/app_access_token/internal`
pub(super) async fn app_token(State(hub): State<Hub>, body: Bytes) -> Answered {
    let (token, expire) = issue(&hub, &body)?;
    Ok(Answer::Flat(json!({
        "app_access_token": token, "tenant_access_token": token, "expire": expire,
    })))
}

fn issue(hub: &Hub, body: &Bytes) -> Result<(String, i64), Refusal> {
    // This endpoint has its own codes for what is missing: it is older than the gateway's check.
    let credentials: Credentials =
        serde_json::from_slice(body).map_err(|_| Refusal::new(10_003, "invalid param"))?;
    if credentials.app_id != hub.app.app_id {
        return Err(Refusal::new(10_003, "invalid app_id"));
    }
    if credentials.app_secret != hub.app.app_secret {
        return Err(Refusal::new(10_014, "app secret invalid"));
    }
    Ok(hub.act(|world, now_ms| world.tokens.issue(&mut world.random, now_ms)))
}
