//! Files and images: what people sent is fetched, and what we want to send is uploaded first.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Response, header::CONTENT_TYPE};
use serde::Deserialize;

use super::{
    Attachment, Client, Error, MessageId, ResourceKey,
    api::{Api, Call, Form},
    wire::Text,
};

/// `type=image` is an image's alone; all else is a file.
static RESOURCE: Api = Api::get(
    "message.resource",
    "/open-apis/im/v1/messages/:message_id/resources/:file_key",
);
/// Uploading twice at worst leaves a key that nobody uses.
static UPLOAD_IMAGE: Api = Api::new("image.upload", Method::POST, "/open-apis/im/v1/images");
static UPLOAD_FILE: Api = Api::new("file.upload", Method::POST, "/open-apis/im/v1/files");

/// How long the upload of the largest file may take.
const UPLOAD_WITHIN: Duration = Duration::from_secs(60);

/// What the platform takes as an image, in bytes.
const IMAGE_BYTES_MAX: usize = 10 << 20;
/// What the platform takes as a file, in bytes.
const FILE_BYTES_MAX: usize = 30 << 20;

/// Something that is being fetched.
#[derive(Debug)]
pub struct Download {
    /// Its size in bytes, if the platform says so beforehand.
    pub length: Option<u64>,
    /// What the platform takes it for, such as `image/png`; it looks at names more than at contents.
    pub content_type: Option<String>,
    response: Response,
}

/// How reading a [`Download`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All of it was read.
    Whole,
    /// It is longer than allowed. What was read is its beginning.
    TooLong,
}

/// Something to upload is not of a size that the platform takes, or was refused.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It has no bytes, or more than this many.
    #[error("the platform takes 1 to {0} bytes")]
    Size(usize),
    /// The platform said no.
    #[error(transparent)]
    Refused(#[from] Error),
}

/// What the platform takes a file for. Only sending as a voice message or as a video depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// Opus audio of so long.
    Opus(Duration),
    /// An mp4 video of so long.
    Mp4(Duration),
    /// Anything.
    Stream,
}

impl Client {
    /// Begins to fetch what came with the message `of`, and ends with an error where that takes longer than
    /// `within` in all. The bot has to be in the chat; the platform gives up to 100 MB.
    ///
    /// Needs scope `im:message`, `im:message:readonly` or `im:message.history:readonly`.
    pub async fn resource(
        &self,
        of: &MessageId,
        what: &Attachment,
        within: Duration,
    ) -> Result<Download, Error> {
        let call = Call::of(&RESOURCE)
            .arg(of.as_str())
            .arg(what.key.as_str())
            .query("type", what.kind.resource_type())
            .within(within);
        let response = self.transport.open(self.class, &call).await?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        Ok(Download {
            length: response.content_length(),
            content_type: content_type.map(str::to_owned),
            response,
        })
    }

    /// Uploads an image (JPEG, PNG, WEBP, GIF, BMP, ICO, TIFF, HEIC; up to 10 MB), to be sent as
    /// [`Outgoing::Image`](super::Outgoing::Image) or shown in a card. Needs scope `im:resource`.
    pub async fn upload_image(&self, bytes: Bytes) -> Result<ResourceKey, UploadError> {
        check_size(&bytes, IMAGE_BYTES_MAX)?;
        let form = Form {
            fields: vec![("image_type", "message".into())],
            part: "image",
            file_name: "image".into(),
            bytes,
        };
        let call = Call::of(&UPLOAD_IMAGE).form(form).within(UPLOAD_WITHIN);
        let uploaded: Uploaded = self.call(&call).await?;
        let key = uploaded.image_key.id(ResourceKey::new);
        Ok(key.ok_or_else(|| Error::unreadable(&UPLOAD_IMAGE))?)
    }

    /// Uploads a file (up to 30 MB) under a name with an extension, to be sent as
    /// [`Outgoing::File`](super::Outgoing::File). Needs scope `im:resource`.
    pub async fn upload_file(
        &self,
        name: &str,
        bytes: Bytes,
        file_type: FileType,
    ) -> Result<ResourceKey, UploadError> {
        check_size(&bytes, FILE_BYTES_MAX)?;
        let (kind, duration) = match file_type {
            FileType::Opus(duration) => ("opus", Some(duration)),
            FileType::Mp4(duration) => ("mp4", Some(duration)),
            FileType::Stream => ("stream", None),
        };
        let mut fields = vec![
            ("file_type", kind.to_owned()),
            ("file_name", name.to_owned()),
        ];
        fields.extend(duration.map(|duration| ("duration", duration.as_millis().to_string())));
        let form = Form {
            fields,
            part: "file",
            file_name: name.to_owned(),
            bytes,
        };
        let call = Call::of(&UPLOAD_FILE).form(form).within(UPLOAD_WITHIN);
        let uploaded: Uploaded = self.call(&call).await?;
        let key = uploaded.file_key.id(ResourceKey::new);
        Ok(key.ok_or_else(|| Error::unreadable(&UPLOAD_FILE))?)
    }
}

impl Download {
    /// Reads it piece by piece, and stops where it turns out to be longer than `bytes_max`. Nothing is kept
    /// here, so a file may be larger than what its reader keeps of it.
    pub async fn read(
        mut self,
        bytes_max: u64,
        mut take: impl FnMut(&[u8]),
    ) -> Result<Ended, Error> {
        let unreachable = |error| Error::unreachable(RESOURCE.name, error);
        let mut left = bytes_max;
        while let Some(chunk) = self.response.chunk().await.map_err(unreachable)? {
            let fits = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            take(&chunk[..fits]);
            left -= fits as u64;
            if fits < chunk.len() {
                return Ok(Ended::TooLong);
            }
        }
        Ok(Ended::Whole)
    }
}

fn check_size(bytes: &Bytes, bytes_max: usize) -> Result<(), UploadError> {
    match bytes.is_empty() || bytes.len() > bytes_max {
        true => Err(UploadError::Size(bytes_max)),
        false => Ok(()),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Uploaded {
    image_key: Text,
    file_key: Text,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feishu::{
        AttachmentKind, Class,
        testing::{Platform, Reply},
    };

    const PATH: &str = "GET /open-apis/im/v1/messages/om_a/resources/file_v3_a";
    const WITHIN: Duration = Duration::from_secs(10);

    fn attachment(kind: AttachmentKind) -> Attachment {
        Attachment {
            key: ResourceKey::new("file_v3_a"),
            kind,
            name: Some("a.log".into()),
        }
    }

    async fn fetch(platform: &Platform, bytes_max: u64) -> Result<(String, Ended), Error> {
        let message = MessageId::new("om_a");
        let client = platform.client();
        let video = attachment(AttachmentKind::Video);
        let download = client.resource(&message, &video, WITHIN).await?;
        let mut read = Vec::new();
        let ended = download
            .read(bytes_max, |piece| read.extend_from_slice(piece))
            .await?;
        Ok((String::from_utf8(read).unwrap(), ended))
    }

    #[tokio::test]
    async fn a_resource_is_read_as_far_as_it_may_be() {
        let platform = Platform::start().await;
        // JSON that looks like a refusal is somebody's file all the same.
        let file = json!({"code": 99991672, "msg": "a file"});
        platform.will(PATH, (0..3).map(|_| Reply::ok(file.clone())));
        let whole = file.to_string();
        assert_eq!(
            fetch(&platform, 1000).await.unwrap(),
            (whole.clone(), Ended::Whole)
        );
        let all = whole.len() as u64;
        assert_eq!(fetch(&platform, all).await.unwrap().1, Ended::Whole);
        assert_eq!(
            fetch(&platform, 7).await.unwrap(),
            (whole[..7].to_owned(), Ended::TooLong)
        );
        assert_eq!(platform.seen(PATH)[0].query, "type=file");
    }

    #[tokio::test]
    async fn a_refused_resource_says_why() {
        let platform = Platform::start().await;
        platform.will(
            PATH,
            [Reply::refusal(400, 234037), Reply::refusal(400, 99991672)],
        );
        let error = fetch(&platform, 9).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge(_)), "{error}");
        let error = fetch(&platform, 9).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)), "{error}");
    }

    #[tokio::test]
    async fn an_upload_is_made_again_with_the_same_body() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/im/v1/files";
        platform.will(
            path,
            [
                Reply::refusal(400, 2200),
                Reply::data(json!({"file_key": "file_v3_b"})),
            ],
        );
        let client = platform.client().at(Class::Click);
        let bytes = Bytes::from_static(b"a line\n");
        let key = client.upload_file("a.log", bytes, FileType::Stream).await;
        assert_eq!(key.unwrap().as_str(), "file_v3_b");
        let sent = platform.seen(path);
        assert_eq!(sent.len(), 2);
        for one in sent {
            for part in [
                "name=\"file_type\"",
                "stream",
                "filename=\"a.log\"",
                "a line\n",
            ] {
                assert!(one.raw.contains(part), "{part:?} is not in {}", one.raw);
            }
        }
    }

    #[tokio::test]
    async fn an_image_is_uploaded_for_messages_and_what_is_too_large_is_not() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/im/v1/images";
        platform.will(path, [Reply::data(json!({"image_key": "img_v3_a"}))]);
        let client = platform.client();
        let key = client.upload_image(Bytes::from_static(b"png")).await;
        assert_eq!(key.unwrap().as_str(), "img_v3_a");
        assert!(platform.seen(path)[0].raw.contains("message"));
        for bytes in [Bytes::new(), Bytes::from(vec![0; IMAGE_BYTES_MAX + 1])] {
            let refused = client.upload_image(bytes).await;
            assert!(matches!(refused, Err(UploadError::Size(_))), "{refused:?}");
        }
        assert_eq!(platform.seen(path).len(), 1);
    }
}
