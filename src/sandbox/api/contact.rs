//! People, with exactly those members that the scopes allow: a missing name is a missing scope.

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        scopes::Scopes,
        world::{User, World},
    },
    envelope::{Answer, Answered, Params, read},
};

const READ: &[&str] = &["contact:contact.base:readonly"];
const NAMES: &[&str] = &["contact:user.base:readonly"];
const GET_ID: &[&str] = &["contact:user.id:readonly"];
const EMAIL: &[&str] = &["contact:user.email:readonly"];
const MOBILE: &[&str] = &["contact:user.phone:readonly"];
const USER_ID: &[&str] = &["contact:user.employee_id:readonly"];

fn shown(user: &User, scopes: &Scopes) -> Value {
    let mut shown = json!({"open_id": user.open_id, "union_id": user.union_id});
    if scopes.any(NAMES) {
        shown["name"] = json!(user.name);
        shown["en_name"] = json!("");
        shown["nickname"] = json!("");
        shown["avatar"] =
            json!({"avatar_72": "", "avatar_240": "", "avatar_640": "", "avatar_origin": ""});
    }
    if scopes.any(USER_ID) {
        shown["user_id"] = json!(user.user_id);
    }
    if scopes.any(EMAIL) {
        shown["email"] = json!(user.email);
    }
    if scopes.any(MOBILE) {
        shown["mobile"] = json!(user.mobile);
    }
    shown
}

fn find<'a>(world: &'a World, params: &Params, id: &str) -> Result<Option<&'a User>, Refusal> {
    match params.get("user_id_type").unwrap_or("open_id") {
        "open_id" => Ok(world.users.get(id)),
        "union_id" => Ok(world.users.iter().find(|user| user.union_id == id)),
        "user_id" => Ok(world.users.iter().find(|user| user.user_id == id)),
        _ => Err(Refusal::field(
            "user_id_type",
            "user_id_type must be open_id, union_id or user_id",
        )),
    }
}

/// `GET /open-apis/contact/v3/users/:user_id`
pub(super) async fn get(
    State(hub): State<Hub>,
    Path(user_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(READ)?;
    hub.act(|world, _| {
        let user = find(world, &params, &user_id)?;
        // Nobody of another organisation is in the app's contact range.
        if user.is_some_and(|user| user.tenant_key.is_some()) {
            return Err(Refusal::new(41_050, "no user authority error"));
        }
        let user = user.ok_or_else(|| {
            if user_id.starts_with("ou_") {
                Refusal::no_such_open_id()
            } else {
                Refusal::new(41_012, "user id invalid error")
            }
        })?;
        Ok(Answer::Data(json!({"user": shown(user, &scopes)})))
    })
}

/// `GET /open-apis/contact/v3/users/batch`. Who is not found is silently missing.
pub(super) async fn batch(State(hub): State<Hub>, Query(params): Query<Params>) -> Answered {
    let scopes = hub.scopes();
    scopes.require(READ)?;
    let ids: Vec<&str> = params.all("user_ids").filter(|id| !id.is_empty()).collect();
    if ids.is_empty() || ids.len() > 50 {
        return Err(Refusal::field("user_ids", "user_ids must hold 1 to 50 ids"));
    }
    hub.act(|world, _| {
        let mut items = Vec::new();
        for id in &ids {
            let user = find(world, &params, id)?.filter(|user| user.tenant_key.is_none());
            items.extend(user.map(|user| shown(user, &scopes)));
        }
        Ok(Answer::Data(json!({"items": items})))
    })
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    emails: Vec<String>,
    #[serde(default)]
    mobiles: Vec<String>,
}

/// `POST /open-apis/contact/v3/users/batch_get_id`. An unknown entry comes back without `user_id`.
pub(super) async fn batch_get_id(
    State(hub): State<Hub>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(GET_ID)?;
    let wanted: Wanted = read(&body)?;
    if wanted.emails.len() > 50 || wanted.mobiles.len() > 50 {
        return Err(Refusal::field("emails", "at most 50 of each"));
    }
    let id_of = |user: &User| match params.get("user_id_type") {
        Some("union_id") => user.union_id.clone(),
        Some("user_id") => user.user_id.clone(),
        _ => user.open_id.clone(),
    };
    hub.act(|world, _| {
        let mut list = Vec::new();
        for (name, values) in [("email", &wanted.emails), ("mobile", &wanted.mobiles)] {
            for value in values {
                let has_it = |user: &&User| match name {
                    "email" => user.email.as_ref() == Some(value),
                    _ => user.mobile.as_ref() == Some(value),
                };
                let mut entry = json!({name: value});
                let mut ours = world.users.iter().filter(|user| user.tenant_key.is_none());
                if let Some(user) = ours.find(has_it) {
                    entry["user_id"] = json!(id_of(user));
                }
                list.push(entry);
            }
        }
        Ok(Answer::Data(json!({"user_list": list})))
    })
}
