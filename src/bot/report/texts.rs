//! Long texts in parts, and results of chunks: what a draft is made from, kept before it is needed again.

use futures::future::BoxFuture;
use tracing::warn;

use crate::{
    postmortem::events::{ChunkEvents, KeptChunks},
    store::{self, Store},
};

use super::records::{KeptChunk, Text, digits};

/// How long a part is, in bytes. As JSON within JSON it may become a few times as long.
const PART_BYTES: usize = 512 * 1024;
/// How many parts are read at once.
const PAGE: usize = 8;

/// Keeps a text under a name, durably. The same name has the same text, so doing it twice is doing it once.
pub(super) async fn keep(
    store: &Store,
    number: u32,
    name: &str,
    text: &str,
) -> Result<(), store::Error> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() || parts.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
        parts.push(part);
        rest = after;
    }
    let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    for (at, part) in parts.into_iter().enumerate() {
        let part = Text {
            of,
            text: part.to_owned(),
        };
        let mut batch = store.batch();
        batch.put(&format!("{}/{name}/{at:06}", digits(number)), &part);
        store.commit(batch).await?;
    }
    Ok(())
}

/// Reads a text; nothing where a part of it is missing.
pub(super) async fn read(
    store: &Store,
    number: u32,
    name: &str,
) -> Result<Option<String>, store::Error> {
    let parts = store.collection::<Text>();
    let prefix = format!("{}/{name}/", digits(number));
    let (mut text, mut found, mut of) = (String::new(), 0, 1);
    let mut after: Option<String> = None;
    loop {
        let page = parts.scan(&prefix, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        for (key, part) in page {
            text.push_str(&part.text);
            (found, of) = (found + 1, part.of);
            after = Some(key);
        }
        if is_last {
            return Ok((found == of).then_some(text));
        }
    }
}

/// The chunks of one incident.
pub(super) struct Chunks {
    store: Store,
    number: u32,
}

impl Chunks {
    /// Those of this incident.
    pub(super) fn of(store: &Store, number: u32) -> Self {
        let store = store.clone();
        Self { store, number }
    }

    fn key(&self, key: &str) -> String {
        format!("{}/{key}", digits(self.number))
    }
}

impl KeptChunks for Chunks {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<ChunkEvents>> {
        Box::pin(async move {
            let chunks = self.store.collection::<KeptChunk>();
            match chunks.get(&self.key(key)).await {
                Ok(kept) => kept.map(|KeptChunk(found)| found),
                Err(error) => {
                    warn!(%error, "what was read before cannot be found, and is read again");
                    None
                }
            }
        })
    }

    fn keep<'a>(&'a self, key: &'a str, found: &'a ChunkEvents) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut batch = self.store.batch();
            batch.put(&self.key(key), &KeptChunk(found.clone()));
            if let Err(error) = self.store.commit(batch).await {
                warn!(%error, "what was read is read again after a crash");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StoreConfig;

    #[tokio::test]
    async fn a_long_text_comes_back_whole_and_never_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        let text = "故障\"\n".repeat(PART_BYTES / 4);
        keep(&store, 7, "a", &text).await.unwrap();
        keep(&store, 7, "b", "").await.unwrap();
        assert_eq!(read(&store, 7, "a").await.unwrap().unwrap(), text);
        assert_eq!(read(&store, 7, "b").await.unwrap().unwrap(), "");
        assert_eq!(read(&store, 8, "a").await.unwrap(), None);
        let key = "0000000007/a/000001";
        store.collection::<Text>().delete(key).await.unwrap();
        assert_eq!(read(&store, 7, "a").await.unwrap(), None);
    }
}
