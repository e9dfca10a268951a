//! Reading back: one message, or the pages of a chat or thread.
//!
//! A page token is bound to the filter and the sort with which it was made. Of a thread the chat
//! shows only the root; its replies are read from the thread.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{super::refusal::Refusal, Chat, ChatKind, Message, World};

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::sandbox) enum Container {
    Chat(String),
    Thread(String),
}

/// One question about the past.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Query {
    pub(in crate::sandbox) container: Container,
    /// In seconds, included.
    pub(in crate::sandbox) start_s: Option<i64>,
    /// In seconds, included.
    pub(in crate::sandbox) end_s: Option<i64>,
    pub(in crate::sandbox) newest_first: bool,
    pub(in crate::sandbox) page_size: usize,
    pub(in crate::sandbox) page_token: Option<String>,
}

impl World {
    /// One message, as the bot may read it. `reads_groups` says whether it holds the scope.
    pub(in crate::sandbox) fn readable_message(
        &self,
        message_id: &str,
        reads_groups: bool,
    ) -> Result<&Message, Refusal> {
        let message = self
            .messages
            .get(message_id)
            .ok_or_else(Refusal::no_such_message)?;
        let chat = self.usable_chat(&message.chat_id)?;
        check_reading(chat, reads_groups)?;
        Ok(message)
    }

    /// One page, and the token of the next.
    pub(in crate::sandbox) fn history(
        &self,
        query: &Query,
        reads_groups: bool,
    ) -> Result<(Vec<&Message>, Option<String>), Refusal> {
        let (chat_id, places) = self.container(&query.container)?;
        check_reading(self.usable_chat(chat_id)?, reads_groups)?;
        let after = query
            .page_token
            .as_deref()
            .map(|token| query.place_in(token))
            .transpose()?;
        let is_wanted = |message: &&Message| self.is_listed(message, query);
        let rest: Box<dyn Iterator<Item = usize>> = match (query.newest_first, after) {
            (false, after) => {
                let start =
                    after.map_or(0, |after| places.partition_point(|place| *place <= after));
                Box::new(places[start..].iter().copied())
            }
            (true, after) => {
                let end = after.map_or(places.len(), |after| {
                    places.partition_point(|place| *place < after)
                });
                Box::new(places[..end].iter().rev().copied())
            }
        };
        let mut page: Vec<&Message> = rest
            .map(|place| self.messages.at(place))
            .filter(is_wanted)
            .take(query.page_size + 1)
            .collect();
        let has_more = page.len() > query.page_size;
        page.truncate(query.page_size);
        let next = page
            .last()
            .filter(|_| has_more)
            .map(|last| query.token_after(last.place));
        Ok((page, next))
    }

    fn container(&self, container: &Container) -> Result<(&str, &[usize]), Refusal> {
        match container {
            Container::Chat(chat_id) => {
                let chat = self.chats.get(chat_id).ok_or_else(Refusal::no_such_chat)?;
                Ok((&chat.chat_id, &chat.places))
            }
            Container::Thread(thread_id) => {
                let thread = self
                    .threads
                    .get(thread_id)
                    .ok_or_else(|| Refusal::new(230_019, "The topic does NOT exist."))?;
                Ok((&thread.chat_id, &thread.places))
            }
        }
    }

    fn is_listed(&self, message: &Message, query: &Query) -> bool {
        let is_root = |thread_id: &String| {
            self.threads
                .get(thread_id)
                .is_some_and(|thread| thread.root_id == message.message_id)
        };
        let is_shown = match query.container {
            Container::Thread(_) => true,
            Container::Chat(_) => message.thread_id.as_ref().is_none_or(is_root),
        };
        let second = message.created_ms / 1000;
        is_shown
            && message.only_for.is_none()
            && query.start_s.is_none_or(|start| second >= start)
            && query.end_s.is_none_or(|end| second <= end)
    }

    /// Every message of a chat, or of all chats, oldest first: what people see.
    pub(in crate::sandbox) fn all_messages(&self, chat_id: Option<&str>) -> Vec<&Message> {
        match chat_id {
            None => self.messages.iter().collect(),
            Some(chat_id) => self
                .chats
                .get(chat_id)
                .map(|chat| {
                    chat.places
                        .iter()
                        .map(|place| self.messages.at(*place))
                        .collect()
                })
                .unwrap_or_default(),
        }
    }

    /// When something was last said in a chat; 0 where nothing was.
    pub(in crate::sandbox) fn last_said_ms(&self, chat: &Chat) -> i64 {
        let last = chat.places.last().map(|place| self.messages.at(*place));
        last.map_or(0, |message| message.created_ms)
    }

    /// The root message of a thread.
    pub(in crate::sandbox) fn thread_root(&self, thread_id: &str) -> Option<&str> {
        self.threads
            .get(thread_id)
            .map(|thread| thread.root_id.as_str())
    }
}

/// Groups need `im:message.group_msg` besides; without it sends work and reading does not.
fn check_reading(chat: &Chat, reads_groups: bool) -> Result<(), Refusal> {
    if chat.kind == ChatKind::P2p || reads_groups {
        return Ok(());
    }
    Err(Refusal::new(
        230_027,
        "Lack of necessary permissions, ext=need scope: im:message.group_msg",
    ))
}

impl Query {
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.container, self.start_s, self.end_s, self.newest_first).hash(&mut hasher);
        hasher.finish()
    }

    fn token_after(&self, place: usize) -> String {
        format!("{:016x}{place:08x}", self.fingerprint())
    }

    fn place_in(&self, token: &str) -> Result<usize, Refusal> {
        let invalid = || Refusal::parameter("invalid page_token");
        let (fingerprint, place) = token.split_at_checked(16).ok_or_else(invalid)?;
        if fingerprint != format!("{:016x}", self.fingerprint()) {
            return Err(invalid());
        }
        usize::from_str_radix(place, 16).map_err(|_| invalid())
    }
}
