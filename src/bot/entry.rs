//! A message on its way to an answer, with all that is found out about it on the way.

use tokio::time::Instant;
use tracing::warn;

use crate::{
    config::Language,
    feishu::{ChatKind, Event, EventBody, Message, OpenId},
};

use super::{
    Bot,
    access::Standing,
    admission::Admission,
    inbox::Kept,
    language,
    memory::{ChatKey, SessionKey},
    menu,
    settings::ChatSettings,
    sign::Sign,
};

/// A message that asks something of us, on its way to an answer.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) kept: Kept,
    pub(super) session: SessionKey,
    /// The session's chat, with all its sessions.
    pub(super) chat: ChatKey,
    pub(super) message: Message,
    pub(super) chat_kind: ChatKind,
    pub(super) arrived: Instant,
    /// The message as it was meant: without our mention.
    pub(super) text: String,
    pub(super) language: Language,
    /// Who pressed an entry of the menu to say this. Then `message` is made up, and nothing can reply to it.
    pub(super) pressed_by: Option<OpenId>,
    /// Whether it is answered in a thread.
    pub(super) in_thread: bool,
    /// Whether an earlier process took it in.
    pub(super) is_left_over: bool,
    /// On its way since the entry was dispatched, until the entry is served.
    pub(super) admission: Option<Admission>,
    /// What the asker may do, from then on.
    pub(super) standing: Standing,
    /// What a group wants, from then on.
    pub(super) settings: ChatSettings,
    /// On its way since the entry was dispatched; only questions have one.
    pub(super) sign: Option<Sign>,
}

impl Entry {
    /// What `event` asks, if it is a message or stands for one. Does not ask whether it is for us.
    pub(super) async fn of(
        bot: &Bot,
        key: String,
        kept: Kept,
        event: &Event,
        arrived: Instant,
    ) -> Option<Self> {
        match &event.body {
            EventBody::Message(message, chat_kind) => {
                let message = message.clone();
                Some(Self::new(
                    bot, key, kept, event, message, *chat_kind, arrived,
                ))
            }
            EventBody::MenuPressed {
                person,
                key: menu_key,
            } => {
                let direct = bot.0.acquaintances.direct_chat(person).await;
                let direct = direct.unwrap_or_else(|error| {
                    warn!(%error, "the direct chat of whoever pressed the menu is not known");
                    None
                });
                let message = menu::message(event, person, menu_key, direct)?;
                let mut entry = Self::new(bot, key, kept, event, message, ChatKind::P2p, arrived);
                entry.pressed_by = Some(person.clone());
                // A key is whatever the console has, and says little about who pressed it.
                if entry.language == Language::En {
                    entry.language = bot.0.conversation.language;
                }
                Some(entry)
            }
            _ => None,
        }
    }

    fn new(
        bot: &Bot,
        key: String,
        kept: Kept,
        event: &Event,
        message: Message,
        chat_kind: ChatKind,
        arrived: Instant,
    ) -> Self {
        bot.access().note_own(&event.tenant_key);
        let (app_id, tenant) = (&bot.0.me.app_id, &event.tenant_key);
        let thread = message.thread_id.as_ref();
        let session = SessionKey::new(app_id, tenant, &message.chat_id, thread);
        let chat = ChatKey::new(app_id, tenant, &message.chat_id);
        let text = message.command_text(&bot.0.me.ids());
        let names = message.mentions.iter().map(|mention| mention.name.as_str());
        // A note of ours is not in the asker's language.
        let words = if message.is_words() {
            text.as_str()
        } else {
            ""
        };
        let language = language::of_words(words, names).unwrap_or(bot.0.conversation.language);
        Self {
            key,
            kept,
            session,
            in_thread: message.thread_id.is_some(),
            chat,
            message,
            chat_kind,
            arrived,
            text,
            language,
            pressed_by: None,
            is_left_over: false,
            admission: None,
            standing: Standing::default(),
            settings: ChatSettings::default(),
            sign: None,
        }
    }

    /// An entry of an earlier process.
    pub(super) async fn left_over(bot: &Bot, key: String, kept: Kept) -> Option<Self> {
        let event = Event::decode(kept.payload.as_bytes()).ok()?;
        let mut entry = Self::of(bot, key, kept, &event, Instant::now()).await?;
        entry.is_left_over = true;
        Some(entry)
    }
}
