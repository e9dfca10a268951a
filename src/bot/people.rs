//! The names of people, which events and history give only as ids.
//!
//! Asked for in batches, kept for an hour. A name may be out of reach for want of a permission or of
//! the app's contact range; then the chat's own list of members is asked, which needs neither.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{debug, warn};

use crate::feishu::{ChatId, Client, OpenId};

const KEPT_FOR: Duration = Duration::from_secs(3600);
/// More people than any group has; above it the cache begins anew.
const KEPT_MAX: usize = 20_000;
/// How much of a group's list of members is read to find a name: ten pages of a hundred.
const MEMBER_PAGES_MAX: usize = 10;

/// A cache in front of the contact API.
pub(super) struct People {
    feishu: Client,
    names: Mutex<HashMap<OpenId, (Option<String>, Instant)>>,
}

impl People {
    /// An empty cache.
    pub(super) fn new(feishu: Client) -> Self {
        Self {
            feishu,
            names: Mutex::default(),
        }
    }

    /// The names of `ids`, as far as they can be known. A failure is a missing name and not an error.
    pub(super) async fn names(&self, ids: &[OpenId], chat: &ChatId) -> HashMap<OpenId, String> {
        let mut missing = self.not_cached(ids);
        if !missing.is_empty() {
            match self.feishu.users(&missing).await {
                Ok(users) => {
                    for user in users {
                        if let Some(name) = user.name {
                            self.keep(user.open_id, Some(name));
                        }
                    }
                }
                Err(error) => debug!(%error, "the contact API gave no names"),
            }
            missing = self.not_cached(ids);
        }
        if !missing.is_empty() {
            self.read_members(chat, &missing).await;
            // What neither knows is not asked for again with every message.
            for id in self.not_cached(ids) {
                self.keep(id, None);
            }
        }
        let names = self.lock();
        ids.iter()
            .filter_map(|id| Some((id.clone(), names.get(id)?.0.clone()?)))
            .collect()
    }

    /// The name of one person, or a stand-in that tells people apart.
    pub(super) async fn name(&self, id: &OpenId, chat: &ChatId) -> String {
        self.names(std::slice::from_ref(id), chat)
            .await
            .remove(id)
            .unwrap_or_else(|| stand_in(id.as_str()))
    }

    /// Takes note of names that the platform gave by itself.
    pub(super) fn learn(&self, people: &[(OpenId, String)]) {
        for (id, name) in people.iter().filter(|(_, name)| !name.is_empty()) {
            self.keep(id.clone(), Some(name.clone()));
        }
    }

    async fn read_members(&self, chat: &ChatId, wanted: &[OpenId]) {
        let mut page_token: Option<String> = None;
        for _ in 0..MEMBER_PAGES_MAX {
            match self.feishu.chat_members(chat, page_token.as_deref()).await {
                Ok(page) => {
                    for member in page.items {
                        self.keep(member.open_id, Some(member.name));
                    }
                    page_token = page.next;
                }
                Err(error) => {
                    warn!(chat.id = %chat, %error, "the names of some members stay unknown");
                    return;
                }
            }
            if page_token.is_none() || self.not_cached(wanted).is_empty() {
                return;
            }
        }
    }

    fn not_cached(&self, ids: &[OpenId]) -> Vec<OpenId> {
        let names = self.lock();
        let fresh = |id: &&OpenId| {
            names
                .get(*id)
                .is_some_and(|(_, at)| at.elapsed() < KEPT_FOR)
        };
        ids.iter().filter(|id| !fresh(id)).cloned().collect()
    }

    fn keep(&self, id: OpenId, name: Option<String>) {
        let mut names = self.lock();
        if names.len() >= KEPT_MAX {
            names.clear();
        }
        names.insert(id, (name, Instant::now()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OpenId, (Option<String>, Instant)>> {
        // A cache that a panic left half written is still a cache.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What someone without a name is called: enough of the id to tell two of them apart.
pub(super) fn stand_in(id: &str) -> String {
    let tail: String = id
        .chars()
        .rev()
        .take(4)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    format!("someone (…{tail})")
}
