//! Who stands behind the e-mails and chats that the configuration names.
//!
//! Only those of the configuration are ever asked for, so what is kept is bounded by it. What could not
//! be asked is unknown; what was known before stays true for a while, since people seldom change e-mails.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};
use tracing::{error, info};

use crate::feishu::{ChatId, Client, Error, OpenId};

use super::decide::Name;

/// How long it is believed whose an e-mail is, and who is in a chat.
const EMAILS_KEPT: Duration = Duration::from_secs(3600);
const MEMBERS_KEPT: Duration = Duration::from_secs(600);

/// How long it is believed still where nobody answers.
const BELIEVED_MAX: Duration = Duration::from_secs(24 * 3600);

/// After a failure it is not asked again for so long: a question must not wait for it each time.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How long a question may wait for it.
const ASKED_FOR: Duration = Duration::from_secs(3);

/// More pages of a hundred than any chat has.
const MEMBER_PAGES_MAX: usize = 100;

/// What was found out, and when to ask again.
struct Found<T> {
    value: Option<Arc<T>>,
    at: Instant,
    again_at: Instant,
    is_failing: bool,
}

impl<T> Found<T> {
    fn nothing() -> Self {
        let now = Instant::now();
        Self {
            value: None,
            at: now,
            again_at: now,
            is_failing: false,
        }
    }

    /// What is known, unless it is time to ask.
    fn known(&self) -> Option<Option<Arc<T>>> {
        let now = Instant::now();
        let believed = self.value.clone().filter(|_| now - self.at < BELIEVED_MAX);
        (now < self.again_at).then_some(believed)
    }

    /// Takes note of an answer, and says what is known now. A failure is logged once, and so is its end.
    fn note(
        &mut self,
        answer: Result<T, impl Display>,
        kept: Duration,
        what: &str,
    ) -> Option<Arc<T>> {
        let now = Instant::now();
        match answer {
            Ok(value) => {
                *self = Self {
                    value: Some(Arc::new(value)),
                    at: now,
                    again_at: now + kept,
                    is_failing: {
                        if self.is_failing {
                            info!("{what} is known again");
                        }
                        false
                    },
                };
            }
            Err(error) => {
                if !self.is_failing {
                    error!(%error, "{what} is not known; nobody gets a role by it until it is");
                }
                self.is_failing = true;
                self.again_at = now + ASKED_AGAIN_AFTER;
            }
        }
        self.value.clone().filter(|_| now - self.at < BELIEVED_MAX)
    }
}

/// Looks people up, and remembers them.
pub(super) struct Directory {
    feishu: Client,
    emails: Vec<String>,
    chats: Vec<ChatId>,
    by_email: Mutex<Found<HashMap<String, OpenId>>>,
    by_chat: Mutex<HashMap<ChatId, Found<HashSet<OpenId>>>>,
}

impl Directory {
    /// For these names and no others.
    pub(super) fn new(feishu: Client, names: Vec<Name>) -> Self {
        let (mut emails, mut chats) = (Vec::new(), Vec::new());
        for name in names {
            match name {
                Name::Email(email) => emails.push(email),
                Name::Chat(chat) => chats.push(chat),
                Name::Person(_) => {}
            }
        }
        Self {
            feishu,
            emails,
            chats,
            by_email: Mutex::new(Found::nothing()),
            by_chat: Mutex::default(),
        }
    }

    /// Which of the names are theirs, as far as that can be known.
    pub(super) async fn names_of(&self, person: &OpenId) -> Vec<Name> {
        let mut names = Vec::new();
        if let Some(by_email) = self.by_email().await {
            let theirs = by_email.iter().filter(|(_, id)| *id == person);
            names.extend(theirs.map(|(email, _)| Name::Email(email.clone())));
        }
        for chat in &self.chats {
            if self
                .members(chat)
                .await
                .is_some_and(|all| all.contains(person))
            {
                names.push(Name::Chat(chat.clone()));
            }
        }
        names
    }

    /// Whose e-mail this is.
    pub(super) async fn by_address(&self, email: &str) -> Option<OpenId> {
        self.by_email().await?.get(email).cloned()
    }

    async fn by_email(&self) -> Option<Arc<HashMap<String, OpenId>>> {
        if self.emails.is_empty() {
            return None;
        }
        if let Some(known) = lock(&self.by_email).known() {
            return known;
        }
        let asked = self.feishu.users_by_email(&self.emails);
        let answer = within(asked).await.map(|found| {
            // The platform may write an address otherwise than it was asked.
            let lower = found
                .into_iter()
                .map(|(email, id)| (email.to_lowercase(), id));
            lower.collect()
        });
        lock(&self.by_email).note(answer, EMAILS_KEPT, "who the e-mails of [access] belong to")
    }

    async fn members(&self, chat: &ChatId) -> Option<Arc<HashSet<OpenId>>> {
        if let Some(known) = lock(&self.by_chat).get(chat).and_then(Found::known) {
            return known;
        }
        let answer = within(self.ask_members(chat)).await;
        let mut by_chat = lock(&self.by_chat);
        let found = by_chat.entry(chat.clone()).or_insert_with(Found::nothing);
        let what = format!("who is in {chat}, which [access] names,");
        found.note(answer, MEMBERS_KEPT, &what)
    }

    async fn ask_members(&self, chat: &ChatId) -> Result<HashSet<OpenId>, Error> {
        let mut members = HashSet::new();
        let mut page_token: Option<String> = None;
        for _ in 0..MEMBER_PAGES_MAX {
            let page = self
                .feishu
                .chat_members(chat, page_token.as_deref())
                .await?;
            members.extend(page.items.into_iter().map(|member| member.open_id));
            page_token = page.next;
            if page_token.is_none() {
                break;
            }
        }
        Ok(members)
    }
}

async fn within<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match timeout(ASKED_FOR, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is whole, so what a panic left is usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
