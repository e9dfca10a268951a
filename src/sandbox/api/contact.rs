//! People, with exactly those members that the scopes allow: a missing name is a missing scope.

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{hub::Hub, refusal::Refusal, scopes::Scopes, world::User},
    envelope::{Answer, Answered, Params, read},
    ids::IdType,
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

/// `GET /open-apis/contact/v3/users/:user_id`
pub(super) async fn get(
    State(hub): State<Hub>,
    Path(user_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(READ)?;
    let ids = IdType::read(&params, "user_id_type")?;
    hub.act(|world, _| {
        let user = ids.find(world, &user_id);
        if user.is_some_and(|user| !world.is_within_range(user)) {
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
    let kind = IdType::read(&params, "user_id_type")?;
    hub.act(|world, _| {
        let users = ids.iter().filter_map(|id| kind.find(world, id));
        let items: Vec<Value> = users
            .filter(|user| world.is_within_range(user))
            .map(|user| shown(user, &scopes))
            .collect();
        Ok(Answer::Data(json!({"items": items})))
    })
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    emails: Vec<String>,
    #[serde(default)]
    mobiles: Vec<String>,
    #[serde(default)]
    include_resigned: bool,
}

/// `POST /open-apis/contact/v3/users/batch_get_id`. Who is unknown, outside the contact range, or has left
/// (unless they are asked for too) comes back without `user_id`.
pub(super) async fn batch_get_id(
    State(hub): State<Hub>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(GET_ID)?;
    let ids = IdType::read(&params, "user_id_type")?;
    let wanted: Wanted = read(&body)?;
    for (name, list) in [("emails", &wanted.emails), ("mobiles", &wanted.mobiles)] {
        if list.len() > 50 {
            return Err(Refusal::field(name, format!("{name} holds at most 50")));
        }
    }
    hub.act(|world, _| {
        let findable =
            |user: &&User| world.is_within_range(user) && (wanted.include_resigned || !user.left);
        let entry = |name: &str, value: &String, is_theirs: &dyn Fn(&User) -> bool| {
            let mut entry = json!({name: value});
            let mut users = world.users.iter().filter(findable);
            if let Some(user) = users.find(|user| is_theirs(user)) {
                entry["user_id"] = json!(ids.of(user));
                entry["status"] = status(user);
            }
            entry
        };
        let emails = wanted
            .emails
            .iter()
            .map(|email| entry("email", email, &|user| user.email.as_ref() == Some(email)));
        let mobiles = wanted.mobiles.iter().map(|mobile| {
            entry("mobile", mobile, &|user| {
                let theirs = user.mobile.as_deref();
                theirs.is_some_and(|theirs| mainland(theirs) == mainland(mobile))
            })
        });
        let list: Vec<Value> = emails.chain(mobiles).collect();
        Ok(Answer::Data(json!({"user_list": list})))
    })
}

fn status(user: &User) -> Value {
    json!({"is_frozen": false, "is_resigned": user.left, "is_activated": !user.left,
           "is_exited": false, "is_unjoin": false})
}

/// Numbers of mainland China are found with and without their country; all others need it.
fn mainland(mobile: &str) -> &str {
    mobile.strip_prefix("+86").unwrap_or(mobile)
}
