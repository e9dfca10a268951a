//! When which incident wants to be looked at: one time for each, the earliest first.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

/// The times.
#[derive(Debug, Default)]
pub(super) struct Timers {
    in_order: BTreeSet<(Timestamp, u32)>,
    of: HashMap<u32, Timestamp>,
}

impl Timers {
    /// Sets an incident's time, in place of the one that it had.
    pub(super) fn set(&mut self, number: u32, at: Option<Timestamp>) {
        if let Some(before) = self.of.remove(&number) {
            self.in_order.remove(&(before, number));
        }
        if let Some(at) = at {
            self.of.insert(number, at);
            self.in_order.insert((at, number));
        }
    }

    /// The next time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.in_order.first().map(|(at, _)| *at)
    }

    /// The first few whose time has come.
    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Vec<u32> {
        let due = self.in_order.iter().take_while(|(at, _)| *at <= now);
        due.take(limit).map(|(_, number)| *number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_incident_has_one_time_and_the_earliest_comes_first() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut timers = Timers::default();
        timers.set(1, Some(at(30)));
        timers.set(2, Some(at(10)));
        timers.set(3, Some(at(20)));
        timers.set(2, Some(at(40)));
        timers.set(3, None);
        assert_eq!(timers.next(), Some(at(30)));
        assert!(timers.due(at(29), 9).is_empty());
        assert_eq!(timers.due(at(40), 9), [1, 2]);
        assert_eq!(timers.due(at(40), 1), [1]);
    }
}
