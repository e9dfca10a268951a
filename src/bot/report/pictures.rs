//! What a model sees in the images of a room, for those who cannot: the models and checks that read words.
//!
//! Each image is looked at once: its description is kept as soon as it is there, so neither a crash nor a new
//! draft asks for it again. Where nobody can look, the image stays one that nobody looked at, and the report
//! says so.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use futures::{StreamExt, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    agent::{Model, ModelError},
    bot::{
        Bot,
        card::report::Stage,
        files,
        war_room::{
            Progress, Trouble,
            record::{Attached, Said},
        },
    },
    config::Language,
    feishu::{Attachment, AttachmentKind, MessageId, ResourceKey},
    postmortem::{
        DraftError,
        asking::{Asker, PATIENCE, Spent},
        seeing::describe,
    },
};

use super::records::{KeptPicture, digits};

/// How many kept descriptions are read at once.
const PAGE: usize = 200;

/// What was seen, by [`picture_key`].
pub(super) type Pictures = HashMap<String, String>;

/// The name of an image within its incident.
pub(super) fn picture_key(message: &MessageId, image: &ResourceKey) -> String {
    format!("{message}/{image}")
}

/// What was seen so far in the images of an incident.
pub(super) async fn kept(bot: &Bot, number: u32) -> Result<Pictures, Trouble> {
    let kept = bot.store().collection::<KeptPicture>();
    let prefix = format!("{}/", digits(number));
    let mut pictures = Pictures::new();
    let mut after: Option<String> = None;
    loop {
        let page = kept.scan(&prefix, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|(key, _)| key.clone());
        pictures.extend(page.into_iter().map(|(key, picture)| {
            let key = key.strip_prefix(&prefix).unwrap_or(&key).to_owned();
            (key, picture.description)
        }));
        if is_last {
            return Ok(pictures);
        }
    }
}

/// An image of the room.
struct Picture {
    message: MessageId,
    attachment: Attachment,
    /// What is looked at first: what people marked or pinned, then the latest.
    rank: (bool, jiff::Timestamp),
}

/// What is needed to look at one.
struct Look<'a> {
    bot: &'a Bot,
    number: u32,
    language: Language,
    asker: Asker,
    /// Nobody is asked any more: the model sees nothing, or does not answer.
    is_blind: AtomicBool,
    /// The model saw something, so a refusal is about one image.
    has_seen: AtomicBool,
}

/// Has a model look at the images that nobody looked at yet, and gives what that cost.
pub(super) async fn look(
    bot: &Bot,
    (number, language): (u32, Language),
    rooms: &[Progress],
    model: Option<&Model>,
    cancel: &CancellationToken,
    tell: &watch::Sender<Stage>,
) -> Result<Spent, Trouble> {
    let config = &bot.0.config.postmortem;
    let Some(model) = model.filter(|model| model.sees_images() && config.images_max > 0) else {
        return Ok(Spent::default());
    };
    let mut wanted = pictures(bot, rooms).await?;
    wanted.sort_by_key(|picture| std::cmp::Reverse(picture.rank));
    wanted.truncate(config.images_max);
    let known = kept(bot, number).await?;
    wanted.retain(|picture| !known.contains_key(&picture.key()));
    if wanted.is_empty() {
        return Ok(Spent::default());
    }
    let look = Look {
        bot,
        number,
        language,
        asker: Asker::new(model, PATIENCE, cancel.clone()),
        is_blind: AtomicBool::new(false),
        has_seen: AtomicBool::new(false),
    };
    let (of, mut done) = (wanted.len(), 0);
    tell.send_replace(Stage::Looking { done, of });
    let looking: Vec<_> = wanted.iter().map(|picture| look.at(picture)).collect();
    let mut looking = stream::iter(looking).buffer_unordered(config.parallel.max(1));
    while let Some(looked) = looking.next().await {
        looked?;
        done += 1;
        tell.send_replace(Stage::Looking { done, of });
    }
    drop(looking);
    let cost = look.asker.cost().looking;
    info!(
        images = of,
        calls = cost.calls,
        "the images of a room were looked at"
    );
    Ok(cost)
}

/// The images that people sent and did not take back.
async fn pictures(bot: &Bot, rooms: &[Progress]) -> Result<Vec<Picture>, Trouble> {
    let mut found = Vec::new();
    for room in rooms.iter().filter_map(|progress| progress.chat.as_ref()) {
        let take = |said: Said| {
            if said.author.is_bot || bot.me().is(&said.author.id) || said.recalled_at.is_some() {
                return;
            }
            let rank = (said.is_pinned || !said.marks.is_empty(), said.at);
            let images = said.attachments.into_iter().filter(|one| one.is_image);
            found.extend(images.map(|image| Picture {
                message: said.id.clone(),
                attachment: attachment(image),
                rank,
            }));
        };
        bot.rooms().record().each(room, None, take).await?;
    }
    Ok(found)
}

fn attachment(image: Attached) -> Attachment {
    Attachment {
        key: image.key,
        kind: AttachmentKind::Image,
        name: image.name,
    }
}

impl Picture {
    fn key(&self) -> String {
        picture_key(&self.message, &self.attachment.key)
    }
}

impl Look<'_> {
    /// Looks at one image and keeps what is seen. What cannot be seen is left.
    async fn at(&self, picture: &Picture) -> Result<(), Trouble> {
        if self.is_blind.load(Ordering::Relaxed) {
            return Ok(());
        }
        let bot = self.bot;
        let Some(image) = files::image(bot, &picture.message, &picture.attachment).await else {
            return Ok(());
        };
        let name = picture.attachment.name.as_deref().unwrap_or("image");
        match describe(&self.asker, name, image, self.language).await {
            Ok(description) if !description.is_empty() => {
                self.has_seen.store(true, Ordering::Relaxed);
                let key = format!("{}/{}", digits(self.number), picture.key());
                let mut batch = bot.store().batch();
                batch.put(&key, &KeptPicture { description });
                Ok(bot.store().commit(batch).await?)
            }
            Ok(_) => Ok(()),
            // Whoever cancelled it ends the whole draft.
            Err(DraftError::Cancelled) => Ok(()),
            Err(DraftError::Model(error)) => {
                warn!(%error, "an image of a room is not described");
                let is_about_one =
                    matches!(error, ModelError::Refused(_) | ModelError::ContextTooLong);
                if !is_about_one || !self.has_seen.load(Ordering::Relaxed) {
                    self.is_blind.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
        }
    }
}
