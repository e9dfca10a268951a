//! Buzzing people in the app for something the bot said [doc: in-app urgent]. By SMS and by telephone it is
//! not done here: they cost money in the real one, and nothing can be seen of them.

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{hub::Hub, refusal::Refusal},
    envelope::{Answer, Answered, Params, read},
    ids::IdType,
};

/// An app that was only granted what its bot needs to talk has none of them.
const BUZZ: &[&str] = &["im:message.urgent", "im:message.urgent:app_send"];
const PEOPLE_MAX: usize = 200;

#[derive(Deserialize)]
struct Receivers {
    user_id_list: Vec<String>,
}

/// `PATCH /open-apis/im/v1/messages/:message_id/urgent_app`. Who is not in the chat comes back as invalid.
pub(super) async fn app(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    Query(params): Query<Params>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(BUZZ)?;
    params.required("user_id_type")?;
    let ids = IdType::read(&params, "user_id_type")?;
    let Receivers { user_id_list } = read(&body)?;
    if user_id_list.is_empty() || user_id_list.len() > PEOPLE_MAX {
        let sentence = format!("user_id_list must hold 1 to {PEOPLE_MAX} ids");
        return Err(Refusal::field("user_id_list", sentence));
    }
    hub.act(|world, _| {
        let message = world
            .own_message(&message_id)
            .map_err(|refusal| match refusal.code {
                230_071 => Refusal::new(230_012, "The operator is not the sender of the message."),
                _ => refusal,
            })?;
        if message.only_for.is_some() {
            return Err(Refusal::new(230_052, "The message cannot be urgent."));
        }
        let chat = world.usable_chat(&message.chat_id)?;
        let (mut reached, mut invalid) = (Vec::new(), Vec::new());
        for id in &user_id_list {
            match ids.find(world, id).filter(|user| !user.left) {
                Some(user) if chat.members.contains(&user.open_id) => {
                    reached.push(user.open_id.clone());
                }
                _ => invalid.push(id.clone()),
            }
        }
        world.buzz(&message_id, &reached)?;
        Ok(Answer::Data(json!({"invalid_user_id_list": invalid})))
    })
}
