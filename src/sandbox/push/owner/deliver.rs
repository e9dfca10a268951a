//! How an event gets from the outbox into a connection, and what an acknowledgement does.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tracing::{debug, info, warn};

use super::{
    super::{
        super::app::hex,
        Callback, DeliveryRecord,
        failure::Failure,
        frame::Frame,
        outbox::{Due, Item, Number, Purpose},
        packet::{Packet, pieces},
        webhook::Address,
    },
    Owner,
};

/// How long an event is held back at most so that later ones overtake it.
const HELD_BACK_MS_MAX: i64 = 300;

/// The number that stands for posts where connections have theirs, which begin at 1.
const POSTS: u64 = 0;

/// A post that was answered, or was not.
#[derive(Debug)]
pub(super) struct Posted {
    message_id: String,
    address: Address,
    outcome: Result<Bytes, Failure>,
}

impl Owner {
    /// Takes something to deliver.
    pub(super) fn take_in(&mut self, item: Item) {
        let now_ms = self.clock.now_ms();
        let is_event = matches!(item.purpose, Purpose::Event);
        let held_back = is_event && self.faults.chance(self.faults.get().reorder);
        let wait_ms = if held_back {
            self.random.i64(1..=HELD_BACK_MS_MAX)
        } else {
            0
        };
        match self.outbox.add(item, now_ms.saturating_add(wait_ms)) {
            Ok(()) if wait_ms == 0 => self.work_off(),
            Ok(()) => {}
            Err(mut item) => {
                item.attempts = 1;
                self.records.add(record(&item, None, now_ms));
                self.records.failed(&item.event_id, 1, &Failure::NoRoom);
                self.given_up(item, &Failure::NoRoom);
            }
        }
    }

    /// Does all that is due.
    pub(super) fn work_off(&mut self) {
        let now_ms = self.clock.now_ms();
        while let Some(due) = self.outbox.due(now_ms) {
            match due {
                Due::Attempt(number) => self.attempt(number, now_ms),
                Due::Late(number) => self.fail(number, &Failure::Late),
            }
        }
    }

    fn attempt(&mut self, number: Number, now_ms: i64) {
        let is_callback = |item: &Item| matches!(item.purpose, Purpose::Callback(_));
        let address = self.outbox.item(number).map(is_callback);
        if let Some(address) = address.and_then(|callback| self.webhook.address(callback)) {
            return self.post(number, address, now_ms);
        }
        let chosen = self.choose();
        let Some(item) = self.outbox.attempt(number) else {
            return;
        };
        let device_id = chosen
            .and_then(|chosen| self.connections.get(&chosen))
            .map(|connection| connection.device_id.clone());
        self.records.add(record(item, device_id, now_ms));
        let Some(chosen) = chosen else {
            return self.fail(number, &Failure::NoConnection);
        };
        match self.send(number, chosen, now_ms) {
            Some(packet) => self.outbox.sent(number, packet, chosen, now_ms),
            None => self.fail(number, &Failure::NotReading),
        }
    }

    /// Posts an attempt. Its answer is an acknowledgement like any other.
    fn post(&mut self, number: Number, address: Address, now_ms: i64) {
        let Some(item) = self.outbox.attempt(number) else {
            return;
        };
        let mut record = record(item, Some("webhook".to_owned()), now_ms);
        if let Some(event_type) = address.event_type() {
            record.event_type = event_type.to_owned();
        }
        self.records.add(record);
        let (payload, webhook) = (item.payload.clone(), self.webhook.clone());
        let packet = Packet {
            message_id: hex(&mut self.random, 32),
            kind: "post",
            trace_id: String::new(),
            timestamp_ms: now_ms,
            service: self.service,
            log_id: 0,
            first_seq_id: 0,
            sum: 1,
        };
        let message_id = packet.message_id.clone();
        self.outbox.sent(number, packet, POSTS, now_ms);
        self.posts.spawn(async move {
            let outcome = webhook.post(&address, &payload).await;
            Posted {
                message_id,
                address,
                outcome,
            }
        });
    }

    /// A post was answered, or was not.
    pub(super) fn posted(&mut self, posted: Posted) {
        let Some((number, _)) = self.outbox.awaited(&posted.message_id, POSTS) else {
            return debug!("a post was answered too late");
        };
        match posted.outcome {
            Ok(body) => self.done(number, posted.address.read_answer(&body)),
            Err(why) => self.fail(number, &why),
        }
    }

    /// One connection at random. One that is half-open is as good as any: the server cannot tell.
    fn choose(&mut self) -> Option<u64> {
        let up: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.up)
            .map(|(number, _)| *number)
            .collect();
        self.random.choice(up)
    }

    /// Puts the frames of an attempt into the connection's queue; none when that is full.
    fn send(&mut self, number: Number, chosen: u64, now_ms: i64) -> Option<Packet> {
        let settings = self.faults.get();
        let item = self.outbox.item(number)?;
        let is_callback = matches!(item.purpose, Purpose::Callback(_));
        let sum = pieces(item.payload.len(), settings.fragment_bytes);
        let packet = Packet {
            message_id: hex(&mut self.random, 32),
            kind: if is_callback && settings.card_frames {
                "card"
            } else {
                "event"
            },
            trace_id: hex(&mut self.random, 32),
            timestamp_ms: now_ms,
            service: self.service,
            log_id: self.random.u64(1..),
            first_seq_id: self.next_seq_id,
            sum,
        };
        self.next_seq_id = self.next_seq_id.wrapping_add(sum as u64);
        let frames = packet.frames(&item.payload, settings.fragment_bytes);
        let mut messages: Vec<Message> = frames.into_iter().map(Message::Binary).collect();
        if sum > 1 {
            self.disorder(
                &mut messages,
                settings.reorder > 0.0,
                settings.duplicate_rate,
            );
        }
        if settings.junk_frames {
            messages.splice(0..0, self.junk(&packet));
        }
        let connection = self.connections.get(&chosen)?;
        connection.outgoing.try_send(messages).ok()?;
        Some(packet)
    }

    /// Shuffles pieces, and sends some twice; never the last, whose copy would come after the end.
    fn disorder(&mut self, pieces: &mut Vec<Message>, shuffle: bool, duplicate_rate: f64) {
        if shuffle {
            let in_order = pieces.clone();
            self.random.shuffle(pieces);
            if *pieces == in_order {
                pieces.reverse();
            }
        }
        let last = pieces.len().saturating_sub(1);
        for (place, piece) in std::mem::take(pieces).into_iter().enumerate() {
            if place < last && self.faults.chance(duplicate_rate) {
                pieces.push(piece.clone());
            }
            pieces.push(piece);
        }
    }

    /// What no client can read and every client must survive.
    fn junk(&mut self, packet: &Packet) -> [Message; 3] {
        let noise: Vec<u8> = (0..64).map(|_| self.random.u8(..)).collect();
        [
            Message::Binary(noise.into()),
            Message::Text("not a frame".into()),
            Message::Binary(packet.impossible_frame()),
        ]
    }

    /// A data frame came over this connection.
    pub(super) fn acknowledge(&mut self, connection: u64, frame: &Frame) {
        let message_id = frame.header("message_id").unwrap_or_default();
        let Some((number, packet)) = self.outbox.awaited(message_id, connection) else {
            // Late, or twice, or of nothing that was sent.
            return debug!("an acknowledgement fits nothing that is awaited");
        };
        let reply = packet.read_ack(frame);
        let Some(item) = self.outbox.item(number) else {
            return;
        };
        let is_callback = matches!(item.purpose, Purpose::Callback(_));
        match reply {
            Ok(reply) if is_callback => {
                let callback = match (reply.code, reply.answer()) {
                    (200, Ok(answer)) => Callback::Answer(answer),
                    (200, Err(())) => Callback::Unreadable,
                    (code, _) => Callback::Refused { code },
                };
                self.done(number, callback);
            }
            Ok(reply) if reply.code == 200 => self.done(number, Callback::Answer(None)),
            Ok(reply) => self.fail(number, &Failure::Code(reply.code)),
            // The platform does not recognise it, so the callback stays unanswered.
            Err(why) if is_callback => warn!("{why}"),
            Err(why) => {
                warn!("{why}");
                self.fail(number, &Failure::NoEcho(why));
            }
        }
    }

    /// The client has acknowledged.
    fn done(&mut self, number: Number, callback: Callback) {
        let Some(item) = self.outbox.take(number) else {
            return;
        };
        let now_ms = self.clock.now_ms();
        self.records.acked(&item.event_id, item.attempts, now_ms);
        match item.purpose {
            Purpose::Callback(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(callback);
            }
            Purpose::Event if self.faults.chance(self.faults.get().duplicate_rate) => {
                let purpose = Purpose::Repeat;
                // One that finds no room is a fault that does not happen.
                let _ = self.outbox.add(Item { purpose, ..item }, now_ms);
                self.work_off();
            }
            Purpose::Event | Purpose::Repeat => {}
        }
    }

    /// The latest attempt came to nothing.
    pub(super) fn fail(&mut self, number: Number, why: &Failure) {
        let Some(item) = self.outbox.item(number) else {
            return;
        };
        self.records.failed(&item.event_id, item.attempts, why);
        if let Some(item) = self.outbox.failed(number, self.clock.now_ms()) {
            self.given_up(item, why);
        }
    }

    fn given_up(&self, item: Item, why: &Failure) {
        match item.purpose {
            Purpose::Callback(answer) => {
                let callback = match why {
                    Failure::NoConnection => Callback::NotConnected,
                    Failure::Status(status) => Callback::Refused {
                        code: i64::from(*status),
                    },
                    Failure::TooLong => Callback::Unreadable,
                    Failure::NotReached => Callback::NotReached,
                    Failure::NoSuchHost => Callback::NoSuchHost,
                    _ => Callback::Late,
                };
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(callback);
            }
            Purpose::Event => info!(event.id = %item.event_id, "gave an event up: {why}"),
            Purpose::Repeat => {}
        }
    }
}

/// What `GET /sandbox/deliveries` is to show of an attempt that begins.
fn record(item: &Item, connection: Option<String>, now_ms: i64) -> DeliveryRecord {
    DeliveryRecord {
        event_id: item.event_id.clone(),
        event_type: item.event_type.clone(),
        message_id: item.message_id.clone(),
        at_ms: now_ms,
        connection,
        acked_ms: None,
        attempt: item.attempts,
        failure: None,
    }
}
