//! Messages that were forwarded together, opened: who wrote what when, those of bundles in bundles in their order.
//!
//! A bundle never changes, so what was in it is kept and fetched once.

use std::collections::HashMap;

use futures::{StreamExt, stream};
use tracing::warn;

use crate::{
    bot::{
        Bot, files,
        people::stand_in,
        report::records::{KeptBundle, digits},
        war_room::{Trouble, record::Said},
    },
    config::Language,
    feishu::{ChatId, Error, Forwarded, Message, MessageId, OpenId},
    postmortem::transcript,
};

/// How many bundles of a room are opened.
const BUNDLES_MAX: usize = 200;
/// How many are fetched at once.
const AT_ONCE: usize = 4;
/// How many characters of one forwarded message are kept.
const CHARS_MAX: usize = 4_000;
/// How many bytes of all messages of a bundle are kept.
const BYTES_MAX: usize = 256 * 1024;
/// How many kept bundles are read at once.
const PAGE: usize = 50;

/// Where the contents of bundles are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot::report) enum Bundles {
    /// From what is kept: nobody is asked.
    Kept,
    /// From the platform, where they are not kept.
    Fetched,
}

/// What was in each bundle of a room, or why that cannot be had.
pub(super) type Opened = HashMap<MessageId, Result<KeptBundle, String>>;

/// Opens the bundles among the messages of a room.
pub(super) async fn of(
    bot: &Bot,
    number: u32,
    room: &ChatId,
    said: &[Said],
    bundles: Bundles,
    language: Language,
) -> Result<Opened, Trouble> {
    let is_bundle = |one: &&Said| one.kind == "merge_forward" && one.recalled_at.is_none();
    let wanted: Vec<&MessageId> = said.iter().filter(is_bundle).map(|one| &one.id).collect();
    if wanted.is_empty() {
        return Ok(Opened::new());
    }
    let mut opened = kept(bot, number).await?;
    if bundles == Bundles::Kept {
        return Ok(opened);
    }
    let missing = wanted.into_iter().filter(|id| !opened.contains_key(*id));
    let missing: Vec<&MessageId> = missing.take(BUNDLES_MAX).collect();
    let fetching = missing.into_iter().map(|id| async move {
        let bundle = fetch(bot, id, room).await;
        if let Ok(bundle) = &bundle {
            keep(bot, number, id, bundle).await?;
        }
        let bundle = bundle.map_err(|error| files::reason(error, language));
        Ok::<_, Trouble>((id.clone(), bundle))
    });
    let fetching: Vec<_> = fetching.collect();
    let mut fetching = stream::iter(fetching).buffer_unordered(AT_ONCE);
    while let Some(fetched) = fetching.next().await {
        opened.extend([fetched?]);
    }
    Ok(opened)
}

async fn kept(bot: &Bot, number: u32) -> Result<Opened, Trouble> {
    let bundles = bot.store().collection::<KeptBundle>();
    let prefix = format!("{}/", digits(number));
    let mut opened = Opened::new();
    let mut after: Option<String> = None;
    loop {
        let page = bundles.scan(&prefix, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|(key, _)| key.clone());
        opened.extend(page.into_iter().map(|(key, bundle)| {
            let id = key.strip_prefix(&prefix).unwrap_or(&key);
            (MessageId::new(id), Ok(bundle))
        }));
        if is_last {
            return Ok(opened);
        }
    }
}

async fn keep(bot: &Bot, number: u32, id: &MessageId, bundle: &KeptBundle) -> Result<(), Trouble> {
    let mut batch = bot.store().batch();
    batch.put(&format!("{}/{id}", digits(number)), bundle);
    Ok(bot.store().commit(batch).await?)
}

async fn fetch(bot: &Bot, id: &MessageId, room: &ChatId) -> Result<KeptBundle, Error> {
    let fetched = bot.0.feishu.message(id).await;
    let items =
        fetched.inspect_err(|error| warn!(%error, "forwarded messages cannot be opened"))?;
    let forwarded = Forwarded::of(id, items);
    let ids: Vec<OpenId> = forwarded
        .messages()
        .into_iter()
        .filter(|one| one.sender.id.starts_with("ou_"))
        .map(|one| OpenId::new(one.sender.id.as_str()))
        .collect();
    let names = bot.0.people.names(&ids, room).await;
    let author = |one: &Message| {
        let sender = &one.sender;
        let known = names.get(&OpenId::new(sender.id.as_str())).cloned();
        let ours = bot.me().is(&sender.id).then(|| bot.me().name.clone());
        let name = ours.or(known).or_else(|| sender.name.clone());
        name.unwrap_or_else(|| stand_in(&sender.id))
    };
    Ok(flat(&forwarded, author))
}

/// The messages of a bundle, one after the other.
fn flat(forwarded: &Forwarded, author: impl Fn(&Message) -> String) -> KeptBundle {
    let mut bundle = KeptBundle {
        forwarded: Vec::new(),
        left_out: forwarded.left_out,
    };
    let mut bytes = 0;
    let messages = forwarded.messages().into_iter();
    for message in messages.filter(|one| one.kind != "merge_forward") {
        let text = cut(&message.text());
        bytes += text.len();
        if bytes > BYTES_MAX {
            bundle.left_out += 1;
            continue;
        }
        bundle.forwarded.push(transcript::Forwarded {
            author: author(message),
            at: Some(message.created_at),
            text,
        });
    }
    bundle
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
