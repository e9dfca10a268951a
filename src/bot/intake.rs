//! From the platform's event to an entry in the inbox, and only then to an acknowledgement.
//!
//! All that waits is taken at once, written with one flush, and acknowledged together, so that the disk
//! is asked once for many events. What is not for us is acknowledged without being written; what could
//! not be written is not acknowledged, and the platform will send it again. Presses of buttons are taken
//! out before, since they cannot wait for a disk.

use std::collections::HashSet;

use tokio::{sync::mpsc, time::Instant};
use tracing::{Instrument, debug, error, info_span, warn};

use crate::{
    feishu::{Answer, ChatKind, Delivery, Event, EventBody, Message, OpenId, SenderKind},
    store::{self, Batch},
    telemetry::EventLabels,
};

use super::{
    Bot, Entry, Me, click, command,
    happening::{self, Asks, Happening},
    menu, war_room,
};

/// How many events one flush may carry, and how many bytes of them: the store takes no batch above 8 MiB.
const AT_ONCE: usize = 256;
const BYTES_AT_ONCE: usize = 2 * 1024 * 1024;

/// What an event asks of us.
enum Wish {
    /// An answer: a message that is addressed to us, or a press of our menu.
    Answer,
    /// Work beside the sessions.
    Work,
    /// To be put into the record of a war room.
    Record,
    /// To be noted, and not kept.
    Hint,
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
    let mut taken = Taken::default();
    for delivery in deliveries {
        let event = match Event::decode(&delivery.payload) {
            Ok(event) => event,
            // It would not be readable the next time either.
            Err(error) => {
                warn!(%error, "an event cannot be read");
                count(bot, "", "unreadable");
                acknowledge(delivery);
                continue;
            }
        };
        match wish(bot, &event) {
            Wish::Answer => taken.add(bot, event, delivery).await,
            Wish::Work => match happening::is_settled(bot, &event).await {
                Ok(true) => {
                    happening::heed(bot, &event);
                    count(bot, &event.kind, "ignored");
                    acknowledge(delivery);
                }
                // Where the store does not say, it will not keep it either.
                Ok(false) | Err(_) => taken.add(bot, event, delivery).await,
            },
            Wish::Record => taken.record(bot, event, delivery).await,
            Wish::Hint => {
                happening::heed(bot, &event);
                count(bot, &event.kind, "noted");
                acknowledge(delivery);
            }
            Wish::Nothing => {
                count(bot, &event.kind, "ignored");
                acknowledge(delivery);
            }
        }
    }
    taken.keep(bot).await;
}

fn wish(bot: &Bot, event: &Event) -> Wish {
    let me = bot.me();
    match &event.body {
        EventBody::Message(message, chat_kind) if is_addressed(message, *chat_kind, me) => {
            Wish::Answer
        }
        // People who work together in a room need not mention us to give a command.
        EventBody::Message(message, _) if war_room::is_for_record(bot, message) => {
            match is_command(message, me) {
                true => Wish::Answer,
                false => Wish::Record,
            }
        }
        EventBody::MenuPressed { key, .. } => match menu::is_command(key) {
            true => Wish::Answer,
            false => {
                warn!("an entry of the bot's menu has a key that is no name of a command");
                Wish::Nothing
            }
        },
        _ => match happening::asks(event, me) {
            Asks::Work | Asks::MayBeWork => Wish::Work,
            Asks::Hint => Wish::Hint,
            Asks::Nothing => Wish::Nothing,
        },
    }
}

/// What was taken together: written with one flush, and only then acknowledged.
#[derive(Default)]
struct Taken {
    batch: Batch,
    /// The ids in the batch.
    ids: HashSet<String>,
    entries: Vec<Entry>,
    happenings: Vec<Happening>,
    /// What the batch keeps, by its kind.
    new: Vec<(String, Delivery)>,
    /// How many of these are in no inbox.
    recorded: usize,
    /// A repetition waits with what it repeats.
    again: Vec<Delivery>,
}

impl Taken {
    /// Puts an event into the batch, if it is new.
    async fn add(&mut self, bot: &Bot, event: Event, delivery: Delivery) {
        let id = id_of(&event);
        match self.is_new(bot, &id).await {
            Ok(true) => {}
            Ok(false) => {
                debug!(id, event.kind = event.kind, "delivered again");
                count(bot, &event.kind, "duplicate");
                self.again.push(delivery);
                return;
            }
            Err(error) => {
                error!(%error, "cannot tell whether an event is new; leaving it to be sent again");
                self.leave(bot, &event, delivery).await;
                return;
            }
        }
        let asks = happening::asks(&event, bot.me());
        let is_work = matches!(asks, Asks::Work | Asks::MayBeWork);
        if is_work && !bot.0.happenings.have_room(self.happenings.len() + 1) {
            warn!(
                event.kind = event.kind,
                "too much waits to be done; leaving an event to be sent again"
            );
            count(bot, &event.kind, "refused");
            refuse(delivery);
            return;
        }
        let payload = String::from_utf8_lossy(&delivery.payload).into_owned();
        let (key, kept) = bot.inbox().put(&id, payload, &mut self.batch);
        self.ids.insert(id);
        if let EventBody::Recalled { message_id, .. } = &event.body {
            bot.inbox().put_recalled(message_id, &mut self.batch);
            self.ids.insert(message_id.to_string());
        }
        self.new.push((event.kind.clone(), delivery));
        if is_work {
            self.happenings.push(Happening { key, kept, event });
            return;
        }
        self.meet(bot, &event).await;
        if let EventBody::Message(message, _) = &event.body
            && war_room::is_for_record(bot, message)
            && let Err(error) = war_room::heard_in(bot, message, &mut self.batch).await
        {
            warn!(%error, "what was said in a war room is read from its history later");
        }
        let arrived = self.new.last().map(|(_, delivery)| delivery.received_at);
        let arrived = arrived.unwrap_or_else(Instant::now);
        self.entries
            .extend(Entry::of(bot, key, kept, &event, arrived).await);
    }

    /// Puts what was said in a war room into the batch. It is acknowledged once it is written.
    async fn record(&mut self, bot: &Bot, event: Event, delivery: Delivery) {
        let EventBody::Message(message, _) = &event.body else {
            return acknowledge(delivery);
        };
        match war_room::heard_in(bot, message, &mut self.batch).await {
            Ok(()) => {
                self.recorded += 1;
                self.new.push((event.kind, delivery));
            }
            Err(error) => {
                error!(%error, "a room's record cannot be read; leaving an event to be sent again");
                count(bot, &event.kind, "refused");
                refuse(delivery);
            }
        }
    }

    /// Whoever speaks to us has met us.
    async fn meet(&mut self, bot: &Bot, event: &Event) {
        let EventBody::Message(message, chat_kind) = &event.body else {
            return;
        };
        let person = OpenId::new(message.sender.id.as_str());
        let direct = (*chat_kind == ChatKind::P2p).then_some(&message.chat_id);
        let people = &bot.0.acquaintances;
        if let Err(error) = people.meet(&person, direct, &mut self.batch).await {
            warn!(%error, "it is not kept that somebody has spoken to us");
        }
    }

    /// Writes all of it, acknowledges it, and hands it on.
    async fn keep(self, bot: &Bot) {
        let kept = self.new.len() - self.recorded;
        let outcome = bot.inbox().commit(self.batch, kept).await;
        match &outcome {
            Ok(()) => {
                for (kind, delivery) in self.new {
                    count(bot, &kind, "kept");
                    acknowledge(delivery);
                }
                self.again.into_iter().for_each(acknowledge);
            }
            Err(error) => {
                error!(%error, events = self.new.len(), "events could not be kept; leaving them to be sent again");
                for (kind, delivery) in self.new {
                    count(bot, &kind, "refused");
                    refuse(delivery);
                }
                self.again.into_iter().for_each(refuse);
            }
        }
        for entry in self.entries {
            match outcome {
                Ok(()) => bot.dispatch(entry),
                Err(_) => bot.say_not_kept(entry),
            }
        }
        // After the entries: what is recalled may be one of them.
        for happening in self.happenings {
            happening::do_at_once(bot, &happening.event).await;
            if outcome.is_ok() {
                bot.0.happenings.line_up(bot, happening);
            }
        }
    }

    /// Leaves an event to be sent again, and says so to whoever waits for an answer to it.
    async fn leave(&self, bot: &Bot, event: &Event, delivery: Delivery) {
        count(bot, &event.kind, "refused");
        let (key, kept) = bot.inbox().put("", String::new(), &mut Batch::default());
        let arrived = delivery.received_at;
        if let Some(entry) = Entry::of(bot, key, kept, event, arrived).await {
            bot.say_not_kept(entry);
        }
        refuse(delivery);
    }

    async fn is_new(&self, bot: &Bot, id: &str) -> Result<bool, store::Error> {
        Ok(!self.ids.contains(id) && !bot.inbox().is_seen(id).await?)
    }
}

/// What the platform repeats an event under. It says to tell messages apart by their own id.
fn id_of(event: &Event) -> String {
    match &event.body {
        EventBody::Message(message, _) => message.id.to_string(),
        _ => event.id.to_string(),
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

/// Whether a person gives one of our commands.
fn is_command(message: &Message, me: &Me) -> bool {
    message.sender.kind == SenderKind::Person
        && command::parse(&message.command_text(&me.ids())).is_some_and(|it| it.is_known())
}

fn acknowledge(delivery: Delivery) {
    // The connection may be gone by now; then the event comes again and is known.
    let _ = delivery.answer.send(Answer::Done);
}

fn refuse(delivery: Delivery) {
    let _ = delivery.answer.send(Answer::Failed);
}

/// What the platform may call its events is not ours to bound, so the label is.
const KINDS: &[&str] = &[
    "im.message.receive_v1",
    "im.message.recalled_v1",
    "im.message.reaction.created_v1",
    "im.message.reaction.deleted_v1",
    "im.chat.disbanded_v1",
    "im.chat.updated_v1",
    "im.chat.member.bot.added_v1",
    "im.chat.member.bot.deleted_v1",
    "im.chat.member.user.added_v1",
    "im.chat.member.user.deleted_v1",
    "im.chat.member.user.withdrawn_v1",
    "im.chat.access_event.bot_p2p_chat_entered_v1",
    "application.bot.menu_v6",
    "p2p_chat_create",
    "card.action.trigger",
];

/// Counts what became of an event.
pub(super) fn count(bot: &Bot, kind: &str, outcome: &'static str) {
    let known = KINDS.iter().copied().find(|known| *known == kind);
    let labels = EventLabels {
        r#type: known.unwrap_or("other"),
        outcome,
    };
    bot.metrics().events.get_or_create(&labels).inc();
}
