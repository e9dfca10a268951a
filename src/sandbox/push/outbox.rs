//! The events that wait or are under way, and when each is to be tried again.
//!
//! No I/O: the owner asks what is due, tries it, and says what came of it. Each item has exactly one
//! timer, which is either its next attempt or the end of the time in which it may be acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Callback, packet::Packet};

/// How long a client has to acknowledge (event overview in the vendor's documentation).
pub(super) const ACK_WITHIN_MS: i64 = 3_000;
/// From one attempt to the next: 15 s, 5 min, 1 h, 6 h. After the last the event is lost.
const RETRY_AFTER_MS: [i64; 4] = [15_000, 300_000, 3_600_000, 21_600_000];
/// More than any scenario makes. One that comes when it is full is lost, with a line in the log.
const ITEMS_MAX: usize = 10_000;

/// Something on its way to the bot.
#[derive(Debug)]
pub(super) struct Item {
    /// The same in every attempt.
    pub(super) event_id: String,
    /// Such as `im.message.receive_v1`.
    pub(super) event_type: String,
    /// The message it is about, where it is about one.
    pub(super) message_id: Option<Box<str>>,
    /// The whole envelope as JSON.
    pub(super) payload: Bytes,
    /// What it is, and so what happens when it fails.
    pub(super) purpose: Purpose,
    /// Attempts made so far.
    pub(super) attempts: u32,
}

/// What an item is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// Delivered until it is acknowledged, or four retries have failed.
    Event,
    /// An event delivered again after its acknowledgement, as a fault. Tried once.
    Repeat,
    /// A callback: tried once, and someone waits for the answer.
    Callback(oneshot::Sender<Callback>),
}

/// One item's place in the outbox; counts up in the order of arrival.
pub(super) type Number = u64;

/// What an item's timer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Try it now.
    Attempt(Number),
    /// It was not acknowledged in time.
    Late(Number),
}

#[derive(Debug)]
struct Slot {
    item: Item,
    timer_ms: i64,
    flight: Option<Flight>,
}

/// An attempt under way.
#[derive(Debug)]
struct Flight {
    packet: Packet,
    connection: u64,
    since_ms: i64,
}

/// Everything that is not acknowledged yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    slots: BTreeMap<Number, Slot>,
    timers: BTreeSet<(i64, Number)>,
    flights: BTreeMap<String, Number>,
    next: Number,
}

impl Outbox {
    /// Takes an item, to be tried at `at_ms`; gives it back when there is no room.
    pub(super) fn add(&mut self, item: Item, at_ms: i64) -> Result<(), Item> {
        if self.slots.len() >= ITEMS_MAX {
            return Err(item);
        }
        let number = self.next;
        self.next += 1;
        self.timers.insert((at_ms, number));
        let slot = Slot {
            item,
            timer_ms: at_ms,
            flight: None,
        };
        self.slots.insert(number, slot);
        Ok(())
    }

    /// When the first timer runs out.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.timers.first().map(|(at_ms, _)| *at_ms)
    }

    /// The first thing to do at `now_ms`. The caller must do it, or it comes again.
    pub(super) fn due(&self, now_ms: i64) -> Option<Due> {
        let (_, number) = *self.timers.first().filter(|(at_ms, _)| *at_ms <= now_ms)?;
        match self.slots.get(&number)?.flight {
            Some(_) => Some(Due::Late(number)),
            None => Some(Due::Attempt(number)),
        }
    }

    /// Counts an attempt and lends the item for it.
    pub(super) fn attempt(&mut self, number: Number) -> Option<&Item> {
        let slot = self.slots.get_mut(&number)?;
        slot.item.attempts += 1;
        Some(&slot.item)
    }

    /// The item, while it is here.
    pub(super) fn item(&self, number: Number) -> Option<&Item> {
        self.slots.get(&number).map(|slot| &slot.item)
    }

    /// The attempt went out over `connection`; its acknowledgement is awaited from now on.
    pub(super) fn sent(&mut self, number: Number, packet: Packet, connection: u64, now_ms: i64) {
        self.flights.insert(packet.message_id.clone(), number);
        if let Some(slot) = self.slots.get_mut(&number) {
            slot.flight = Some(Flight {
                packet,
                connection,
                since_ms: now_ms,
            });
        }
        self.set_timer(number, now_ms.saturating_add(ACK_WITHIN_MS));
    }

    /// The attempt with this message id, if it is still awaited from this connection.
    pub(super) fn awaited(&self, message_id: &str, connection: u64) -> Option<(Number, &Packet)> {
        let number = *self.flights.get(message_id)?;
        let flight = self.slots.get(&number)?.flight.as_ref()?;
        (flight.connection == connection).then_some((number, &flight.packet))
    }

    /// Everything under way on a connection that is gone.
    pub(super) fn on_connection(&self, connection: u64) -> Vec<Number> {
        let on_it = |slot: &Slot| slot.flight.as_ref().map(|it| it.connection) == Some(connection);
        self.slots
            .iter()
            .filter(|(_, slot)| on_it(slot))
            .map(|(number, _)| *number)
            .collect()
    }

    /// The latest attempt came to nothing. Plans the next one, or gives the item back when it was
    /// the last.
    pub(super) fn failed(&mut self, number: Number, now_ms: i64) -> Option<Item> {
        let slot = self.slots.get_mut(&number)?;
        let flight = slot.flight.take();
        let since_ms = flight.as_ref().map_or(now_ms, |flight| flight.since_ms);
        if let Some(flight) = flight {
            self.flights.remove(&flight.packet.message_id);
        }
        // The first retry follows the first attempt.
        let retry = usize::try_from(slot.item.attempts).unwrap_or(usize::MAX);
        let wait_ms = RETRY_AFTER_MS.get(retry.saturating_sub(1));
        match (&slot.item.purpose, wait_ms) {
            (Purpose::Event, Some(wait_ms)) => {
                self.set_timer(number, since_ms.saturating_add(*wait_ms));
                None
            }
            _ => self.take(number),
        }
    }

    /// Takes an item out, since it needs nothing more.
    pub(super) fn take(&mut self, number: Number) -> Option<Item> {
        let slot = self.slots.remove(&number)?;
        self.timers.remove(&(slot.timer_ms, number));
        if let Some(flight) = slot.flight {
            self.flights.remove(&flight.packet.message_id);
        }
        Some(slot.item)
    }

    fn set_timer(&mut self, number: Number, at_ms: i64) {
        if let Some(slot) = self.slots.get_mut(&number) {
            self.timers.remove(&(slot.timer_ms, number));
            slot.timer_ms = at_ms;
            self.timers.insert((at_ms, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(purpose: Purpose) -> Item {
        Item {
            event_id: "e".to_owned(),
            event_type: "im.message.receive_v1".to_owned(),
            message_id: None,
            payload: Bytes::new(),
            purpose,
            attempts: 0,
        }
    }

    fn packet(message_id: &str) -> Packet {
        Packet {
            message_id: message_id.to_owned(),
            kind: "event",
            trace_id: String::new(),
            timestamp_ms: 0,
            service: 0,
            log_id: 0,
            first_seq_id: 0,
            sum: 1,
        }
    }

    #[test]
    fn an_event_is_tried_after_15_s_5_min_1_h_and_6_h_and_then_given_up() {
        let mut outbox = Outbox::default();
        outbox.add(item(Purpose::Event), 0).unwrap();
        let mut tried_ms = Vec::new();
        while let Some(at_ms) = outbox.next_ms() {
            match outbox.due(at_ms).unwrap() {
                Due::Attempt(number) => {
                    tried_ms.push(at_ms);
                    outbox.attempt(number).unwrap();
                    outbox.sent(number, packet("m"), 1, at_ms);
                }
                Due::Late(number) => drop(outbox.failed(number, at_ms)),
            }
        }
        assert_eq!(
            tried_ms,
            [0, 15_000, 315_000, 3_915_000, 25_515_000],
            "each counts from the attempt before"
        );
        assert!(outbox.flights.is_empty() && outbox.slots.is_empty());
    }

    #[test]
    fn what_is_not_acknowledged_within_3_s_is_late() {
        let mut outbox = Outbox::default();
        outbox.add(item(Purpose::Event), 100).unwrap();
        assert_eq!(outbox.due(99), None);
        assert_eq!(outbox.due(100), Some(Due::Attempt(0)));
        outbox.sent(0, packet("m"), 1, 100);
        assert_eq!(outbox.due(3_099), None);
        assert_eq!(outbox.due(3_100), Some(Due::Late(0)));
    }

    #[test]
    fn an_acknowledgement_counts_only_from_the_connection_it_was_sent_on() {
        let mut outbox = Outbox::default();
        outbox.add(item(Purpose::Event), 0).unwrap();
        outbox.sent(0, packet("m"), 1, 0);
        assert!(outbox.awaited("m", 2).is_none());
        assert!(outbox.awaited("other", 1).is_none());
        assert!(outbox.awaited("m", 1).is_some());
        assert_eq!(outbox.on_connection(1), [0]);
        outbox.take(0).unwrap();
        assert!(outbox.awaited("m", 1).is_none());
        assert_eq!(outbox.next_ms(), None);
    }

    #[test]
    fn a_clock_at_its_end_wears_the_attempts_out() {
        let mut outbox = Outbox::default();
        outbox.add(item(Purpose::Event), i64::MAX).unwrap();
        for _ in 0..5 {
            assert_eq!(outbox.due(i64::MAX), Some(Due::Attempt(0)));
            outbox.attempt(0).unwrap();
            outbox.sent(0, packet("m"), 1, i64::MAX);
            assert_eq!(outbox.due(i64::MAX), Some(Due::Late(0)));
            outbox.failed(0, i64::MAX);
        }
        assert_eq!(outbox.next_ms(), None);
    }

    #[test]
    fn a_callback_and_a_repeat_are_tried_once() {
        let (answer, _) = oneshot::channel();
        for purpose in [Purpose::Repeat, Purpose::Callback(answer)] {
            let mut outbox = Outbox::default();
            outbox.add(item(purpose), 0).unwrap();
            outbox.attempt(0).unwrap();
            assert!(outbox.failed(0, 0).is_some());
            assert_eq!(outbox.next_ms(), None);
        }
    }

    #[test]
    fn a_full_outbox_gives_the_item_back() {
        let mut outbox = Outbox::default();
        for _ in 0..ITEMS_MAX {
            outbox.add(item(Purpose::Event), 0).unwrap();
        }
        assert!(outbox.add(item(Purpose::Event), 0).is_err());
    }
}
