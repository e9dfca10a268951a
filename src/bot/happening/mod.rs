//! What happens around the chats, other than messages and clicks: recalls, groups that come and go, people
//! who look in.
//!
//! An event that asks for [`Asks::Work`] is kept in the inbox like a message, and its work is done beside
//! the sessions, in order for each chat (see [`lines`]). A new kind is a line in [`asks`], one in
//! [`carry_out`], and a file here.

mod entered;
mod joined;
mod left;
mod lines;
pub(super) mod recalled;

pub(super) use lines::{Happening, Happenings};

use crate::{
    feishu::{self, Event, EventBody},
    store,
};

use super::{Bot, Me, war_room};

/// What an event that is neither message nor click asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Something that must be done even if the process ends now.
    Work,
    /// As [`Asks::Work`] in a war room, elsewhere as [`Asks::Hint`].
    MayBeWork,
    /// To note something that is forgotten with the process anyway.
    Hint,
    /// Nothing.
    Nothing,
}

/// Why work could not be done, where another try may help. What no try can mend is logged where it is met.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The platform.
    #[error(transparent)]
    Platform(feishu::Error),
    /// A war room.
    #[error(transparent)]
    Room(#[from] war_room::Trouble),
}

/// What `event` asks.
pub(super) fn asks(event: &Event, me: &Me) -> Asks {
    match &event.body {
        EventBody::Recalled { .. }
        | EventBody::BotAdded(_)
        | EventBody::BotRemoved(_)
        | EventBody::ChatDisbanded(_)
        | EventBody::DirectChatEntered { .. } => Asks::Work,
        EventBody::MembersAdded(_) | EventBody::MembersRemoved(_) => Asks::MayBeWork,
        EventBody::ChatUpdated(_) => Asks::Hint,
        // Our own signs come back to us.
        EventBody::ReactionAdded(reacted) | EventBody::ReactionRemoved(reacted)
            if me.is(&reacted.operator.id) =>
        {
            Asks::Nothing
        }
        // Those of others are kept of war rooms, and some of them are marks there. Elsewhere they mean nothing.
        EventBody::ReactionAdded(_) | EventBody::ReactionRemoved(_) => Asks::MayBeWork,
        EventBody::Message(..)
        | EventBody::Clicked(_)
        | EventBody::MenuPressed { .. }
        | EventBody::Other => Asks::Nothing,
    }
}

/// Whether nothing is left to do about an event that asks for work, so that it need not even be kept: a
/// person looks into the direct chat many times a day.
pub(super) async fn is_settled(bot: &Bot, event: &Event) -> Result<bool, store::Error> {
    match &event.body {
        EventBody::DirectChatEntered { person, .. } => bot.0.acquaintances.knows(person).await,
        _ if asks(event, bot.me()) == Asks::MayBeWork => {
            Ok(!war_room::is_room_event(bot, event).await?)
        }
        _ => Ok(false),
    }
}

/// Puts right what is cached.
pub(super) fn heed(bot: &Bot, event: &Event) {
    match &event.body {
        EventBody::ChatUpdated(change) => bot.0.chats.forget(&change.chat_id),
        EventBody::MembersAdded(change) => {
            bot.0.chats.forget(&change.chat_id);
            bot.0.people.learn(&change.people);
        }
        EventBody::MembersRemoved(change) => bot.0.chats.forget(&change.chat_id),
        _ => {}
    }
}

/// What cannot wait in a line.
pub(super) async fn do_at_once(bot: &Bot, event: &Event) {
    if let EventBody::Recalled { message_id, .. } = &event.body {
        bot.withdraw(message_id).await;
    }
}

/// Does the work. It may be done again after a crash, so doing it twice is doing it once.
async fn carry_out(bot: &Bot, event: &Event) -> Result<(), Trouble> {
    war_room::take(bot, event).await?;
    heed(bot, event);
    match &event.body {
        EventBody::Recalled {
            message_id,
            chat_id,
        } => recalled::run(bot, event, chat_id, message_id).await,
        EventBody::BotAdded(change) => joined::run(bot, event, change).await,
        EventBody::BotRemoved(change) | EventBody::ChatDisbanded(change) => {
            left::run(bot, event, change).await
        }
        EventBody::DirectChatEntered { person, chat_id } => {
            entered::run(bot, event, person, chat_id).await
        }
        _ => Ok(()),
    }
}
