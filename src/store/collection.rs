//! A typed view of the records of one kind.

use std::marker::PhantomData;

use super::{Error, Record, Store};

/// The records of one type.
pub struct Collection<T> {
    store: Store,
    record: PhantomData<fn() -> T>,
}

impl<T: Record> Collection<T> {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            record: PhantomData,
        }
    }

    /// The record of this key. `None` also for one that could not be read, which is then set aside.
    pub async fn get(&self, key: &str) -> Result<Option<T>, Error> {
        unimplemented!("{key}")
    }

    /// Sets a record, without waiting for the disk.
    pub async fn put(&self, key: &str, value: &T) -> Result<(), Error> {
        let _ = value;
        unimplemented!("{key}")
    }

    /// Removes a record, without waiting for the disk.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        unimplemented!("{key}")
    }

    /// Up to `limit` records whose keys start with `prefix` and come after `after`, in the order of keys.
    pub async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>, Error> {
        unimplemented!("{prefix} {after:?} {limit}")
    }

    /// Replaces `old` by `new` if the record is `old` at that moment; durable.
    pub async fn compare_and_swap(
        &self,
        key: &str,
        old: Option<&T>,
        new: Option<&T>,
    ) -> Result<bool, Error> {
        let _ = (old, new, &self.store);
        unimplemented!("{key}")
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            record: PhantomData,
        }
    }
}
