//! What a database must be able to do for us, in terms of bytes.
//!
//! There is one way to write: a [`Write`] is a list of changes that happen together or not at all, with an
//! optional condition. Put, delete, compare-and-swap and batch are all made of it, so an engine has one hard
//! thing to get right and not four.

use futures::future::BoxFuture;

use super::Error;

/// A key: any bytes, ordered as bytes. At most [`KEY_BYTES_MAX`].
pub type Key = Vec<u8>;
/// A value: any bytes. At most [`VALUE_BYTES_MAX`].
pub type Value = Vec<u8>;

/// A key and its value.
pub type Pair = (Key, Value);

/// The longest key an engine takes, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// The longest value an engine takes, in bytes. sled never gives back the room of values over 128 KiB
/// (10,000 writes of 200 KB left 3.5 GB behind that even deleting everything did not free).
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// One change to one key, or to a run of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets a key, whether it was there or not.
    Put(Key, Value),
    /// Removes a key, whether it was there or not.
    Delete(Key),
    /// Removes every key that starts with these bytes and is there at that point of the write. What the
    /// same write puts under them afterwards stays.
    DeletePrefix(Key),
}

impl Change {
    /// The bytes it carries: key and value.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Put(key, value) => key.len() + value.len(),
            Self::Delete(key) | Self::DeletePrefix(key) => key.len(),
        }
    }
}

/// Changes that happen together or not at all, in their order; also through a crash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write {
    /// The changes. Of two to one key the later counts.
    pub changes: Vec<Change>,
    /// Nothing happens unless this key has this value (`None`: is absent) at that moment.
    pub only_if: Option<(Key, Option<Value>)>,
    /// Whether the answer waits until the changes survive the death of the process and of the machine.
    pub durable: bool,
}

impl Write {
    /// The bytes it carries, in all its changes.
    pub fn size_bytes(&self) -> usize {
        self.changes.iter().map(Change::size_bytes).sum()
    }

    /// Refuses keys and values over the limits.
    pub(super) fn check(&self) -> Result<(), Error> {
        for change in &self.changes {
            let (key, value) = match change {
                Change::Put(key, value) => (key, value.len()),
                Change::Delete(key) | Change::DeletePrefix(key) => (key, 0),
            };
            within("a key", key.len(), KEY_BYTES_MAX)?;
            within("a value", value, VALUE_BYTES_MAX)?;
        }
        Ok(())
    }
}

/// An error if `size_bytes` is over `size_bytes_max`.
pub(super) fn within(what: &str, size_bytes: usize, size_bytes_max: usize) -> Result<(), Error> {
    if size_bytes <= size_bytes_max {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: what.to_owned(),
        size_bytes,
        size_bytes_max,
    })
}

/// What an engine's methods give back: a result, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// An ordered map of bytes on a disk, or on the other end of a wire.
///
/// No method blocks the thread it is called on.
pub trait Engine: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: Key) -> Answer<'_, Option<Value>>;

    /// The value of a key and all pairs whose keys start with `below`, as they were at one moment.
    ///
    /// This is how a record that lies in several values is read whole while others overwrite it.
    fn get_with(&self, key: Key, below: Key) -> Answer<'_, (Option<Value>, Vec<Pair>)>;

    /// Up to `limit` pairs whose keys start with `prefix` and come after `after`, in the order of their keys.
    ///
    /// Not a snapshot: a write that happens meanwhile may be seen or not.
    fn scan(&self, prefix: Key, after: Option<Key>, limit: usize) -> Answer<'_, Vec<Pair>>;

    /// Performs a write. False when its condition did not hold and nothing happened.
    ///
    /// After an error of a durable write it may or may not be there at the next start. The write does not
    /// depend on the future being polled to its end.
    fn write(&self, write: Write) -> Answer<'_, bool>;

    /// Makes durable what was written before.
    fn flush(&self) -> Answer<'_, ()>;

    /// Whether writes can be expected to succeed. False from the first I/O error on, until it is mended.
    fn is_writable(&self) -> bool;

    /// What the database takes up on its disk, in bytes.
    fn size_bytes(&self) -> Answer<'_, u64>;

    /// Flushes and lets go of everything. What comes later is refused with [`Error::Closed`].
    fn close(&self) -> Answer<'_, ()>;
}
