//! Images and files: what came with a message, and what the bot uploads.

use axum::{
    body::{Body, Bytes},
    extract::{Multipart, Path, Query, State},
    http::header,
    response::Response,
};
use serde_json::json;

use super::{
    super::{
        hub::Hub,
        refusal::Refusal,
        world::{NewResource, Resource, image_type},
    },
    envelope::{Answer, Answered, Params},
};

const DOWNLOAD: &[&str] = &[
    "im:message",
    "im:message:readonly",
    "im:message.history:readonly",
];
const UPLOAD: &[&str] = &["im:resource", "im:resource:upload"];

const IMAGE_BYTES_MAX: usize = 10 << 20;
const FILE_BYTES_MAX: usize = 30 << 20;
/// Of a whole form; what is larger than a file may be is read, so that it can be refused as the platform does.
pub(super) const FORM_BYTES_MAX: usize = 48 << 20;
const FILE_TYPES: &[&str] = &["opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"];
/// The longest side of an image, in pixels.
const SIDE_MAX: u32 = 12_000;
const GIF_SIDE_MAX: u32 = 2_000;

type Downloaded = Result<Response, Refusal>;

fn invalid(what: &str) -> Refusal {
    Refusal::new(234_001, format!("Invalid request param, ext={what}"))
}

/// `GET /open-apis/im/v1/messages/:message_id/resources/:file_key`
pub(super) async fn of_message(
    State(hub): State<Hub>,
    Path((message_id, key)): Path<(String, String)>,
    Query(params): Query<Params>,
) -> Downloaded {
    hub.scopes().require(DOWNLOAD)?;
    let is_image = match params.required("type")? {
        "image" => true,
        "file" => false,
        _ => return Err(invalid("type must be image or file")),
    };
    hub.act(|world, _| {
        let resource = world.message_resource(&message_id, &key, is_image)?;
        Ok(download(resource))
    })
}

/// `GET /open-apis/im/v1/images/:image_key`
pub(super) async fn image(State(hub): State<Hub>, Path(key): Path<String>) -> Downloaded {
    own(&hub, &key)
}

/// `GET /open-apis/im/v1/files/:file_key`
pub(super) async fn file(State(hub): State<Hub>, Path(key): Path<String>) -> Downloaded {
    own(&hub, &key)
}

fn own(hub: &Hub, key: &str) -> Downloaded {
    hub.act(|world, _| world.own_resource(key).map(download))
}

fn download(resource: &Resource) -> Response {
    let ascii = |c: char| {
        if c.is_ascii_graphic() && c != '"' {
            c
        } else {
            '_'
        }
    };
    let name: String = resource.name.chars().map(ascii).collect();
    let mut response = Response::new(Body::from(resource.bytes.clone()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(resource.media_type()),
    );
    if let Ok(value) = format!("attachment; filename=\"{name}\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// The parts of a form that an upload may have.
#[derive(Default)]
struct Form {
    image_type: Option<String>,
    file_type: Option<String>,
    file_name: Option<String>,
    bytes: Option<Bytes>,
}

async fn form(mut parts: Multipart, file_part: &str) -> Result<Form, Refusal> {
    let mut form = Form::default();
    let broken = |_| invalid("the form cannot be read");
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == file_part {
            form.bytes = Some(part.bytes().await.map_err(broken)?);
            continue;
        }
        let text = part.text().await.map_err(broken)?;
        match name.as_str() {
            "image_type" => form.image_type = Some(text),
            "file_type" => form.file_type = Some(text),
            "file_name" => form.file_name = Some(text),
            _ => {}
        }
    }
    Ok(form)
}

/// Bytes that are there and not too many.
fn bytes_of(form: &Form, max: usize) -> Result<Bytes, Refusal> {
    let bytes = form.bytes.clone().ok_or_else(|| invalid("no file"))?;
    match bytes.len() {
        0 => Err(Refusal::new(234_010, "File size can't be 0.")),
        size if size > max => Err(Refusal::new(234_006, "The file size exceed the max value.")),
        _ => Ok(bytes),
    }
}

/// `POST /open-apis/im/v1/images`
pub(super) async fn upload_image(State(hub): State<Hub>, parts: Multipart) -> Answered {
    hub.scopes().require(UPLOAD)?;
    let form = form(parts, "image").await?;
    if !matches!(form.image_type.as_deref(), Some("message" | "avatar")) {
        return Err(invalid("image_type must be message or avatar"));
    }
    let bytes = bytes_of(&form, IMAGE_BYTES_MAX)?;
    let Some(kind) = image_type(&bytes) else {
        return Err(Refusal::new(234_011, "Can't recognize the image format."));
    };
    let side_max = match kind.media_type {
        "image/gif" => GIF_SIDE_MAX,
        _ => SIDE_MAX,
    };
    if kind
        .size
        .is_some_and(|(width, height)| width.max(height) > side_max)
    {
        return Err(Refusal::new(
            234_039,
            "The image resolution exceeds the limit.",
        ));
    }
    let new = NewResource {
        is_image: true,
        name: String::new(),
        file_type: String::new(),
        bytes,
        is_ours: true,
    };
    keep(&hub, new).map(|key| Answer::Data(json!({"image_key": key})))
}

/// `POST /open-apis/im/v1/files`
pub(super) async fn upload_file(State(hub): State<Hub>, parts: Multipart) -> Answered {
    hub.scopes().require(UPLOAD)?;
    let form = form(parts, "file").await?;
    let file_type = form.file_type.clone().unwrap_or_default();
    if !FILE_TYPES.contains(&file_type.as_str()) {
        return Err(invalid("file_type is unknown"));
    }
    let name = form.file_name.clone().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| invalid("file_name is required"))?;
    let new = NewResource {
        is_image: false,
        name,
        file_type,
        bytes: bytes_of(&form, FILE_BYTES_MAX)?,
        is_ours: true,
    };
    keep(&hub, new).map(|key| Answer::Data(json!({"file_key": key})))
}

fn keep(hub: &Hub, new: NewResource) -> Result<String, Refusal> {
    let key = hub.act(|world, _| world.add_resource(new));
    key.ok_or_else(|| Refusal::new(2200, "The sandbox has no room for more files.").http(500))
}
