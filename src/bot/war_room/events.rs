//! What happens in the groups that are rooms: which events are for the record, and taking them into it.

use jiff::Timestamp;

use crate::{
    bot::Bot,
    feishu::{ChatId, Event, EventBody, Membership, Message, OpenId, Reacted, SenderKind},
    store::{self, Batch},
};

use super::{Trouble, fill, joined, marks, record::Coming};

/// Whether a message is said in a room, so that it is kept before it is acknowledged.
pub(in crate::bot) fn is_for_record(bot: &Bot, message: &Message) -> bool {
    bot.rooms().is_room(&message.chat_id)
}

/// Puts what was said into the batch that is flushed before the event is acknowledged.
pub(in crate::bot) async fn heard_in(
    bot: &Bot,
    message: &Message,
    batch: &mut Batch,
) -> Result<(), store::Error> {
    let record = bot.rooms().record();
    record.put_new(message, bot.me(), batch).await?;
    if message.sender.kind == SenderKind::Person {
        bot.rooms().note_heard(&message.chat_id, message.created_at);
    }
    Ok(())
}

/// Whether an event is about what rooms keep. Most reactions stand on messages of other chats.
pub(in crate::bot) async fn is_room_event(bot: &Bot, event: &Event) -> Result<bool, store::Error> {
    let rooms = bot.rooms();
    match &event.body {
        EventBody::MembersAdded(change) | EventBody::MembersRemoved(change) => {
            Ok(rooms.is_room(&change.chat_id))
        }
        EventBody::ReactionAdded(reacted) | EventBody::ReactionRemoved(reacted) => {
            let may_be_unheard = is_mark(bot, reacted) && rooms.is_any();
            Ok(may_be_unheard || rooms.record().knows(&reacted.message_id).await?)
        }
        _ => Ok(false),
    }
}

fn is_mark(bot: &Bot, reacted: &Reacted) -> bool {
    let marks = &bot.0.config.incidents.rooms.marks;
    !reacted.operator.is_app && marks.contains_key(&reacted.emoji_type)
}

/// Takes an event into the record, and does what follows from it. May be done again.
pub(in crate::bot) async fn take(bot: &Bot, event: &Event) -> Result<(), Trouble> {
    let at = event.created_at.unwrap_or_else(Timestamp::now);
    match &event.body {
        EventBody::MembersAdded(change) if bot.rooms().is_room(&change.chat_id) => {
            joined::greet(bot, change, at).await?;
            note_coming(bot, change, at, true).await
        }
        EventBody::MembersRemoved(change) if bot.rooms().is_room(&change.chat_id) => {
            note_coming(bot, change, at, false).await
        }
        EventBody::ReactionAdded(reacted) => react(bot, reacted, at, true).await,
        EventBody::ReactionRemoved(reacted) => react(bot, reacted, at, false).await,
        EventBody::Recalled { message_id, .. } => {
            bot.rooms().record().recall(message_id, at).await?;
            if let Some((room, _)) = bot.rooms().record().get(message_id).await?
                && let Some(progress) = bot.rooms().of(&room).await?
            {
                bot.reports().suspect(progress.number);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn note_coming(
    bot: &Bot,
    change: &Membership,
    at: Timestamp,
    came: bool,
) -> Result<(), Trouble> {
    let comings: Vec<Coming> = change
        .people
        .iter()
        .map(|(person, name)| Coming {
            at,
            person: person.clone(),
            name: name.clone(),
            came,
            by: change.operator.clone().filter(|by| by != person),
        })
        .collect();
    Ok(bot
        .rooms()
        .record()
        .note_coming(&change.chat_id, &comings)
        .await?)
}

async fn react(bot: &Bot, reacted: &Reacted, at: Timestamp, is_there: bool) -> Result<(), Trouble> {
    let (message, emoji, who) = (
        &reacted.message_id,
        &reacted.emoji_type,
        &reacted.operator.id,
    );
    let record = bot.rooms().record();
    let mut known = record.react(message, emoji, who, is_there).await?;
    if known.is_none() && is_mark(bot, reacted) {
        // Said before we heard, or by us: no event tells of that.
        if hear_now(bot, reacted).await?.is_none() {
            return Ok(());
        }
        known = record.react(message, emoji, who, is_there).await?;
    }
    let Some((room, said)) = known else {
        return Ok(());
    };
    if !bot.rooms().is_room(&room) {
        return Ok(());
    }
    if !reacted.operator.is_app {
        bot.rooms().note_heard(&room, at);
    }
    let by = (!reacted.operator.is_app).then(|| OpenId::new(who.as_str()));
    marks::settle(bot, &room, &said, by.as_ref()).await
}

/// Reads a message that may stand in a room, and gives the room.
async fn hear_now(bot: &Bot, reacted: &Reacted) -> Result<Option<ChatId>, Trouble> {
    let items = match bot.0.feishu.message(&reacted.message_id).await {
        Ok(items) => items,
        Err(error) if error.is_transient() => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let Some(message) = items.into_iter().next() else {
        return Ok(None);
    };
    let room = message.chat_id.clone();
    if !bot.rooms().is_room(&room) {
        return Ok(None);
    }
    fill::hear(bot, &room, vec![message]).await?;
    Ok(Some(room))
}
