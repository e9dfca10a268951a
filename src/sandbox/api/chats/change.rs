//! Changing a group, and ending it [doc: update chat, delete chat].

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Answer, Answered, Chat, Hub, IdType, Params, Refusal,
    create::{check_words, settings},
    group, is_ours, is_run_by_us, not_owner,
};
use crate::sandbox::{api::envelope::read, scopes::Scopes, world::GroupChange};

const UPDATE: &[&str] = &["im:chat", "im:chat:update"];
const DELETE: &[&str] = &["im:chat", "im:chat:delete"];

#[derive(Deserialize)]
struct Changes {
    name: Option<String>,
    description: Option<String>,
    owner_id: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// `PUT /open-apis/im/v1/chats/:chat_id`: only what is named changes.
pub(in crate::sandbox::api) async fn update(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(UPDATE)?;
    let ids = IdType::read(&params, "user_id_type")?;
    let changes: Changes = read(&body)?;
    check_words(
        changes.name.as_deref().unwrap_or_default(),
        changes.description.as_deref().unwrap_or_default(),
    )?;
    hub.act(|world, _| {
        let chat = group(world, &chat_id)?;
        let owner = match changes.owner_id.as_deref().filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => {
                let user = ids.find(world, id).ok_or_else(|| ids.unknown())?;
                if !chat.members.contains(&user.open_id) {
                    let msg = "The new owner is not in the chat.";
                    return Err(Refusal::new(232_012, msg));
                }
                Some(user.open_id.clone())
            }
        };
        let change = GroupChange {
            name: changes.name.clone().filter(|name| !name.trim().is_empty()),
            description: changes.description.clone(),
            owner,
            settings: settings(&changes.others)?,
        };
        check_pair(&change)?;
        check_right(chat, &change, &scopes)?;
        let us = world.app.open_id.clone();
        world.change_group(&chat_id, change, Some(&us));
        Ok(Answer::Data(json!({})))
    })
}

/// Who may add people and who may share the group are changed together.
fn check_pair(change: &GroupChange) -> Result<(), Refusal> {
    let names = |name| change.settings.names(name);
    match names("add_member_permission") == names("share_card_permission") {
        true => Ok(()),
        false => Err(Refusal::new(
            232_001,
            "Your request contains an invalid request parameter, ext=add_member_permission and \
             share_card_permission are changed together",
        )),
    }
}

/// Who does not run a group may at most change how it is called.
fn check_right(chat: &Chat, change: &GroupChange, scopes: &Scopes) -> Result<(), Refusal> {
    if change.owner.is_some() && !is_ours(chat, scopes) {
        return Err(not_owner());
    }
    if is_run_by_us(chat, scopes) {
        return Ok(());
    }
    if chat.settings.is_for_owners("edit_permission") {
        return Err(not_owner());
    }
    match change.settings.is_empty() {
        true => Ok(()),
        false => Err(Refusal::new(
            232_016,
            "Members who are not the owner can only edit a part of the chat's information.",
        )),
    }
}

/// `DELETE /open-apis/im/v1/chats/:chat_id`
pub(in crate::sandbox::api) async fn dissolve(
    State(hub): State<Hub>,
    Path(chat_id): Path<String>,
) -> Answered {
    let scopes = hub.scopes();
    scopes.require(DELETE)?;
    hub.act(|world, _| {
        let chat = group(world, &chat_id)?;
        if !is_ours(chat, &scopes) {
            return Err(not_owner());
        }
        let us = world.app.open_id.clone();
        world.dissolve(&chat_id, Some(&us), false);
        Ok(Answer::Data(json!({})))
    })
}
