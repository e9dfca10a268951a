//! Lets one line into the log where thousands would say the same.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Between two lines about the same thing.
const QUIET: Duration = Duration::from_secs(60);

/// When what was last said, and how often it would have been said since.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<&'static str, (Instant, u64)>>);

impl Throttle {
    /// Whether `what` may be said now; with how often it was kept back since it was said last.
    pub(super) fn may_say(&self, what: &'static str, now: Instant) -> Option<u64> {
        // A count is whole at every moment, so a poisoned lock still holds good ones.
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((at, kept_back)) = said.get_mut(what) else {
            said.insert(what, (now, 0));
            return Some(0);
        };
        if now.saturating_duration_since(*at) < QUIET {
            *kept_back += 1;
            return None;
        }
        *at = now;
        Some(std::mem::take(kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_says_how_many_it_stands_for() {
        let throttle = Throttle::default();
        let start = Instant::now();
        assert_eq!(throttle.may_say("a", start), Some(0));
        for _ in 0..1000 {
            assert_eq!(throttle.may_say("a", start + QUIET / 2), None);
        }
        assert_eq!(throttle.may_say("b", start + QUIET / 2), Some(0));
        assert_eq!(throttle.may_say("a", start + QUIET), Some(1000));
        assert_eq!(throttle.may_say("a", start + QUIET * 2), Some(0));
    }
}
