//! Takes presses out of what is delivered, before anything that waits for the disk.
//!
//! Everything else is kept before it is acknowledged, many events with one flush. A disk that stalls
//! holds that up, and must not hold up the toast of somebody who pressed Stop. So what waits to be kept
//! waits here, bounded, and what does not fit is left to be sent again.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tracing::warn;

use crate::{
    bot::{Bot, intake},
    feishu::{Answer, Delivery, Event, EventBody},
};

use super::take;

/// How much may wait to be kept, in events and in bytes of them.
const WAITING_MAX: usize = 1024;
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What every kind of press has in its event's name, and hardly any other event anywhere.
const MARK: &[u8] = b"card.action.trigger";

/// Hands presses to their own tasks and the rest to `keep`, in its order, until `deliveries` end.
pub(in crate::bot) async fn sort_out(
    bot: &Bot,
    mut deliveries: mpsc::Receiver<Delivery>,
    keep: mpsc::Sender<Delivery>,
) {
    let mut waiting = Waiting::default();
    let mut is_open = true;
    while is_open || !waiting.is_empty() {
        tokio::select! {
            // There is room behind us, so the oldest goes on.
            room = keep.reserve(), if !waiting.is_empty() => match (room, waiting.pop()) {
                (Ok(room), Some(delivery)) => room.send(delivery),
                // Nobody keeps anything any more.
                _ => return,
            },
            delivery = deliveries.recv(), if is_open => match delivery {
                Some(delivery) => sort_one(bot, delivery, &mut waiting),
                None => is_open = false,
            },
        }
    }
}

fn sort_one(bot: &Bot, delivery: Delivery, waiting: &mut Waiting) {
    // A message may hold the mark too, so only the event itself decides.
    let may_be_press = delivery
        .payload
        .windows(MARK.len())
        .any(|part| part == MARK);
    if may_be_press
        && let Ok(event) = Event::decode(&delivery.payload)
        && let EventBody::Clicked(click) = event.body
    {
        intake::count(bot, &event.kind, "noted");
        return take(bot, click, delivery.received_at, delivery.answer);
    }
    if let Err(delivery) = waiting.push(delivery) {
        warn!("too much waits for the disk; leaving an event to be sent again");
        intake::count(bot, "", "refused");
        let _ = delivery.answer.send(Answer::Failed);
    }
}

/// What waits to be kept.
#[derive(Default)]
struct Waiting {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Takes one in, or gives it back.
    fn push(&mut self, delivery: Delivery) -> Result<(), Delivery> {
        let bytes = self.bytes + delivery.payload.len();
        if self.deliveries.len() >= WAITING_MAX || bytes > WAITING_BYTES_MAX {
            return Err(delivery);
        }
        self.bytes = bytes;
        self.deliveries.push_back(delivery);
        Ok(())
    }

    fn pop(&mut self) -> Option<Delivery> {
        let delivery = self.deliveries.pop_front()?;
        self.bytes -= delivery.payload.len();
        Some(delivery)
    }
}
