//! What can be told of a folder without opening the database in it.
//!
//! Opening mends what is damaged by moving it aside, which is for a start and not for whoever only looks.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

use rustix::fs::{Access, access, statvfs};

use super::guard::LOCK;
use crate::config::StoreConfig;

/// The folder of the configuration, from outside.
#[derive(Debug)]
pub struct Folder {
    /// Whether it can be used.
    pub standing: Standing,
    /// How much room is left on its disk, in bytes, where that can be told.
    pub free_bytes: Option<u64>,
}

/// Whether a folder can be used.
#[derive(Debug)]
pub enum Standing {
    /// It is not there, and will be made.
    New,
    /// It is there, and nobody uses it.
    Free,
    /// A process uses it.
    InUse,
    /// We may not read or write there.
    Unusable(io::Error),
}

/// Looks at the folder of the configuration. It blocks, for as long as a disk takes.
pub fn look(config: &StoreConfig) -> Folder {
    let path = std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone());
    // Of a folder that is not there yet, the next one above it that is.
    let there = path.ancestors().find(|path| path.exists());
    let there = there.unwrap_or(Path::new("/"));
    let standing = match access(there, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        Err(error) => Standing::Unusable(error.into()),
        Ok(()) if there != path => Standing::New,
        Ok(()) => is_free(&path).unwrap_or_else(Standing::Unusable),
    };
    let free_bytes = statvfs(there)
        .ok()
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    Folder {
        standing,
        free_bytes,
    }
}

fn is_free(path: &Path) -> io::Result<Standing> {
    let lock = match File::options().read(true).write(true).open(path.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Free),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        // Let go of when it is closed.
        Ok(()) => Ok(Standing::Free),
        Err(TryLockError::WouldBlock) => Ok(Standing::InUse),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn config(path: &Path) -> StoreConfig {
        StoreConfig {
            path: path.to_owned(),
            ..StoreConfig::default()
        }
    }

    #[tokio::test]
    async fn a_folder_is_new_then_in_use_then_free() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("a/b"));
        let seen = look(&config);
        assert!(matches!(seen.standing, Standing::New), "{seen:?}");
        assert!(seen.free_bytes.is_some_and(|bytes| bytes > 0));
        assert!(!config.path.exists(), "looking makes nothing");

        let store = Store::open(&config).await.unwrap();
        assert!(matches!(look(&config).standing, Standing::InUse));
        store.close().await.unwrap();
        assert!(matches!(look(&config).standing, Standing::Free));
    }

    #[test]
    fn a_file_in_its_place_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let seen = look(&config(&file.path().join("store")));
        assert!(matches!(seen.standing, Standing::Unusable(_)), "{seen:?}");
    }
}
