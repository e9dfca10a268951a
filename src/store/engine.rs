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

/// The longest key an engine is given, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// The longest value an engine accepts, in bytes. See the module's front page for the reason.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// One change to one key, or to a run of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets a key, whether it was there or not.
    Put(Key, Value),
    /// Removes a key, whether it was there or not.
    Delete(Key),
    /// Removes every key that starts with these bytes and is there when the write happens. What the same
    /// write puts under them afterwards stays.
    DeletePrefix(Key),
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

/// An ordered map of bytes on a disk, or on the other end of a wire.
///
/// No method blocks the thread it is called on.
pub trait Engine: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: Key) -> BoxFuture<'_, Result<Option<Value>, Error>>;

    /// Up to `limit` pairs whose keys start with `prefix` and come after `after`, in the order of their keys.
    ///
    /// Not a snapshot: a write that happens meanwhile may be seen or not.
    fn scan(
        &self,
        prefix: Key,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Value)>, Error>>;

    /// Performs a write. False when its condition did not hold and nothing happened.
    ///
    /// An error from a durable write means that it may or may not be there after the next start.
    fn write(&self, write: Write) -> BoxFuture<'_, Result<bool, Error>>;

    /// Makes durable what was written before.
    fn flush(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Whether writes can be expected to succeed. False from the first I/O error on, until it is mended.
    fn is_writable(&self) -> bool;

    /// What the database takes up on its disk, in bytes.
    fn size_bytes(&self) -> BoxFuture<'_, Result<u64, Error>>;

    /// Flushes and lets go of everything. What comes later is refused with [`Error::Closed`].
    fn close(&self) -> BoxFuture<'_, Result<(), Error>>;
}
