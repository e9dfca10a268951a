//! Files and images: what people sent and what the bot uploaded, kept in memory up to a bound.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{Message, World};
use crate::sandbox::{app, refusal::Refusal};

/// What all files and images may take together.
const STORED_BYTES_MAX: usize = 512 << 20;
/// What the platform gives out again.
const DOWNLOAD_BYTES_MAX: usize = 100 << 20;

/// An image or a file.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Resource {
    /// `img_v3_…` or `file_v3_…`.
    pub(in crate::sandbox) key: String,
    pub(in crate::sandbox) is_image: bool,
    pub(in crate::sandbox) name: String,
    /// The platform's `file_type`, such as `opus` and `stream`; empty for images.
    pub(in crate::sandbox) file_type: String,
    pub(in crate::sandbox) bytes: Bytes,
    /// Whether our app uploaded it; only then may it send it.
    pub(in crate::sandbox) is_ours: bool,
}

/// A resource on its way in.
#[derive(Debug)]
pub(in crate::sandbox) struct NewResource {
    pub(in crate::sandbox) is_image: bool,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) file_type: String,
    pub(in crate::sandbox) bytes: Bytes,
    pub(in crate::sandbox) is_ours: bool,
}

impl Resource {
    /// The media type, which the platform takes from the name and the first bytes.
    pub(in crate::sandbox) fn media_type(&self) -> &'static str {
        match image_type(&self.bytes) {
            Some(image) if self.is_image || self.name.is_empty() => image.media_type,
            _ => match self.name.rsplit_once('.').map_or("", |(_, ending)| ending) {
                "txt" | "log" | "md" | "diff" | "patch" => "text/plain",
                "json" => "application/json",
                "csv" => "text/csv",
                "pdf" => "application/pdf",
                "opus" => "audio/ogg",
                "mp4" => "video/mp4",
                _ => "application/octet-stream",
            },
        }
    }
}

impl World {
    /// Keeps a resource, and answers its key; nothing where there is no room for it.
    pub(in crate::sandbox) fn add_resource(&mut self, new: NewResource) -> Option<String> {
        let stored: usize = self.resources.iter().map(|one| one.bytes.len()).sum();
        if stored + new.bytes.len() > STORED_BYTES_MAX {
            return None;
        }
        let prefix = if new.is_image { "img_v3_" } else { "file_v3_" };
        // Noise of its own, so that uploading does not change the ids of what comes later.
        let key = format!("{prefix}{}", app::hex(&mut self.log_random, 32));
        let resource = Resource {
            key: key.clone(),
            is_image: new.is_image,
            name: new.name,
            file_type: new.file_type,
            bytes: new.bytes,
            is_ours: new.is_ours,
        };
        self.resources.insert(&key, resource);
        Some(key)
    }

    /// What the bot downloads of a message.
    pub(in crate::sandbox) fn message_resource(
        &self,
        message_id: &str,
        key: &str,
        is_image: bool,
    ) -> Result<&Resource, Refusal> {
        if self.is_forwarded(message_id) {
            return Err(Refusal::new(234_043, "Unsupported message type."));
        }
        let message = self
            .messages
            .get(message_id)
            .ok_or_else(Refusal::no_such_message)?;
        if message.recalled {
            let msg = "Action unavailable as the message has been deleted.";
            return Err(Refusal::new(230_110, msg));
        }
        let chat = self.chats.get(&message.chat_id);
        if chat.is_none_or(|chat| !chat.has_bot || chat.dissolved) {
            return Err(Refusal::new(234_004, "The app is not in the chat."));
        }
        if matches!(
            message.msg_type.as_str(),
            "sticker" | "folder" | "interactive"
        ) {
            return Err(Refusal::new(234_043, "Unsupported message type."));
        }
        let member = if is_image { "image_key" } else { "file_key" };
        let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
        let missing = || Refusal::new(234_003, "File not in msg.");
        if !keys_in(&content).contains(&(member, key)) {
            return Err(missing());
        }
        let resource = self.resources.get(key).ok_or_else(missing)?;
        if resource.bytes.len() > DOWNLOAD_BYTES_MAX {
            return Err(Refusal::new(234_037, "Downloaded file size exceeds limit."));
        }
        Ok(resource)
    }

    /// What the app uploaded itself.
    pub(in crate::sandbox) fn own_resource(&self, key: &str) -> Result<&Resource, Refusal> {
        let resource = self.resources.get(key);
        let resource = resource.ok_or_else(|| Refusal::new(234_005, "File has been deleted."))?;
        match resource.is_ours {
            true => Ok(resource),
            false => Err(Refusal::new(234_008, "The app is not the resource sender.")),
        }
    }

    /// The content of a message of the bot's that shows a resource, with the name that readers get.
    pub(super) fn content_of_own(&self, msg_type: &str, content: &Value) -> Result<Value, Refusal> {
        let mut shown = content.clone();
        for (member, key) in keys_in(content) {
            let Some(resource) = self.resources.get(key) else {
                return Err(Refusal::parameter(format!("invalid {member}")));
            };
            if !resource.is_ours {
                let msg = "The bot is not the owner of the resource.";
                return Err(Refusal::new(230_017, msg));
            }
            let fits = match (msg_type, member) {
                ("audio", _) => resource.file_type == "opus",
                ("media", "file_key") => resource.file_type == "mp4",
                (_, "image_key") => resource.is_image,
                _ => !resource.is_image,
            };
            if !fits {
                return Err(Refusal::new(230_055, "The file type does not match."));
            }
            if member == "file_key" && msg_type != "audio" {
                shown["file_name"] = json!(resource.name);
            }
        }
        Ok(shown)
    }

    /// What people see of the resources in a message, without their bytes.
    pub(in crate::sandbox) fn resources_of(&self, message: &Message) -> Vec<Value> {
        // Asked for every message at every look, and most have none.
        let kinds = ["image", "file", "audio", "media", "post"];
        if !kinds.contains(&message.msg_type.as_str()) {
            return Vec::new();
        }
        let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
        let known = keys_in(&content)
            .into_iter()
            .filter_map(|(_, key)| self.resources.get(key));
        known
            .map(|one| {
                json!({"key": one.key, "type": if one.is_image { "image" } else { "file" }, "name": one.name,
                       "size": one.bytes.len(), "media_type": one.media_type()})
            })
            .collect()
    }
}

/// Every key in a content, with the member it stands in.
fn keys_in(content: &Value) -> Vec<(&'static str, &str)> {
    fn walk<'a>(node: &'a Value, found: &mut Vec<(&'static str, &'a str)>) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => {
                for member in ["image_key", "file_key"] {
                    if let Some(key) = members.get(member).and_then(Value::as_str) {
                        found.push((member, key));
                    }
                }
                members.values().for_each(|value| walk(value, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(content, &mut found);
    found
}

/// A format of images.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct ImageType {
    pub(in crate::sandbox) media_type: &'static str,
    /// Width and height, where they are easily found.
    pub(in crate::sandbox) size: Option<(u32, u32)>,
}

/// The format of an image by its first bytes.
pub(in crate::sandbox) fn image_type(bytes: &[u8]) -> Option<ImageType> {
    let number = |at: usize, big: bool, width: usize| -> Option<u32> {
        let digits = bytes.get(at..at + width)?;
        let fold = |sum: u32, digit: &u8| sum << 8 | u32::from(*digit);
        Some(match big {
            true => digits.iter().fold(0, fold),
            false => digits.iter().rev().fold(0, fold),
        })
    };
    let pair = |one: Option<u32>, other: Option<u32>| Some((one?, other?));
    let (media_type, size) = match bytes {
        [0x89, b'P', b'N', b'G', ..] => {
            ("image/png", pair(number(16, true, 4), number(20, true, 4)))
        }
        [b'G', b'I', b'F', b'8', ..] => {
            ("image/gif", pair(number(6, false, 2), number(8, false, 2)))
        }
        [0xff, 0xd8, 0xff, ..] => ("image/jpeg", None),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => ("image/webp", None),
        [b'B', b'M', ..] => ("image/bmp", None),
        [0, 0, 1, 0, ..] => ("image/x-icon", None),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => ("image/tiff", None),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..] => ("image/heic", None),
        _ => return None,
    };
    Some(ImageType { media_type, size })
}
