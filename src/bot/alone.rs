//! Work on the same thing, one after the other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard};

/// Who is at work on what. As long as there is work under way, and so bounded by that.
#[derive(Clone, Default)]
pub(super) struct Alone(Arc<Mutex<HashMap<String, Arc<Turnstile<()>>>>>);

/// While it lives, nobody else works on the same thing.
pub(super) struct Guard {
    alone: Alone,
    about: String,
    /// Taken out first when this ends, so that whoever waits can go on.
    held: Option<OwnedMutexGuard<()>>,
}

impl Alone {
    /// Waits until nobody else works on `about`.
    pub(super) async fn with(&self, about: &str) -> Guard {
        let turnstile = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(about.to_owned()).or_default().clone()
        };
        // Made before the wait, so that whoever goes away while waiting tidies up too.
        let mut guard = Guard {
            alone: self.clone(),
            about: about.to_owned(),
            held: None,
        };
        guard.held = Some(turnstile.lock_owned().await);
        guard
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut all = self.alone.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the map has it, so nobody works on it or waits for it.
        let is_free = |turnstile: &Arc<Turnstile<()>>| Arc::strong_count(turnstile) == 1;
        if all.get(&self.about).is_some_and(is_free) {
            all.remove(&self.about);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_works_and_the_next_waits_and_nothing_is_left() {
        let alone = Alone::default();
        let first = alone.with("a").await;
        let second = timeout(Duration::from_secs(1), alone.with("a"));
        let (other, second) = tokio::join!(alone.with("b"), second);
        assert!(second.is_err());
        drop((first, other));
        let third = timeout(Duration::from_secs(1), alone.with("a")).await;
        drop(third.unwrap());
        assert!(alone.0.lock().unwrap().is_empty());
    }
}
