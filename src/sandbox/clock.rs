//! The sandbox's clock: real time plus whatever `POST /sandbox/clock` has added.
//!
//! Rules of the platform that take minutes or days (redelivery, token expiry, the ten-minute close
//! of a streaming card) read this clock only, so a test moves it instead of waiting.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// A handle to the one clock of a sandbox; clones show the same time.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// When the clock was made. Monotonic, so that a machine that sets its own clock back does not
    /// set ours back.
    started: Instant,
    /// The time of day at `started`, in milliseconds since 1970.
    started_ms: i64,
    /// The sum of all advances in milliseconds, and the bell that wakes who waits.
    added_ms: Arc<watch::Sender<i64>>,
}

impl Clock {
    /// A clock that shows the real time.
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            started_ms: jiff::Timestamp::now().as_millisecond(),
            added_ms: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Milliseconds since 1970 by this clock. Never goes back.
    pub(super) fn now_ms(&self) -> i64 {
        let passed = self.started.elapsed().as_millis();
        let passed_ms = i64::try_from(passed).unwrap_or(i64::MAX);
        self.started_ms
            .saturating_add(passed_ms)
            .saturating_add(*self.added_ms.borrow())
    }

    /// Moves the clock forward and wakes everyone whose time has come. A negative step is ignored:
    /// nothing here could make sense of time that runs back.
    pub(super) fn advance(&self, ms: i64) {
        self.added_ms
            .send_modify(|added_ms| *added_ms = added_ms.saturating_add(ms.max(0)));
    }

    /// Resolves once the clock shows `at_ms` or later, by itself or through [`Clock::advance`].
    /// May be dropped and asked again at any time.
    pub(super) async fn reached(&self, at_ms: i64) {
        let mut advances = self.added_ms.subscribe();
        loop {
            // Marked as seen before looking at the time: an advance in between wakes us again.
            advances.borrow_and_update();
            let left_ms = at_ms.saturating_sub(self.now_ms());
            let Some(left_ms) = u64::try_from(left_ms).ok().filter(|left_ms| *left_ms > 0) else {
                return;
            };
            tokio::select! {
                // By itself; looked at once more above, as a sleep counts whole milliseconds only.
                () = sleep(Duration::from_millis(left_ms)) => {}
                // It was moved. The sender lives in `self`, so this cannot fail.
                _ = advances.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[tokio::test]
    async fn an_advance_wakes_who_waits_for_a_later_hour() {
        let clock = Clock::new();
        let at_ms = clock.now_ms() + 6 * HOUR_MS;
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reached(at_ms).await }
        });
        tokio::task::yield_now().await;
        clock.advance(HOUR_MS);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "one hour is not six");
        clock.advance(5 * HOUR_MS);
        waiting.await.unwrap();
        assert!(clock.now_ms() >= at_ms);
    }

    #[tokio::test(start_paused = true)]
    async fn time_comes_by_itself_too() {
        let clock = Clock::new();
        let at_ms = clock.now_ms() + 6 * HOUR_MS;
        clock.reached(at_ms).await;
        assert!(clock.now_ms() >= at_ms);
    }

    #[tokio::test]
    async fn the_clock_never_goes_back() {
        let clock = Clock::new();
        let before_ms = clock.now_ms();
        clock.advance(-HOUR_MS);
        assert!(clock.now_ms() >= before_ms);
        clock.advance(i64::MAX);
        clock.reached(i64::MAX).await;
    }
}
