//! What comes with a message beside its words: files, images, recordings, each under a key.

use serde_json::Value;

use crate::feishu::{Message, ResourceKey};

/// More than the platform puts into one message.
const COUNTED_MAX: usize = 100;

/// Something that can be fetched with [`Client::resource`](crate::feishu::Client::resource).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// By which it is fetched, together with the id of its message.
    pub key: ResourceKey,
    /// What it is.
    pub kind: AttachmentKind,
    /// What its sender called it; images have no name.
    pub name: Option<String>,
}

/// A kind of attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// An image, alone or in a post.
    Image,
    /// A file of any type.
    File,
    /// A voice message.
    Audio,
    /// A video.
    Video,
}

impl AttachmentKind {
    /// The platform's `type` of the resource: everything but images is a file.
    pub(in crate::feishu) fn resource_type(self) -> &'static str {
        match self {
            AttachmentKind::Image => "image",
            AttachmentKind::File | AttachmentKind::Audio | AttachmentKind::Video => "file",
        }
    }
}

/// What came with a message, in its order. Stickers and folders cannot be fetched, and what stands in
/// cards cannot either.
pub(in crate::feishu) fn of(message: &Message) -> Vec<Attachment> {
    if message.deleted {
        return Vec::new();
    }
    let json = serde_json::from_str(&message.content).unwrap_or(Value::Null);
    let alone = match message.kind.as_str() {
        "image" => one(AttachmentKind::Image, &json),
        "file" => one(AttachmentKind::File, &json),
        "audio" => one(AttachmentKind::Audio, &json),
        "media" => one(AttachmentKind::Video, &json),
        "post" => return in_post(&json, 0),
        _ => None,
    };
    alone.into_iter().collect()
}

/// A post's, with or without a language around its paragraphs.
fn in_post(json: &Value, depth: usize) -> Vec<Attachment> {
    let paragraphs = match &json["content"] {
        Value::Array(paragraphs) => paragraphs,
        _ if depth > 0 => return Vec::new(),
        _ => {
            let mut languages = json.as_object().into_iter().flat_map(|all| all.values());
            let found = languages.find(|inner| inner["content"].is_array());
            return found.map_or_else(Vec::new, |inner| in_post(inner, depth + 1));
        }
    };
    let pieces = paragraphs.iter().filter_map(Value::as_array).flatten();
    let attached = pieces.filter_map(|piece| match piece["tag"].as_str()? {
        "img" => one(AttachmentKind::Image, piece),
        "media" => one(AttachmentKind::Video, piece),
        _ => None,
    });
    attached.take(COUNTED_MAX).collect()
}

fn one(kind: AttachmentKind, json: &Value) -> Option<Attachment> {
    let key = match kind {
        AttachmentKind::Image => &json["image_key"],
        _ => &json["file_key"],
    };
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    Some(Attachment {
        key: ResourceKey::new(text(key)?),
        kind,
        name: text(&json["file_name"]),
    })
}
