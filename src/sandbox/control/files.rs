//! Files and images of people: sent to the sandbox first, then named by their key in a message.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Told, Wrong, bad, missing};
use crate::sandbox::{hub::Hub, world::NewResource};

/// More than the platform gives out again, so that its refusal can be seen.
pub(super) const UPLOAD_BYTES_MAX: usize = 120 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct What {
    #[serde(default)]
    name: String,
    #[serde(default)]
    r#type: Kind,
}

#[derive(Default, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    File,
    Image,
    Audio,
    Media,
}

/// `POST /sandbox/files?name=&type=`: the body is the file.
pub(super) async fn add(State(hub): State<Hub>, Ask(what): Ask<What>, body: Bytes) -> Told {
    if body.is_empty() {
        return Err(bad("the body is empty, and it should be the file"));
    }
    let is_image = what.r#type == Kind::Image;
    if what.name.is_empty() && !is_image {
        return Err(bad("a file needs a name"));
    }
    let size = body.len();
    let file_type = match what.r#type {
        Kind::Audio => "opus",
        Kind::Media => "mp4",
        Kind::File | Kind::Image => "stream",
    };
    let new = NewResource {
        is_image,
        name: what.name.clone(),
        file_type: file_type.to_owned(),
        bytes: body,
        is_ours: false,
    };
    let key = hub.act(|world, _| world.add_resource(new));
    let key = key.ok_or_else(|| bad("there is no room for more files; start the sandbox again"))?;
    let member = if is_image { "image_key" } else { "file_key" };
    Ok(Json(
        json!({member: key, "key": key, "name": what.name, "size": size}),
    ))
}

/// `GET /sandbox/files/:key`: what people see. Only images open in the page, everything else is saved.
pub(super) async fn get(
    State(hub): State<Hub>,
    Path(key): Path<String>,
) -> Result<Response, Wrong> {
    hub.act(|world, _| {
        let resource = world
            .resources
            .get(&key)
            .ok_or_else(|| missing("file", &key))?;
        let media_type = resource.media_type();
        let disposition = match media_type.starts_with("image/") {
            true => "inline",
            false => "attachment",
        };
        let headers = [
            (header::CONTENT_TYPE, media_type),
            (header::CONTENT_DISPOSITION, disposition),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; sandbox",
            ),
        ];
        let body = Body::from(resource.bytes.clone());
        Ok((StatusCode::OK, headers, body).into_response())
    })
}
