//! Changes to records of several collections that happen together or not at all.

use super::{
    Error, Record,
    engine::{Change, Write, within},
    record,
};

/// The largest batch, in bytes of keys and JSON.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Changes that happen together or not at all, once given to [`Store::commit`](super::Store::commit).
#[derive(Debug, Default)]
pub struct Batch {
    changes: Vec<Change>,
    size_bytes: usize,
    /// The first thing that could not be put in; told by the commit, so that calls can be chained.
    error: Option<Error>,
}

impl Batch {
    /// Sets a record. What is wrong with it (too large, no JSON form) is told by the commit, which then
    /// writes nothing.
    pub fn put<T: Record>(&mut self, key: &str, value: &T) -> &mut Self {
        self.extend(record::put(key, value))
    }

    /// Removes a record, if it is there.
    pub fn delete<T: Record>(&mut self, key: &str) -> &mut Self {
        self.extend(record::delete::<T>(key))
    }

    /// Whether nothing was put in.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.error.is_none()
    }

    fn extend(&mut self, changes: Result<Vec<Change>, Error>) -> &mut Self {
        match changes {
            // A batch that is too large already takes no more memory.
            Ok(_) if self.size_bytes > BATCH_BYTES_MAX => {}
            Ok(changes) => {
                self.size_bytes += changes.iter().map(Change::size_bytes).sum::<usize>();
                self.changes.extend(changes);
            }
            Err(error) => drop(self.error.get_or_insert(error)),
        }
        self
    }

    pub(super) fn into_write(self) -> Result<Write, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        within("a batch", self.size_bytes, BATCH_BYTES_MAX)?;
        Ok(Write {
            changes: self.changes,
            only_if: None,
            durable: true,
        })
    }
}
