//! From an entry to one that may be served: whether its sender may ask, and how its chat wants things.
//!
//! Most is known at once. What has to be asked of the platform is asked beside the line that the entry
//! stands in, so that the order of a session never depends on it; the first sign waits for it, since
//! nobody should see a sign who gets no answer.

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tracing::info;

use crate::{
    config::Language,
    feishu::{ChatKind, OpenId},
};

use super::{
    Bot, Entry,
    access::{Denied, Standing, Visitor},
    audit::{self, Deed},
    command, heard, language, members, notice,
    notice::Place,
    phrase::Phrase,
};

/// Whether somebody may ask, known now or soon.
pub(super) type Admission = Shared<BoxFuture<'static, Result<Standing, Denied>>>;

/// Begins to find out whether the sender of `entry` may ask.
pub(super) fn begin(bot: &Bot, entry: &Entry) -> Admission {
    let visitor = Visitor {
        person: entry.asker(),
        tenant: entry.message.sender.tenant_key.clone(),
        chat: Some((entry.message.chat_id.clone(), Some(entry.chat_kind))),
    };
    let access = bot.access().clone();
    async move { access.standing(&visitor).await }
        .boxed()
        .shared()
}

/// Waits until it is known whether the entry may be served, and sets what its chat and its sender want.
/// `None` where it may not; then it has been dealt with.
pub(super) async fn admitted(bot: &Bot, mut entry: Entry) -> Option<Entry> {
    if let Some(admission) = entry.admission.take() {
        match admission.await {
            Ok(standing) => entry.standing = standing,
            Err(denied) => {
                turn_away(bot, entry, &denied).await;
                return None;
            }
        }
    }
    members::meet(bot, &entry.asker());
    let settings = &bot.0.settings;
    if entry.chat_kind == ChatKind::Group {
        entry.settings = settings.of_chat(&entry.message.chat_id).await;
        entry.in_thread |= entry.settings.threads;
    }
    entry.language = language_of(bot, &entry).await;
    Some(entry)
}

/// Says that somebody may not ask, now and then, and lets their entry go.
pub(super) async fn turn_away(bot: &Bot, mut entry: Entry, denied: &Denied) {
    let (desk, place) = (&bot.0, Place::of(&entry));
    info!(chat.id = %place.chat, why = denied.name(), "someone may not ask");
    if entry.chat_kind == ChatKind::Group {
        entry.settings = desk.settings.of_chat(&place.chat).await;
    }
    let may_tell = match denied {
        Denied::TooOften => desk.complaints.may(&place.chat),
        _ => desk.refusals.may(&place.chat),
    };
    // What comes in a flood is noted once a minute.
    if *denied != Denied::TooOften || may_tell {
        audit::note(bot, deed(&entry, denied.name())).await;
    }
    if may_tell && !entry.settings.quiet {
        let language = language_of(bot, &entry).await;
        let text = Phrase::Denied(denied).text(language);
        notice::send(bot, &place, "denied", &text).await;
    }
    bot.forget(&entry.key).await;
}

/// What the entry asks for, for the audit.
pub(super) fn deed(entry: &Entry, outcome: &str) -> Deed {
    let what = match command::parse(&entry.text) {
        Some(invocation) => invocation.what(),
        None => "question".to_owned(),
    };
    Deed {
        who: entry.asker(),
        what,
        chat: Some(entry.message.chat_id.clone()),
        message: Some(entry.message.id.clone()),
        outcome: outcome.to_owned(),
    }
}

/// In which language the entry is answered.
async fn language_of(bot: &Bot, entry: &Entry) -> Language {
    let (desk, asker, chat) = (&bot.0, entry.asker(), &entry.message.chat_id);
    let is_command = command::parse(&entry.text).is_some();
    let names = entry.message.mentions.iter().map(|one| one.name.as_str());
    let spoken = match is_command {
        true => heard::in_command(&entry.text),
        false => language::of_words(&entry.text, names),
    };
    // A key of the menu is whatever the console has, and says nothing for the next time.
    if let Some(spoken) = spoken.filter(|_| entry.pressed_by.is_none()) {
        desk.heard.note(chat, &asker, spoken);
    }
    let set = match entry.settings.language {
        Some(language) => Some(language),
        None => desk.settings.of_person(&asker).await.language,
    };
    let mut language = set.or(spoken).or_else(|| desk.heard.in_chat(chat));
    if language.is_none() {
        // After a restart, the session still knows what was asked last.
        let remembered = desk.memory.recall(&entry.session).await;
        let last = remembered.ok().and_then(|mut all| all.exchanges.pop());
        language = last.and_then(|last| language::of(&last.question));
    }
    language
        .or_else(|| desk.heard.of_person(&asker))
        .unwrap_or(desk.conversation.language)
}

impl Entry {
    /// Who wrote it.
    pub(super) fn asker(&self) -> OpenId {
        OpenId::new(self.message.sender.id.as_str())
    }
}
