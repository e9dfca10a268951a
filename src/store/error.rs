//! What can go wrong with the store, told apart by what the caller does next.

use std::{io, path::PathBuf, sync::Arc};

/// What can go wrong with the store, told apart by what to do next.
///
/// One failed flush is told to everyone who waited for it, hence `Clone` and the shared causes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process has the folder. Stop that one, or give this one its own folder.
    #[error("another nightjar process is using {}; stop it, or give this one a folder of its own with path under [store]", .0.display())]
    InUse(PathBuf),
    /// The database cannot be read, and could not be moved out of the way either. Someone has to look.
    #[error("the database in {} is damaged ({reason}) and could not be moved aside: {source}", path.display())]
    Damaged {
        /// The folder that was given in the configuration.
        path: PathBuf,
        /// What the database said.
        reason: String,
        /// Why it could not be moved.
        #[source]
        source: Arc<io::Error>,
    },
    /// There is no room on the disk. Writing works again by itself soon after there is.
    #[error("no room on the disk of the store: {0}")]
    Full(#[source] Arc<io::Error>),
    /// The disk or the database failed. The store tries by itself to get it to work again.
    #[error("the store failed: {0}")]
    Io(#[source] Arc<io::Error>),
    /// A newer nightjar wrote this record. It is left as it is; run that version or a newer one.
    #[error(
        "{collection}/{key} was written by a newer nightjar (version {found}, this one knows {known})"
    )]
    NewerVersion {
        /// The collection's name.
        collection: &'static str,
        /// The record's key.
        key: String,
        /// The version it carries.
        found: u8,
        /// The newest version we know.
        known: u8,
    },
    /// A record, a key or a batch is larger than the store takes. Nothing was written.
    #[error("{what} has {size_bytes} bytes, over the limit of {size_bytes_max}")]
    TooLarge {
        /// What was too large.
        what: String,
        /// Its size, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        size_bytes_max: usize,
    },
    /// The value has no JSON form: a fault in the program. Nothing was written.
    #[error("a record of {collection} cannot be written as JSON")]
    Unencodable {
        /// The collection's name.
        collection: &'static str,
        /// What JSON lacks.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// A failure that has no error of the system behind it.
    pub(super) fn failed(what: impl Into<String>) -> Self {
        io::Error::other(what.into()).into()
    }

    /// Whether the database itself failed, so that nothing more can be written to it as it is.
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Io(_))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full(Arc::new(error)),
            _ => Self::Io(Arc::new(error)),
        }
    }
}
