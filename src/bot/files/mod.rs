//! Reads what came with a message: text out of files, images for models that see, names of the rest.
//!
//! Everything is fetched side by side and within one deadline. What is not read is named together with the
//! reason, to the model and to people: a file that nobody read is unknown and not empty.

mod kind;
mod text;
mod why;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::join_all;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use crate::{
    agent::{Attached, Content, Image, With},
    config::{FilesConfig, Language},
    feishu::{Attachment, AttachmentKind, Client, Download, Ended, Error, Message, MessageId},
};

use super::{Bot, phrase::Phrase, reply::TurnView};
use kind::Kind;
use why::Why;

/// A compressed file is held in memory while it is unpacked, so it may not be as large as others.
const GZIP_BYTES_MAX: u64 = 16 << 20;
/// What one question shows a model of images, in bytes. Servers refuse larger requests.
const IMAGES_BYTES_MAX: u64 = 24 << 20;

/// Reads what came with the messages of one turn.
pub(super) struct Files<'a> {
    /// The platform.
    pub feishu: &'a Client,
    /// How much is read.
    pub config: &'a FilesConfig,
    /// Whether the model may be shown images.
    pub sees: bool,
    /// The language of the steps that people are shown.
    pub language: Language,
    /// When the answer waits no longer.
    pub until: Instant,
    /// Where people see what is being read.
    pub view: &'a watch::Sender<TurnView>,
}

/// What was read of a message, and what was not.
#[derive(Debug, Default)]
pub(super) struct ReadFiles {
    /// For the model.
    pub attached: Vec<Attached>,
    /// For people: names with reasons.
    pub not_read: Vec<NotRead>,
}

/// Something that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotRead {
    name: Option<String>,
    kind: AttachmentKind,
    why: Why,
}

impl ReadFiles {
    /// Adds what was read of another message.
    pub(super) fn and(&mut self, other: ReadFiles) {
        self.attached.extend(other.attached);
        self.not_read.extend(other.not_read);
    }

    /// Keeps to what a request can carry: images above that are named only.
    pub(super) fn bound(&mut self) {
        let mut left = IMAGES_BYTES_MAX;
        for one in &mut self.attached {
            if !matches!(one.content, Content::Image(_)) {
                continue;
            }
            match left.checked_sub(one.bytes.unwrap_or(0)) {
                Some(rest) => left = rest,
                None => {
                    let why = Why::TooMany;
                    one.content = Content::Unknown(why.for_model());
                    let (name, kind) = (one.name.clone(), AttachmentKind::Image);
                    self.not_read.push(NotRead { name, kind, why });
                }
            }
        }
    }

    /// The sentence that tells people what was not read, if there is anything to tell.
    pub(super) fn note(&self, language: Language) -> Option<String> {
        let name = |one: &NotRead| match &one.name {
            Some(name) => super::card::shorten(name, 60),
            None => kind::word(one.kind, language).to_owned(),
        };
        let list: Vec<String> = self
            .not_read
            .iter()
            .map(|one| match language {
                Language::En => format!("{} ({})", name(one), one.why.text(language)),
                Language::Zh => format!("{}（{}）", name(one), one.why.text(language)),
            })
            .collect();
        let separator = match language {
            Language::En => ", ",
            Language::Zh => "、",
        };
        let list = list.join(separator);
        (!list.is_empty()).then(|| Phrase::NotRead { list: &list }.text(language))
    }
}

impl Files<'_> {
    /// Reads what came with a message.
    pub(super) async fn read(&self, message: &Message, with: With) -> ReadFiles {
        let attachments = message.attachments();
        let reading = attachments
            .iter()
            .enumerate()
            .map(|(place, attachment)| async move {
                let outcome = match place < self.config.per_message {
                    true => self.read_one(&message.id, attachment).await,
                    false => Err((None, Why::TooMany)),
                };
                (attachment, outcome)
            });
        let mut read = ReadFiles::default();
        for (attachment, outcome) in join_all(reading).await {
            let (content, bytes) = match outcome {
                Ok((content, bytes)) => (content, Some(bytes)),
                Err((bytes, why)) => {
                    let content = Content::Unknown(why.for_model());
                    read.not_read.push(NotRead {
                        name: attachment.name.clone(),
                        kind: attachment.kind,
                        why,
                    });
                    (content, bytes)
                }
            };
            read.attached.push(Attached {
                with,
                kind: kind::word(attachment.kind, Language::En),
                name: attachment.name.clone(),
                bytes,
                content,
            });
        }
        read
    }

    /// Reads one thing, and gives its size; or its size as far as it is known, and why it was not read.
    async fn read_one(
        &self,
        message: &MessageId,
        attachment: &Attachment,
    ) -> Result<(Content, u64), (Option<u64>, Why)> {
        let kind = match attachment.kind {
            AttachmentKind::Image if !self.sees => return Err((None, Why::CannotSee)),
            AttachmentKind::Image => Kind::Image,
            AttachmentKind::Audio => return Err((None, Why::Voice)),
            AttachmentKind::Video => return Err((None, Why::Video)),
            AttachmentKind::File => Kind::of(attachment.name.as_deref().unwrap_or_default()),
        };
        if kind == Kind::Other {
            return Err((None, Why::Kind));
        }
        let step = self.begin(attachment);
        let began = Instant::now();
        let mut size = None;
        let fetching = self.fetch(message, attachment, kind, step, &mut size);
        let outcome = match timeout_at(self.until, fetching).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Why::Late),
        };
        let took = began.elapsed();
        self.view
            .send_modify(|view| view.end_reading(step, outcome.is_ok(), took));
        match &outcome {
            Ok(_) => info!(bytes = size, took_ms = took.as_millis(), "read a file"),
            Err(why) => warn!(?why, bytes = size, "a file was not read"),
        }
        match outcome {
            Ok(content) => Ok((content, size.unwrap_or(0))),
            Err(why) => Err((size, why)),
        }
    }

    async fn fetch(
        &self,
        message: &MessageId,
        attachment: &Attachment,
        kind: Kind,
        step: usize,
        size: &mut Option<u64>,
    ) -> Result<Content, Why> {
        let mib = |mib: u64| mib << 20;
        let bytes_max = match kind {
            Kind::Image => mib(self.config.image_mib_max),
            Kind::Gzip => mib(self.config.file_mib_max).min(GZIP_BYTES_MAX),
            Kind::Text | Kind::Unknown | Kind::Other => mib(self.config.file_mib_max),
        };
        // The deadline is kept by whoever waits; this one only keeps the HTTP client from ending it before.
        let within = self.until.saturating_duration_since(Instant::now()) + Duration::from_secs(1);
        let download = self.feishu.resource(message, attachment, within).await?;
        *size = download.length;
        if let Some(length) = download.length {
            self.view.send_modify(|view| {
                view.retitle_reading(step, self.title(attachment, Some(length)))
            });
            if length > bytes_max {
                return Err(Why::TooLarge(bytes_max));
            }
        }
        match kind {
            Kind::Image => {
                let bytes = whole(download, bytes_max, size).await?;
                Image::of(bytes).map(Content::Image).ok_or(Why::ImageFormat)
            }
            Kind::Gzip => {
                let bytes = whole(download, bytes_max, size).await?;
                let unpacked = tokio::task::spawn_blocking(move || text::unpack(&bytes)).await;
                let excerpt = unpacked.map_err(|_| Why::Failed)?;
                excerpt.map(Content::Text).ok_or(Why::Kind)
            }
            Kind::Text | Kind::Unknown | Kind::Other => {
                let mut ends = text::Ends::default();
                let ended = download.read(bytes_max, |piece| ends.add(piece)).await?;
                *size = Some(ends.length());
                if ended == Ended::TooLong {
                    return Err(Why::TooLarge(bytes_max));
                }
                ends.decode().map(Content::Text).ok_or(Why::Kind)
            }
        }
    }

    /// Shows that something is being read, and gives the number of the step.
    fn begin(&self, attachment: &Attachment) -> usize {
        let title = self.title(attachment, None);
        let mut step = 0;
        self.view
            .send_modify(|view| step = view.begin_reading(title));
        step
    }

    fn title(&self, attachment: &Attachment, bytes: Option<u64>) -> String {
        let kind = kind::word(attachment.kind, self.language);
        let name = attachment.name.as_deref().unwrap_or(kind);
        let size = bytes.map(kind::size);
        let size = size.as_deref();
        Phrase::Reading { name, size }.text(self.language)
    }
}

/// An image that came with a message, where it can be had and shown to a model within the limits of `[files]`.
pub(super) async fn image(bot: &Bot, of: &MessageId, what: &Attachment) -> Option<Image> {
    let config = &bot.0.config.files;
    let bytes_max = config.image_mib_max << 20;
    let fetching = async {
        let download = bot.0.feishu.resource(of, what, config.read_within).await?;
        if download.length.is_some_and(|length| length > bytes_max) {
            return Err(Why::TooLarge(bytes_max));
        }
        let bytes = whole(download, bytes_max, &mut None).await?;
        Image::of(bytes).ok_or(Why::ImageFormat)
    };
    let fetched = fetching.await;
    fetched
        .inspect_err(|why| warn!(?why, "an image of a room cannot be looked at"))
        .ok()
}

/// Why something cannot be had of the platform, in words for people.
pub(super) fn reason(error: Error, language: Language) -> String {
    Why::from(error).text(language)
}

/// All of a download, in memory.
async fn whole(download: Download, bytes_max: u64, size: &mut Option<u64>) -> Result<Bytes, Why> {
    let mut bytes = BytesMut::new();
    let ended = download
        .read(bytes_max, |piece| bytes.extend_from_slice(piece))
        .await?;
    *size = Some(bytes.len() as u64);
    match ended {
        Ended::Whole => Ok(bytes.freeze()),
        Ended::TooLong => Err(Why::TooLarge(bytes_max)),
    }
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        warn!(%error, "a file cannot be fetched");
        match error {
            Error::Gone(_) => Why::Gone,
            Error::Forbidden(refusal) => Why::Forbidden {
                scopes: refusal.scopes,
            },
            // The platform gives nothing above 100 MB.
            Error::TooLarge(_) => Why::TooLarge(100 << 20),
            _ => Why::Failed,
        }
    }
}
