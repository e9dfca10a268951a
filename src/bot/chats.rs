//! What a chat is called and who it holds, kept for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::debug;

use crate::feishu::{Chat, ChatId, Client};

const KEPT_FOR: Duration = Duration::from_secs(600);
const KEPT_MAX: usize = 5_000;

/// A cache in front of the chat API.
pub(super) struct Chats {
    feishu: Client,
    chats: Mutex<HashMap<ChatId, (Chat, Instant)>>,
}

impl Chats {
    /// An empty cache.
    pub(super) fn new(feishu: Client) -> Self {
        Self {
            feishu,
            chats: Mutex::default(),
        }
    }

    /// The chat, or `None` where the platform does not say.
    pub(super) async fn get(&self, id: &ChatId) -> Option<Chat> {
        let cached = self
            .lock()
            .get(id)
            .filter(|(_, at)| at.elapsed() < KEPT_FOR)
            .cloned();
        if let Some((chat, _)) = cached {
            return Some(chat);
        }
        match self.feishu.chat(id).await {
            Ok(chat) => {
                let mut chats = self.lock();
                if chats.len() >= KEPT_MAX {
                    chats.clear();
                }
                chats.insert(id.clone(), (chat.clone(), Instant::now()));
                Some(chat)
            }
            Err(error) => {
                debug!(%error, "nothing is known about the chat");
                None
            }
        }
    }

    /// Forgets what is known about a chat, since it has changed.
    pub(super) fn forget(&self, id: &ChatId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ChatId, (Chat, Instant)>> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
