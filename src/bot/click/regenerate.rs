//! Regenerate: answers a question anew, in a card of its own.
//!
//! The old card keeps its text, since somebody may already act upon it, and says that there is a new one
//! and who wanted it. What is asked again is the event as it once came, through the same inbox and the
//! same line as every question.

use tracing::info;

use crate::{
    bot::{
        Bot, Entry,
        access::Denied,
        past::{Again, REGENERATIONS_MAX},
        phrase::Phrase,
    },
    feishu::Click,
};

use super::{Kind, Order, Outcome, name_of, not_kept, not_there};

pub(super) async fn run(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let turn = &order.about;
    let mut past = match bot.0.past.get(turn).await {
        Ok(Some(past)) => past,
        Ok(None) => return not_there(bot, turn).await,
        Err(error) => return not_kept(&error),
    };
    let desk = &bot.0;
    let controls = desk.clicks.controls(turn, &order.chat);
    if let Some(first) = &past.regenerated {
        let phrase = Phrase::RegeneratedAlready { name: &first.name };
        return Outcome::told(Kind::Info, &phrase).showing(past.card_now(&controls));
    }
    if past.regenerations >= REGENERATIONS_MAX {
        return Outcome::told(Kind::Info, &Phrase::RegeneratedTooOften);
    }
    let again = Again {
        by: click.operator.clone(),
        name: name_of(bot, &click.operator, order).await,
        regenerations: past.regenerations + 1,
        replaces: past.messages.clone(),
    };
    let mut batch = desk.store.batch();
    let payload = past.payload.clone();
    let (key, kept) = desk.inbox.put_again(payload, again.clone(), &mut batch);
    let Some(entry) = Entry::left_over(bot, key, kept).await else {
        return Outcome::told(Kind::Warning, &Phrase::Stale);
    };
    if !desk.sessions.has_room(&entry.session) {
        return Outcome::told(Kind::Warning, &Phrase::LineFullToPress);
    }
    // A question is work, whoever asks it and however.
    if !desk.pace.may(&click.operator) {
        return Outcome::denied(&Denied::TooOften);
    }
    past.regenerated = Some(again);
    desk.past.put(turn, &past, &mut batch);
    if let Err(error) = desk.inbox.commit(batch, 1).await {
        return not_kept(&error);
    }
    info!(message.id = %entry.message.id, "a question is answered anew");
    Outcome::told(Kind::Success, &Phrase::Regenerating)
        .showing(past.card_now(&controls))
        .then(|bot| bot.dispatch(entry))
}
