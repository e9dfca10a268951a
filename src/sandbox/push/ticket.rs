//! Tickets: what discovery hands out and the upgrade asks for, each good for one connection.
//!
//! How long the platform's tickets live is not documented, so these live until they are used or a
//! thousand newer ones have been handed out.

use std::collections::VecDeque;

use serde::Deserialize;

use super::super::app::hex;

/// How many unused tickets are remembered; the oldest is forgotten for a new one.
const TICKETS_MAX: usize = 1_000;

/// The query of a connection's URL. The platform documents only `device_id` and `service_id`; the
/// other two are its habit, and opaque to the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Ticket {
    /// Names the connection.
    pub(super) device_id: String,
    /// Opaque.
    pub(super) access_key: String,
    /// The client echoes it in its frames.
    pub(super) service_id: i32,
    /// Good once.
    pub(super) ticket: String,
}

impl Ticket {
    /// As it stands behind the `?`.
    pub(super) fn query(&self) -> String {
        let Self {
            device_id,
            access_key,
            service_id,
            ticket,
        } = self;
        format!(
            "device_id={device_id}&access_key={access_key}&service_id={service_id}&ticket={ticket}"
        )
    }
}

/// The tickets that nobody has used yet.
#[derive(Debug, Default)]
pub(super) struct Tickets(VecDeque<Ticket>);

impl Tickets {
    /// Hands out a new one.
    pub(super) fn issue(&mut self, random: &mut fastrand::Rng, service_id: i32) -> Ticket {
        if self.0.len() >= TICKETS_MAX {
            self.0.pop_front();
        }
        let ticket = Ticket {
            device_id: random
                .u64(7_000_000_000_000_000_000..=u64::MAX >> 1)
                .to_string(),
            access_key: hex(random, 32),
            service_id,
            ticket: hex(random, 32),
        };
        self.0.push_back(ticket.clone());
        ticket
    }

    /// Takes a ticket in. False when it was never handed out, was used, or was tampered with.
    pub(super) fn redeem(&mut self, ticket: &Ticket) -> bool {
        match self.0.iter().position(|issued| issued == ticket) {
            Some(place) => self.0.remove(place).is_some(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_only_as_it_was_handed_out() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut tickets = Tickets::default();
        let ticket = tickets.issue(&mut random, 7);
        let mut tampered = ticket.clone();
        tampered.device_id.push('0');
        assert!(!tickets.redeem(&tampered));
        assert!(tickets.redeem(&ticket));
        assert!(!tickets.redeem(&ticket));
    }

    #[test]
    fn the_oldest_ticket_is_forgotten_for_the_newest() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut tickets = Tickets::default();
        let first = tickets.issue(&mut random, 7);
        for _ in 0..TICKETS_MAX {
            tickets.issue(&mut random, 7);
        }
        assert!(!tickets.redeem(&first));
    }
}
