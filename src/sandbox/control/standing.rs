//! What becomes of people: they change their name or number, leave the company, are hidden from the app.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Told, bad, nobody, read};
use crate::sandbox::{
    hub::Hub,
    world::{Standing, User},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    email: Option<String>,
    mobile: Option<String>,
    hidden: Option<bool>,
    left: Option<bool>,
    refuses_groups: Option<bool>,
}

/// `POST /sandbox/users/:user`
pub(super) async fn change(State(hub): State<Hub>, Path(named): Path<String>, body: Bytes) -> Told {
    let change: Change = read(&body)?;
    if change
        .name
        .as_ref()
        .is_some_and(|name| name.trim().is_empty())
    {
        return Err(bad("a user needs a name"));
    }
    hub.act(|world, _| {
        let user = world
            .find_user(&named)
            .ok_or_else(|| nobody(world, &named))?;
        let open_id = user.open_id.clone();
        let to = Standing {
            name: change.name.map(|name| name.trim().to_owned()),
            email: change.email,
            mobile: change.mobile,
            hidden: change.hidden,
            left: change.left,
            refuses_groups: change.refuses_groups,
        };
        world.change_user(&open_id, to);
        Ok(Json(
            world.users.get(&open_id).map(shown).unwrap_or_default(),
        ))
    })
}

/// A person as `GET /sandbox/state` has them.
pub(super) fn shown(user: &User) -> Value {
    json!({
        "open_id": user.open_id, "name": user.name, "email": user.email, "mobile": user.mobile,
        "hidden": user.hidden, "left": user.left, "refuses_groups": user.refuses_groups,
    })
}
