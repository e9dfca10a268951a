//! Who is told that an incident changed. They are told that it did and not what, so however fast incidents
//! change, whoever is slow looks once at how it is now.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Notify;

/// Everybody who follows.
#[derive(Default)]
pub(super) struct Followers(Mutex<Vec<Weak<Basket>>>);

/// What changed since somebody looked.
struct Basket {
    changed: Mutex<BTreeSet<u32>>,
    told: Notify,
}

/// Somebody who is told of changes, until it is dropped.
pub(in crate::bot) struct Follower(Arc<Basket>);

impl Followers {
    /// A new one, who has yet to look at `first`.
    pub(super) fn join(&self, first: BTreeSet<u32>) -> Follower {
        let basket = Arc::new(Basket {
            changed: Mutex::new(first),
            told: Notify::new(),
        });
        self.lock().push(Arc::downgrade(&basket));
        Follower(basket)
    }

    /// Tells everybody that these changed.
    pub(super) fn tell(&self, numbers: &BTreeSet<u32>) {
        if numbers.is_empty() {
            return;
        }
        self.lock().retain(|follower| {
            let Some(basket) = follower.upgrade() else {
                return false;
            };
            basket.add(numbers);
            true
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Basket>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Basket {
    fn add(&self, numbers: &BTreeSet<u32>) {
        self.lock().extend(numbers);
        self.told.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<u32>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// The numbers of those that changed since the last call, each once. Waits until there is one. May be
    /// cancelled.
    pub(in crate::bot) async fn next(&self) -> BTreeSet<u32> {
        loop {
            let changed = std::mem::take(&mut *self.0.lock());
            if !changed.is_empty() {
                return changed;
            }
            self.0.told.notified().await;
        }
    }

    /// Has this incident looked at again, as if it had changed.
    pub(in crate::bot) fn again(&self, number: u32) {
        self.0.add(&BTreeSet::from([number]));
    }
}
