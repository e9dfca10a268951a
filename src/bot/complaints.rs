//! How often a chat is told that something of ours is broken: not with every message.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tokio::time::{Duration, Instant};

use crate::feishu::ChatId;

/// Between two complaints in one chat, unless said otherwise.
const EVERY: Duration = Duration::from_secs(60);

/// Which chats were told lately.
pub(super) struct Complaints {
    every: Duration,
    told: Mutex<HashMap<ChatId, Instant>>,
}

impl Default for Complaints {
    fn default() -> Self {
        Self::every(EVERY)
    }
}

impl Complaints {
    /// So much time passes between two complaints in one chat.
    pub(super) fn every(every: Duration) -> Self {
        Self {
            every,
            told: Mutex::default(),
        }
    }

    /// Whether `chat` may be told now. Takes it that it is.
    pub(super) fn may(&self, chat: &ChatId) -> bool {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.duration_since(*at) < self.every);
        if told.contains_key(chat) {
            return false;
        }
        told.insert(chat.clone(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_chat_is_told_once_a_minute() {
        let complaints = Complaints::default();
        let (a, b) = (ChatId::new("oc_a"), ChatId::new("oc_b"));
        assert!(complaints.may(&a) && complaints.may(&b) && !complaints.may(&a));
        tokio::time::advance(EVERY).await;
        assert!(complaints.may(&a));
    }
}
