//! What the app can learn about itself.
//!
//! Its own page in the console needs a scope that the sandbox does not grant by itself, as few apps have
//! it: `POST /sandbox/faults {"console":{"grant_scopes":["application:application:self_manage"]}}`.

use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::{
    super::{
        console::{CALLBACKS, EVENTS},
        hub::Hub,
        refusal::Refusal,
        scopes::GRANTED,
    },
    envelope::{Answer, Answered, Params, page_of},
};

const SELF: &[&str] = &[
    "application:application:self_manage",
    "admin:app.info:readonly",
];
const TENANT: &[&str] = &["tenant:tenant:readonly"];
/// The ids of the only version, in force or not.
const VERSION_ID: &str = "oav_5c4d1a7e0b2f4a6d9c3e8f1b7a2d6c40";

/// `GET /open-apis/bot/v3/info`: flat, and it counts against the quota.
pub(super) async fn bot_info(State(hub): State<Hub>) -> Answered {
    Ok(Answer::Flat(json!({"bot": {
        "activate_status": hub.faults.get().console.activate_status,
        "app_name": hub.app.name,
        "avatar_url": "",
        "ip_white_list": [],
        "open_id": hub.app.open_id,
    }})))
}

/// `GET /open-apis/application/v6/scopes`
pub(super) async fn scopes(State(hub): State<Hub>) -> Answered {
    let held = hub.scopes();
    let extra = hub.faults.get().console.grant_scopes;
    let extra = extra.iter().map(String::as_str);
    let scope = |name: &str| {
        let grant_status = if held.any(&[name]) { 1 } else { 2 };
        json!({"scope_name": name, "scope_type": "tenant", "grant_status": grant_status})
    };
    let scopes: Vec<Value> = GRANTED.iter().copied().chain(extra).map(scope).collect();
    Ok(Answer::Data(json!({"scopes": scopes})))
}

/// `GET /open-apis/application/v6/applications/:app_id`; `me` is the app itself.
pub(super) async fn application(State(hub): State<Hub>, Path(app_id): Path<String>) -> Answered {
    hub.scopes().require(SELF)?;
    check_own(&hub, &app_id)?;
    let console = hub.faults.get().console;
    let (online, draft) = match console.published {
        true => (VERSION_ID, ""),
        false => ("", VERSION_ID),
    };
    Ok(Answer::Data(json!({"app": {
        "app_id": hub.app.app_id,
        "app_name": hub.app.name,
        "creator_id": "",
        "status": 1,
        "scene_type": 0,
        "scopes": GRANTED.iter().map(|scope| json!({"scope": scope})).collect::<Vec<_>>(),
        "redirect_urls": [],
        "online_version_id": online,
        "unaudit_version_id": draft,
        "event": {
            "subscription_type": console.events_by,
            "request_url": "",
            "subscribed_events": console.subscribed(EVENTS),
        },
        "callback": {
            "callback_type": console.callbacks_by,
            "request_url": "",
            "subscribed_callbacks": console.subscribed(CALLBACKS),
        },
    }})))
}

/// `GET /open-apis/application/v6/applications/:app_id/app_versions`
pub(super) async fn versions(
    State(hub): State<Hub>,
    Path(app_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    hub.scopes().require(SELF)?;
    check_own(&hub, &app_id)?;
    params.required("lang")?;
    let size = params.number("page_size", 20, 1..=50)?;
    let (items, has_more, page_token) = page_of(vec![version(&hub)], &params, size)?;
    Ok(Answer::Data(
        json!({"items": items, "has_more": has_more, "page_token": page_token}),
    ))
}

fn version(hub: &Hub) -> Value {
    let console = hub.faults.get().console;
    let event =
        |kind: &&str| json!({"event_type": kind, "event_name": kind, "event_description": ""});
    let events = console.subscribed(EVENTS);
    let mut version = json!({
        "version_id": VERSION_ID,
        "version": "1.0.0",
        "status": if console.published { 1 } else { 4 },
        "events": events,
        "event_infos": events.iter().map(event).collect::<Vec<_>>(),
        "create_time": "1600000000",
    });
    if console.published {
        version["publish_time"] = json!("1600003600");
    }
    version
}

/// `GET /open-apis/event/v1/connection`
pub(super) async fn connections(State(hub): State<Hub>) -> Answered {
    let count = *hub.push.connections().borrow();
    Ok(Answer::Data(json!({"online_instance_cnt": count})))
}

/// `GET /open-apis/event/v1/outbound_ip`: where webhooks come from. Here it is this machine.
pub(super) async fn outbound_ip() -> Answered {
    Ok(Answer::Data(json!({"ip_list": ["127.0.0.1"]})))
}

/// `GET /open-apis/tenant/v2/tenant/query`
pub(super) async fn tenant(State(hub): State<Hub>) -> Answered {
    hub.scopes().require(TENANT)?;
    Ok(Answer::Data(json!({"tenant": {
        "name": "The sandbox",
        "display_id": "F000000000",
        "tenant_tag": 0,
        "tenant_key": hub.app.tenant_key,
        "avatar": {"avatar_origin": "", "avatar_72": "", "avatar_240": "", "avatar_640": ""},
    }})))
}

fn check_own(hub: &Hub, app_id: &str) -> Result<(), Refusal> {
    match app_id == "me" || app_id == hub.app.app_id {
        true => Ok(()),
        // Which of 210503 to 210508 it is, is not documented.
        false => Err(Refusal::new(210_504, "the app does not exist")),
    }
}
