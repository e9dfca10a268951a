//! Who asked the bot for what, when and where, and what came of it. Never in whose words.
//!
//! Keys sort the newest first, so that the latest are read and the oldest are swept without the rest.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::error;
use uuid::Uuid;

use crate::{
    feishu::{ChatId, MessageId, OpenId},
    store::{self, Collection, Record, Store},
};

use super::Bot;

/// How much is swept at once.
const PAGE: usize = 500;

/// Something that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deed {
    /// Who.
    pub who: OpenId,
    /// What: `question`, `/new`, `click stop`, … Our words and not theirs.
    pub what: String,
    /// In which chat.
    #[serde(default)]
    pub chat: Option<ChatId>,
    /// By which message, or on which card.
    #[serde(default)]
    pub message: Option<MessageId>,
    /// What came of it: `answered`, `done`, `denied_person`, …
    pub outcome: String,
}

/// A deed as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noted {
    /// When it was noted.
    pub at: Timestamp,
    /// What it was.
    #[serde(flatten)]
    pub deed: Deed,
}

impl Record for Noted {
    const COLLECTION: &'static str = "audit";
    const VERSION: u8 = 1;
}

/// The store's side of it. Clones are the same.
#[derive(Clone)]
pub(super) struct Audit {
    deeds: Collection<Noted>,
    kept: Duration,
}

impl Audit {
    /// Opens the collection; deeds are kept for so long.
    pub(super) fn new(store: &Store, kept: Duration) -> Self {
        Self {
            deeds: store.collection(),
            kept,
        }
    }

    /// Notes a deed.
    pub(super) async fn note(&self, deed: Deed, at: Timestamp) -> Result<(), store::Error> {
        let key = format!("{}-{}", newest_first(at), Uuid::now_v7().simple());
        self.deeds.put(&key, &Noted { at, deed }).await
    }

    /// The latest, newest first.
    pub(super) async fn latest(&self, number: usize) -> Result<Vec<Noted>, store::Error> {
        let found = self.deeds.scan("", None, number).await?;
        Ok(found.into_iter().map(|(_, noted)| noted).collect())
    }

    /// Forgets what has been kept long enough.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<usize, store::Error> {
        let kept = i64::try_from(self.kept.as_millis()).unwrap_or(i64::MAX);
        let oldest = now.as_millisecond().saturating_sub(kept);
        let Ok(oldest) = Timestamp::from_millisecond(oldest) else {
            return Ok(0);
        };
        // Everything behind this key is older.
        let after = format!("{}~", newest_first(oldest));
        let mut removed = 0;
        loop {
            let page = self.deeds.scan("", Some(&after), PAGE).await?;
            for (key, _) in &page {
                self.deeds.delete(key).await?;
            }
            removed += page.len();
            if page.len() < PAGE {
                return Ok(removed);
            }
        }
    }
}

/// A text that sorts before those of earlier times.
fn newest_first(at: Timestamp) -> String {
    let since_1970 = u64::try_from(at.as_millisecond()).unwrap_or_default();
    format!("{:016x}", u64::MAX - since_1970)
}

/// Notes a deed. A failure is logged and keeps nobody from anything: what was asked for comes first.
pub(super) async fn note(bot: &Bot, deed: Deed) {
    if let Err(error) = bot.0.audit.note(deed, Timestamp::now()).await {
        error!(%error, "a deed is missing from the audit");
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::config::StoreConfig;

    fn deed(what: &str) -> Deed {
        Deed {
            who: OpenId::new("ou_a"),
            what: what.into(),
            chat: Some(ChatId::new("oc_a")),
            message: Some(MessageId::new("om_a")),
            outcome: "done".into(),
        }
    }

    #[tokio::test]
    async fn the_latest_come_first_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        let audit = Audit::new(&store, Duration::from_secs(3600));
        let at = |minute: u32| format!("2026-11-21T10:{minute:02}:00Z").parse().unwrap();
        for minute in [0, 20, 10] {
            audit
                .note(deed(&format!("/{minute}")), at(minute))
                .await
                .unwrap();
        }
        let whats = async || {
            let latest = audit.latest(10).await.unwrap();
            latest
                .into_iter()
                .map(|noted| noted.deed.what)
                .collect::<Vec<_>>()
        };
        assert_eq!(whats().await, ["/20", "/10", "/0"]);
        assert_eq!(audit.latest(1).await.unwrap().len(), 1);
        let swept = audit.sweep("2026-11-21T11:15:00Z".parse().unwrap()).await;
        assert_eq!(swept.unwrap(), 2);
        assert_eq!(whats().await, ["/20"]);
    }

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let noted = Noted {
            at: "2026-11-21T10:00:00Z".parse().unwrap(),
            deed: deed("/new"),
        };
        assert_json_snapshot!(noted, @r#"
        {
          "at": "2026-11-21T10:00:00Z",
          "who": "ou_a",
          "what": "/new",
          "chat": "oc_a",
          "message": "om_a",
          "outcome": "done"
        }
        "#);
    }
}
