//! What was said before a question, as the model should know it.
//!
//! Read from the platform, newest end first, and never older, longer or later than the question allows.
//! The platform does not give our own cards back, so their text is put in from our memory. A part that
//! could not be read is named as such: the model must not take silence for an empty chat.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures::future::join_all;
use jiff::{Timestamp, tz::TimeZone};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    agent::Said,
    config::{ConversationConfig, FilesConfig},
    feishu::{
        Client, Container, Error, Forwarded, ListMessages, Message, MessageId, OpenId, SenderKind,
    },
};

use super::{
    Me, forwarded,
    memory::{Memory, Remembered},
    people::{People, stand_in},
};

/// How long an answer may wait for its context. A slow history is worse than a shorter one.
const READ_WITHIN: Duration = Duration::from_secs(8);
/// A shorter name occurs in a question by chance.
const NAME_CHARS_MIN: usize = 4;
/// The platform's largest page.
const PAGE: u32 = 50;

/// More bundles of forwarded messages than these are not opened; the newest are.
const BUNDLES_MAX: usize = 3;

/// What was said before a question.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Messages before the question, oldest first.
    pub said: Vec<Said>,
    /// Messages whose files the question seems to mean, oldest first.
    pub meant: Vec<Message>,
    /// Why it is less than it should be, in a sentence.
    pub problem: Option<String>,
}

/// The message that a question replies to.
#[derive(Debug, Default)]
pub(super) struct Quoted {
    /// As the model is told.
    pub said: Option<Said>,
    /// The message itself.
    pub message: Option<Message>,
    /// Why it could not be read, in a sentence.
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
    /// Which files a question may mean.
    pub files: &'a FilesConfig,
    /// The zone of the times in forwarded messages.
    pub zone: &'a TimeZone,
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

    /// The message that `question` replies to.
    pub(super) async fn quoted(&self, question: &Message) -> Quoted {
        let Some(id) = &question.parent_id else {
            return Quoted::default();
        };
        let reading = async {
            let Some(message) = self.one(id).await? else {
                return Ok(Quoted::default());
            };
            let names = self.names([&message].into_iter(), question).await;
            let mut said = self.said(&message, &names, None).await;
            if let Some(text) = self.opened(&message).await {
                said.text = text;
            }
            Ok::<_, Error>(Quoted {
                said: Some(said),
                message: Some(message),
                problem: None,
            })
        };
        let problem = match timeout(READ_WITHIN, reading).await {
            Ok(Ok(quoted)) => return quoted,
            Ok(Err(error)) => {
                warn!(%error, "answering without the message that the question replies to");
                format!("the message that the question replies to could not be read: {error}")
            }
            Err(_) => {
                warn!(
                    "answering without the message that the question replies to, which took too long to read"
                );
                "the message that the question replies to could not be read in time".to_owned()
            }
        };
        Quoted {
            problem: Some(problem),
            ..Quoted::default()
        }
    }

    /// What was forwarded in a message, as text; nothing for any other message, and where it cannot be read.
    pub(super) async fn opened(&self, message: &Message) -> Option<String> {
        if message.kind != "merge_forward" || message.deleted {
            return None;
        }
        let items = match timeout(READ_WITHIN, self.feishu.message(&message.id)).await {
            Ok(Ok(items)) => items,
            Ok(Err(error)) => {
                warn!(%error, "forwarded messages cannot be opened");
                return None;
            }
            Err(_) => {
                warn!("forwarded messages took too long to open");
                return None;
            }
        };
        let forwarded = Forwarded::of(&message.id, items);
        let names = self.names(forwarded.messages().into_iter(), message).await;
        let author = |one: &Message| match self.author(one, &names) {
            "someone" => stand_in(&one.sender.id),
            name => name.to_owned(),
        };
        Some(forwarded::text(&forwarded, &author, self.zone))
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
        let (messages, meant) = self.messages(question, &known).await?;
        let names = self.names(messages.iter(), question).await;
        let authors: HashMap<&MessageId, &str> = messages
            .iter()
            .map(|message| (&message.id, self.author(message, &names)))
            .collect();
        let bundles = messages
            .iter()
            .rev()
            .filter(|one| one.kind == "merge_forward");
        let bundles = bundles
            .take(BUNDLES_MAX)
            .map(|one| async move { Some((&one.id, self.opened(one).await?)) });
        let opened: HashMap<&MessageId, String> =
            join_all(bundles).await.into_iter().flatten().collect();
        let mut said = Vec::with_capacity(messages.len());
        for message in &messages {
            let reply_to = message
                .parent_id
                .as_ref()
                .and_then(|id| authors.get(id).copied());
            let mut one = self.said(message, &names, reply_to).await;
            if let Some(text) = opened.get(&message.id) {
                one.text.clone_from(text);
            }
            said.push(one);
        }
        Ok(History {
            said,
            meant,
            problem: None,
        })
    }

    /// The messages before the question, and of them, and of what the session knows already, those whose
    /// files the question seems to mean. Oldest first.
    async fn messages(
        &self,
        question: &Message,
        known: &HashSet<&MessageId>,
    ) -> Result<(Vec<Message>, Vec<Message>), Error> {
        let wanted = self.config.history_messages;
        if wanted == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut meant: Vec<Message> = Vec::new();
        let oldest = question.created_at
            - jiff::SignedDuration::try_from(self.config.history_age)
                .unwrap_or(jiff::SignedDuration::from_hours(24));
        let mut messages: Vec<Message> = Vec::new();
        let mut list = list_of(question, oldest);
        loop {
            let page = self.feishu.messages(&list).await?;
            let reached_the_oldest = page.items.iter().any(|one| one.created_at < oldest);
            let before =
                |one: &&Message| one.created_at <= question.created_at && one.id != question.id;
            let may_be_meant = page.items.iter().filter(before);
            meant.extend(
                may_be_meant
                    .filter(|one| self.means(question, one))
                    .cloned(),
            );
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
        meant.truncate(self.files.per_message);
        meant.reverse();
        Ok((messages, meant))
    }

    /// Whether a question seems to mean what came with an earlier message: the asker has just sent it, or
    /// the question names it.
    fn means(&self, question: &Message, earlier: &Message) -> bool {
        let attachments = earlier.attachments();
        let is_quoted = question.parent_id.as_ref() == Some(&earlier.id);
        // A file without a word means itself.
        if attachments.is_empty() || is_quoted || !question.is_words() {
            return false;
        }
        let age = question.created_at.duration_since(earlier.created_at);
        let is_recent = age.unsigned_abs() <= self.files.sent_before;
        if is_recent && !self.files.sent_before.is_zero() && earlier.sender.id == question.sender.id
        {
            return true;
        }
        let asked = question.text().to_lowercase();
        attachments.iter().any(|one| {
            let name = one.name.as_deref().unwrap_or_default().to_lowercase();
            name.chars().count() >= NAME_CHARS_MIN && asked.contains(&name)
        })
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
