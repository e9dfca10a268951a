//! What the model is told: the question, and what stands around it.
//!
//! The history, what the question replies to, its files and the chat are read at the same time. What cannot
//! be read is no reason not to answer; the answer says so.

use futures::future::join_all;
use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};
use tracing::warn;

use crate::{
    agent::{self, Attached, ChatKind as Kind, Content, Context, Excerpt, Facts, With},
    bot::{
        files::{Files, ReadFiles},
        handling,
        history::{History, Reader},
        memory::{Exchange, Remembered},
        reply::TurnView,
        war_room,
    },
    feishu::{Chat, ChatKind, Message, OpenId},
    prompt::{Prompt, Unasked},
};

use super::Turn;

/// What a turn knew when it began.
#[derive(Default)]
pub(super) struct Around {
    /// Why what was said before could not be read.
    pub(super) history_problem: Option<String>,
    /// What was not read of the files, in a sentence for people.
    pub(super) not_read: Option<String>,
}

impl Turn<'_> {
    /// What the model is told.
    pub(super) async fn context(&self, view: &watch::Sender<TurnView>) -> (Context, Around) {
        let (desk, entry) = (&self.bot.0, self.entry);
        let message = &entry.message;
        let mut remembered = desk
            .memory
            .recall(&entry.session)
            .await
            .unwrap_or_else(|error| {
                warn!(%error, "answering without what was said before");
                Remembered::default()
            });
        if entry.kept.again.is_some() {
            // It is asked as it was the first time: without its own answer, and what came after it.
            let before = |one: &Exchange| {
                one.question_id != message.id && one.asked_at <= message.created_at
            };
            remembered.exchanges.retain(before);
        }
        let reader = Reader {
            feishu: &desk.feishu,
            people: &desk.people,
            memory: &desk.memory,
            config: &desk.conversation_with(&entry.settings),
            files: &desk.files,
            zone: &desk.zone,
            me: &desk.me,
        };
        let files = Files {
            feishu: &desk.feishu,
            config: &desk.files,
            sees: desk.model.sees_images(),
            language: entry.language,
            until: Instant::now() + desk.files.read_within,
            view,
        };
        let asker = OpenId::new(message.sender.id.as_str());
        let own = async {
            let mut read = files.read(message, With::Question).await;
            if message.kind == "merge_forward" {
                read.attached.push(bundle(reader.opened(message).await));
            }
            read
        };
        let quoted = async {
            let quoted = reader.quoted(message).await;
            let read = match &quoted.message {
                Some(message) => files.read(message, With::Quoted).await,
                None => ReadFiles::default(),
            };
            (quoted, read)
        };
        let (history, (quoted, of_quoted), mut read, chat) =
            tokio::join!(reader.read(message, &remembered), quoted, own, self.chat(),);
        // The history has asked for it already, together with the names of the others.
        let asker = desk.people.name(&asker, &message.chat_id).await;
        let History {
            said,
            meant,
            problem,
        } = history;
        read.and(of_quoted);
        let before = meant.iter().map(|one| files.read(one, With::Before));
        for of_earlier in join_all(before).await {
            read.and(of_earlier);
        }
        read.bound();
        read.attached.extend(self.incident().await);
        let problems = [problem, quoted.problem].into_iter().flatten();
        let problem = problems.reduce(|one, other| format!("{one}; {other}"));
        let not_read = read.note(entry.language);
        let context = Context {
            language: entry.language,
            now: Timestamp::now().to_zoned(desk.zone.clone()),
            facts: self.facts(&asker, chat),
            remembered: remembered.exchanges.iter().map(told).collect(),
            remembered_left_out: remembered.forgotten,
            history: said,
            history_left_out: 0,
            history_problem: problem.clone(),
            quoted: quoted.said,
            attached: read.attached,
            question: agent::Said {
                author: asker,
                is_bot: false,
                at: message.created_at,
                text: question(message, &entry.text),
                reply_to: None,
            },
            budgets: desk.budgets,
        };
        (
            context,
            Around {
                history_problem: problem,
                not_read,
            },
        )
    }

    /// What is known of the incident that the question is about: the one on whose card it was asked, or the one
    /// whose war room it was asked in.
    async fn incident(&self) -> Option<Attached> {
        let incidents = self.bot.incidents();
        let case = match &self.entry.kept.about {
            Some(id) => incidents.get(id).await.ok().flatten()?,
            None => war_room::incident_of(self.bot, &self.entry.message.chat_id).await?,
        };
        let facts = handling::facts(self.bot, &case, &self.entry.message.chat_id).await;
        Some(Attached {
            with: With::Question,
            kind: "record of an incident",
            name: Some(format!("#{}", case.number())),
            bytes: None,
            content: Content::Text(Excerpt::whole(facts)),
        })
    }

    async fn chat(&self) -> Option<Chat> {
        match self.entry.chat_kind {
            ChatKind::P2p => None,
            ChatKind::Group => self.bot.0.chats.get(&self.entry.message.chat_id).await,
        }
    }

    fn facts(&self, asker: &str, chat: Option<Chat>) -> Facts {
        Facts {
            bot_name: self.bot.0.me.name.clone(),
            chat_kind: match (self.entry.chat_kind, &chat) {
                (ChatKind::P2p, _) => Kind::Direct,
                (ChatKind::Group, Some(chat)) if chat.is_topic => Kind::Topic,
                (ChatKind::Group, _) => Kind::Group,
            },
            in_thread: self.entry.message.thread_id.is_some(),
            asker: asker.to_owned(),
            members: chat.as_ref().and_then(|chat| chat.members),
            chat_name: chat.map(|chat| chat.name).filter(|name| !name.is_empty()),
        }
    }
}

/// What is asked. Whoever sends a file or forwards messages without a word asks what to make of it.
fn question(message: &Message, text: &str) -> String {
    let has_something = !message.attachments().is_empty() || message.kind == "merge_forward";
    let words = text.replace("[image]", "").replace("[video]", "");
    match has_something && (!message.is_words() || words.trim().is_empty()) {
        true => Unasked {}.render(),
        false => text.to_owned(),
    }
}

/// Messages that were forwarded to us: others wrote them, so they are material and no question.
fn bundle(text: Option<String>) -> Attached {
    let content = match text {
        Some(text) => Content::Text(Excerpt::whole(text)),
        None => Content::Unknown("the forwarded messages could not be opened".into()),
    };
    Attached {
        with: With::Question,
        kind: "forwarded messages",
        name: Some("forwarded messages".into()),
        bytes: None,
        content,
    }
}

fn told(exchange: &Exchange) -> agent::Exchange {
    agent::Exchange {
        question: exchange.question.clone(),
        answer: exchange.answer.clone(),
        asked_by: exchange.asked_by.clone(),
        at: exchange.asked_at,
    }
}
