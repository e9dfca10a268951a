//! The platform's HTTP API, a file per chapter of its documentation.
//!
//! Before a handler stands the gate, as the platform's gateway does: trouble on order, token,
//! quota, rate limits, in this order. Scopes are checked by the handlers, which know what they need.

mod auth;
mod cardkit;
mod chats;
mod contact;
mod envelope;
mod ephemeral;
mod gate;
mod ids;
mod interactive;
mod introspection;
mod messages;
mod pins;
mod reactions;
mod resources;
mod urgent;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, patch, post, put},
};

use super::{hub::Hub, refusal::Refusal};

pub(super) use gate::log_only;

/// Large enough for the 3,000,000 characters that the card API takes before it measures.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// Everything under `/open-apis`.
pub(super) fn router(hub: &Hub) -> Router {
    let routes = Router::new()
        .route(
            "/auth/v3/tenant_access_token/internal",
            post(auth::tenant_token),
        )
        .route("/auth/v3/app_access_token/internal", post(auth::app_token))
        .route("/bot/v3/info", get(introspection::bot_info))
        .merge(introspection_routes())
        .merge(message_routes())
        .merge(card_routes())
        .merge(chat_routes())
        .fallback(async || Refusal::new(99_991_201, "the path does not exist").http(404))
        .method_not_allowed_fallback(async || {
            Refusal::new(99_991_301, "the method is not allowed on this path").http(405)
        })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(hub.clone());
    Router::new()
        .nest("/open-apis", routes)
        .layer(middleware::from_fn_with_state(hub.clone(), gate::gate))
}

fn introspection_routes() -> Router<Hub> {
    Router::new()
        .route("/application/v6/scopes", get(introspection::scopes))
        .route(
            "/application/v6/applications/{app_id}",
            get(introspection::application),
        )
        .route(
            "/application/v6/applications/{app_id}/app_versions",
            get(introspection::versions),
        )
        .route("/event/v1/connection", get(introspection::connections))
        .route("/event/v1/outbound_ip", get(introspection::outbound_ip))
        .route("/tenant/v2/tenant/query", get(introspection::tenant))
}

fn message_routes() -> Router<Hub> {
    Router::new()
        .route("/im/v1/messages", post(messages::send).get(messages::list))
        .route(
            "/im/v1/messages/{message_id}",
            get(messages::get)
                .patch(messages::patch_card)
                .put(messages::edit)
                .delete(messages::recall),
        )
        .route("/im/v1/messages/{message_id}/reply", post(messages::reply))
        .route(
            "/im/v1/messages/{message_id}/resources/{file_key}",
            get(resources::of_message),
        )
        .route("/im/v1/images/{image_key}", get(resources::image))
        .route("/im/v1/files/{file_key}", get(resources::file))
        .merge(
            Router::new()
                .route("/im/v1/images", post(resources::upload_image))
                .route("/im/v1/files", post(resources::upload_file))
                .layer(DefaultBodyLimit::max(resources::FORM_BYTES_MAX)),
        )
        .route(
            "/im/v1/messages/{message_id}/reactions",
            post(reactions::add).get(reactions::list),
        )
        .route(
            "/im/v1/messages/{message_id}/reactions/{reaction_id}",
            delete(reactions::remove),
        )
        .route(
            "/im/v1/messages/{message_id}/urgent_app",
            patch(urgent::app),
        )
        .route("/im/v1/pins", post(pins::create).get(pins::list))
        .route("/im/v1/pins/{message_id}", delete(pins::remove))
        .route("/ephemeral/v1/send", post(ephemeral::send))
        .route("/ephemeral/v1/delete", post(ephemeral::delete))
}

fn card_routes() -> Router<Hub> {
    Router::new()
        .route("/interactive/v1/card/update", post(interactive::update))
        .route("/cardkit/v1/cards", post(cardkit::create))
        .route("/cardkit/v1/cards/{card_id}", put(cardkit::replace))
        .route(
            "/cardkit/v1/cards/{card_id}/settings",
            patch(cardkit::settings),
        )
        .route(
            "/cardkit/v1/cards/{card_id}/batch_update",
            post(cardkit::batch),
        )
        .route(
            "/cardkit/v1/cards/{card_id}/elements",
            post(cardkit::add_elements),
        )
        .route(
            "/cardkit/v1/cards/{card_id}/elements/{element_id}",
            put(cardkit::replace_element)
                .patch(cardkit::patch_element)
                .delete(cardkit::delete_element),
        )
        .route(
            "/cardkit/v1/cards/{card_id}/elements/{element_id}/content",
            put(cardkit::content),
        )
}

fn chat_routes() -> Router<Hub> {
    Router::new()
        .route("/im/v1/chats", get(chats::list).post(chats::create))
        .route(
            "/im/v1/chats/{chat_id}",
            get(chats::get).put(chats::update).delete(chats::dissolve),
        )
        .route(
            "/im/v1/chats/{chat_id}/members",
            get(chats::members)
                .post(chats::add_members)
                .delete(chats::remove_members),
        )
        .route(
            "/im/v1/chats/{chat_id}/members/is_in_chat",
            get(chats::is_in_chat),
        )
        .route("/contact/v3/users/batch", get(contact::batch))
        .route(
            "/contact/v3/users/batch_get_id",
            post(contact::batch_get_id),
        )
        .route("/contact/v3/users/{user_id}", get(contact::get))
}
