//! Calls that are made to see whether they can be made, and leave nothing that anybody sees.

use reqwest::Method;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    ChatId, Client, Error,
    api::{Api, Call},
    wire::{PageData, Text},
};

static GROUPS: Api = Api::get("chat.list", "/open-apis/im/v1/chats");
static UPLOAD: Api = Api::new("image.upload", Method::POST, "/open-apis/im/v1/images");
const BOUNDARY: &str = "nightjar-probe";
const MULTIPART: &str = "multipart/form-data; boundary=nightjar-probe";

/// A picture of one white pixel.
const PICTURE: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0x0f, 0x00, 0x01,
    0x01, 0x01, 0x00, 0xb1, 0x38, 0xf6, 0x14, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

/// A group that the bot is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub chat_id: ChatId,
    /// Its name.
    pub name: String,
}

impl Client {
    /// Some of the groups that the bot is in, those with news first.
    ///
    /// Needs scope `im:chat`, `im:chat:read` or `im:chat:readonly`.
    pub async fn some_groups(&self) -> Result<Vec<Group>, Error> {
        let call = Call::of(&GROUPS)
            .query("sort_type", "ByActiveTimeDesc")
            .query("page_size", "20");
        let page: PageData<WireGroup> = self.call(&call).await?;
        let group = |group: WireGroup| {
            Some(Group {
                chat_id: group.chat_id.id(ChatId::new)?,
                name: group.name.or_empty(),
            })
        };
        Ok(page.items.into_iter().filter_map(group).collect())
    }

    /// Uploads a picture of one pixel, which is sent to nobody.
    ///
    /// Needs scope `im:resource` or `im:resource:upload`.
    pub async fn try_upload(&self) -> Result<(), Error> {
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image_type\"\r\n\r\nmessage\r\n\
             --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"probe.png\"\r\n\
             Content-Type: image/png\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(PICTURE);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let call = Call {
            body: Some(body.into()),
            content_type: MULTIPART,
            ..Call::of(&UPLOAD)
        };
        self.call::<IgnoredAny>(&call).await.map(drop)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireGroup {
    chat_id: Text,
    name: Text,
}
