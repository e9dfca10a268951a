//! When to ping, and when silence means that a socket is dead.
//!
//! A connection whose other end has vanished (sleep, a forgetful router) looks open for hours. So after
//! a ping something has to be heard, whatever it is, within the pong timeout.

use std::time::Duration;

use tokio::time::Instant;

/// The clock of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    ping_every: Duration,
    pong_timeout: Duration,
    last_ping: Option<Instant>,
    ping_at: Instant,
    dead_at: Option<Instant>,
}

/// What the clock says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing yet.
    Wait,
    /// Send a ping.
    Ping,
    /// Nobody is there.
    Dead,
}

impl Pulse {
    /// A clock that wants a ping at once.
    pub(super) fn new(now: Instant, ping_every: Duration, pong_timeout: Duration) -> Self {
        Self {
            ping_every,
            pong_timeout,
            last_ping: None,
            ping_at: now,
            dead_at: None,
        }
    }

    /// When to look at [`Pulse::beat`] again.
    pub(super) fn next(&self) -> Instant {
        self.dead_at
            .map_or(self.ping_at, |dead_at| dead_at.min(self.ping_at))
    }

    /// What is due. A ping counts as sent.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if self.dead_at.is_some_and(|dead_at| dead_at <= now) {
            return Beat::Dead;
        }
        if self.ping_at > now {
            return Beat::Wait;
        }
        self.last_ping = Some(now);
        self.ping_at = now + self.ping_every;
        // Of several pings without an answer the first one counts.
        self.dead_at.get_or_insert(now + self.pong_timeout);
        Beat::Ping
    }

    /// Something was heard.
    pub(super) fn heard(&mut self) {
        self.dead_at = None;
    }

    /// The platform wants another interval.
    pub(super) fn set_interval(&mut self, ping_every: Duration, now: Instant) {
        self.ping_every = ping_every;
        self.ping_at = self.last_ping.unwrap_or(now) + ping_every;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pulse() -> (Instant, Pulse) {
        let start = Instant::now();
        (start, Pulse::new(start, 90 * SECOND, 20 * SECOND))
    }

    #[test]
    fn it_pings_at_once_and_then_at_the_interval() {
        let (start, mut pulse) = pulse();
        assert_eq!(pulse.beat(start), Beat::Ping);
        pulse.heard();
        assert_eq!(pulse.next(), start + 90 * SECOND);
        assert_eq!(pulse.beat(start + 89 * SECOND), Beat::Wait);
        assert_eq!(pulse.beat(start + 90 * SECOND), Beat::Ping);
    }

    #[test]
    fn silence_after_a_ping_is_death() {
        let (start, mut pulse) = pulse();
        pulse.beat(start);
        assert_eq!(pulse.next(), start + 20 * SECOND);
        assert_eq!(pulse.beat(start + 19 * SECOND), Beat::Wait);
        assert_eq!(pulse.beat(start + 20 * SECOND), Beat::Dead);
    }

    #[test]
    fn silence_without_a_ping_is_not() {
        let (start, mut pulse) = pulse();
        pulse.beat(start);
        pulse.heard();
        assert_eq!(pulse.beat(start + 80 * SECOND), Beat::Wait);
    }

    #[test]
    fn pings_faster_than_the_timeout_do_not_put_death_off() {
        let (start, mut pulse) = pulse();
        pulse.set_interval(5 * SECOND, start);
        for n in [5, 10, 15, 20] {
            assert_eq!(pulse.beat(start + n * SECOND), Beat::Ping);
        }
        assert_eq!(pulse.beat(start + 25 * SECOND), Beat::Dead);
    }

    #[test]
    fn a_new_interval_counts_from_the_last_ping() {
        let (start, mut pulse) = pulse();
        pulse.beat(start);
        pulse.heard();
        pulse.set_interval(10 * SECOND, start + 4 * SECOND);
        assert_eq!(pulse.next(), start + 10 * SECOND);
    }
}
