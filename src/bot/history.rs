//! What was said before a question, as the model should know it.
//!
//! Read from the platform, newest end first, and never older, longer or later than the question allows.
//! The platform does not give our own cards back, so their text is put in from our memory. A part that
//! could not be read is named as such: the model must not take silence for an empty chat.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::warn;

use crate::{
    agent::Said,
    config::ConversationConfig,
    feishu::{Client, Container, Error, ListMessages, Message, MessageId, OpenId, SenderKind},
};

use super::{
    Me,
    memory::{Memory, Remembered},
    people::{People, stand_in},
};

/// How long an answer may wait for its context. A slow history is worse than a shorter one.
const READ_WITHIN: Duration = Duration::from_secs(8);
/// The platform's largest page.
const PAGE: u32 = 50;

/// What stands around a question.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Messages before the question, oldest first.
    pub said: Vec<Said>,
    /// The message that the question replies to.
    pub quoted: Option<Said>,
    /// Why it is less than it should be, in a sentence.
    pub problem: Option<String>,
}

/// Reads histories.
pub(super) struct Reader<'a> {
    /// The platform.
    pub feishu: &'a Client,
    /// For the names of who spoke.
    pub people: &'a People,
    /// For what we said ourselves.
    pub memory: &'a Memory,
    /// How much to read.
    pub config: &'a ConversationConfig,
    /// Who we are.
    pub me: &'a Me,
}

impl Reader<'_> {
    /// What was said before `question`, less what the session remembers anyway. The name of whoever asked
    /// is looked up together with the others.
    pub(super) async fn read(&self, question: &Message, remembered: &Remembered) -> History {
        match timeout(READ_WITHIN, self.try_read(question, remembered)).await {
            Ok(Ok(history)) => history,
            Ok(Err(error)) => {
                warn!(%error, "answering without the history of the chat");
                let problem = format!("the history of this chat could not be read: {error}");
                History {
                    problem: Some(problem),
                    ..History::default()
                }
            }
            Err(_) => {
                warn!("answering without the history of the chat, which took too long to read");
                let problem = "the history of this chat could not be read in time".to_owned();
                History {
                    problem: Some(problem),
                    ..History::default()
                }
            }
        }
    }

    async fn try_read(
        &self,
        question: &Message,
        remembered: &Remembered,
    ) -> Result<History, Error> {
        let known: HashSet<&MessageId> = remembered
            .exchanges
            .iter()
            .flat_map(|exchange| exchange.answer_ids.iter().chain([&exchange.question_id]))
            .chain([&question.id])
            .collect();
        let parent = question.parent_id.as_ref();
        let (messages, parent) = tokio::try_join!(self.messages(question, &known), async {
            match parent {
                Some(id) => self.one(id).await,
                None => Ok(None),
            }
        })?;
        let names = self.names(messages.iter().chain(&parent), question).await;
        let authors: HashMap<&MessageId, &str> = messages
            .iter()
            .map(|message| (&message.id, self.author(message, &names)))
            .collect();
        let mut said = Vec::with_capacity(messages.len());
        for message in &messages {
            let reply_to = message
                .parent_id
                .as_ref()
                .and_then(|id| authors.get(id).copied());
            said.push(self.said(message, &names, reply_to).await);
        }
        let quoted = match &parent {
            Some(message) => Some(self.said(message, &names, None).await),
            None => None,
        };
        Ok(History {
            said,
            quoted,
            problem: None,
        })
    }

    /// The messages before the question, oldest first.
    async fn messages(
        &self,
        question: &Message,
        known: &HashSet<&MessageId>,
    ) -> Result<Vec<Message>, Error> {
        let wanted = self.config.history_messages;
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let oldest = question.created_at
            - jiff::SignedDuration::try_from(self.config.history_age)
                .unwrap_or(jiff::SignedDuration::from_hours(24));
        let mut messages: Vec<Message> = Vec::new();
        let mut list = list_of(question, oldest);
        loop {
            let page = self.feishu.messages(&list).await?;
            let reached_the_oldest = page.items.iter().any(|one| one.created_at < oldest);
            messages.extend(page.items.into_iter().filter(|one| {
                // What was said later is somebody's next question, and will be answered by itself.
                let before = one.created_at <= question.created_at && one.created_at >= oldest;
                before && !known.contains(&one.id)
            }));
            list.page_token = page.next;
            if messages.len() >= wanted || reached_the_oldest || list.page_token.is_none() {
                break;
            }
        }
        messages.truncate(wanted);
        // A thread is about its first message, however long ago that was.
        if let (Some(_), Some(root)) = (&question.thread_id, &question.root_id)
            && !known.contains(root)
            && !messages.iter().any(|message| message.id == *root)
        {
            messages.extend(self.one(root).await?);
        }
        messages.reverse();
        Ok(messages)
    }

    /// One message, or `None` for one that is not there any more.
    async fn one(&self, id: &MessageId) -> Result<Option<Message>, Error> {
        match self.feishu.message(id).await {
            Ok(messages) => Ok(messages.into_iter().next()),
            Err(Error::Gone(_) | Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn names<'m>(
        &self,
        messages: impl Iterator<Item = &'m Message>,
        question: &'m Message,
    ) -> HashMap<OpenId, String> {
        let people: HashSet<OpenId> = messages
            .chain([question])
            .filter(|message| message.sender.kind == SenderKind::Person)
            .map(|message| OpenId::new(message.sender.id.as_str()))
            .collect();
        self.people
            .names(&Vec::from_iter(people), &question.chat_id)
            .await
    }

    fn author<'a>(&'a self, message: &'a Message, names: &'a HashMap<OpenId, String>) -> &'a str {
        match message.sender.kind {
            _ if self.me.is(&message.sender.id) => &self.me.name,
            SenderKind::Person => names
                .get(&OpenId::new(message.sender.id.as_str()))
                .map_or("someone", String::as_str),
            SenderKind::App | SenderKind::Other => {
                message.sender.name.as_deref().unwrap_or("another bot")
            }
        }
    }

    async fn said(
        &self,
        message: &Message,
        names: &HashMap<OpenId, String>,
        reply_to: Option<&str>,
    ) -> Said {
        let is_ours = self.me.is(&message.sender.id);
        let ours = match is_ours && !message.deleted {
            true => self.memory.answer(&message.id).await.ok().flatten(),
            false => None,
        };
        let author = match self.author(message, names) {
            "someone" => stand_in(&message.sender.id),
            name => name.to_owned(),
        };
        Said {
            author,
            is_bot: message.sender.kind != SenderKind::Person,
            at: message.created_at,
            text: ours.map_or_else(|| message.text(), |answer| answer.text),
            reply_to: reply_to.map(str::to_owned),
        }
    }
}

/// The list that holds what was said before the question: its thread's, or its chat's.
fn list_of(question: &Message, oldest: Timestamp) -> ListMessages {
    let (container, since) = match &question.thread_id {
        // The platform takes no times for threads.
        Some(thread) => (Container::Thread(thread.clone()), None),
        None => (Container::Chat(question.chat_id.clone()), Some(oldest)),
    };
    ListMessages {
        container,
        since,
        until: None,
        newest_first: true,
        page_size: PAGE,
        page_token: None,
    }
}
