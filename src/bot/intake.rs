//! From the platform's event to an entry in the inbox, and only then to an acknowledgement.
//!
//! All that waits is taken at once, written with one flush, and acknowledged together, so that the disk
//! is asked once for many events. What is not for us is acknowledged without being written; what could
//! not be written is not acknowledged, and the platform will send it again. Presses of buttons are taken
//! out before, since they cannot wait for a disk.

use std::collections::HashSet;

use tokio::sync::mpsc;
use tracing::{Instrument, debug, error, info_span, warn};

use crate::{
    feishu::{Answer, ChatKind, Delivery, Event, EventBody, Message, MessageId, SenderKind},
    store,
    telemetry::EventLabels,
};

use super::{Bot, Entry, Me, click};

/// How many events one flush may carry, and how many bytes of them: the store takes no batch above 8 MiB.
const AT_ONCE: usize = 256;
const BYTES_AT_ONCE: usize = 2 * 1024 * 1024;

/// What an event asks of us.
enum Wish {
    /// A message that is addressed to us.
    Message(Box<Message>, ChatKind),
    /// A question was recalled.
    Recall(MessageId),
    /// Nothing.
    Nothing,
}

/// Takes deliveries until there are no more.
pub(super) async fn run(bot: &Bot, deliveries: mpsc::Receiver<Delivery>) {
    let (keep, kept) = mpsc::channel(AT_ONCE);
    tokio::join!(
        click::sort_out(bot, deliveries, keep),
        take_what_is_kept(bot, kept)
    );
}

/// Takes what is to be kept until there is no more.
async fn take_what_is_kept(bot: &Bot, mut deliveries: mpsc::Receiver<Delivery>) {
    let mut waiting = Vec::with_capacity(AT_ONCE);
    while deliveries.recv_many(&mut waiting, AT_ONCE).await > 0 {
        while !waiting.is_empty() {
            take(bot, waiting.drain(..within_bytes(&waiting)))
                .instrument(info_span!("intake"))
                .await;
        }
    }
}

/// How many of these one flush can carry; at least one.
fn within_bytes(waiting: &[Delivery]) -> usize {
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|delivery| {
        bytes += delivery.payload.len();
        bytes <= BYTES_AT_ONCE
    });
    fits.count().max(1)
}

/// Keeps what is new, acknowledges it, and hands it on.
async fn take(bot: &Bot, deliveries: impl Iterator<Item = Delivery>) {
    let mut batch = bot.store().batch();
    let mut kept = Vec::new();
    // To be acknowledged when the batch is on disk; a repetition waits with what it repeats.
    let mut pending = Vec::new();
    let mut ids = HashSet::new();
    let mut recalled = Vec::new();
    for delivery in deliveries {
        let Some((event, wish)) = read(bot, &delivery) else {
            acknowledge(delivery);
            continue;
        };
        let (message, chat_kind) = match wish {
            Wish::Message(message, chat_kind) => (message, chat_kind),
            // What it withdraws may be in this very batch.
            Wish::Recall(question) => {
                recalled.push((question, delivery));
                continue;
            }
            Wish::Nothing => {
                acknowledge(delivery);
                continue;
            }
        };
        // The platform says to tell messages apart by their own id, not by the event's.
        let id = message.id.as_str().to_owned();
        match is_new(bot, &id, &ids).await {
            Ok(true) => {
                let payload = String::from_utf8_lossy(&delivery.payload).into_owned();
                let (key, entry) = bot.inbox().put(&id, payload, &mut batch);
                let arrived = delivery.received_at;
                let entry = Entry::new(bot, key, entry, &event, *message, chat_kind, arrived);
                kept.push(entry);
                ids.insert(id);
                pending.push(delivery);
            }
            Ok(false) => {
                debug!(message.id = id, "delivered again");
                count(bot, &event.kind, "duplicate");
                pending.push(delivery);
            }
            Err(error) => {
                error!(%error, "cannot tell whether an event is new; leaving it to be sent again");
                count(bot, &event.kind, "refused");
                let (key, entry) = bot
                    .inbox()
                    .put(&id, String::new(), &mut bot.store().batch());
                let arrived = delivery.received_at;
                let entry = Entry::new(bot, key, entry, &event, *message, chat_kind, arrived);
                bot.say_not_kept(entry);
                refuse(delivery);
            }
        }
    }
    match bot.inbox().commit(batch, kept.len()).await {
        Ok(()) => {
            for delivery in pending {
                acknowledge(delivery);
            }
            for entry in kept {
                bot.dispatch(entry);
            }
        }
        Err(error) => {
            error!(%error, events = pending.len(), "events could not be kept; leaving them to be sent again");
            pending.into_iter().for_each(refuse);
            for entry in kept {
                count(bot, "im.message.receive_v1", "refused");
                bot.say_not_kept(entry);
            }
        }
    }
    for (question, delivery) in recalled {
        bot.withdraw(&question).await;
        acknowledge(delivery);
    }
}

/// Decodes an event and says what it asks. `None` for one that cannot be read: it would not be readable
/// the next time either, so it is acknowledged.
fn read(bot: &Bot, delivery: &Delivery) -> Option<(Event, Wish)> {
    match Event::decode(&delivery.payload) {
        Ok(event) => {
            let wish = wish(&event, bot.me());
            let outcome = match wish {
                Wish::Nothing => "ignored",
                Wish::Message(..) | Wish::Recall(_) => "kept",
            };
            count(bot, &event.kind, outcome);
            Some((event, wish))
        }
        Err(error) => {
            warn!(%error, "an event cannot be read");
            count(bot, "", "unreadable");
            None
        }
    }
}

fn wish(event: &Event, me: &Me) -> Wish {
    match &event.body {
        EventBody::Message(message, chat_kind) if is_addressed(message, *chat_kind, me) => {
            Wish::Message(Box::new(message.clone()), *chat_kind)
        }
        EventBody::Recalled { message_id, .. } => Wish::Recall(message_id.clone()),
        _ => Wish::Nothing,
    }
}

/// Whether someone speaks to us: in a direct chat always, in a group where we are mentioned by id. A name
/// proves nothing, and a message to all is not one to us. Bots are not answered, so that two of them
/// cannot talk for ever.
fn is_addressed(message: &Message, chat_kind: ChatKind, me: &Me) -> bool {
    message.sender.kind == SenderKind::Person
        && match chat_kind {
            ChatKind::P2p => true,
            ChatKind::Group => message.mentions_id(&[me.open_id.as_str(), me.app_id.as_str()]),
        }
}

async fn is_new(bot: &Bot, id: &str, in_batch: &HashSet<String>) -> Result<bool, store::Error> {
    Ok(!in_batch.contains(id) && !bot.inbox().is_seen(id).await?)
}

fn acknowledge(delivery: Delivery) {
    // The connection may be gone by now; then the event comes again and is known.
    let _ = delivery.answer.send(Answer::Done);
}

fn refuse(delivery: Delivery) {
    let _ = delivery.answer.send(Answer::Failed);
}

/// Counts what became of an event.
pub(super) fn count(bot: &Bot, kind: &str, outcome: &'static str) {
    // What the platform may call its events is not ours to bound, so the label is.
    let r#type = match kind {
        "im.message.receive_v1" => "im.message.receive_v1",
        "im.message.recalled_v1" => "im.message.recalled_v1",
        "card.action.trigger" => "card.action.trigger",
        _ => "other",
    };
    let labels = EventLabels { r#type, outcome };
    bot.metrics().events.get_or_create(&labels).inc();
}
