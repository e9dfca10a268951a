//! Reactions of the bot. Reading them needs a scope of its own; `im:message` is not enough.

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{hub::Hub, refusal::Refusal, world::Author},
    envelope::{Answer, Answered, Params, page_of, read},
};

const WRITE: &[&str] = &["im:message", "im:message.reactions:write_only"];
const READ: &[&str] = &["im:message.reactions:read", "im:message:readonly"];

#[derive(Deserialize)]
struct Adding {
    reaction_type: ReactionType,
}

#[derive(Deserialize)]
struct ReactionType {
    emoji_type: String,
}

/// `POST /open-apis/im/v1/messages/:message_id/reactions`
pub(super) async fn add(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    body: Bytes,
) -> Answered {
    hub.scopes().require(WRITE)?;
    let adding: Adding = read(&body)?;
    hub.act(|world, now_ms| {
        let emoji_type = &adding.reaction_type.emoji_type;
        let reaction = world.add_reaction(&message_id, Author::Us, emoji_type, now_ms)?;
        Ok(Answer::Data(world.rest_reaction(&reaction)))
    })
}

/// `GET /open-apis/im/v1/messages/:message_id/reactions`
pub(super) async fn list(
    State(hub): State<Hub>,
    Path(message_id): Path<String>,
    Query(params): Query<Params>,
) -> Answered {
    hub.scopes().require(READ)?;
    let size = params.number("page_size", 20, 1..=50)?;
    hub.act(|world, _| {
        let message = world
            .messages
            .get(&message_id)
            .filter(|message| !message.recalled);
        let message = message.ok_or_else(|| {
            Refusal::new(231_003, "The message is not found or has been deleted.")
        })?;
        world.usable_chat(&message.chat_id)?;
        let wanted = params.get("reaction_type");
        let reactions: Vec<Value> = message
            .reactions
            .iter()
            .filter(|reaction| wanted.is_none_or(|wanted| reaction.emoji_type == wanted))
            .map(|reaction| world.rest_reaction(reaction))
            .collect();
        let (items, has_more, page_token) = page_of(reactions, &params, size)
            .map_err(|_| Refusal::new(231_012, "The page_token is invalid."))?;
        Ok(Answer::Data(
            json!({"items": items, "has_more": has_more, "page_token": page_token}),
        ))
    })
}

/// `DELETE /open-apis/im/v1/messages/:message_id/reactions/:reaction_id`
pub(super) async fn remove(
    State(hub): State<Hub>,
    Path((message_id, reaction_id)): Path<(String, String)>,
) -> Answered {
    hub.scopes().require(WRITE)?;
    hub.act(|world, now_ms| {
        let reaction = world.remove_reaction(&message_id, &Author::Us, &reaction_id, now_ms)?;
        Ok(Answer::Data(world.rest_reaction(&reaction)))
    })
}
