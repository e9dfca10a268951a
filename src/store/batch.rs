//! Changes to records of several collections that happen together or not at all.

use super::{Error, Record, engine::Write};

/// Changes that happen together or not at all, once given to [`super::Store::commit`].
#[derive(Debug, Default)]
pub struct Batch {
    write: Write,
    /// The first thing that could not be put in; told by the commit, so that calls can be chained.
    error: Option<Error>,
}

impl Batch {
    /// Sets a record.
    pub fn put<T: Record>(&mut self, key: &str, value: &T) -> &mut Self {
        let _ = (value, &self.write, &self.error);
        unimplemented!("{key}")
    }

    /// Removes a record.
    pub fn delete<T: Record>(&mut self, key: &str) -> &mut Self {
        unimplemented!("{key}")
    }
}
